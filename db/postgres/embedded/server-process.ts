import { spawn } from 'node:child_process';
import { closeSync, fchownSync, openSync, readFileSync, renameSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Client } from 'pg';
import { ConfigError } from '../../../config/config-error.ts';
import type { Account } from './account.ts';
import { WAY_OUT } from './binaries.ts';
import { cannotSpawn, DATABASE_NAME } from './cluster.ts';
import type { Folders } from './folders.ts';
import { serverArguments, serverEnvironment } from './parameters.ts';
import { disarmStaleFiles, findPostmaster, readPidFile } from './pid-file.ts';
import type { Place } from './place.ts';
import { isAlive, isPostmasterOf, processesIn, signal } from './process.ts';

/** A running server; `ended` settles when it is gone, for whatever cause. */
export type ServerProcess = { pid: number; adopted: boolean; ended: Promise<void> };

const POLL_MS = 10;
/** Recovery after a crash may replay 256 MB of log; beyond this something is stuck. */
const START_DEADLINE_MS = 120_000;
const STRAGGLER_DEADLINE_MS = 5_000;
/** Together below the deadline that the server's shutdown gives its database. */
const FAST_STOP_MS = 5_000;
const IMMEDIATE_STOP_MS = 1_500;
const ADOPTED_POLL_MS = 200;
const LOG_BYTES = 1_000_000;

/** Adopts the server that runs on the cluster, or starts one. Resolves when it takes connections. */
export async function launchServer(place: Place): Promise<ServerProcess> {
  return (await adoptServer(place)) ?? (await startServer(place));
}

/** A server left alive by a killed parent goes on as it is, unless it ends, does not answer or listens elsewhere. */
async function adoptServer(place: Place): Promise<ServerProcess | undefined> {
  const { cluster, socket } = place.folders;
  const found = findPostmaster(cluster);
  if (!found) return undefined;
  await waitUntil(
    () => readPidFile(cluster)?.status === 'ready' || !isPostmasterOf(found.pid, cluster),
    START_DEADLINE_MS,
  );
  const ready = findPostmaster(cluster);
  if (!ready) return undefined;
  if (ready.socket === socket && (await ensureDatabase(place.folders))) {
    return { pid: ready.pid, adopted: true, ended: pollUntilGone(ready.pid, cluster) };
  }
  await stopServer(ready.pid);
  return undefined;
}

async function startServer(place: Place): Promise<ServerProcess> {
  const { cluster, socket, data } = place.folders;
  await clearStragglers(cluster);
  disarmStaleFiles(cluster, socket);
  const logFile = join(data, 'postgres.log');
  const log = openLog(logFile, place.account);
  // Detached: in a session of its own, Ctrl-C in our terminal does not reach it before our own flush.
  const child = spawn(place.binaries.postgres, serverArguments(cluster, socket, place.durable), {
    ...place.account,
    cwd: '/',
    env: serverEnvironment(),
    detached: true,
    stdio: ['ignore', log, log],
  });
  closeSync(log);
  let failure: Error | undefined;
  const ended = new Promise<void>((resolve) => {
    child.once('exit', () => resolve());
    child.once('error', (error) => {
      failure = error;
      resolve();
    });
  });
  child.unref();
  const isReady = () => readPidFile(cluster)?.pid === child.pid && readPidFile(cluster)?.status === 'ready';
  const isGone = () => failure !== undefined || child.exitCode !== null || child.signalCode !== null;
  const inTime = await waitUntil(() => isReady() || isGone(), START_DEADLINE_MS);
  if (failure) throw cannotSpawn(failure, place.account);
  const { pid } = child;
  if (inTime && !isGone() && pid !== undefined && (await ensureDatabase(place.folders)))
    return { pid, adopted: false, ended };
  if (pid !== undefined && !isGone()) await stopServer(pid);
  throw new ConfigError(['The embedded PostgreSQL did not start. The end of its log:', tail(logFile), WAY_OUT]);
}

/** Stops in order: fast (open transactions roll back, checkpoint), at its deadline immediate, then by force. */
export async function stopServer(pid: number): Promise<void> {
  const steps = [
    ['SIGINT', FAST_STOP_MS],
    ['SIGQUIT', IMMEDIATE_STOP_MS],
    ['SIGKILL', IMMEDIATE_STOP_MS],
  ] as const;
  for (const [name, deadlineMs] of steps) {
    signal(pid, name);
    if (await waitUntil(() => !isAlive(pid), deadlineMs)) return;
  }
}

/** Backends outlive a killed server for as long as their statement runs, and hold its memory: nothing goes on before they are gone. */
export async function clearStragglers(cluster: string): Promise<void> {
  if (await waitUntil(() => processesIn(cluster).length === 0, STRAGGLER_DEADLINE_MS)) return;
  for (const pid of processesIn(cluster)) signal(pid, 'SIGKILL');
  await waitUntil(() => processesIn(cluster).length === 0, STRAGGLER_DEADLINE_MS);
}

/** True when the server answers and holds our database, which is made when it is missing. */
async function ensureDatabase(folders: Folders): Promise<boolean> {
  const client = new Client({
    host: folders.socket,
    port: 5432,
    user: DATABASE_NAME,
    database: 'postgres',
    connectionTimeoutMillis: 3_000,
    query_timeout: 10_000,
  });
  client.on('error', () => {});
  try {
    await client.connect();
    const found = await client.query('select from pg_database where datname = $1', [DATABASE_NAME]);
    if (found.rowCount === 0) await client.query(`create database ${DATABASE_NAME}`);
    return true;
  } catch {
    return false;
  } finally {
    await client.end().catch(() => {});
  }
}

async function pollUntilGone(pid: number, cluster: string): Promise<void> {
  while (isPostmasterOf(pid, cluster)) await sleep(ADOPTED_POLL_MS, undefined, { ref: false });
}

async function waitUntil(condition: () => boolean, deadlineMs: number): Promise<boolean> {
  const until = performance.now() + deadlineMs;
  while (!condition()) {
    if (performance.now() > until) return false;
    await sleep(POLL_MS);
  }
  return true;
}

/** A file, not a pipe: the server must survive us, and nobody would read the other end. */
function openLog(path: string, account: Account | undefined): number {
  if ((statSync(path, { throwIfNoEntry: false })?.size ?? 0) > LOG_BYTES) renameSync(path, `${path}.1`);
  const log = openSync(path, 'a', 0o600);
  if (account) fchownSync(log, account.uid, account.gid);
  return log;
}

function tail(path: string): string {
  return readFileSync(path, 'utf8').trimEnd().split('\n').slice(-8).join('\n');
}
