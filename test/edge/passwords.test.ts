import { readFile } from 'node:fs/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { hashPassword } from '../../lib/service/room-secrets.ts';
import { codeOf, type House, openHouse } from '../hunt/house.ts';

let house: House;
beforeAll(async () => {
  house = await openHouse({ PASSWORDS_PER_MINUTE: '5' });
});
afterAll(() => house.close());

const counted = (codes: readonly string[]): Record<string, number> =>
  Object.fromEntries([...new Set(codes)].sort().map((code) => [code, codes.filter((one) => one === code).length]));

test('[SE43] forty wrong passwords at once are five tries', async () => {
  const host = await house.player('host');
  const { room } = await host.request('room:create', { kind: 'pick', password: 'sesame' });
  const guest = await house.player('guest');
  const guesses = Array.from({ length: 40 }, (_, go) =>
    guest.ask('room:join', { roomId: room.id, password: `guess ${go}` }),
  );
  expect(counted((await Promise.all(guesses)).map(codeOf))).toEqual({ WRONG_PASSWORD: 5, RATE_LIMITED: 35 });
  const blocked = await guest.refused('room:join', { roomId: room.id, password: 'sesame' });
  expect(blocked.code).toBe('RATE_LIMITED');
  expect(blocked.retryAfterMs).toBeGreaterThan(0);
  expect(blocked.retryAfterMs).toBeLessThanOrEqual(60_000);
});

test('[SE43] a crowd that knows the password comes in at once from one address', async () => {
  const host = await house.player('host');
  const { room } = await host.request('room:create', { kind: 'pick', password: 'sesame' });
  const friends = await Promise.all(Array.from({ length: 12 }, (_, go) => house.player(`friend ${go}`)));
  const joined = await Promise.all(
    friends.map((friend) => friend.ask('room:join', { roomId: room.id, password: 'sesame' })),
  );
  expect(counted(joined.map(codeOf))).toEqual({ OK: 12 });
});

test('[SE44] however many passwords are hashed, others get at their files, and too many are OVERLOADED', async () => {
  let done = 0;
  const hash = () =>
    hashPassword('sesame').then(
      () => (done += 1),
      (error: unknown) => error,
    );
  const hashes = Array.from({ length: 140 }, hash);
  expect(await hashes.at(-1)).toMatchObject({ refusal: { code: 'OVERLOADED' } });
  const before = done;
  await readFile(import.meta.filename);
  expect(done - before).toBeLessThan(5);
  await Promise.all(hashes);
  // Two at once and a hundred that wait.
  expect(done).toBe(102);
});
