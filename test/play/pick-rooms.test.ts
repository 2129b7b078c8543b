import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { RaceId } from '../../lib/core/ids.ts';
import type { PublicRecord } from '../../lib/core/public-race.ts';
import type { TestClient } from '../helpers/client.ts';
import { until } from '../helpers/until.ts';
import {
  at,
  ended,
  eventsOf,
  expectOneSequence,
  expectVerified,
  hurry,
  opened,
  PATIENCE,
  type Room,
  recordOf,
  SCALE,
  setTable,
  type Table,
  untilLevel,
} from './table.ts';

let table: Table;
beforeAll(async () => {
  table = await setTable();
});
afterAll(() => table?.close());

const pick = (client: TestClient, raceId: RaceId, horse: number | 'random') =>
  client.request('pick:choose', { raceId, horse });
const vote = (client: TestClient, raceId: RaceId, place: number) => client.request('vote:place', { raceId, place });

const horseOf = (record: PublicRecord, client: TestClient) =>
  record.picks?.find(({ playerId }) => playerId === client.id);

/** Who must be caught: everybody on the horse at the drawn place, counted among picked horses only. */
function caughtByHand(record: PublicRecord): string[] {
  const picked = new Set(record.picks?.map(({ horse }) => horse));
  const order = (record.result?.order ?? []).filter(({ number }) => picked.has(number));
  const place = record.place?.drawn ?? 0;
  const horses = order.filter(({ finishMs }) => {
    const before = order.filter((other) => other.finishMs < finishMs).length;
    const level = order.filter((other) => other.finishMs === finishMs).length;
    return before < place && place <= before + level;
  });
  return (record.picks ?? [])
    .filter(({ horse }) => horses.some(({ number }) => number === horse))
    .map(({ playerId }) => playerId);
}

async function settledRecord(client: TestClient, raceId: RaceId): Promise<PublicRecord> {
  expect(await ended(client, raceId)).toBe('settled');
  const record = await recordOf(table, client, raceId);
  expectVerified(record);
  expect(record.result?.caught?.toSorted()).toEqual(caughtByHand(record).toSorted());
  expect(record.result?.caught?.length).toBeGreaterThan(0);
  return record;
}

/** Opens the next race of a manual room. */
async function start(host: TestClient, roomId: Room, rerunOf?: RaceId): Promise<RaceId> {
  const { raceId } = await host.request('race:start', { roomId, ...(rerunOf && { rerunOf }) });
  await host.event('race opened', ({ race }) => race.id === raceId);
  return raceId;
}

describe.concurrent('pick rooms', { timeout: 120_000 }, () => {
  it('[RC64] in a manual room five rounds catch somebody each, by a place voted in secret, and each record verifies', async () => {
    const { roomId, players } = await table.room('pick', ['ann', 'ben', 'cho'], { openSeconds: 200, track: 'short' });
    const [ann, ben, cho] = [at(players, 0), at(players, 1), at(players, 2)];
    const records: PublicRecord[] = [];
    for (let number = 1; number <= 5; number += 1) {
      const raceId = await start(ann, roomId);
      const race = await opened(ben, number);
      expect(race.field).toHaveLength(4);
      expect(race.rules).toMatchObject({ exclusivePicks: false, placeVote: true });
      expect(new Set(race.field.map(({ ability, stamina }) => `${ability} ${stamina}`)).size).toBe(1);
      // Two votes for a place above the picked horses are votes for the last one; the others voted for the same.
      for (const client of players) await vote(client, raceId, number % 2 === 0 ? 4 : 1);
      await pick(ann, raceId, 1);
      if (number === 5) await pick(cho, raceId, 3);
      else await pick(ben, raceId, 2);
      const shown = await cho.request('race:get', { raceId });
      expect([shown.picks, shown.place, shown.seed, shown.result]).toEqual([
        undefined,
        undefined,
        undefined,
        undefined,
      ]);
      const second = number === 5 ? cho : ben;
      expect(shown.picked.toSorted()).toEqual([ann.id, second.id].toSorted());
      expect((await second.request('bet:mine', { raceId })).pick?.horse).toBe(number === 5 ? 3 : 2);
      if (number === 2) ben.drop();
      if (number === 5) {
        // Who goes before the others have picked: they are not waited for, and their horse runs.
        await cho.request('room:leave', { roomId });
        expect((await ann.request('race:get', { raceId })).phase).toBe('open');
        await pick(ben, raceId, 2);
      } else await pick(cho, raceId, number === 3 ? 'random' : 3);
      if (number === 4) {
        // Leaving keeps the pick.
        await cho.event('race running', (event) => event.raceId === raceId);
        await cho.request('room:leave', { roomId });
        await cho.request('room:join', { roomId });
      }
      const record = await settledRecord(ann, raceId);
      const horses = new Set(record.picks?.map(({ horse }) => horse)).size;
      if (number !== 3) expect(record.place?.drawn).toBe(number % 2 === 0 ? horses : 1);
      expect(record.place?.votes).toHaveLength(3);
      expect(horseOf(record, ben)).toEqual({ playerId: ben.id, horse: 2, drawn: false });
      if (number !== 3) expect(horseOf(record, cho)).toEqual({ playerId: cho.id, horse: 3, drawn: false });
      expectVerified(record, records.at(-1));
      records.push(record);
    }
    await until('ben is back', () => ben.readies === 2 && ben.room !== undefined, PATIENCE);
    await cho.request('room:join', { roomId });
    await untilLevel(players);
    expectOneSequence([ann, ben]);
    expect(ben.room?.snapshots).toBe(1);
    const { races } = await cho.request('race:history', { roomId });
    expect(races.map(({ number, caught }) => [number, caught])).toEqual(
      records.map((record) => [record.number, record.result?.caught]).reverse(),
    );
  });

  it('[RC65] who is ready and connected without a pick gets a horse drawn; who sits out, watches or has left does not', async () => {
    const { roomId, players } = await table.room('pick', ['dee', 'eve', 'fox', 'gil', 'hal'], { openSeconds: 200 });
    const [dee, eve, fox, gil, hal] = [at(players, 0), at(players, 1), at(players, 2), at(players, 3), at(players, 4)];
    const guest = await table.player('guest');
    await guest.request('room:join', { roomId, as: 'spectator' });
    await eve.request('room:ready', { roomId, ready: false });
    await dee.event('member changed', ({ playerId, patch }) => playerId === eve.id && patch.ready === false);
    const raceId = await start(dee, roomId);
    for (const [client, code] of [
      [guest, 'FORBIDDEN'],
      [eve, 'NOT_READY'],
    ] as const) {
      expect((await client.refused('pick:choose', { raceId, horse: 1 })).code).toBe(code);
      expect((await client.refused('vote:place', { raceId, place: 1 })).code).toBe(code);
      expect((await client.refused('pick:clear', { raceId })).code).toBe(code);
    }
    expect((await dee.refused('pick:choose', { raceId, horse: 9 })).code).toBe('SELECTION_INVALID');
    expect((await dee.refused('vote:place', { raceId, place: 9 })).code).toBe('SELECTION_INVALID');
    expect((await dee.refused('bet:place', { raceId, pool: 'win', selection: [1], stake: '100' })).code).toBe(
      'FORBIDDEN',
    );
    await pick(dee, raceId, 1);
    await pick(gil, raceId, 2);
    await pick(hal, raceId, 3);
    await pick(hal, raceId, 4);
    await hal.request('pick:clear', { raceId });
    await dee.event('pick made', (event) => event.playerId === hal.id && !event.picked);
    expect((await gil.refused('room:role', { roomId, as: 'spectator' })).code).toBe('IN_RACE');
    expect((await eve.ask('room:role', { roomId, as: 'spectator' })).ok).toBe(true);
    await hal.request('room:leave', { roomId });
    await hurry(dee, roomId);
    const record = await settledRecord(dee, raceId);
    expect(record.picks?.map(({ playerId }) => playerId).toSorted()).toEqual([dee.id, fox.id, gil.id].toSorted());
    expect(horseOf(record, dee)).toMatchObject({ horse: 1, drawn: false });
    expect(horseOf(record, gil)).toMatchObject({ horse: 2, drawn: false });
    expect(horseOf(record, fox)).toMatchObject({ drawn: true });
    // Nobody voted: the last of the picked horses is caught.
    expect(record.place).toEqual({ drawn: new Set(record.picks?.map(({ horse }) => horse)).size, votes: [] });
    // The race is over: everybody may change sides again.
    await gil.request('room:role', { roomId, as: 'spectator' });
  });

  it('[RC66] all on one horse: no race, and the next is opened with exclusive picks; a taken horse is HORSE_TAKEN', async () => {
    const { roomId, players } = await table.room('pick', ['ida', 'jon', 'kim'], { openSeconds: 200, track: 'short' });
    const [ida, jon, kim] = [at(players, 0), at(players, 1), at(players, 2)];
    const first = await start(ida, roomId);
    for (const client of players) await pick(client, first, 3);
    expect(await ended(kim, first)).toBe('void');
    const shown = await recordOf(table, kim, first);
    expect(shown).toMatchObject({ phase: 'void', voidReason: 'same-horse' });
    expect(shown.picks?.map(({ horse }) => horse)).toEqual([3, 3, 3]);
    expectVerified(shown);
    await kim.event('notice', ({ key }) => key === 'exclusive-next');

    const second = await start(ida, roomId);
    expect((await opened(kim, 2)).rules.exclusivePicks).toBe(true);
    const both = await Promise.all([jon, kim].map((client) => client.ask('pick:choose', { raceId: second, horse: 2 })));
    expect(both.filter(({ ok }) => ok)).toHaveLength(1);
    const [lucky, other] = both[0]?.ok ? [jon, kim] : [kim, jon];
    expect((await other.refused('pick:choose', { raceId: second, horse: 2 })).code).toBe('HORSE_TAKEN');
    await ida.message('race:odds', ({ raceId, taken }) => raceId === second && taken?.includes(2) === true);
    // Which horses are gone is told, not by whom.
    expect((await ida.request('race:get', { raceId: second })).taken).toEqual([2]);
    const { horse } = await pick(other, second, 'random');
    expect(horse).not.toBe(2);
    await lucky.request('pick:clear', { raceId: second });
    await pick(other, second, 2);
    await hurry(ida, roomId);
    const record = await settledRecord(ida, second);
    expect(new Set(record.picks?.map((one) => one.horse)).size).toBe(3);
    expect(horseOf(record, other)).toMatchObject({ horse: 2, drawn: false });
    expectVerified(record, shown);
    const third = await start(ida, roomId);
    expect((await opened(kim, 3)).rules.exclusivePicks).toBe(false);
    // Kicked before the close: the pick goes too; with one left there is nobody to race against.
    await pick(jon, third, 1);
    await ida.request('room:kick', { roomId, playerId: kim.id });
    await ida.event('member left', ({ playerId }) => playerId === kim.id);
    await pick(ida, third, 2);
    await ida.request('room:kick', { roomId, playerId: jon.id });
    await ida.event('pick made', (event) => event.playerId === jon.id && !event.picked);
    await hurry(ida, roomId);
    expect(await ended(ida, third)).toBe('void');
    expect((await recordOf(table, ida, third)).voidReason).toBe('too-few-picks');
    expect((await ida.refused('race:start', { roomId })).code).toBe('NOT_ENOUGH_PLAYERS');
  });

  it('[RC67] several caught run again among themselves at the host’s word; who is absent gets a horse drawn', async () => {
    const { roomId, players } = await table.room('pick', ['lou', 'max', 'ned', 'oda'], {
      openSeconds: 100,
      track: 'short',
    });
    const host = at(players, 0);
    const first = await start(host, roomId);
    // Two on each of two horses: whichever is caught, two are.
    for (const [index, client] of players.entries()) await pick(client, first, 1 + (index % 2));
    const tie = await settledRecord(host, first);
    expect(tie.result?.caught).toHaveLength(2);
    const caught = players.filter(({ id }) => tie.result?.caught?.some((one) => one === id));
    const free = players.filter((client) => !caught.includes(client));
    // Of the two, one who is not the host drops out of the net for good.
    const absent = at(
      caught.filter((client) => client !== host),
      0,
    );
    const present = at(
      caught.filter((client) => client !== absent),
      0,
    );
    absent.socket.disconnect();
    await host.event('member changed', ({ playerId, patch }) => playerId === absent.id && patch.connected === false);

    let last = tie;
    for (let tries = 0; tries < 20 && (last.phase === 'void' || last === tie); tries += 1) {
      const raceId = await start(host, roomId, last.id);
      const race = await opened(host, last.number + 1);
      expect(race).toMatchObject({ rerunOf: last.id });
      expect(race.participants?.toSorted()).toEqual(caught.map(({ id }) => id).toSorted());
      for (const client of free)
        expect((await client.refused('pick:choose', { raceId, horse: 1 })).code).toBe('FORBIDDEN');
      await pick(present, raceId, 1);
      await hurry(host, roomId);
      await ended(host, raceId);
      const record = await recordOf(table, host, raceId);
      expectVerified(record, last);
      expect(horseOf(record, absent)).toMatchObject({ drawn: true });
      last = record;
    }
    expect(last.phase).toBe('settled');
    expect(last.result?.caught).toEqual(caughtByHand(last));
    expect(last.result?.caught).toHaveLength(1);
    expect((await host.refused('race:start', { roomId, rerunOf: last.id })).code).toBe('FORBIDDEN');
    expect((await host.refused('race:start', { roomId, rerunOf: tie.id })).code).toBe('FORBIDDEN');
  });

  it('[RC68] an auto room plays by itself: the close comes near after the last pick, reruns follow a tie by themselves', async () => {
    const { players } = await table.room('pick', ['pat', 'quy', 'ray', 'sue'], {
      mode: 'auto',
      openSeconds: 80,
      resultSeconds: 5,
      track: 'short',
    });
    const host = at(players, 0);
    let number = 0;
    let reruns = 0;
    let previous: PublicRecord | undefined;
    let last: PublicRecord | undefined;
    while (number < 5) {
      number += 1;
      const race = await opened(host, number);
      const racing = players.filter(({ id }) => race.participants?.some((one) => one === id) ?? true);
      expect(race.rerunOf).toBe(previous !== undefined && mustRunAgain(previous) ? previous.id : undefined);
      if (race.rerunOf !== undefined) reruns += 1;
      for (const [index, client] of racing.entries())
        await client.request('pick:choose', {
          raceId: race.id,
          horse: race.rules.exclusivePicks ? 'random' : 1 + (index % 2),
        });
      const closing = await host.event('race closing', (event) => event.raceId === race.id);
      const lastPick = eventsOf(host).findLast((event) => event.type === 'pick made' && event.raceId === race.id);
      expect(closing.closesAt - (lastPick?.at ?? 0)).toBeGreaterThanOrEqual(3_000 / SCALE - 25);
      expect(closing.closesAt).toBeLessThan(race.closesAt);
      await ended(host, race.id);
      last = await recordOf(table, host, race.id);
      expectVerified(last, previous);
      expect(last.picks).toHaveLength(racing.length);
      if (race.participants !== undefined)
        expect(last.picks?.map(({ playerId }) => playerId).toSorted()).toEqual(race.participants.toSorted());
      expect(last.result?.caught).toEqual(caughtByHand(last));
      previous = last;
    }
    // The first race has two caught for sure.
    expect(reruns).toBeGreaterThanOrEqual(1);
    await untilLevel(players);
    expectOneSequence(players);

    // An absent participant is drawn a horse at the end of the time.
    for (;;) {
      number += 1;
      const race = await opened(host, number);
      if (race.rerunOf !== undefined) {
        const absent = at(
          players.filter((client) => client !== host && race.participants?.some((one) => one === client.id)),
          0,
        );
        absent.socket.disconnect();
        await ended(host, race.id);
        const record = await recordOf(table, host, race.id);
        expect(horseOf(record, absent)).toMatchObject({ drawn: true });
        expectVerified(record, previous);
        break;
      }
      for (const [index, client] of players.entries())
        await client.request('pick:choose', {
          raceId: race.id,
          horse: race.rules.exclusivePicks ? 'random' : 1 + (index % 2),
        });
      await ended(host, race.id);
      previous = await recordOf(table, host, race.id);
    }
  });

  it('[RC69] a race needs two ready players, and with exclusive picks a horse for each', async () => {
    const { roomId, players } = await table.room('pick', ['tim', 'uma', 'vic', 'wes', 'xia'], {
      exclusivePicks: true,
      horses: 4,
      openSeconds: 200,
    });
    const [host, ...others] = [at(players, 0), ...players.slice(1)];
    expect((await host.refused('race:start', { roomId })).code).toBe('NOT_ENOUGH_HORSES');
    for (const client of others) await client.request('room:ready', { roomId, ready: false });
    expect((await host.refused('race:start', { roomId })).code).toBe('NOT_ENOUGH_PLAYERS');
    await at(others, 0).request('room:ready', { roomId, ready: true });
    const raceId = await start(host, roomId);
    expect((await at(others, 0).refused('race:start', { roomId })).code).toBe('NOT_HOST');
    expect((await host.request('race:get', { raceId })).taken).toEqual([]);
    // Nobody is waited for who sits out after all.
    await at(others, 1).request('room:ready', { roomId, ready: true });
    await pick(host, raceId, 1);
    await pick(at(others, 0), raceId, 2);
    expect(eventsOf(host).some(({ type }) => type === 'race closing')).toBe(false);
    await at(others, 1).request('room:ready', { roomId, ready: false });
    await host.event('race closing', (event) => event.raceId === raceId);
    expect((await settledRecord(host, raceId)).picks).toHaveLength(2);
  });
});

const mustRunAgain = (record: PublicRecord): boolean =>
  record.phase === 'void' ? record.participants !== undefined : (record.result?.caught?.length ?? 0) > 1;
