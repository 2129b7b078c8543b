import { afterAll, beforeAll, expect, it } from 'vitest';
import { until } from '../helpers/until.ts';
import { at, eventsOf, setTable, type Table } from '../play/table.ts';
import { PATIENCE } from './crowd.ts';

let table: Table;
beforeAll(async () => {
  table = await setTable({ SEAT_SECONDS: '8' });
});
afterAll(() => table?.close());

it('[OP67] a room that nobody comes back to after a restart ends its seats and then itself, and one that some come back to goes on', async () => {
  const empty = await table.room('bet', ['ann', 'ben'], { emptyGraceSeconds: 10 });
  const half = await table.room('pick', ['cho', 'dee', 'eve'], { emptyGraceSeconds: 10 });
  const [cho, dee, eve] = [at(half.players, 0), at(half.players, 1), at(half.players, 2)];
  for (const client of [...empty.players, cho]) client.socket.on('disconnect', () => client.close());
  await table.server.restart();

  // The host stays away: whoever is longest there has the room, and the seat is gone.
  await dee.event('member left', ({ playerId, cause }) => playerId === cho.id && cause === 'timeout');
  await eve.event('host changed', ({ hostId, cause }) => hostId === dee.id && cause !== 'handover');
  expect(eventsOf(dee).filter(({ type }) => type === 'member left')).toHaveLength(1);

  const watcher = await table.player('fay');
  // The lobby alone is looked at: asking for the room itself would wake it.
  await until(
    'the lobby has only the room with people in it',
    async () => {
      const { rooms } = await watcher.request('lobby:watch', {});
      return rooms.length === 1 && at(rooms, 0).id === half.roomId && at(rooms, 0).players === 2;
    },
    { ...PATIENCE, everyMs: 200 },
  );
  expect((await watcher.refused('room:find', { code: empty.code })).code).toBe('ROOM_CLOSED');
  await dee.request('race:start', { roomId: half.roomId });
});
