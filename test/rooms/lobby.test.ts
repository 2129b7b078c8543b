import { expect, test } from 'vitest';
import { MemoryRoomStore } from '../../db/memory/store.ts';
import type { PlayerId, RoomId } from '../../lib/core/ids.ts';
import { cardOf } from '../../lib/core/room.ts';
import type { RoomDocument } from '../../lib/core/room-state.ts';
import type { Push } from '../../lib/ports.ts';
import type { ServerEvents } from '../../lib/protocol.ts';
import { createLobby } from '../../lib/service/lobby.ts';
import { until } from '../helpers/until.ts';
import { makeDocument, member, quiet } from './fixtures.ts';

type Update = ServerEvents['lobby:update'];

async function start(rooms: number) {
  const store = new MemoryRoomStore({ clock: { now: () => Date.now() }, log: quiet, unarchivedEntries: 1_000 });
  const document = (index: number, players: number, name = `room ${index}`): RoomDocument =>
    makeDocument({
      id: `room-${String(index).padStart(3, '0')}` as RoomId,
      name,
      members: Array.from({ length: players }, (_, seat) => member(`p${index}-${seat}`, seat)),
    });
  for (let index = 0; index < rooms; index++) {
    const one = document(index, 1);
    await store.restore(one, [], cardOf(one));
  }
  const heard: { readonly connection: string; readonly update: Update }[] = [];
  const push: Push = {
    connection: (connection, _event, update) => heard.push({ connection, update: update as Update }) > 0,
    player: () => {},
    room: () => {},
  };
  const lobby = createLobby({ store, push, log: quiet });
  const watch = (connection: string, query: { search?: string } = {}) =>
    lobby.watch(
      { connectionId: connection, playerId: connection as PlayerId, address: '', nickname: '', locale: 'en' },
      query,
    );
  const change = async (next: RoomDocument, gone = false) => {
    const loaded = await store.load(next.id);
    if (!loaded) throw new Error('no such room');
    const result = await store.commit({
      roomId: next.id,
      notAfter: Date.now() + 5_000,
      commands: [],
      expect: { epoch: loaded.epoch, version: loaded.document.version },
      known: null,
      document: { ...next, version: loaded.document.version + 1 },
      facts: null,
      events: [{ type: 'notice', key: 'closing-soon', params: {} }],
      card: gone ? null : cardOf(next),
    });
    expect(result.kind).toBe('committed');
  };
  return { lobby, watch, change, document, heard };
}

test('[RM40] what is off the page is not told; what is on it stays there; a free place is taken', async () => {
  const { lobby, watch, change, document, heard } = await start(60);
  const first = await watch('c1');
  const second = await watch('c2');
  expect([first.rooms.length, first.total, second.version]).toEqual([50, 60, first.version]);
  expect(first.rooms.at(-1)?.id).toBe('room-049');

  // A room off the page overtakes all others, one on the page gets another player.
  await change(document(55, 9));
  await change(document(3, 2));
  await until(
    'both hear of room 3',
    () => heard.filter(({ update }) => update.upserted.some((card) => card.id === 'room-003')).length === 2,
  );
  expect(heard.flatMap(({ update }) => update.upserted.map((card) => card.id))).toEqual(['room-003', 'room-003']);
  expect(heard.flatMap(({ update }) => update.removed)).toEqual([]);

  // A room goes: the best of those that were not on the page comes in.
  await change(document(7, 1), true);
  const last = await until('room 7 is gone', () =>
    heard.find(({ update }) => update.removed.includes('room-007' as RoomId)),
  );
  expect(last.update.upserted.map((card) => card.id)).toEqual(['room-055']);
  expect(last.update.total).toBe(59);

  // Whoever comes now sees the order of now.
  const late = await watch('c3');
  expect(late.rooms[0]?.id).toBe('room-055');
  lobby.close();
});

test('[RM40] a room that no longer matches the search leaves the page; nobody hears after leaving', async () => {
  const { lobby, watch, change, document, heard } = await start(3);
  await watch('c1', { search: 'ROOM 1' });
  await watch('c2');
  lobby.disconnected('c2');
  await change(document(1, 1, 'another name'));
  const update = await until('room 1 leaves', () => heard.find((one) => one.update.removed.length > 0));
  expect(update).toMatchObject({ connection: 'c1', update: { removed: ['room-001'], upserted: [], total: 0 } });
  expect(heard.some(({ connection }) => connection === 'c2')).toBe(false);
  lobby.close();
});
