import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createPool } from '../../db/postgres/connect.ts';
import { failureOf } from '../../db/postgres/failures.ts';
import { read, write } from '../../db/postgres/query.ts';
import { UnavailableError } from '../../lib/ports.ts';
import { startTestPostgres, type TestDatabase, type TestPostgres } from '../helpers/postgres.ts';
import { until } from '../helpers/until.ts';

let postgres: TestPostgres;
let database: TestDatabase;

beforeAll(async () => {
  postgres = await startTestPostgres();
  database = await postgres.createDatabase();
  await write(database.pool(), 'create table t (n int primary key)', []);
});
afterAll(() => postgres.stop());

const outcome = (promise: Promise<unknown>) =>
  promise.then(
    () => 'done',
    (error: unknown) => (error instanceof UnavailableError ? error.outcome : error),
  );
const rows = async () =>
  (await read<{ n: number }>(database.pool(), 'select n from t order by n', [])).map(({ n }) => n);

describe('failures of the database', () => {
  test('[OP48] who cannot be reached got nothing', async () => {
    const nowhere = createPool(
      { host: '127.0.0.1', port: 1, user: 'x', database: 'x' },
      { applicationName: 'test' },
      () => {},
    );
    expect(await outcome(write(nowhere, 'select 1', []))).toBe('none');
    await nowhere.end();
    const unknown = createPool({ ...database.target, database: 'nobody' }, { applicationName: 'test' }, () => {});
    expect(await outcome(write(unknown, 'select 1', []))).toBe('none');
    await unknown.end();
    const busy = database.pool({ max: 1, connectTimeoutMs: 200 });
    const holder = await busy.connect();
    expect(await outcome(write(busy, 'insert into t values (1)', []))).toBe('none');
    holder.release();
    expect(await rows()).toEqual([]);
  });

  test('[OP48] what the server ended for its time or its locks did not happen', async () => {
    const pool = database.pool({ statementTimeoutMs: 300, lockTimeoutMs: 100 });
    const holder = await database.pool().connect();
    await holder.query('begin');
    await holder.query('lock table t in access exclusive mode');
    expect(await outcome(write(pool, 'insert into t values (2)', []))).toBe('none');
    await holder.query('rollback');
    holder.release();
    expect(await outcome(write(pool, 'insert into t select 3 from (select pg_sleep(5)) s', []))).toBe('none');
    expect(await rows()).toEqual([]);
    // The connections are as good as before.
    expect(await outcome(write(pool, 'insert into t values (4)', []))).toBe('done');
    expect(await rows()).toEqual([4]);
  });

  test('[OP48] a connection that is cut leaves a write unknown and a read undone', async () => {
    const pool = database.pool({ applicationName: 'victim' });
    const cut = async (work: Promise<unknown>) => {
      const result = outcome(work);
      const ended =
        'select pg_terminate_backend(pid) from pg_stat_activity where application_name = $1 and query like $2';
      await until(
        'the backend is ended',
        async () => (await read(database.pool(), ended, ['victim', '%pg_sleep%'])).length > 0,
      );
      return result;
    };
    expect(await cut(write(pool, 'insert into t select 5 from (select pg_sleep(30)) s', []))).toBe('unknown');
    expect(await cut(read(pool, 'select pg_sleep(30)', []))).toBe('none');
    expect(await rows()).toEqual([4]);
    expect(await outcome(write(pool, 'insert into t values (6)', []))).toBe('done');
  });

  test('[OP48] a server that stops answering leaves a write unknown, and it may have happened', async () => {
    const pool = database.pool({ statementTimeoutMs: 300, connectTimeoutMs: 300 });
    await write(pool, 'select 1', []);
    postgres.freeze();
    try {
      expect(await outcome(write(pool, 'insert into t values (7)', []))).toBe('unknown');
      expect(await outcome(write(pool, 'insert into t values (8)', []))).toBe('none');
    } finally {
      postgres.thaw();
    }
    await until('the server answers', () => outcome(write(pool, 'select 1', [])).then((found) => found === 'done'));
    expect((await rows()).includes(8)).toBe(false);
  });

  test('[OP48] a fault of ours is no unavailability', async () => {
    const pool = database.pool();
    expect(await outcome(write(pool, 'insert into t values (4)', []))).toMatchObject({ code: '23505' });
    expect(await outcome(write(pool, 'select nonsense', []))).toMatchObject({ code: '42703' });
    const own = new TypeError('a bug');
    expect(failureOf(own, 'writing')).toBe(own);
    const already = new UnavailableError('x', 'unknown');
    expect(failureOf(already, 'connecting')).toBe(already);
  });
});
