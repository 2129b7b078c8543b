import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { RoomId } from '../../lib/core/ids.ts';
import { hashPassword } from '../../lib/service/room-secrets.ts';
import type { TestClient } from '../helpers/client.ts';
import { until } from '../helpers/until.ts';
import { type House, openHouse } from './house.ts';

let house: House;
beforeAll(async () => {
  house = await openHouse();
});
afterAll(() => house.close());

async function lockedRoom() {
  const host = await house.player('host');
  const guest = await house.player('guest');
  const made = await host.request('room:create', { kind: 'bet', password: 'sesame' });
  const joined = await guest.request('room:join', { roomId: made.room.id, password: 'sesame' });
  expect(made.inviteKey?.length).toBeGreaterThan(15);
  expect(joined.inviteKey).toBeUndefined();
  return { host, guest, roomId: made.room.id, inviteKey: made.inviteKey };
}

const keyOf = async (client: TestClient, roomId: RoomId) => (await client.request('room:join', { roomId })).inviteKey;

/** As after a crash before the archive had anybody's joining: the room begins anew, with nobody in it. */
async function loseEverybody(roomId: RoomId): Promise<void> {
  const { document, chat } = house.state(roomId) ?? {};
  if (!document) throw new Error('no such room');
  await until('archived', async () => (await house.store.dirty(10)).length === 0);
  await house.feeds().leave(roomId);
  await house.store.remove(roomId);
  await house.store.restore({ ...document, members: [] }, chat ?? [], null);
}

describe('the invite key', () => {
  test('[RM97] is told to the host whenever they sit down, on any device, and to nobody else', async () => {
    const { host, guest, roomId, inviteKey } = await lockedRoom();
    expect(await keyOf(host, roomId)).toBe(inviteKey);
    expect(await keyOf(guest, roomId)).toBeUndefined();
    const { code } = await host.request('session:link', {});
    const phone = await house.player('phone', { link: code });
    expect(phone.id).toBe(host.id);
    expect(await keyOf(phone, roomId)).toBe(inviteKey);
  });

  test('[RM97] goes with the host’s place', async () => {
    const { host, guest, roomId, inviteKey } = await lockedRoom();
    await host.request('room:handover', { roomId, playerId: guest.id as never });
    await guest.event('host changed', ({ hostId }) => hostId === guest.id);
    expect(await keyOf(guest, roomId)).toBe(inviteKey);
    expect(await keyOf(host, roomId)).toBeUndefined();
    await host.request('room:leave', { roomId });
    expect((await host.request('room:join', { roomId, password: 'sesame' })).inviteKey).toBeUndefined();
  });

  test('[RM97] is the new one where the password has changed', async () => {
    const { host, guest, roomId, inviteKey } = await lockedRoom();
    const version = host.room?.snapshot.settingsVersion ?? 0;
    const changed = await host.request('room:configure', { roomId, version, patch: { password: 'open' } });
    expect(changed.inviteKey).not.toBe(inviteKey);
    expect(await keyOf(host, roomId)).toBe(changed.inviteKey);
    // By another process, which only tells that there is one.
    const passwordHash = await hashPassword('elsewhere');
    await house.records.rooms.configure(
      roomId,
      version + 1,
      { passwordHash },
      { type: 'settings changed', version: version + 2, by: null, patch: { hasPassword: true } },
    );
    await host.event('settings changed', (event) => event.version === version + 2);
    const third = await keyOf(host, roomId);
    expect(third?.length).toBeGreaterThan(15);
    expect([inviteKey, changed.inviteKey]).not.toContain(third);
    await host.request('room:configure', { roomId, version: version + 2, patch: { password: null } });
    expect(await keyOf(host, roomId)).toBeUndefined();
    expect(await keyOf(guest, roomId)).toBeUndefined();
  });

  test('[RM97] is told to a host who has their seat back by its ticket, and to no guest', async () => {
    const { host, guest, roomId, inviteKey } = await lockedRoom();
    await loseEverybody(roomId);
    // The host first: without them somebody else would host.
    for (const client of [host, guest]) {
      client.drop();
      await until('back', () => client.readies === 2);
    }
    expect([host.ready?.resumed, guest.ready?.resumed]).toEqual([true, true]);
    expect(await keyOf(host, roomId)).toBe(inviteKey);
    expect(await keyOf(guest, roomId)).toBeUndefined();
  });
});
