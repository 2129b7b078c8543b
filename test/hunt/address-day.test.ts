import { afterAll, beforeAll, expect, test } from 'vitest';
import { createPlayerRecords } from '../../db/postgres/players.ts';
import { createPatience } from '../../lib/service/in-time.ts';
import { createSessions } from '../../lib/service/sessions.ts';
import { createTestDatabase, type TestDatabase } from '../helpers/postgres.ts';

const TIME_ZONE = 'Asia/Seoul';
const log = { error: () => {}, warn: () => {}, info: () => {}, debug: () => {} };

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase({ migrate: true });
});
afterAll(() => database.drop());

test('[SE50] an address has one quota of new players a day of the configured time zone, whatever UTC shows', async () => {
  const pool = database.pool();
  let now = Date.parse('2026-11-20T23:50:00Z');
  const sessions = createSessions({
    secret: new Uint8Array(32),
    players: createPlayerRecords(pool, { newPlayersPerAddressAndDay: 3, timeZone: TIME_ZONE }),
    patience: createPatience(10_000),
    timeZone: TIME_ZONE,
    clock: { now: () => now },
    connections: { callersOf: () => [], end: () => {} },
    ownLimits: { get: async () => ({ dailyStake: null }), change: async () => ({ dailyStake: null }) },
    log,
    balanceOf: async () => null,
    profileOf: async () => {
      throw new Error('not asked here');
    },
    renamed: () => {},
  });
  const startsAtZero = async () => {
    const entered = await sessions.enter({ protocol: 1 }, '203.0.113.1');
    if ('refused' in entered) throw new Error(entered.refused);
    const query = 'select starts_at_zero from player where id = $1';
    for (;;) {
      const [row] = (await pool.query<{ starts_at_zero: boolean }>(query, [entered.session.playerId])).rows;
      if (row !== undefined) return row.starts_at_zero;
    }
  };
  const early = [await startsAtZero(), await startsAtZero(), await startsAtZero(), await startsAtZero()];
  expect(early.filter((zero) => !zero).length).toBeGreaterThan(0);
  expect(early.at(-1)).toBe(true);
  // Midnight in UTC, morning in Seoul.
  now += 20 * 60_000;
  expect(await startsAtZero()).toBe(true);
});
