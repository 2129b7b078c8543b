import { setTimeout as sleep } from 'node:timers/promises';
import type { Client } from 'pg';
import { ConfigError } from '../../config/config-error.ts';
import { createClient, type PgTarget } from './connect.ts';
import type { Log } from './embedded/supervisor.ts';

/**
 * The lock of a process that keeps rooms in its own memory: a second such process on the same database would keep
 * others, so it refuses to start.
 */
export type InstanceLock = {
  /** False from the moment the lock's connection is lost until the lock is taken again: nothing may be archived. */
  held: () => boolean;
  /** Lets go of the lock. A second call waits for the first. */
  close: () => Promise<void>;
};

/** The bytes of "paddock!". */
const LOCK_KEY = '8097863987517156129';

/** A restarted server's predecessor may need this long until PostgreSQL has noticed that it is gone. */
const TAKE_DEADLINE_MS = 6_000;
const ATTEMPT_PAUSE_MS = 200;
const PROBE_MS = 1_000;

/** Takes the lock or throws ConfigError naming the process that holds it. Watches the connection from then on. */
export async function takeInstanceLock(target: PgTarget, log: Log): Promise<InstanceLock> {
  const closing = new AbortController();
  let client: Client | undefined = await takeFirst(target);

  async function watch(): Promise<void> {
    while (!closing.signal.aborted) {
      if (client) {
        await untilLost(client, closing.signal);
        await client.end().catch(() => {});
        if (closing.signal.aborted) return;
        client = undefined;
        log.error({}, 'instance_lock.lost');
      }
      client = await attempt(target).catch(() => undefined);
      if (!client) {
        await sleep(ATTEMPT_PAUSE_MS, undefined, { ref: false, signal: closing.signal }).catch(() => {});
        continue;
      }
      log.info({}, 'instance_lock.retaken');
    }
    await client?.end().catch(() => {});
  }

  const watching = watch();
  return {
    held: () => client !== undefined,
    close: async () => {
      closing.abort();
      await watching;
    },
  };
}

async function takeFirst(target: PgTarget): Promise<Client> {
  const until = performance.now() + TAKE_DEADLINE_MS;
  for (;;) {
    const client = await attempt(target);
    if (client) return client;
    if (performance.now() > until) throw new ConfigError(await inUse(target));
    await sleep(ATTEMPT_PAUSE_MS);
  }
}

/** A connection that holds the lock, or undefined while another one does. */
async function attempt(target: PgTarget): Promise<Client | undefined> {
  const client = createClient(target, {
    applicationName: `paddock-instance pid ${process.pid}`,
    statementTimeoutMs: 2_000,
  });
  try {
    await client.connect();
    const taken = await client.query<{ taken: boolean }>('select pg_try_advisory_lock($1) as taken', [LOCK_KEY]);
    if (taken.rows[0]?.taken) return client;
  } catch (error) {
    await client.end().catch(() => {});
    throw error;
  }
  await client.end();
  return undefined;
}

/** Settles when the connection ends, or when a probe is not answered in time (a silent network). */
async function untilLost(client: Client, closing: AbortSignal): Promise<void> {
  const ended = new Promise<'ended'>((resolve) => {
    client.once('end', () => resolve('ended'));
  });
  while (!closing.aborted) {
    const pause = sleep(PROBE_MS, undefined, { ref: false, signal: closing }).catch(() => {});
    if ((await Promise.race([ended, pause])) === 'ended' || closing.aborted) return;
    const answered = await client.query('select').then(
      () => true,
      () => false,
    );
    if (!answered) return;
  }
}

async function inUse(target: PgTarget): Promise<string[]> {
  const client = createClient(target, { applicationName: 'paddock-start' });
  try {
    await client.connect();
    const found = await client.query<{ application_name: string; client_addr: string | null; backend_start: Date }>(
      `select a.application_name, a.client_addr, a.backend_start from pg_locks l join pg_stat_activity a using (pid)
       where l.locktype = 'advisory' and l.granted and l.objsubid = 1
         and (l.classid::bigint << 32) + l.objid::bigint = $1 and l.database = (select oid from pg_database where datname = current_database())`,
      [LOCK_KEY],
    );
    const [holder] = found.rows;
    const who = holder
      ? ` (${holder.application_name}${holder.client_addr ? ` from ${holder.client_addr}` : ''}, since ${holder.backend_start.toISOString()})`
      : '';
    return [
      `Another server uses this database${who}.`,
      'One server at a time keeps its rooms in memory. Stop the other one, or give this one a database of its own (DATABASE_URL or DATA_DIR).',
    ];
  } finally {
    await client.end().catch(() => {});
  }
}
