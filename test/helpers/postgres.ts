import { randomBytes } from 'node:crypto';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Pool } from 'pg';
import { createClient, createPool, type PgTarget, type PoolOptions } from '../../db/postgres/connect.ts';
import { processesIn } from '../../db/postgres/embedded/process.ts';
import { type EmbeddedPostgres, type Log, startEmbedded } from '../../db/postgres/embedded/supervisor.ts';
import { migrate } from '../../db/postgres/migrate.ts';
import { temporaryFolder } from './folder.ts';
import { until } from './until.ts';

/** For what is started in tests: silent, failures are told by assertions. */
export const quietLog: Log = { info: () => {}, warn: () => {}, error: () => {} };

export type TestDatabase = {
  name: string;
  target: PgTarget & { host: string };
  /** a `DATABASE_URL` for a process under test */
  url: string;
  /** a pool of its own with the product's deadlines; closed by `drop` */
  pool: (options?: Partial<PoolOptions>) => Pool;
  drop: () => Promise<void>;
};

export type TestPostgres = {
  server: EmbeddedPostgres;
  dataDir: string;
  /** A database of its own; with `migrate` a copy of one that has the whole schema (about 30 ms). */
  createDatabase: (options?: { migrate?: boolean }) => Promise<TestDatabase>;
  /** kill -9 of the server, as a power cut would; the supervisor starts it again, see `untilAnswers`. */
  stopHard: () => Promise<void>;
  /** The server and its backends stop in their tracks (SIGSTOP) until `thaw`. */
  freeze: () => void;
  thaw: () => void;
  /** resolves when the server answers a query */
  untilAnswers: () => Promise<void>;
  /** Ends the server and removes every file of it. */
  stop: () => Promise<void>;
};

const TEMPLATE = 'template_migrated';

/**
 * An embedded server on a folder of its own. One per test file is cheap (about 0.7 s); `testPostgres` shares one per
 * worker process. `durable`: commits wait for the disk, as the product's do.
 */
export async function startTestPostgres(options: { durable?: boolean } = {}): Promise<TestPostgres> {
  const dataDir = temporaryFolder('pg');
  const server = await startEmbedded({ dataDir, log: quietLog, durable: options.durable ?? false });
  const pools = new Set<Pool>();
  let template: Promise<void> | undefined;

  const admin = async (sql: string) => {
    const client = createClient(at('postgres'), { applicationName: 'test-admin', statementTimeoutMs: 20_000 });
    await client.connect();
    try {
      return (await client.query<Record<string, unknown>>(sql)).rows;
    } finally {
      await client.end();
    }
  };

  function at(database: string) {
    return { ...(server.connection as PgTarget & { host: string; user: string; port: number }), database };
  }

  async function makeTemplate(): Promise<void> {
    await admin(`create database ${TEMPLATE}`);
    await migrate(at(TEMPLATE), quietLog);
  }

  async function createDatabase(options: { migrate?: boolean } = {}): Promise<TestDatabase> {
    const name = `test_${randomBytes(6).toString('hex')}`;
    if (options.migrate) {
      template ??= makeTemplate();
      await template;
    }
    await admin(`create database ${name}${options.migrate ? ` template ${TEMPLATE}` : ''}`);
    const target = at(name);
    const own = new Set<Pool>();
    return {
      name,
      target,
      url: `postgres://${target.user}@/${name}?host=${encodeURIComponent(target.host)}`,
      pool: (poolOptions) => {
        const pool = createPool(target, { applicationName: 'test', ...poolOptions }, () => {});
        own.add(pool);
        pools.add(pool);
        return pool;
      },
      drop: async () => {
        await Promise.all([...own].map((pool) => closePool(pool)));
        await admin(`drop database if exists ${name} with (force)`);
      },
    };
  }

  async function closePool(pool: Pool): Promise<void> {
    pools.delete(pool);
    if (!pool.ended) await pool.end();
  }

  const family = () => processesIn(join(dataDir, 'postgres'));

  const postgres: TestPostgres = {
    server,
    dataDir,
    createDatabase,
    stopHard: async () => {
      const pid = server.pid();
      if (pid === undefined) return;
      process.kill(pid, 'SIGKILL');
      await until('the supervisor notices the death', () => server.pid() !== pid);
    },
    freeze: () => {
      for (const pid of family()) process.kill(pid, 'SIGSTOP');
    },
    thaw: () => {
      for (const pid of family().reverse()) process.kill(pid, 'SIGCONT');
    },
    untilAnswers: async () => {
      await until('PostgreSQL answers', () => admin('select 1'));
    },
    stop: async () => {
      postgres.thaw();
      await Promise.all([...pools].map((pool) => closePool(pool)));
      await server.stop();
      rmSync(dataDir, { recursive: true, force: true });
    },
  };
  return postgres;
}

let shared: Promise<TestPostgres> | undefined;

/** The server that all tests of this worker process share; ended with the process (test/setup/worker.ts). */
export function testPostgres(): Promise<TestPostgres> {
  shared ??= startTestPostgres();
  return shared;
}

/** A database of its own on the shared server. The usual start of a test of SQL. */
export async function createTestDatabase(options: { migrate?: boolean } = { migrate: true }): Promise<TestDatabase> {
  return (await testPostgres()).createDatabase(options);
}

/** Ends the shared server, if a test of this file used it. */
export async function stopSharedPostgres(): Promise<void> {
  const running = shared;
  shared = undefined;
  if (running) await (await running).stop();
}
