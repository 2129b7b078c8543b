import { readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Client } from 'pg';
import { ConfigError } from '../../config/config-error.ts';
import { createClient, type PgTarget } from './connect.ts';
import type { Log } from './embedded/supervisor.ts';

/** The numbered SQL files; the build copies them to the same place beside the compiled code. */
export const MIGRATIONS_FOLDER = fileURLToPath(new URL('../../migrations', import.meta.url));

const TABLE = 'schema_migration';

/** One lock of the session for whoever migrates; the others wait for it and then find nothing to do. */
const LOCK_KEY = 7_241_865_325_823_964;

/**
 * Brings the schema up to this version: all missing migrations in one transaction, under an advisory lock.
 * Returns the names it ran. Throws ConfigError when the database was migrated by a newer version of the server.
 */
export async function migrate(target: PgTarget, log: Log, folder = MIGRATIONS_FOLDER): Promise<string[]> {
  const client = createClient(target, { applicationName: 'paddock-migrate', statementTimeoutMs: 0, lockTimeoutMs: 0 });
  await client.connect();
  try {
    if ((await missing(client, folder)).length === 0) return [];
    // Long migrations are one statement after another: no pause in them is an idle client.
    await client.query('set idle_in_transaction_session_timeout = 0');
    // Our own lock around the runner's work: looking for a newer schema and running are one step.
    await client.query('select pg_advisory_lock($1)', [LOCK_KEY]);
    if ((await missing(client, folder)).length === 0) return [];
    const names = await run(client, folder, log);
    log.info({ migrations: names }, 'schema.migrated');
    return names;
  } finally {
    await client.end();
  }
}

async function run(client: Client, folder: string, log: Log): Promise<string[]> {
  // Loaded only when there is something to do: most starts have nothing.
  const { runner } = await import('node-pg-migrate');
  const done = await runner({
    dbClient: client,
    dir: folder,
    ignorePattern: '(\\..*|(?!.*\\.sql$).*)',
    direction: 'up',
    migrationsTable: TABLE,
    checkOrder: true,
    singleTransaction: true,
    noLock: true,
    logger: { info: () => {}, warn: (text) => log.warn({ text }, 'schema.warning'), error: () => {} },
  });
  return done.map((migration) => migration.name);
}

/** Names this version has and the database lacks. Throws ConfigError when it is the other way round. */
async function missing(client: Client, folder: string): Promise<string[]> {
  const known = migrationNames(folder);
  const exists = await client.query<{ found: boolean }>(`select to_regclass('${TABLE}') is not null as found`);
  if (!exists.rows[0]?.found) return known;
  const applied = await client.query<{ name: string }>(`select name from ${TABLE} order by id`);
  const names = new Set(applied.rows.map((row) => row.name));
  const newer = [...names].filter((name) => !known.includes(name));
  if (newer.length === 0) return known.filter((name) => !names.has(name));
  throw new ConfigError([
    `The database was migrated by a newer version: it has ${newer.join(', ')}, which this version does not know.`,
    'Start that newer version again, or give this one a database of its own (DATABASE_URL or DATA_DIR).',
  ]);
}

/** Names of all migrations of this version, in order. */
export function migrationNames(folder = MIGRATIONS_FOLDER): string[] {
  return readdirSync(folder)
    .filter((file) => file.endsWith('.sql'))
    .map((file) => file.slice(0, -4))
    .sort();
}
