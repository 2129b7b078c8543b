import type { Pool } from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { INVARIANTS } from '../../db/postgres/audit-invariants.ts';
import { createTestDatabase, type TestDatabase } from '../helpers/postgres.ts';
import { startServer, type TestServer } from '../helpers/server.ts';
import { until } from '../helpers/until.ts';

/** Longer than any request may take. */
const SLOW_S = 6.5;

let database: TestDatabase;
let server: TestServer;
let pool: Pool;
beforeAll(async () => {
  database = await createTestDatabase({ migrate: true });
  pool = database.pool({ max: 2 });
  await pool.query(`create or replace view ledger_audit as
    select 'sum of all balances is 0'::text as invariant, null::text collate "C" as race_id, 'named'::text collate "C" as player_id,
      pg_sleep(${SLOW_S})::text collate "C" as detail`);
  await pool.query("insert into account (kind, player_id) values ('wallet', 'named'), ('wallet', 'other')");
  server = await startServer({ env: { DATABASE_URL: database.url } });
});
afterAll(async () => {
  await server.stop();
  await database.drop();
});

async function gauge(name: string): Promise<number> {
  const text = await (await fetch(`${server.url}/metrics`)).text();
  const line = text.split('\n').find((one) => one.startsWith(`paddock_${name} `));
  return Number(line?.split(' ').at(-1) ?? Number.NaN);
}

const auditors = async () =>
  (await pool.query("select from pg_stat_activity where application_name = 'paddock-audit'")).rowCount;

test('[OP132] the server audits a ledger that takes long on a connection of its own, which is there only meanwhile', async () => {
  expect(await gauge('audit_completed_seconds')).toBe(0);
  await until('it is looking', async () => (await auditors()) === 1);
  const from = Date.now() / 1_000;
  const broken = (invariant: string) => gauge(`audit_broken{invariant="${invariant}"}`);
  expect(await Promise.all(Object.keys(INVARIANTS).map(broken))).toEqual(Object.keys(INVARIANTS).map(() => 0));
  await until('found', async () => (await broken('balances-sum-to-zero')) === 1, { deadlineMs: 20_000 });
  expect(await broken('one-stake-per-bet')).toBe(0);
  expect(await gauge('audit_seconds')).toBeGreaterThan(SLOW_S);
  await until('frozen', async () => (await gauge('frozen{subject="wallet"}')) === 1);
  expect(await gauge('frozen{subject="race"}')).toBe(0);
  expect((await pool.query('select player_id from account where frozen')).rows).toEqual([{ player_id: 'named' }]);
  expect(await gauge('audit_completed_seconds')).toBeGreaterThan(from);
  expect(await gauge('audit_completed_seconds')).toBeLessThanOrEqual(Date.now() / 1_000);
  expect(
    server
      .lines()
      .filter(({ msg }) => msg.startsWith('audit.'))
      .map(({ msg }) => msg),
  ).toEqual(['audit.broken', 'audit.froze']);
  await until('the connection is gone', async () => (await auditors()) === 0);
});

test('[OP133] a stop does not wait for an audit that is under way', async () => {
  await server.restart();
  await until('it is looking', async () => (await auditors()) === 1);
  const from = performance.now();
  expect(await server.stop()).toBe(0);
  expect(performance.now() - from).toBeLessThan(SLOW_S * 1_000 - 1_500);
  expect(server.lines().filter(({ msg }) => msg === 'audit.not_done')).toEqual([]);
});
