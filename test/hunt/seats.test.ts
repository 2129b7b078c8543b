import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { RoomId } from '../../lib/core/ids.ts';
import type { TestClient } from '../helpers/client.ts';
import { until } from '../helpers/until.ts';
import { type House, openHouse } from './house.ts';

let house: House;
beforeAll(async () => {
  house = await openHouse({ SEAT_SECONDS: '1' });
});
afterAll(() => house.close());

async function twoInARoom() {
  const host = await house.player('host');
  const guest = await house.player('guest');
  const { room } = await host.request('room:create', { kind: 'bet' });
  await guest.request('room:join', { roomId: room.id });
  return { host, guest, roomId: room.id };
}

/** As after a stop of the process: the room goes on from what the archive has, in a new life. */
async function begunAnew(roomId: RoomId, someone: TestClient): Promise<void> {
  const before = house.state(roomId)?.epoch;
  await until('archived', async () => (await house.store.dirty(10)).length === 0);
  await house.feeds().leave(roomId);
  await house.store.remove(roomId);
  await back(someone, () => someone.drop());
  expect(house.state(roomId)?.epoch).not.toBe(before);
}

async function back(client: TestClient, how: () => unknown): Promise<void> {
  const { readies } = client;
  how();
  await until('back', () => client.readies > readies);
}

const memberIds = (roomId: RoomId) => house.state(roomId)?.document.members.map(({ id }) => id);

describe('a seat ticket from an earlier life of the room', () => {
  test('[RM98] is void once its seat has timed out in a later one, and stays so', async () => {
    const { host, guest, roomId } = await twoInARoom();
    const held = { ...guest.room };
    await begunAnew(roomId, host);
    expect(memberIds(roomId)).toContain(guest.id);
    await until('the guest has noticed', () => guest.room?.epoch === house.state(roomId)?.epoch);
    guest.socket.disconnect();
    await until('timed out', () => !memberIds(roomId)?.some((id) => id === guest.id));
    for (const life of ['this one', 'the next']) {
      if (life === 'the next') await begunAnew(roomId, host);
      guest.room = { ...held } as TestClient['room'];
      await back(guest, () => guest.socket.disconnect().connect());
      expect([life, guest.ready?.resumed, guest.ready?.left]).toEqual([life, false, { cause: 'timeout' }]);
      expect(memberIds(roomId)).toEqual([host.id]);
    }
    // By the door it is another matter.
    await guest.request('room:join', { roomId });
    await begunAnew(roomId, host);
    await back(guest, () => guest.drop());
    expect(guest.ready?.resumed).toBe(true);
  });

  test('[RM98] is void once its player has left in a later one', async () => {
    const { host, guest, roomId } = await twoInARoom();
    const held = { ...guest.room };
    await begunAnew(roomId, host);
    await until('the guest has noticed', () => guest.room?.epoch === house.state(roomId)?.epoch);
    await back(guest, () => guest.drop());
    await guest.request('room:leave', { roomId });
    await begunAnew(roomId, host);
    guest.room = { ...held } as TestClient['room'];
    await back(guest, () => guest.drop());
    expect(guest.ready?.left).toEqual({ cause: 'timeout' });
    expect(memberIds(roomId)).toEqual([host.id]);
  });
});
