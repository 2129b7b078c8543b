import { Client, type ClientConfig, type CustomTypesConfig, Pool, type PoolClient, types } from 'pg';

/** Where a database is: a URL from the settings, or the socket of the embedded server. */
export type PgTarget =
  | { connectionString: string }
  | { host: string; port: number; user: string; database: string; password?: string };

export type PoolOptions = {
  /** shown in pg_stat_activity */
  applicationName: string;
  /** connections at most; 10 unless told */
  max?: number;
  /** the server ends a statement that runs longer; 5 s unless told */
  statementTimeoutMs?: number;
  /** the server ends a statement that waits longer for a lock; 2 s unless told */
  lockTimeoutMs?: number;
  /** how long to wait for a connection; 2 s unless told */
  connectTimeoutMs?: number;
};

/** Beyond the server's own timeout by this much, the connection is taken for dead and closed from our side. */
const SILENT_SERVER_MS = 1_000;

const INT8 = 20;
const INT8_ARRAY = 1016;

/** int8 and int8[] as bigint, for the clients made here alone; everything else as pg has it (numeric stays a string). */
const TYPES: CustomTypesConfig = {
  getTypeParser: (oid: number, format?: 'text' | 'binary') => {
    if (format === 'binary') return types.getTypeParser(oid, 'binary');
    if (oid === INT8) return BigInt;
    if (oid === INT8_ARRAY) return parseBigintArray;
    return types.getTypeParser(oid, 'text');
  },
};

/** `{1,2,NULL}`; arrays of more than one dimension are not used. */
function parseBigintArray(text: string): (bigint | null)[] {
  if (text === '{}') return [];
  return text
    .slice(1, -1)
    .split(',')
    .map((item) => (item === 'NULL' ? null : BigInt(item)));
}

/** A pool with the deadlines that every query here has. Idle clients that fail are dropped and told to `onIdleError`. */
export function createPool(target: PgTarget, options: PoolOptions, onIdleError: (error: Error) => void): Pool {
  const pool = new Pool({
    ...clientConfig(target, options),
    max: options.max ?? 10,
    idleTimeoutMillis: 30_000,
    connectionTimeoutMillis: options.connectTimeoutMs ?? 2_000,
  });
  // Without a listener a connection that the server closes would end the process.
  pool.on('error', onIdleError);
  // The pool listens to idle clients only; one that dies while it is in use fails its query and must not end the process.
  pool.on('connect', (client) => client.on('error', () => {}));
  return pool;
}

/** A single connection of its own (locks of a session, migrations), not yet connected. */
export function createClient(target: PgTarget, options: PoolOptions): Client {
  const client = new Client({
    ...clientConfig(target, options),
    connectionTimeoutMillis: options.connectTimeoutMs ?? 2_000,
  });
  client.on('error', () => {});
  return client;
}

function clientConfig(target: PgTarget, options: PoolOptions): ClientConfig {
  const statementTimeoutMs = options.statementTimeoutMs ?? 5_000;
  return {
    ...target,
    types: TYPES,
    application_name: options.applicationName,
    keepAlive: true,
    keepAliveInitialDelayMillis: 5_000,
    statement_timeout: statementTimeoutMs,
    lock_timeout: options.lockTimeoutMs ?? 2_000,
    idle_in_transaction_session_timeout: 1_000,
    ...(statementTimeoutMs > 0 && { query_timeout: statementTimeoutMs + SILENT_SERVER_MS }),
    // A vanished client (no FIN, no RST) must not keep its locks: the server gives up on unacknowledged data.
    options: '-c tcp_user_timeout=5000 -c default_transaction_isolation=read\\ committed -c timezone=UTC',
  };
}

/**
 * Runs `work` in one transaction on one connection: committed when it resolves, rolled back when it throws (the error
 * passes on). A connection whose rollback fails is closed, never reused.
 */
export async function withTransaction<T>(pool: Pool, work: (client: PoolClient) => Promise<T>): Promise<T> {
  const client = await pool.connect();
  let broken: Error | undefined;
  try {
    await client.query('begin');
    const result = await work(client);
    await client.query('commit');
    return result;
  } catch (error) {
    await client.query('rollback').catch((cause: unknown) => {
      broken = cause instanceof Error ? cause : new Error(String(cause));
    });
    throw error;
  } finally {
    client.release(broken);
  }
}
