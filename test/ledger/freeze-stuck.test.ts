import type { Pool } from 'pg';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { connect, type TestClient } from '../helpers/client.ts';
import { createTestDatabase, type TestDatabase } from '../helpers/postgres.ts';
import { startServer, type TestServer } from '../helpers/server.ts';
import { until } from '../helpers/until.ts';

let database: TestDatabase;
let server: TestServer;
let pool: Pool;
let host: TestClient;
beforeAll(async () => {
  database = await createTestDatabase({ migrate: true });
  pool = database.pool({ max: 1 });
  server = await startServer({ env: { DATABASE_URL: database.url, TIME_SCALE: '20', HOUSE_ROOMS: '0' } });
  host = await connect(server.url, { nickname: 'host', locale: 'en' });
});
afterAll(async () => {
  host.close();
  await server.stop();
  await database.drop();
});

it('[LG158] a race whose bets do not add up is found when it cannot be settled, frozen, and over; its room goes on', {
  timeout: 90_000,
}, async () => {
  const { room } = await host.request('room:create', { kind: 'bet', settings: { openSeconds: 300, track: 'short' } });
  const start = () => host.request('race:start', { roomId: room.id });
  const { raceId } = await start();
  for (let horse = 1; horse <= 8; horse += 1)
    await host.request('bet:place', { raceId, pool: 'win', selection: [horse], stake: '100' });
  // The first look must have ended before there is anything to find.
  await until('looked', async () =>
    /^paddock_audit_completed_seconds [1-9]/m.test(await (await fetch(`${server.url}/metrics`)).text()),
  );
  await pool.query('set session_replication_role = replica');
  await pool.query("update transfer set amount = amount - 50 where kind = 'stake' and race_id = $1 and amount = 100", [
    raceId,
  ]);
  await pool.query('update account set balance = balance - 400 where race_id = $1', [raceId]);
  await start();
  const settled = await until(
    'the race is over',
    () => host.room?.events.find((event) => event.type === 'race settled' && event.raceId === raceId),
    { deadlineMs: 60_000 },
  );
  expect(settled).toMatchObject({ payoutsHeld: true });
  expect(server.lines().some(({ msg }) => msg === 'race not moved')).toBe(true);
  const { raceId: next } = await start();
  expect(next).not.toBe(raceId);
  expect((await pool.query('select subject, id from ledger_freeze order by subject')).rows).toEqual([
    { subject: 'race', id: raceId },
    { subject: 'wallet', id: host.id },
  ]);
});
