import { createHash } from 'node:crypto';
import { lstatSync, mkdirSync, readdirSync, realpathSync, rmdirSync, symlinkSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Settings } from '../../../config/env.ts';
import { databaseAccount, firstClosedFolder } from './account.ts';
import { SHARED_HOME } from './binaries.ts';

/**
 * Where the data really lies. Usually the folder itself. When root runs a project that lies in a closed home (the usual
 * clone below /root) and DATA_DIR is not set, the data goes to /var/lib/paddock and the project's data folder becomes a
 * link to it, so that it stays found when the project is moved. A folder that was chosen is never moved.
 */
export function placeDataDir(settings: Settings): string {
  const path = settings.dataDir;
  if (settings.databaseUrl !== undefined) return path;
  const account = databaseAccount();
  const found = lstatSync(path, { throwIfNoEntry: false });
  if (settings.dataDirChosen || !account || found?.isSymbolicLink() || !firstClosedFolder(dirname(path), account))
    return path;
  if (found && !isEmptyFolder(path)) return path;
  const parent = realpathSync(dirname(path));
  const name = createHash('sha256').update(parent).digest('hex').slice(0, 12);
  const home = join(SHARED_HOME, `data-${name}`);
  mkdirSync(home, { recursive: true, mode: 0o755 });
  if (found) rmdirSync(path);
  symlinkSync(home, path);
  return path;
}

function isEmptyFolder(path: string): boolean {
  return readdirSync(path).length === 0;
}
