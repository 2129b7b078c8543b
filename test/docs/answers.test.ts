import { afterAll, beforeAll, expect, it } from 'vitest';
import { CODES } from '../../bin/docs/code-table.ts';
import type { PlayerId, RoomId } from '../../lib/core/ids.ts';
import type { ErrorCode } from '../../lib/errors.ts';
import type { RequestName, RoomEventBody } from '../../lib/protocol.ts';
import type { TestClient } from '../helpers/client.ts';
import { type House, openHouse } from '../hunt/house.ts';

let house: House;
beforeAll(async () => {
  house = await openHouse();
});
afterAll(() => house.close());

/** The code that was answered, which the table must name for the request. */
async function answered(client: TestClient, name: RequestName, body: object): Promise<ErrorCode> {
  const { code } = await client.refused(name as 'room:close', body as never);
  const where = CODES[code];
  expect(typeof where === 'string' || where.includes(name), `${name} answers ${code}`).toBe(true);
  return code;
}

async function seats(kind: 'bet' | 'pick') {
  const host = await house.player('host');
  const guest = await house.player('guest');
  const { room } = await host.request('room:create', { kind, settings: { openSeconds: 200 } });
  await guest.request('room:join', { roomId: room.id });
  return { host, guest, roomId: room.id, version: room.settingsVersion };
}

/** What so many people did that no more may. */
async function crowd(roomId: RoomId, did: (playerId: PlayerId) => RoomEventBody): Promise<void> {
  const state = house.state(roomId);
  if (state === null) throw new Error('the room is served');
  const written = await house.store.commit({
    roomId,
    notAfter: Date.now() + 60_000,
    commands: [],
    expect: { epoch: state.epoch, version: state.document.version },
    known: null,
    document: null,
    facts: null,
    events: Array.from({ length: 500 }, (_, count) => did(`fan-${count}` as PlayerId)),
  });
  expect(written.kind).toBe('committed');
}

it('[OP80] the table of codes names what is answered in a bet room, in a pick room and in one that has been closed', async () => {
  const bets = await seats('bet');
  const picks = await seats('pick');
  const { roomId } = bets;
  expect(await answered(bets.guest, 'room:ready', { roomId, ready: true })).toBe('FORBIDDEN');
  await picks.guest.request('room:ready', { roomId: picks.roomId, ready: false });
  const { raceId } = await bets.host.request('race:start', { roomId });
  const third = await house.player('third');
  await third.request('room:join', { roomId: picks.roomId });
  const pickRace = await picks.host.request('race:start', { roomId: picks.roomId });
  const bet = { pool: 'win', selection: [1], stake: '100' };
  expect(await answered(picks.host, 'bet:quote', { raceId: pickRace.raceId, ...bet })).toBe('FORBIDDEN');
  expect(await answered(bets.host, 'bet:quote', { raceId, ...bet, stake: '900000000' })).toBe('LIMIT_REACHED');
  expect(await answered(bets.host, 'bet:mine', { raceId: 'no-such-race' })).toBe('NOT_FOUND');
  expect(await answered(picks.guest, 'pick:clear', { raceId: pickRace.raceId })).toBe('NOT_READY');

  const { messageId } = await bets.host.request('chat:send', { roomId, text: 'hello' });
  const reaction = { roomId, messageId, emoji: '👍', on: true } as const;
  await crowd(roomId, (playerId) => ({ type: 'reaction', messageId, emoji: reaction.emoji, playerId, on: true }));
  expect(await answered(bets.host, 'chat:react', reaction)).toBe('LIMIT_REACHED');

  // All of it before the closed room is let go.
  for (const { host, guest, roomId: closed, version } of [bets, picks]) {
    await host.request('room:close', { roomId: closed });
    const asked: readonly (readonly [TestClient, RequestName, object])[] = [
      [host, 'room:configure', { version, patch: { name: 'x' } }],
      [host, 'room:handover', { playerId: guest.id }],
      [host, 'room:kick', { playerId: guest.id }],
      [host, 'room:role', { as: 'spectator' }],
      [host, 'room:ready', { ready: true }],
      [host, 'chat:send', { text: 'late' }],
      ...(closed === roomId ? ([[host, 'chat:react', { ...reaction, emoji: '🎉' }]] as const) : []),
      [guest, 'room:leave', {}],
    ];
    const codes = await Promise.all(
      asked.map(async ([client, name, body]) => [name, await answered(client, name, { roomId: closed, ...body })]),
    );
    expect(codes).toEqual(asked.map(([, name]) => [name, 'ROOM_CLOSED']));
  }
});
