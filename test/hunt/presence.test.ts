import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { CommandId, PlayerId, RoomId } from '../../lib/core/ids.ts';
import type { Caller } from '../../lib/service/caller.ts';
import { connect } from '../helpers/client.ts';
import { until } from '../helpers/until.ts';
import { type House, openHouse } from './house.ts';

let house: House;
beforeAll(async () => {
  house = await openHouse({ ROOM_QUEUE: '8', SEAT_SECONDS: '2' });
});
afterAll(() => house.close());

const commandId = (): CommandId => randomUUID() as CommandId;
const connectedOf = (roomId: string) => [...(house.state(roomId)?.connected ?? [])].sort();
const membersOf = (roomId: string) => (house.state(roomId)?.document.members ?? []).map(({ id }) => id);

describe('presence', () => {
  test('[RM80] a connection that goes while its joining is under way is not in the room, and its seat ends', async () => {
    const host = await house.player('host');
    const { room } = await host.request('room:create', { kind: 'bet' });
    // A connection that is gone by the time its request has been served: the edge gives the request all the same.
    const ghost: Caller = {
      connectionId: 'gone already',
      playerId: 'ghost' as PlayerId,
      address: '127.0.0.1',
      nickname: 'ghost',
      locale: 'en',
    };
    house.game.rooms.disconnected(ghost);
    await house.game.rooms.join(ghost, { commandId: commandId(), roomId: room.id }).catch(() => {});
    await until('only the host is connected', () => connectedOf(room.id).join() === host.id);
    await until('the seat of who never came has ended', () => membersOf(room.id).length === 1);
    expect(house.game.rooms.roomOf('gone already')).toBe(null);
  });

  test('[RM81] everybody dropping and coming back in the same moment are all seen gone and all seen back', async () => {
    const host = await house.player('host');
    const { room } = await host.request('room:create', { kind: 'bet' });
    const others = await Promise.all(Array.from({ length: 30 }, (_, index) => house.player(`p${index}`)));
    for (const other of others) await other.request('room:join', { roomId: room.id });
    const ids = [host.id, ...others.map(({ id }) => id)].sort();
    expect(connectedOf(room.id)).toEqual(ids);
    // Gone in one turn of the loop: more than the line of the room takes.
    for (const other of others) {
      other.socket.io.reconnection(false);
      for (const socket of house.io.of('/').sockets.values()) if (socket.id === other.socket.id) socket.conn.close();
    }
    await until('all are seen gone', () => connectedOf(room.id).join() === host.id);
    for (const other of others) other.socket.connect();
    await until('all are seen back', () => connectedOf(room.id).join() === ids.join());
    // Longer than a seat is kept: nobody who is here loses it.
    const heard = host.room?.seq ?? 0;
    await until(
      'the seats would have ended',
      () => Date.now() - (host.room?.events.at(-1)?.at ?? Date.now()) > 3_500 || (host.room?.seq ?? 0) > heard + 100,
    );
    expect(membersOf(room.id).sort()).toEqual(ids);
  });

  test('[RM82] who is put out while their coming back is under way is not in the room', async () => {
    const host = await house.player('host');
    const guest = await house.player('guest');
    const { room } = await host.request('room:create', { kind: 'bet' });
    await guest.request('room:join', { roomId: room.id });
    // Resuming waits for the race's row; the kick does not.
    const view = house.game.races.view;
    const held: (() => void)[] = [];
    Object.assign(house.game.races, {
      view: async (...args: Parameters<typeof view>) => {
        await new Promise<void>((resolve) => held.push(resolve));
        return view(...args);
      },
    });
    const again = new Promise((resolve) => guest.socket.once('session:ready', resolve));
    guest.drop();
    await until('the guest is coming back', () => held.length > 0);
    await host.request('room:kick', { roomId: room.id, playerId: guest.id as PlayerId, reason: 'enough' });
    Object.assign(house.game.races, { view });
    for (const release of held) release();
    await again;
    expect(guest.ready).toMatchObject({ resumed: false, left: { cause: 'kicked' } });
    const seen = guest.messages.length;
    await host.request('chat:send', { roomId: room.id, text: 'is anybody listening?' });
    await guest.request('time:sync', { sentAt: 1 });
    expect(guest.messages.slice(seen).filter(({ name }) => name === 'room:events')).toEqual([]);
    expect(house.game.rooms.roomOf(guest.socket.id ?? '')).toBe(null);
    expect(connectedOf(room.id)).toEqual([host.id]);
  });
});

test('[RM93] a room that had to be taken anew is given whole to everybody in it, and goes on', async () => {
  const host = await house.player('host');
  const guest = await house.player('guest');
  const { room } = await host.request('room:create', { kind: 'bet' });
  await guest.request('room:join', { roomId: room.id });
  await until('archived', async () => (await house.store.dirty(10)).length === 0);
  // Lost and put back by somebody else: another life of the room's log.
  const loaded = await house.store.load(room.id);
  await house.store.remove(room.id);
  if (loaded) await house.store.restore(loaded.document, loaded.chat, null);
  await host.request('chat:send', { roomId: room.id, text: 'where are we?' });
  await guest.event('chat', ({ message }) => message.text === 'where are we?');
  const { epoch } = house.state(room.id) ?? {};
  expect(epoch).not.toBe(room.epoch);
  for (const client of [host, guest]) expect(client.room).toMatchObject({ epoch, snapshots: 2 });
  await until('both are seen', () => connectedOf(room.id).join() === [host.id, guest.id].sort().join());
});

test('[RM94] whoever comes back to a seat that has ended is told how this one ended, not an earlier one', async () => {
  const host = await house.player('host');
  const guest = await house.player('guest');
  const { room } = await host.request('room:create', { kind: 'bet' });
  await guest.request('room:join', { roomId: room.id });
  await host.request('room:kick', { roomId: room.id, playerId: guest.id as PlayerId });
  await until('put out', () => guest.room === undefined);
  await guest.request('room:join', { roomId: room.id });
  guest.socket.disconnect();
  await until('the seat has ended', () => membersOf(room.id).length === 1);
  guest.socket.connect();
  await until('back', () => guest.readies === 2);
  expect(guest.ready).toMatchObject({ resumed: false, left: { cause: 'timeout' } });
});

test('[RM95] a connection watches one page of the lobby, however fast it turns them', async () => {
  const watcher = await house.player('watcher');
  const host = await house.player('host');
  await Promise.all([
    watcher.request('lobby:watch', { search: 'quick' }),
    watcher.request('lobby:watch', { kind: 'bet' }),
    watcher.request('lobby:watch', { search: 'quick one' }),
  ]);
  const before = watcher.messages.length;
  const { room } = await host.request('room:create', { kind: 'bet', name: 'a quick one' });
  await watcher.message('lobby:update', ({ upserted }) => upserted.some(({ id }) => id === room.id));
  await host.request('room:close', { roomId: room.id });
  await watcher.message('lobby:update', ({ removed }) => removed.includes(room.id));
  const updates = watcher.messages.slice(before).filter(({ name }) => name === 'lobby:update');
  const versions = updates.map(({ data }) => (data as { version: number }).version);
  expect(new Set(versions).size).toBe(versions.length);
  expect(updates.filter(({ data }) => (data as { removed: string[] }).removed.length > 0)).toHaveLength(1);
});

test('[RM81] a connection replaced in the same moment leaves its player connected', async () => {
  const host = await house.player('host');
  const { room } = await host.request('room:create', { kind: 'bet' });
  for (let round = 0; round < 10; round += 1) {
    const other = await connect(house.url, { token: host.token as string });
    other.room = host.room;
    const joined = other.request('room:join', { roomId: room.id as RoomId });
    host.drop();
    await joined;
    await until('back', () => host.socket.connected);
    other.close();
    await until('the other is gone', () => house.io.of('/').sockets.get(other.socket.id ?? '') === undefined);
    await until('connected', () => connectedOf(room.id).join() === host.id);
  }
});
