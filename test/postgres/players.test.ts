import { randomUUID } from 'node:crypto';
import type { Pool } from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createPlayerRecords } from '../../db/postgres/players.ts';
import type { PlayerId } from '../../lib/core/ids.ts';
import type { PlayerRecords } from '../../lib/ports.ts';
import { createTestDatabase, type TestDatabase } from '../helpers/postgres.ts';

let database: TestDatabase;
let pool: Pool;
let players: PlayerRecords;

beforeAll(async () => {
  database = await createTestDatabase();
  pool = database.pool();
  players = createPlayerRecords(pool, { newPlayersPerAddressAndDay: 30, timeZone: 'Asia/Seoul' });
});
afterAll(() => database.drop());

const newId = () => `player-${randomUUID()}` as PlayerId;
const guest = (addressHash: string, id = newId()) => ({ id, nickname: '말', locale: 'ko', addressHash }) as const;
const startsAtZero = async (id: PlayerId) =>
  (await pool.query<{ starts_at_zero: boolean }>('select starts_at_zero from player where id = $1', [id])).rows[0]
    ?.starts_at_zero;

describe('players', () => {
  test('[SE40] a row is made once and stays as it is', async () => {
    const first = guest(randomUUID());
    const rows = await Promise.all(Array.from({ length: 6 }, () => players.ensure(first)));
    expect(rows[0]).toMatchObject({ id: first.id, nickname: '말', locale: 'ko', sessionNumber: 1 });
    expect(Math.abs((rows[0]?.createdAt ?? 0) - Date.now())).toBeLessThan(60_000);
    for (const row of rows) expect(row).toEqual(rows[0]);
    expect(await players.ensure({ ...first, nickname: 'other' })).toEqual(rows[0]);
    expect(await players.get(first.id)).toEqual(rows[0]);
    expect(await players.get(newId())).toBeNull();
    const counted = await pool.query('select players from address_day where address_hash = $1', [first.addressHash]);
    expect(counted.rows).toEqual([{ players: 1 }]);
  });

  test('[SE40] from the 30th new player of an address and day on they start at 0, known ones do not count again', async () => {
    const address = randomUUID();
    const ids: PlayerId[] = [];
    for (let batch = 0; batch < 4; batch += 1) {
      const made = Array.from({ length: 8 }, () => newId());
      await Promise.all(made.map((id) => players.ensure(guest(address, id))));
      await Promise.all(made.map((id) => players.ensure(guest(address, id))));
      ids.push(...made);
    }
    const zeros = await Promise.all(ids.map(startsAtZero));
    expect(zeros.filter((zero) => zero === false).length).toBe(29);
    expect(zeros.filter((zero) => zero === true).length).toBe(3);
    const elsewhere = guest(randomUUID());
    await players.ensure(elsewhere);
    expect(await startsAtZero(elsewhere.id)).toBe(false);
  });

  test('[SE40] yesterday does not count, and old counters are cleared', async () => {
    const address = randomUUID();
    await pool.query(
      "insert into address_day select $1, ((clock_timestamp() at time zone 'Asia/Seoul')::date - n), 100 from generate_series(1, 9) n",
      [address],
    );
    const today = guest(address);
    await players.ensure(today);
    expect(await startsAtZero(today.id)).toBe(false);
    const left = await pool.query<{ n: bigint }>('select count(*) as n from address_day where address_hash = $1', [
      address,
    ]);
    expect(left.rows).toEqual([{ n: 3n }]);
  });

  test('[SE40] a profile changes where it was told to', async () => {
    const { id } = await players.ensure(guest(randomUUID()));
    expect(await players.update(id, { nickname: 'new' })).toMatchObject({ nickname: 'new', locale: 'ko' });
    expect(await players.update(id, { locale: 'en' })).toMatchObject({ nickname: 'new', locale: 'en' });
    expect(await players.update(newId(), { nickname: 'x' })).toBeNull();
  });

  test('[SE42] session numbers are raised once a call; an unknown player has none', async () => {
    const { id } = await players.ensure(guest(randomUUID()));
    const numbers = await Promise.all(Array.from({ length: 5 }, () => players.raiseSession(id)));
    expect([...numbers].sort()).toEqual([2, 3, 4, 5, 6]);
    expect((await players.get(id))?.sessionNumber).toBe(6);
    await expect(players.raiseSession(newId())).rejects.toMatchObject({ name: 'UnavailableError', outcome: 'none' });
  });

  test('[SE41] a code brings its player once, within its time', async () => {
    const { id } = await players.ensure(guest(randomUUID()));
    const code = await players.createLink(id, Date.now() + 120_000);
    expect(code).toMatch(/^\d{6}$/);
    const tries = await Promise.all(Array.from({ length: 5 }, () => players.redeemLink(code)));
    expect(tries.filter((found) => found === id).length).toBe(1);
    expect(tries.filter((found) => found === null).length).toBe(4);

    const late = await players.createLink(id, Date.now() - 1);
    expect(await players.redeemLink(late)).toBeNull();
    const before = await players.createLink(id, Date.now() + 120_000);
    const after = await players.createLink(id, Date.now() + 120_000);
    if (before !== after) expect(await players.redeemLink(before)).toBeNull();
    expect(await players.redeemLink(after)).toBe(id);
  });

  test('[SE41] a living code is never given to another player, an expired one may be', async () => {
    const [a, b] = [await players.ensure(guest(randomUUID())), await players.ensure(guest(randomUUID()))];
    const create = async (code: string, id: PlayerId, expiresAt: number) =>
      (await pool.query('select session_link_create($1, $2, $3) as made', [code, id, expiresAt])).rows[0].made;
    expect(await create('x00001', a.id, Date.now() + 60_000)).toBe(true);
    expect(await create('x00001', b.id, Date.now() + 60_000)).toBe(false);
    expect(await create('x00002', a.id, Date.now() - 1)).toBe(true);
    expect(await create('x00002', b.id, Date.now() + 60_000)).toBe(true);
    expect(await players.redeemLink('x00002')).toBe(b.id);
  });
});
