import { describe, expect, it } from 'vitest';
import { withTransaction } from '../../db/postgres/connect.ts';
import { createTestDatabase, startTestPostgres } from '../helpers/postgres.ts';

describe('connection', () => {
  it('[OP20] int8 is bigint, every session has deadlines and reads committed', async () => {
    const database = await createTestDatabase({ migrate: false });
    const pool = database.pool();
    const row = (
      await pool.query(
        "select 9007199254740993::int8 as big, '{1,null,3}'::int8[] as list, '{}'::int8[] as none, 1.5::numeric as n",
      )
    ).rows[0];
    expect(row).toEqual({ big: 9007199254740993n, list: [1n, null, 3n], none: [], n: '1.5' });
    const shown = async (name: string) => (await pool.query('select current_setting($1) as v', [name])).rows[0].v;
    expect(await shown('statement_timeout')).toBe('5s');
    expect(await shown('lock_timeout')).toBe('2s');
    expect(await shown('idle_in_transaction_session_timeout')).toBe('1s');
    expect(await shown('transaction_isolation')).toBe('read committed');
    expect(await shown('timezone')).toBe('UTC');
    expect(await shown('synchronous_commit')).toBe('on');
    await database.drop();
  });

  it('[OP21] a transaction is whole or not at all', async () => {
    const database = await createTestDatabase({ migrate: false });
    const pool = database.pool();
    await pool.query('create table t (n int primary key)');
    await withTransaction(pool, (client) => client.query('insert into t values (1)'));
    const failing = withTransaction(pool, async (client) => {
      await client.query('insert into t values (2)');
      throw new Error('no');
    });
    await expect(failing).rejects.toThrow('no');
    expect((await pool.query('select n from t')).rows).toEqual([{ n: 1 }]);
    await database.drop();
  });

  it('[OP11] a pool goes on after the server was killed, and it comes back with everything committed', async () => {
    const postgres = await startTestPostgres();
    const database = await postgres.createDatabase();
    const pool = database.pool();
    await pool.query('create table t (n int)');
    await pool.query('insert into t select generate_series(1, 1000)');
    await postgres.stopHard();
    await postgres.untilAnswers();
    expect((await pool.query('select count(*) from t')).rows).toEqual([{ count: 1000n }]);
    await postgres.stop();
  });
});
