import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { RaceId } from '../../lib/core/ids.ts';
import type { ServerEvents } from '../../lib/protocol.ts';
import type { TestClient } from '../helpers/client.ts';
import { until } from '../helpers/until.ts';
import {
  at,
  ended,
  eventsOf,
  expectBalance,
  expectOneSequence,
  hurry,
  opened,
  PATIENCE,
  recordOf,
  setTable,
  type Table,
  untilLevel,
} from './table.ts';

/** Long enough for a connection that comes back on a busy machine, short enough to be waited for. */
const SEAT_SECONDS = 4;

let table: Table;
beforeAll(async () => {
  table = await setTable({ SEAT_SECONDS: String(SEAT_SECONDS) });
});
afterAll(() => table?.close());

const say = (client: TestClient, text: string) => client.request('chat:send', { roomId: client.room?.id ?? '', text });

/** Texts of the room's log as this client has it. */
const heard = (client: TestClient): string[] =>
  eventsOf(client).flatMap((event) => (event.type === 'chat' ? [event.message.text] : []));

/** Another connection of the same player, in the same room. */
async function secondDevice(client: TestClient): Promise<TestClient> {
  const { code } = await client.request('session:link', {});
  const device = await table.player('ignored', { link: code });
  expect(device.id).toBe(client.id);
  if (client.room) {
    await device.request('room:join', { roomId: client.room.id });
    expect(device.room?.snapshot.me).toEqual(client.room.snapshot.me);
  }
  return device;
}

describe.concurrent('people in rooms', () => {
  it('[RM60] a connection that drops comes back to its seat with every event once, in the middle of race and talk', async () => {
    const { roomId, players } = await table.room('bet', ['ann', 'ben', 'cho'], { openSeconds: 100, track: 'short' });
    const [ann, ben, cho] = [at(players, 0), at(players, 1), at(players, 2)];
    const { raceId } = await ann.request('race:start', { roomId });
    await opened(ben, 1);
    for (let drop = 1; drop <= 6; drop += 1) {
      ben.drop();
      for (let line = 0; line < 5; line += 1) await say(at([ann, cho], line % 2), `${drop}.${line}`);
      if (drop === 3) await hurry(ann, roomId);
      await until('ben is back in the room', () => ben.readies === drop + 1 && ben.socket.connected, PATIENCE);
    }
    expect(await ended(ben, raceId)).toBe('settled');
    await untilLevel(players);
    expectOneSequence(players);
    expect(heard(ben)).toEqual(heard(ann));
    expect(heard(ben)).toHaveLength(30);
    // Never by a snapshot: the events themselves.
    expect(ben.room?.snapshots).toBe(1);
    // A client that notices a gap asks: exactly what it lacks, or the room as it is.
    const { epoch = '', seq = 0 } = ann.room ?? {};
    for (const from of [seq, seq - 1, seq - 10]) {
      expect(await ann.request('room:sync', { roomId, epoch, seq: from })).toEqual({
        recovered: true,
        events: eventsOf(ann).filter((event) => event.seq > from),
      });
    }
    for (const position of [
      { epoch: '01ARZ3NDEKTSV4RRFFQ69G5FAV', seq },
      { epoch, seq: seq + 1 },
    ])
      expect(await ann.request('room:sync', { roomId, ...position })).toMatchObject({
        recovered: false,
        room: { epoch, seq },
      });
    // The seat was kept: the room never saw ben leave.
    expect(eventsOf(ann).filter(({ type }) => type === 'member left')).toEqual([]);
  });

  it('[RM75] who was away for longer than the log remembers gets the room as it is, and goes on from there without a gap', async () => {
    const { roomId, players } = await table.room('bet', ['sid', 'tom', 'uli']);
    const [sid, tom, uli] = [at(players, 0), at(players, 1), at(players, 2)];
    await say(sid, 'first');
    await untilLevel(players);
    // A short tunnel, but a long talk: the seat is kept by the other device.
    const phone = await secondDevice(tom);
    tom.socket.disconnect();
    for (let batch = 0; batch < 14; batch += 1)
      await Promise.all(Array.from({ length: 50 }, (_, line) => say(at([sid, uli], line % 2), `${batch}.${line}`)));
    tom.socket.connect();
    await until('tom is back', () => tom.readies === 2, PATIENCE);
    await say(uli, 'last');
    const last = await sid.event('chat', ({ message }) => message.text === 'last');
    await until(
      'everybody has it',
      () => [...players, phone].every(({ room }) => (room?.seq ?? 0) >= last.seq),
      PATIENCE,
    );
    await untilLevel([...players, phone]);
    expectOneSequence([sid, uli, phone]);
    expect(heard(sid)).toHaveLength(702);
    const { snapshot } = tom.room ?? {};
    const since = eventsOf(tom).filter(({ seq }) => seq > (snapshot?.seq ?? 0));
    expect(since).toEqual(eventsOf(sid).filter(({ seq }) => seq > (snapshot?.seq ?? 0)));
    expect(tom.room?.snapshots === 1 ? heard(tom).length : snapshot?.chat.length).toBe(
      tom.room?.snapshots === 1 ? 702 : 20,
    );
    expect((await tom.request('chat:history', { roomId, limit: 50 })).messages).toHaveLength(50);
  });

  it('[RM76] a room that everybody has left is closed after its grace', async () => {
    const { roomId, code, players } = await table.room('pick', ['val', 'wim'], { emptyGraceSeconds: 10 });
    const [val, wim] = [at(players, 0), at(players, 1)];
    await val.request('room:leave', { roomId });
    const leftAt = Date.now();
    wim.socket.disconnect();
    const watcher = await table.player('xen');
    await until(
      'the room is closed',
      async () => {
        const answer = await watcher.ask('room:find', { code });
        return !answer.ok && answer.code === 'ROOM_CLOSED';
      },
      { ...PATIENCE, everyMs: 250 },
    );
    expect(Date.now() - leftAt).toBeGreaterThanOrEqual(10_000);
    wim.socket.connect();
    await until('wim is told', () => wim.ready?.left !== undefined, PATIENCE);
    expect(wim.ready).toMatchObject({ resumed: false, left: { cause: 'expired' } });
  });

  it('[RM61] a second device by code is the same player in the same seat: both see all, and leaving on one leaves on all', async () => {
    const { roomId, players } = await table.room('bet', ['dee', 'eve'], { openSeconds: 100, track: 'short' });
    const [dee, eve] = [at(players, 0), at(players, 1)];
    const phone = await secondDevice(eve);
    expect(eventsOf(dee).filter(({ type }) => type === 'member joined')).toHaveLength(1);
    await say(phone, 'from the phone');
    await say(eve, 'from the desk');
    await dee.event('chat', ({ message }) => message.text === 'from the desk');
    const { raceId } = await dee.request('race:start', { roomId });
    await opened(phone, 1);
    const { balance } = await eve.request('bet:place', { raceId, pool: 'win', selection: [2], stake: '400' });
    // The other device hears of the stake and of what came of it.
    await phone.message('wallet:update', (update) => update.balance === balance && update.cause === 'stake');
    await hurry(dee, roomId);
    await ended(phone, raceId);
    for (const device of [eve, phone]) expect((await device.message('bet:settled')).bets).toHaveLength(1);
    await untilLevel([dee, eve, phone]);
    expectOneSequence([dee, eve, phone]);
    await expectBalance(phone, [await recordOf(table, phone, raceId)]);

    // One goes away, the other holds the seat.
    phone.socket.disconnect();
    await say(eve, 'still here');
    await dee.event('chat', ({ message }) => message.text === 'still here');
    expect(eventsOf(dee).some(({ type }) => type === 'member changed' || type === 'member left')).toBe(false);
    phone.socket.connect();
    await until('the phone is back', () => phone.readies === 2 && heard(phone).includes('still here'), PATIENCE);

    await phone.request('room:leave', { roomId });
    await dee.event('member left', ({ playerId, cause }) => playerId === eve.id && cause === 'left');
    const left = await eve.message('room:left', (message) => message.roomId === roomId);
    expect(left).toEqual({ roomId, cause: 'left-elsewhere' });
    expect(eve.room).toBeUndefined();
    expect(phone.lefts).toEqual([]);
    expect((await eve.refused('chat:send', { roomId, text: 'too late' })).code).toBe('NOT_MEMBER');
    // Nothing of the room reaches either any more.
    const before = [eve, phone].map(({ messages }) => messages.length);
    await say(dee, 'alone');
    await dee.event('chat', ({ message }) => message.text === 'alone');
    await Promise.all([eve, phone].map((device) => device.request('time:sync', { sentAt: 0 })));
    expect([eve, phone].map(({ messages }) => messages.length)).toEqual(before);
  });

  it('[RM62] the host’s place goes on at once when the host leaves, and when the seat ends after a disconnect', async () => {
    const { roomId, players } = await table.room('bet', ['fay', 'gil', 'hal'], {});
    const [fay, gil, hal] = [at(players, 0), at(players, 1), at(players, 2)];
    const watcher = await table.player('iris');
    await watcher.request('room:join', { roomId, as: 'spectator' });
    await fay.request('room:leave', { roomId });
    const left = await hal.event('member left', ({ playerId }) => playerId === fay.id);
    const changed = await hal.event('host changed', ({ hostId }) => hostId === gil.id);
    expect(changed.cause).toBe('left');
    expect(changed.at - left.at).toBeLessThan(SEAT_SECONDS * 1_000);
    expect((await hal.refused('race:start', { roomId })).code).toBe('NOT_HOST');
    await gil.request('race:start', { roomId });

    gil.socket.disconnect();
    const away = await hal.event(
      'member changed',
      ({ playerId, patch }) => playerId === gil.id && patch.connected === false,
    );
    // Coming back does not make one host again.
    const seatEnded = await hal.event('member left', ({ playerId }) => playerId === gil.id);
    expect(seatEnded.cause).toBe('timeout');
    expect(seatEnded.at - away.at).toBeGreaterThanOrEqual(SEAT_SECONDS * 1_000);
    await hal.event('host changed', ({ hostId }) => hostId === hal.id);
    gil.socket.connect();
    await until('gil is told', () => gil.ready?.left !== undefined, PATIENCE);
    expect(gil.ready).toMatchObject({ resumed: false, left: { cause: 'timeout' } });
    await gil.request('room:join', { roomId });
    expect(gil.room?.snapshot.hostId).toBe(hal.id);

    await hal.request('room:handover', { roomId, playerId: gil.id });
    await watcher.event('host changed', ({ hostId, cause }) => hostId === gil.id && cause === 'handover');
    for (const client of [gil, hal]) await client.request('room:leave', { roomId });
    // No player is left: the spectator has it.
    await watcher.event('host changed', ({ hostId }) => hostId === watcher.id);
    await watcher.request('room:leave', { roomId });
    // Nobody: the next who comes.
    await hal.request('room:join', { roomId });
    await until(
      'hal hosts',
      () =>
        hal.room?.snapshot.hostId === hal.id ||
        eventsOf(hal).some((event) => event.type === 'host changed' && event.hostId === hal.id),
      PATIENCE,
    );
  });

  it('[RM63] who is kicked is told on every connection with cause and reason, and the seat from before is void', async () => {
    const { roomId, players } = await table.room('bet', ['jon', 'kim', 'lou'], { openSeconds: 100, track: 'short' });
    const [jon, kim, lou] = [at(players, 0), at(players, 1), at(players, 2)];
    const phone = await secondDevice(kim);
    const { raceId } = await jon.request('race:start', { roomId });
    await opened(kim, 1);
    await kim.request('bet:place', { raceId, pool: 'win', selection: [1], stake: '1000' });
    expect((await kim.refused('room:kick', { roomId, playerId: jon.id })).code).toBe('NOT_HOST');
    expect((await jon.refused('room:kick', { roomId, playerId: jon.id })).code).toBe('FORBIDDEN');
    const seat = { ...(kim.room as NonNullable<TestClient['room']>) };
    await jon.request('room:kick', { roomId, playerId: kim.id, reason: 'too loud' });
    const told: ServerEvents['room:left'] = { roomId: seat.snapshot.id, cause: 'kicked', reason: 'too loud' };
    for (const device of [kim, phone]) {
      expect(await device.message('room:left')).toEqual(told);
      expect(device.room).toBeUndefined();
    }
    const left = await lou.event('member left', ({ playerId }) => playerId === kim.id);
    expect(left).toMatchObject({ cause: 'kicked', reason: 'too loud' });

    // The ticket of the old seat opens nothing, in this life of the room or in what looks like another.
    for (const epoch of [seat.epoch, '01ARZ3NDEKTSV4RRFFQ69G5FAV']) {
      const again = await table.player('kim', {
        token: kim.token ?? '',
        auth: { resume: { roomId, epoch, seq: seat.seq, seat: seat.seat } },
      });
      expect(again.id).toBe(kim.id);
      expect(again.ready).toMatchObject({ resumed: false, left: { cause: 'kicked' } });
      expect(again.room).toBeUndefined();
      again.close();
    }
    // The bet stands; somebody who was kicked (not banned) may come in by the door.
    await hurry(jon, roomId);
    await ended(lou, raceId);
    await expectBalance(kim, [await recordOf(table, kim, raceId)]);
    await kim.request('room:join', { roomId });
    await until('kim is back', () => kim.room !== undefined, PATIENCE);
    expectOneSequence([jon, lou]);
  });

  it('[RM74] whoever has left comes in by the door again, not by a ticket from before, whatever life of the room they claim to know', async () => {
    const host = await table.player('pip');
    const { room } = await host.request('room:create', { kind: 'bet', password: 'please' });
    const guest = await table.player('ray');
    const { seat } = await guest.request('room:join', { roomId: room.id, password: 'please' });
    await guest.request('room:leave', { roomId: room.id });
    for (const epoch of [room.epoch, '01ARZ3NDEKTSV4RRFFQ69G5FAV']) {
      const again = await table.player('ray', {
        token: guest.token ?? '',
        auth: { resume: { roomId: room.id, epoch, seq: room.seq, seat } },
      });
      expect(again.ready).toMatchObject({ resumed: false, left: { cause: 'timeout' } });
      expect((await again.refused('room:join', { roomId: room.id })).code).toBe('WRONG_PASSWORD');
      again.close();
    }
    expect((await host.request('room:members', { roomId: room.id })).members.map(({ id }) => id)).toEqual([host.id]);
  });

  it('[RM78] a join that is repeated after its seat has ended is no way back in, and nothing of the room is heard by it', async () => {
    const { roomId, players } = await table.room('bet', ['yan']);
    const host = at(players, 0);
    for (const way of ['kicked', 'left'] as const) {
      const guest = await table.player('zed');
      const join = { roomId, commandId: randomUUID() };
      await guest.request('room:join', join);
      if (way === 'left') await guest.request('room:leave', { roomId });
      else await host.request('room:kick', { roomId, playerId: guest.id });
      await host.event('member left', ({ playerId }) => playerId === guest.id);
      await until(`${way} is told`, () => guest.room === undefined, PATIENCE);
      expect((await guest.refused('room:join', join)).code).toBe('NOT_MEMBER');
      const before = guest.messages.length;
      await say(host, `not for ${way}`);
      await host.event('chat', ({ message }) => message.text === `not for ${way}`);
      await guest.request('time:sync', { sentAt: 0 });
      expect(guest.messages.slice(before)).toEqual([]);
      await guest.request('room:join', { roomId });
    }
  });

  it('[RM64] a bet or a pick holds its player in the race: no change of role before it is over; spectators only watch', async () => {
    const { roomId, players } = await table.room('bet', ['max', 'ned'], { openSeconds: 100, track: 'short' });
    const [max, ned] = [at(players, 0), at(players, 1)];
    const watcher = await table.player('oda');
    await watcher.request('room:join', { roomId, as: 'spectator' });
    const { raceId } = await max.request('race:start', { roomId });
    const bet = { raceId, pool: 'win' as const, selection: [1], stake: '100' };
    expect((await watcher.refused('bet:place', bet)).code).toBe('FORBIDDEN');
    for (const name of ['pick:choose', 'vote:place'] as const) {
      const body = name === 'pick:choose' ? { raceId, horse: 1 } : { raceId, place: 1 };
      expect((await watcher.refused(name, body as { raceId: RaceId; horse: number; place: number })).code).toBe(
        'FORBIDDEN',
      );
    }
    expect((await ned.refused('room:ready', { roomId, ready: false })).code).toBe('FORBIDDEN');
    await ned.request('bet:place', bet);
    expect((await ned.refused('room:role', { roomId, as: 'spectator' })).code).toBe('IN_RACE');
    await watcher.request('room:role', { roomId, as: 'player' });
    await watcher.request('bet:place', bet);
    await hurry(max, roomId);
    await ned.event('race running', (event) => event.raceId === raceId);
    expect((await ned.refused('room:role', { roomId, as: 'spectator' })).code).toBe('IN_RACE');
    await max.request('room:role', { roomId, as: 'spectator' });
    await ended(ned, raceId);
    await ned.request('room:role', { roomId, as: 'spectator' });
    await watcher.event('member changed', ({ playerId, patch }) => playerId === ned.id && patch.role === 'spectator');
    const outside = await table.player('pam');
    expect((await outside.refused('bet:place', bet)).code).toBe('NOT_MEMBER');
    expect((await outside.refused('room:role', { roomId, as: 'player' })).code).toBe('NOT_MEMBER');
  });
});
