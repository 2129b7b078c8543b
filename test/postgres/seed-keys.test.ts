import { createHash, randomBytes } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { ConfigError } from '../../config/config-error.ts';
import { createSeedKeyRecords } from '../../db/postgres/seed-keys.ts';
import { createTestDatabase, type TestDatabase } from '../helpers/postgres.ts';

let database: TestDatabase;
beforeEach(async () => {
  database = await createTestDatabase();
});
afterEach(() => database.drop());

const wrapKey = Uint8Array.from(randomBytes(32));
const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex');
const hashOf = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');

describe('seed keys', () => {
  test('[OP47] one is made, however many ask at once, and every process reads the same', async () => {
    const pools = [database.pool(), database.pool(), database.pool()];
    const records = pools.map((pool) => createSeedKeyRecords(pool, wrapKey));
    const keys = await Promise.all(Array.from({ length: 24 }, (_, index) => records[index % 3]?.current()));
    expect(new Set(keys.map((key) => `${key?.id} ${hex(key?.key ?? new Uint8Array())}`)).size).toBe(1);
    const [key] = keys;
    if (key === undefined) throw new Error('no key');
    expect(key.key.length).toBe(32);
    expect(await createSeedKeyRecords(database.pool(), wrapKey).get(key.id)).toEqual(key);
    expect(await records[0]?.get('nobody')).toBeNull();
    const published = await records[0]?.published();
    expect(published).toEqual([{ id: key.id, hash: hashOf(key.key), createdAt: expect.any(Number) }]);
  });

  test('[OP47] the database holds it encrypted, and another wrap key opens nothing', async () => {
    const pool = database.pool();
    const { id, key } = await createSeedKeyRecords(pool, wrapKey).current();
    const [row] = (await pool.query<{ wrapped: Buffer }>('select wrapped from seed_key')).rows;
    expect(row?.wrapped.length).toBe(60);
    expect(row?.wrapped.includes(Buffer.from(key))).toBe(false);
    const other = createSeedKeyRecords(pool, Uint8Array.from(randomBytes(32)));
    await expect(other.current()).rejects.toThrow(/^SEED_WRAP_KEY: /);
    await expect(other.get(id)).rejects.toBeInstanceOf(ConfigError);
    await pool.query('update seed_key set wrapped = set_byte(wrapped, 20, (get_byte(wrapped, 20) + 1) % 256)');
    await expect(createSeedKeyRecords(pool, wrapKey).get(id)).rejects.toBeInstanceOf(ConfigError);
  });

  test('[OP47] rows cannot be exchanged for one another', async () => {
    const pool = database.pool();
    const first = await createSeedKeyRecords(pool, wrapKey).current();
    await pool.query("update seed_key set id = 'renamed'");
    await expect(createSeedKeyRecords(pool, wrapKey).get('renamed')).rejects.toBeInstanceOf(ConfigError);
    expect(first.id).not.toBe('renamed');
  });

  test('[OP47] a retired key is published once no race that is open names it', async () => {
    const pool = database.pool();
    const records = createSeedKeyRecords(pool, wrapKey);
    const old = await records.current();
    await pool.query('drop table if exists race cascade');
    await pool.query('create table race (id text, room_id text, phase text, seed_key_id text)');
    await pool.query("insert into race values ('r', 'room', 'closed', $1)", [old.id]);
    await pool.query('update seed_key set retired_at = now_ms()');
    const next = await records.current();
    expect(next.id).not.toBe(old.id);
    expect((await records.published()).map(({ key }) => key)).toEqual([undefined, undefined]);
    await pool.query("update race set phase = 'settled'");
    expect((await records.published()).map(({ id, key }) => [id, key])).toEqual([
      [old.id, hex(old.key)],
      [next.id, undefined],
    ]);
    expect(await records.get(old.id)).toEqual(old);
  });
});
