import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { createClient, type PgTarget } from '../../db/postgres/connect.ts';
import { MIGRATIONS_FOLDER, migrate, migrationNames } from '../../db/postgres/migrate.ts';
import { dumpSchema } from '../../db/postgres/schema-snapshot.ts';
import { temporaryFolder } from '../helpers/folder.ts';
import { createTestDatabase, quietLog, startTestPostgres } from '../helpers/postgres.ts';
import { PROJECT, runFile } from '../helpers/process.ts';

function folderWith(files: Record<string, string>): string {
  const folder = temporaryFolder('migrations');
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
  return folder;
}

async function schemaOf(target: PgTarget): Promise<string> {
  const client = createClient(target, { applicationName: 'test' });
  await client.connect();
  try {
    return await dumpSchema(client);
  } finally {
    await client.end();
  }
}

describe('migrations', () => {
  it('[OP18] run once, in order, by whichever of several processes comes first', async () => {
    const database = await createTestDatabase({ migrate: false });
    const folder = folderWith({
      '0001_one.sql': 'create table one (n int); select pg_sleep(0.3);',
      '0002_two.sql': 'insert into one values (2);',
      'schema.snapshot.txt': 'not a migration',
    });
    const runs = await Promise.all([1, 2, 3, 4].map(() => migrate(database.target, quietLog, folder)));
    expect(runs.flat()).toEqual(['0001_one', '0002_two']);
    expect((await database.pool().query('select n from one')).rows).toEqual([{ n: 2 }]);
    expect(await migrate(database.target, quietLog, folder)).toEqual([]);
    await database.drop();
  });

  it('[OP18] that fail leave nothing behind', async () => {
    const database = await createTestDatabase({ migrate: false });
    const folder = folderWith({
      '0001_one.sql': 'create table one (n int);',
      '0002_two.sql': 'create table two (n nonsense);',
    });
    await expect(migrate(database.target, quietLog, folder)).rejects.toThrow(/nonsense/);
    expect((await database.pool().query("select to_regclass('one') as one")).rows).toEqual([{ one: null }]);
    rmSync(join(folder, '0002_two.sql'));
    expect(await migrate(database.target, quietLog, folder)).toEqual(['0001_one']);
    await database.drop();
  });

  it('[OP19] a database of a newer version is refused in words and left as it is', async () => {
    const database = await createTestDatabase({ migrate: false });
    const newer = folderWith({
      '0001_one.sql': 'create table one (n int);',
      '0002_two.sql': 'create table two (n int);',
    });
    const older = folderWith({ '0001_one.sql': 'create table one (n int);' });
    await migrate(database.target, quietLog, newer);
    await expect(migrate(database.target, quietLog, older)).rejects.toThrow(/newer version: it has 0002_two/);
    await database.drop();
  });

  it('[OP18] of the project make the committed schema', async () => {
    const database = await createTestDatabase({ migrate: false });
    expect(await migrate(database.target, quietLog)).toEqual(migrationNames());
    expect(await schemaOf(database.target)).toBe(readFileSync(join(MIGRATIONS_FOLDER, 'schema.snapshot.txt'), 'utf8'));
    await database.drop();
  });

  it('[OP18] a change of one column, check, index, function or trigger is seen in the snapshot', async () => {
    const database = await createTestDatabase({ migrate: false });
    const pool = database.pool();
    await pool.query('create table t (n int not null)');
    const seen = new Set([await schemaOf(database.target)]);
    const changes = [
      'alter table t alter n type bigint',
      'alter table t alter n set default 1',
      'alter table t add constraint positive check (n > 0)',
      'create index t_n on t (n) where n > 5',
      'create function f() returns trigger language plpgsql as $$ begin return new; end $$',
      'create or replace function f() returns trigger language plpgsql as $$ begin return old; end $$',
      'create trigger g before update on t for each row execute function f()',
      "create type mood as enum ('a')",
      "alter type mood add value 'b'",
      'create view v as select n from t',
    ];
    for (const change of changes) {
      await pool.query(change);
      const schema = await schemaOf(database.target);
      expect(seen.has(schema), change).toBe(false);
      seen.add(schema);
    }
    await database.drop();
  });

  it('[OP18] npm run migrate does the same, on the database of the settings and beside a running server', async () => {
    const postgres = await startTestPostgres();
    const beside = runFile(join(PROJECT, 'cmd/migrate.ts'), { DATA_DIR: postgres.dataDir });
    expect(await beside.exit, beside.output()).toBe(0);
    expect(beside.output()).toContain(`migrated: ${migrationNames().join(', ')}`);
    const database = await postgres.createDatabase();
    const byUrl = runFile(join(PROJECT, 'cmd/migrate.ts'), { DATABASE_URL: database.url });
    expect(await byUrl.exit, byUrl.output()).toBe(0);
    const again = runFile(join(PROJECT, 'cmd/migrate.ts'), { DATABASE_URL: database.url });
    await again.exit;
    expect(again.output()).toContain('the schema is up to date');
    await postgres.stop();
  });
});
