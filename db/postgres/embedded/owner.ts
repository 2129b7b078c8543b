import { linkSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ConfigError } from '../../../config/config-error.ts';
import { birthOf, isAlive } from './process.ts';

/**
 * Who looks after the data folder. The file names a living process, so that a second one refuses in words; the truth
 * against two servers on one database is the session lock (instance-lock.ts), which holds across machines too.
 */
export type Ownership = { release: () => void };

type Owner = { pid: number; birth?: string };

/** Takes the data folder or throws ConfigError naming the process that has it. A dead owner's claim is taken over. */
export function takeOwnership(data: string): Ownership {
  const file = join(data, 'owner.json');
  const birth = birthOf(process.pid);
  const mine = JSON.stringify(birth === undefined ? { pid: process.pid } : { pid: process.pid, birth });
  for (let attempt = 0; attempt < 5; attempt += 1) {
    if (createOnce(file, mine)) return { release: () => releaseIfMine(file, mine) };
    const found = read(file);
    if (found === undefined) continue;
    const owner = parse(found);
    if (owner && lives(owner)) throw inUse(data, owner.pid);
    takeAway(file, found);
  }
  throw new ConfigError(`Another process is starting on the data folder ${data} at this moment.`);
}

/** The living process that looks after the data folder, if there is one. */
export function ownerOf(data: string): number | undefined {
  const found = read(join(data, 'owner.json'));
  const owner = found === undefined ? undefined : parse(found);
  return owner && lives(owner) ? owner.pid : undefined;
}

function inUse(data: string, pid: number): ConfigError {
  return new ConfigError([
    `The data folder ${data} is in use by process ${pid}.`,
    'Stop that process, or give this one a folder of its own, e.g. DATA_DIR=./data-2',
  ]);
}

/** Created whole or not at all: written aside, then linked (which fails when the name is taken). */
function createOnce(file: string, text: string): boolean {
  const draft = `${file}.${process.pid}`;
  writeFileSync(draft, text, { mode: 0o644 });
  try {
    linkSync(draft, file);
    return true;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EEXIST') return false;
    return createExclusively(file, text);
  } finally {
    rmSync(draft, { force: true });
  }
}

/** For file systems without hard links. */
function createExclusively(file: string, text: string): boolean {
  try {
    writeFileSync(file, text, { flag: 'wx', mode: 0o644 });
    return true;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EEXIST') return false;
    throw error;
  }
}

/** Removes a dead owner's file; what a faster process has put there meanwhile is put back. */
function takeAway(file: string, stale: string): void {
  const aside = `${file}.stale.${process.pid}`;
  try {
    renameSync(file, aside);
  } catch {
    return;
  }
  if (read(aside) !== stale) {
    try {
      linkSync(aside, file);
    } catch {
      // A third process has taken the name; the session lock decides between them.
    }
  }
  rmSync(aside, { force: true });
}

function releaseIfMine(file: string, mine: string): void {
  if (read(file) === mine) rmSync(file, { force: true });
}

function lives(owner: Owner): boolean {
  return isAlive(owner.pid) && (owner.birth === undefined || birthOf(owner.pid) === owner.birth);
}

function read(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return undefined;
  }
}

function parse(text: string): Owner | undefined {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value !== 'object' || value === null || !('pid' in value) || typeof value.pid !== 'number')
      return undefined;
    return 'birth' in value && typeof value.birth === 'string'
      ? { pid: value.pid, birth: value.birth }
      : { pid: value.pid };
  } catch {
    return undefined;
  }
}
