import { existsSync, realpathSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { PgTarget } from '../connect.ts';
import { databaseAccount } from './account.ts';
import { findBinaries } from './binaries.ts';
import { DATABASE_NAME, ensureCluster } from './cluster.ts';
import { prepareFolders } from './folders.ts';
import { ownerOf, takeOwnership } from './owner.ts';
import { findPostmaster } from './pid-file.ts';
import type { Place } from './place.ts';
import { clearStragglers, launchServer, type ServerProcess, stopServer } from './server-process.ts';

/** The part of a pino logger that is used here. */
export type Log = Record<'info' | 'warn' | 'error', (fields: object, message: string) => void>;

export type EmbeddedPostgres = {
  /** how to connect; stays the same over restarts */
  connection: PgTarget;
  /** process id of the server, undefined while it is down; when it dies unasked it is restarted by itself */
  pid: () => number | undefined;
  /** true when the server was found running, left by a parent that was killed */
  adopted: boolean;
  /** Stops the server in order and lets go of the data folder. Never throws; a second call waits for the first. */
  stop: () => Promise<void>;
};

/** `durable: false` leaves out what only a power cut needs (fsync): for tests. */
export type StartOptions = { dataDir: string; log: Log; durable?: boolean };

const FIRST_PAUSE_MS = 100;
const LONGEST_PAUSE_MS = 5_000;

/**
 * A PostgreSQL server of our own on `dataDir`, made on first use, adopted when it still runs, restarted when it dies.
 * Throws ConfigError when this machine cannot run it or another process has the folder.
 */
export async function startEmbedded(options: StartOptions): Promise<EmbeddedPostgres> {
  const { log, durable = true } = options;
  const account = databaseAccount();
  const binaries = findBinaries(account);
  const folders = prepareFolders(options.dataDir, account);
  const ownership = takeOwnership(folders.data);
  try {
    await ensureCluster(folders.cluster, { binaries, account, durable });
    const place = { folders: { ...folders, cluster: realpathSync(folders.cluster) }, binaries, account, durable };
    const server = await launchServer(place);
    return supervise(place, server, ownership.release, log);
  } catch (error) {
    ownership.release();
    throw error;
  }
}

/** How to connect to the embedded server of a running process, for commands beside it; undefined when none runs. */
export function findEmbedded(dataDir: string): PgTarget | undefined {
  if (!existsSync(dataDir) || ownerOf(realpathSync(dataDir)) === undefined) return undefined;
  const file = findPostmaster(join(realpathSync(dataDir), 'postgres'));
  return file && { host: file.socket, port: 5432, user: DATABASE_NAME, database: DATABASE_NAME };
}

function supervise(place: Place, first: ServerProcess, release: () => void, log: Log): EmbeddedPostgres {
  let current: ServerProcess | undefined = first;
  const stopping = new AbortController();
  let stopped: Promise<void> | undefined;
  log.info({ pid: first.pid, adopted: first.adopted }, 'postgres.started');

  async function keepAlive(): Promise<void> {
    while (current && !stopping.signal.aborted) {
      await current.ended;
      if (stopping.signal.aborted) return;
      log.error({ pid: current.pid }, 'postgres.died');
      current = undefined;
      current = await relaunch();
    }
  }

  async function relaunch(): Promise<ServerProcess | undefined> {
    for (let pauseMs = FIRST_PAUSE_MS; !stopping.signal.aborted; pauseMs = Math.min(pauseMs * 2, LONGEST_PAUSE_MS)) {
      try {
        await sleep(pauseMs, undefined, { ref: false, signal: stopping.signal });
        const server = await launchServer(place);
        log.info({ pid: server.pid }, 'postgres.restarted');
        return server;
      } catch (error) {
        if (stopping.signal.aborted) return undefined;
        log.error({ err: error, pauseMs }, 'postgres.restart_failed');
      }
    }
    return undefined;
  }

  const kept = keepAlive();

  async function stopOnce(): Promise<void> {
    stopping.abort();
    // The server and its timers do not keep this process alive; being in the middle of a stop does.
    const hold = setInterval(() => {}, 1_000);
    if (current) await stopServer(current.pid);
    await kept;
    // A restart may have been under way while we stopped.
    if (current) await stopServer(current.pid);
    await clearStragglers(place.folders.cluster);
    rmSync(place.folders.socket, { recursive: true, force: true });
    release();
    clearInterval(hold);
    log.info({}, 'postgres.stopped');
  }

  return {
    connection: { host: place.folders.socket, port: 5432, user: DATABASE_NAME, database: DATABASE_NAME },
    pid: () => current?.pid,
    adopted: first.adopted,
    stop: () => {
      stopped ??= stopOnce();
      return stopped;
    },
  };
}
