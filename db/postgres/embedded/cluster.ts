import { spawn } from 'node:child_process';
import { chownSync, existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { ConfigError } from '../../../config/config-error.ts';
import type { Account } from './account.ts';
import { WAY_OUT } from './binaries.ts';
import { serverEnvironment } from './parameters.ts';
import type { Place } from './place.ts';

/** Name of the superuser, of the database and, by the folder's rights, of nobody else. */
export const DATABASE_NAME = 'paddock';

const MAJOR = '18';

const INITDB_DEADLINE_MS = 60_000;

/**
 * Makes the cluster when there is none. UTF-8 by a locale that is built in, so that the machine's LANG decides nothing.
 * It is made aside and renamed: an interrupted first start leaves no half cluster.
 */
export async function ensureCluster(cluster: string, place: Omit<Place, 'folders'>): Promise<void> {
  if (existsSync(join(cluster, 'PG_VERSION'))) return checkVersion(cluster);
  if (existsSync(cluster) && readdirSync(cluster).length > 0) {
    throw new ConfigError(
      `DATA_DIR: ${cluster} holds files but no PostgreSQL cluster. Move them away, or choose another DATA_DIR.`,
    );
  }
  const draft = `${cluster}.new`;
  rmSync(draft, { recursive: true, force: true });
  mkdirSync(draft, { mode: 0o700 });
  if (place.account) chownSync(draft, place.account.uid, place.account.gid);
  await runInitdb(draft, place);
  if (existsSync(cluster)) rmSync(cluster, { recursive: true });
  renameSync(draft, cluster);
}

function checkVersion(cluster: string): void {
  const version = readFileSync(join(cluster, 'PG_VERSION'), 'utf8').trim();
  if (version === MAJOR) return;
  throw new ConfigError([
    `DATA_DIR: the data in ${cluster} was made by PostgreSQL ${version}; this version of the server brings ${MAJOR}.`,
    `Start it with the version that made it and move the data by dump and restore, or choose another DATA_DIR. ${WAY_OUT}`,
  ]);
}

function runInitdb(folder: string, { binaries, account, durable }: Omit<Place, 'folders'>): Promise<void> {
  const locale = ['--encoding=UTF8', '--locale-provider=builtin', '--builtin-locale=C.UTF-8', '--locale=C'];
  const args = [
    '-D',
    folder,
    ...locale,
    '--no-instructions',
    '-A',
    'trust',
    '-U',
    DATABASE_NAME,
    ...(durable ? [] : ['--no-sync']),
  ];
  return new Promise((resolve, reject) => {
    const child = spawn(binaries.initdb, args, {
      ...account,
      cwd: '/',
      env: serverEnvironment(),
      stdio: ['ignore', 'ignore', 'pipe'],
      timeout: INITDB_DEADLINE_MS,
    });
    let told = '';
    child.stderr.on('data', (chunk: Buffer) => {
      told += chunk.toString();
    });
    child.on('error', (cause) => reject(cannotSpawn(cause, account)));
    child.on('close', (code) => {
      if (code === 0) return resolve();
      reject(new ConfigError([`The embedded PostgreSQL could not be set up in ${folder}:`, told.trim(), WAY_OUT]));
    });
  });
}

/** Turns the failure of a spawn into what an operator can do about it. */
export function cannotSpawn(cause: Error, account: Account | undefined): ConfigError {
  const why = account
    ? `As root it must be run by another account (uid ${account.uid}), and this was refused: ${cause.message}`
    : cause.message;
  const lines = [
    `The embedded PostgreSQL cannot be started. ${why}`,
    `Run the server as an ordinary user. Or: ${WAY_OUT}`,
  ];
  return new ConfigError(lines, { cause });
}
