import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { RaceId } from '../../lib/core/ids.ts';
import type { PublicRecord } from '../../lib/core/public-race.ts';
import { decodeChunk } from '../../lib/engine/index.ts';
import { leafHashOf, type PublicRaceRecord, toHex, verifyRace } from '../../lib/fairness/index.ts';
import type { FrameChunkView, OddsView, RoomEventsPacket } from '../../lib/protocol.ts';
import type { TestClient } from '../helpers/client.ts';
import { until } from '../helpers/until.ts';
import {
  at,
  ended,
  eventsOf,
  expectBalance,
  expectDividends,
  expectOneSequence,
  expectVerified,
  hurry,
  opened,
  ownReceipts,
  PATIENCE,
  recordOf,
  SCALE,
  setTable,
  type Table,
  toldBalance,
  untilLevel,
} from './table.ts';

const PHASES = ['race opened', 'race closed', 'race drawn', 'race running', 'race settled'];

let table: Table;
beforeAll(async () => {
  table = await setTable();
});
afterAll(() => table?.close());

type Wish = readonly [client: TestClient, pool: 'win' | 'place', horse: number, stake: number];

const bet = ([client, pool, horse, stake]: Wish, raceId: RaceId) =>
  client.request('bet:place', { raceId, pool, selection: [horse], stake: String(stake) });

const tryBet = ([client, pool, horse, stake]: Wish, raceId: RaceId) =>
  client.ask('bet:place', { raceId, pool, selection: [horse], stake: String(stake) });

/** The phases of one race as the client was told them. */
const phasesOf = (client: TestClient, raceId: RaceId): string[] =>
  eventsOf(client).flatMap((event) => {
    if (event.type === 'race opened') return event.race.id === raceId ? [event.type] : [];
    return 'raceId' in event && event.raceId === raceId && event.type !== 'race closing' ? [event.type] : [];
  });

async function expectSound(client: TestClient, records: readonly PublicRecord[]): Promise<void> {
  for (const [index, record] of records.entries()) {
    expectVerified(record, records[index - 1]);
    expectDividends(record);
    const mine = await client.request('bet:mine', { raceId: record.id });
    const own = ownReceipts(mine);
    for (const { leaf, hash } of own) expect(toHex(leafHashOf(record.id, leaf))).toBe(hash);
    // Where the other receipts of the race are is not published yet: that step cannot be made.
    const steps = verifyRace(record as PublicRaceRecord, { own }).filter(({ step }) => step !== 'own-receipt');
    expect(steps.filter(({ ok }) => !ok)).toEqual([]);
    if (own.length > 0) expect(steps.map(({ step }) => step)).toContain('payout');
  }
}

/** Chunks of the race that this connection was sent, each once. */
function chunksOf(client: TestClient, raceId: RaceId): FrameChunkView[] {
  const sent = client.messages
    .filter(({ name, data }) => name === 'race:frames' && (data as { raceId: RaceId }).raceId === raceId)
    .map(({ data }) => {
      const { chunk, fromMs, untilMs, data: packed } = data as FrameChunkView;
      return { chunk, fromMs, untilMs, data: packed };
    });
  return [...new Map(sent.map((chunk) => [chunk.chunk, chunk])).values()].sort((a, b) => a.chunk - b.chunk);
}

function expectWholeRace(chunks: readonly FrameChunkView[], record: PublicRecord): void {
  expect(chunks.map(({ chunk }) => chunk)).toEqual(chunks.map((_, index) => index));
  for (const [index, { fromMs }] of chunks.entries()) expect(fromMs).toBe(index === 0 ? 0 : chunks[index - 1]?.untilMs);
  const finishes = chunks.flatMap((chunk) => decodeChunk(chunk).finishes);
  const order = record.result?.order ?? [];
  expect(finishes.toSorted((a, b) => a.finishMs - b.finishMs || a.number - b.number)).toEqual(
    order
      .map(({ number, finishMs }) => ({ number, finishMs }))
      .toSorted((a, b) => a.finishMs - b.finishMs || a.number - b.number),
  );
}

describe.concurrent('bet rooms', { timeout: 120_000 }, () => {
  it('[RC60] in a manual room five rounds run from the host’s word to the payout, whoever comes, goes or drops out', async () => {
    const { roomId, players } = await table.room('bet', ['ann', 'ben', 'cho'], { openSeconds: 100, track: 'short' });
    const [ann, ben, cho] = [at(players, 0), at(players, 1), at(players, 2)];
    const records: PublicRecord[] = [];

    async function round(wishes: readonly Wish[], whileRunning: (raceId: RaceId) => Promise<void> = async () => {}) {
      const { raceId } = await ann.request('race:start', { roomId });
      const number = records.length + 1;
      const race = await opened(ann, number);
      expect(race).toMatchObject({ id: raceId, phase: 'open', totals: {}, pools: ['win', 'place'] });
      expect(race.field).toHaveLength(8);
      const placed = await Promise.all(wishes.map((wish) => bet(wish, raceId)));
      expect(new Set(placed.map(({ betId }) => betId)).size).toBe(wishes.length);
      const askedAt = Date.now();
      await hurry(ann, roomId);
      // Nearer, but the others keep their ten seconds; asked again it does not move.
      const closing = await ben.event('race closing', (event) => event.raceId === raceId);
      expect(closing.closesAt).toBeLessThan(race.closesAt);
      // The server's clock is this machine's, to some milliseconds.
      expect(closing.closesAt).toBeGreaterThan(askedAt + 10_000 / SCALE - 50);
      await ann.event('race running', (event) => event.raceId === raceId);
      await whileRunning(raceId);
      expect(await ended(ann, raceId)).toBe('settled');
      records.push(await recordOf(table, ann, raceId));
      return raceId;
    }

    // Somebody comes in the middle of a race, and sees it whole.
    const first = await round(
      [
        [ann, 'win', 1, 500],
        [ann, 'place', 2, 300],
        [ben, 'win', 2, 1_000],
        [ben, 'place', 1, 100],
        [cho, 'win', 3, 5_000],
      ],
      async (raceId) => {
        const late = await table.player('dee');
        const { room } = await late.request('room:join', { roomId, as: 'spectator' });
        expect(room.race).toMatchObject({ id: raceId, phase: 'running' });
        expect(room.race?.result).toBeUndefined();
        expect((await late.refused('bet:place', { raceId, pool: 'win', selection: [1], stake: '100' })).code).toBe(
          'FORBIDDEN',
        );
        await ended(late, raceId);
        await late.request('room:leave', { roomId });
      },
    );
    expect(phasesOf(ann, first)).toEqual(PHASES);
    expect((await ann.refused('bet:place', { raceId: first, pool: 'win', selection: [1], stake: '100' })).code).toBe(
      'PHASE_CLOSED',
    );

    // One leaves, another falls out of the net: both are paid, nothing is missed.
    await round(
      [
        [ann, 'place', 4, 100],
        [ben, 'win', 5, 200],
        [cho, 'place', 6, 300],
        [cho, 'win', 6, 300],
      ],
      async () => {
        await cho.request('room:leave', { roomId });
        ben.drop();
        await until('ben is back', () => ben.readies === 2, PATIENCE);
      },
    );
    expect(ben.ready?.resumed).toBe(true);
    expect(ben.room?.snapshots).toBe(1);
    await cho.request('room:join', { roomId });

    const empty = await round([]);
    expect(at(records, 2).totals).toEqual({});
    expect(phasesOf(ben, empty)).toEqual(PHASES);
    await round([[ben, 'win', 3, 700]]);
    await round([
      [ann, 'win', 1, 100],
      [ben, 'win', 1, 100],
      [cho, 'win', 1, 100],
    ]);

    await untilLevel(players);
    expectOneSequence(players);
    expect(ben.readies).toBe(2);
    expect(ben.room?.snapshots).toBe(1);
    for (const client of players) {
      await expectSound(client, records);
      const balance = await expectBalance(client, records);
      await until('the balance was told', () => toldBalance(client) === String(balance), PATIENCE);
    }
    const { races, next } = await ann.request('race:history', { roomId, limit: 3 });
    expect(races.map(({ number, phase }) => [number, phase])).toEqual([
      [5, 'settled'],
      [4, 'settled'],
      [3, 'settled'],
    ]);
    const older = await ann.request('race:history', { roomId, limit: 3, before: next ?? '' });
    expect(older.races.map(({ number }) => number)).toEqual([2, 1]);
    expect(older.next).toBeUndefined();
    expect(older.races.at(-1)?.order).toEqual(
      at(records, 0).result?.order.map(({ number, place }) => ({ number, place })),
    );
  });

  it('[RC61] in an auto room five rounds follow each other, and none is opened while nobody is there', async () => {
    const { roomId, players } = await table.room('bet', ['eve', 'fox', 'gil'], {
      mode: 'auto',
      openSeconds: 40,
      resultSeconds: 5,
      track: 'short',
      horses: 5,
    });
    const [eve, fox, gil] = [at(players, 0), at(players, 1), at(players, 2)];
    expect((await eve.refused('race:start', { roomId })).code).toBe('FORBIDDEN');
    const records: PublicRecord[] = [];
    let accepted = 0;
    for (let number = 1; number <= 5; number += 1) {
      const race = await opened(eve, number);
      const wishes: Wish[] = [
        [eve, 'win', 1, 100 * number],
        [fox, 'win', 2, 200],
        [gil, 'place', 3, 300],
      ];
      // Two seconds are short on a busy machine: who is late is told so.
      for (const answer of await Promise.all(wishes.map((wish) => tryBet(wish, race.id)))) {
        if (answer.ok) accepted += 1;
        else expect(answer.code).toBe('PHASE_CLOSED');
      }
      if (number === 3) fox.drop();
      if (number === 4) {
        await gil.event('race running', (event) => event.raceId === race.id);
        await gil.request('room:leave', { roomId });
        await gil.request('room:join', { roomId });
      }
      expect(await ended(eve, race.id)).toBe('settled');
      expect(phasesOf(eve, race.id)).toEqual(PHASES);
      records.push(await recordOf(table, eve, race.id));
      // Place pays two of five.
      expect(at(records, number - 1).rules.placesPaid).toBe(2);
    }
    expect(accepted).toBeGreaterThanOrEqual(9);
    await untilLevel(players);
    expectOneSequence([eve, fox]);
    expectOneSequence([eve, gil]);
    expect(fox.room?.snapshots).toBe(1);
    for (const client of players) {
      await expectSound(client, records);
      await expectBalance(client, records);
    }

    for (const client of players) client.socket.disconnect();
    const watcher = await table.player('hal');
    const newest = async () => at((await watcher.request('race:history', { roomId, limit: 1 })).races, 0);
    const { room: elsewhere } = await watcher.request('room:create', { kind: 'bet' });
    const first = await newest();
    let last = first;
    for (let before = 0; before !== last.number; ) {
      before = last.number;
      // Another room plays a whole round meanwhile: time enough for one that would open by itself.
      const other = await watcher.request('race:start', { roomId: elsewhere.id });
      await hurry(watcher, elsewhere.id);
      await ended(watcher, other.raceId);
      await until('the race is over', async () => ['settled', 'void'].includes((await newest()).phase), PATIENCE);
      last = await newest();
      // One may have been on its way when the last of them went, not two.
      expect(last.number - first.number).toBeLessThanOrEqual(1);
    }
    eve.socket.connect();
    await opened(eve, last.number + 1);
  });

  it('[RC62] with nobody to bet a race is run and pays nothing; who bets alone on one horse gets the stake back', async () => {
    const { roomId, players } = await table.room('bet', ['ida', 'jon'], {
      openSeconds: 100,
      track: 'short',
      maxStakePerRace: 20_000,
    });
    const [ida, jon] = [at(players, 0), at(players, 1)];
    const quiet = await ida.request('race:start', { roomId });
    await hurry(ida, roomId);
    expect(await ended(jon, quiet.raceId)).toBe('settled');
    const empty = await recordOf(table, ida, quiet.raceId);
    expect(empty.result?.order).toHaveLength(8);
    expect([empty.result?.dividends, empty.result?.refunded, empty.totals]).toEqual([[], undefined, {}]);
    expectVerified(empty);

    const alone = await ida.request('race:start', { roomId });
    await bet([jon, 'win', 4, 1_500], alone.raceId);
    expect(BigInt((await jon.request('wallet:get', {})).balance)).toBe(8_500n);
    for (const [stake, code] of [
      ['150', 'STAKE_INVALID'],
      ['100000', 'LIMIT_REACHED'],
      ['9000', 'INSUFFICIENT_POINTS'],
    ] as const)
      expect(
        (await jon.refused('bet:place', { raceId: alone.raceId, pool: 'win', selection: [4], stake })).code,
        stake,
      ).toBe(code);
    await hurry(ida, roomId);
    await ended(jon, alone.raceId);
    const record = await recordOf(table, jon, alone.raceId);
    expectDividends(record);
    expect(await expectBalance(jon, [record])).toBe(10_000n);
    // The closing totals were shown to everybody, as the last odds, before the gates opened.
    const odds = ida.messages.filter(
      ({ name, data }) => name === 'race:odds' && (data as OddsView).raceId === record.id,
    );
    expect(odds.map(({ data }) => (data as OddsView).final).filter(Boolean)).toEqual([true]);
    expect(at(odds, -1).data).toMatchObject({ final: true, totals: record.totals, win: { 4: '1.0' } });
    const gates = ida.messages.findIndex(
      ({ name, data }) =>
        name === 'room:events' &&
        (data as RoomEventsPacket).events.some((event) => event.type === 'race running' && event.raceId === record.id),
    );
    expect(ida.messages.indexOf(at(odds, -1))).toBeLessThan(gates);
    const { bets } = await jon.message('bet:settled');
    expect(bets).toMatchObject([{ stake: '1500', returned: '1500' }]);
  });

  it('[BT34] who has left the room is told all the same what became of the bets', async () => {
    const { roomId, players } = await table.room('bet', ['nia', 'oto'], { openSeconds: 100, track: 'short' });
    const [nia, oto] = [at(players, 0), at(players, 1)];
    const { raceId } = await nia.request('race:start', { roomId });
    await opened(oto, 1);
    await bet([oto, 'win', 3, 700], raceId);
    await oto.request('room:leave', { roomId });
    await hurry(nia, roomId);
    await ended(nia, raceId);
    // The only bet of its pool: it comes back or wins, and both are its stake at least.
    await oto.message('wallet:update', ({ cause }) => cause !== 'stake');
    expect((await oto.message('bet:settled')).bets).toMatchObject([{ stake: '700' }]);
    await expectBalance(oto, [await recordOf(table, nia, raceId)]);
  });

  it('[RC63] a late joiner gets the chunks sent so far and then the rest, and nobody gets one before it is due', async () => {
    const { roomId, players } = await table.room('bet', ['kim', 'lou'], {
      openSeconds: 100,
      track: 'long',
      horses: 12,
    });
    const [kim, lou] = [at(players, 0), at(players, 1)];
    const { raceId } = await kim.request('race:start', { roomId });
    expect((await kim.request('race:frames:get', { raceId, fromMs: 0 })).chunks).toEqual([]);
    await hurry(kim, roomId);
    const running = await lou.event('race running', (event) => event.raceId === raceId);
    await until('chunks are out', () => chunksOf(lou, raceId).length >= 2, PATIENCE);

    const late = await table.player('max');
    await late.request('room:join', { roomId, as: 'spectator' });
    const early = (await late.request('race:frames:get', { raceId, fromMs: 0 })).chunks;
    await kim.event('race settled', (event) => event.raceId === raceId);
    const record = await recordOf(table, kim, raceId);
    for (const client of [kim, lou, late]) {
      await until('every chunk came', () => decodedAll(chunksOf(client, raceId), record), PATIENCE);
      expectWholeRace(chunksOf(client, raceId), record);
    }
    expect(chunksOf(late, raceId)).toEqual(chunksOf(kim, raceId));
    const all = (await late.request('race:frames:get', { raceId, fromMs: 0 })).chunks;
    expect(all).toEqual(chunksOf(kim, raceId));
    expect(early.length).toBeLessThan(all.length);
    expect(all.slice(0, early.length)).toEqual(early);
    const second = at(all, 1);
    expect((await late.request('race:frames:get', { raceId, fromMs: second.fromMs })).chunks).toEqual(all.slice(1));

    // 2 s of race time ahead of the first keyframe, by the server's clock; this machine's is the same one.
    const sent = kim.messages.filter(({ name }) => name === 'race:frames');
    for (const { data, at: cameAt } of sent) {
      const { fromMs } = data as FrameChunkView;
      expect(cameAt).toBeGreaterThanOrEqual(running.startsAt + (fromMs - 2_000) / SCALE - 50);
    }
    expectVerified(record);
  });
});

function decodedAll(chunks: readonly FrameChunkView[], record: PublicRecord): boolean {
  return chunks.flatMap((chunk) => decodeChunk(chunk).finishes).length >= (record.result?.order.length ?? 99);
}
