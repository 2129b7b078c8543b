import { statSync } from 'node:fs';
import { dirname } from 'node:path';

/**
 * The account PostgreSQL runs as. It refuses to run as root, so root hands it to `nobody`; anyone else runs it as
 * themselves (`undefined`).
 */
export type Account = { uid: number; gid: number };

const NOBODY: Account = { uid: 65534, gid: 65534 };

export function databaseAccount(): Account | undefined {
  return process.getuid?.() === 0 ? NOBODY : undefined;
}

/**
 * The first folder on the way to `path` that the account cannot enter, or undefined when the way is free. Judged by
 * mode bits alone: access lists are not read, a spawn that still fails says so itself.
 */
export function firstClosedFolder(path: string, account: Account): string | undefined {
  const way: string[] = [];
  for (let folder = path; ; folder = dirname(folder)) {
    way.unshift(folder);
    if (folder === dirname(folder)) break;
  }
  return way.find((folder) => !mayEnter(folder, account));
}

function mayEnter(folder: string, account: Account): boolean {
  const stat = statSync(folder, { throwIfNoEntry: false });
  // What is not there yet is made by us, with a mode that lets the account in.
  if (!stat) return true;
  if (stat.uid === account.uid) return (stat.mode & 0o100) !== 0;
  if (stat.gid === account.gid) return (stat.mode & 0o010) !== 0;
  return (stat.mode & 0o001) !== 0;
}
