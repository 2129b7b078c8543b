import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { isPostmasterOf } from './process.ts';

/** PostgreSQL's `postmaster.pid`: one fact a line. */
export type PidFile = { pid: number; socket: string; status: string };

export function readPidFile(cluster: string): PidFile | undefined {
  let lines: string[];
  try {
    lines = readFileSync(join(cluster, 'postmaster.pid'), 'utf8').split('\n');
  } catch {
    return undefined;
  }
  const pid = Number(lines[0]);
  if (!Number.isInteger(pid) || pid <= 0) return undefined;
  return { pid, socket: lines[4]?.trim() ?? '', status: lines[7]?.trim() ?? '' };
}

/** The server that runs on this cluster, whoever started it. */
export function findPostmaster(cluster: string): PidFile | undefined {
  const file = readPidFile(cluster);
  return file && isPostmasterOf(file.pid, cluster) ? file : undefined;
}

/**
 * A dead server's files may name an id that another process of ours has by now (or a zombie); PostgreSQL would take
 * that for a living server and refuse. Call only when no server runs here.
 * - The socket and its lock are removed: the folder is this cluster's own.
 * - `postmaster.pid` stays, since PostgreSQL checks the shared memory recorded in it; but the id becomes ours, because a
 *   file that names the starting process's parent is taken for stale.
 */
export function disarmStaleFiles(cluster: string, socket: string): void {
  for (const name of ['.s.PGSQL.5432', '.s.PGSQL.5432.lock']) rmSync(join(socket, name), { force: true });
  const path = join(cluster, 'postmaster.pid');
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch {
    return;
  }
  writeFileSync(path, text.replace(/^[^\n]*/, String(process.pid)));
}
