import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { createRoomRecords } from '../../db/postgres/rooms.ts';
import { ensureHouseRooms } from '../../lib/service/house-rooms.ts';
import { createRoomSecrets } from '../../lib/service/room-secrets.ts';
import { createTestDatabase, type TestDatabase } from '../helpers/postgres.ts';

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database.drop());
beforeEach(async () => {
  await database.pool().query('delete from room_fact; delete from room');
});

/** As a start of the server does, with this many wanted; the rooms that live afterwards. */
async function start(count: number, secrets = createRoomSecrets(randomBytes(32))) {
  const records = createRoomRecords(database.pool());
  const made = await ensureHouseRooms(count, { records, clock: { now: () => Date.now() }, secrets });
  expect([...made].sort()).toEqual([...(await records.living())].sort());
  return made;
}

describe('house rooms', () => {
  test('[RM99] are as many as are wanted after every start: those too many are closed, and more are made again', async () => {
    const secrets = createRoomSecrets(randomBytes(32));
    const four = await start(4, secrets);
    expect(new Set(four).size).toBe(4);
    expect(await start(4, secrets)).toEqual(four);
    expect(await start(1, secrets)).toEqual(four.slice(0, 1));
    const again = await start(3, secrets);
    expect(again).toHaveLength(3);
    expect(again[0]).toBe(four[0]);
    expect(await start(3, secrets)).toEqual(again);
    expect(await start(0, secrets)).toEqual([]);
  });

  test('[RM99] are not doubled by another SESSION_SECRET, and rooms of people stay', async () => {
    await start(2);
    const after = await start(2);
    expect(after).toHaveLength(2);
    const [someones] = after;
    await database.pool().query('update room set house = false where id = $1', [someones]);
    const records = createRoomRecords(database.pool());
    const secrets = createRoomSecrets(randomBytes(32));
    await ensureHouseRooms(0, { records, clock: { now: () => Date.now() }, secrets });
    expect(await records.living()).toEqual([someones]);
  });
});
