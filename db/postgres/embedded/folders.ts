import { createHash } from 'node:crypto';
import { chmodSync, chownSync, lstatSync, mkdirSync, realpathSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ConfigError } from '../../../config/config-error.ts';
import { type Account, firstClosedFolder } from './account.ts';
import { WAY_OUT } from './binaries.ts';

/** PostgreSQL refuses longer socket paths (the system's limit; macOS has the smaller one). */
const SOCKET_PATH_BYTES = process.platform === 'darwin' ? 103 : 107;

const SOCKET_NAME = '.s.PGSQL.5432';

export type Folders = {
  /** real path of the data folder */
  data: string;
  /** the cluster's own folder in it */
  cluster: string;
  /** where the unix socket is */
  socket: string;
};

/** Makes and checks the folders of an embedded server. Throws ConfigError with the ways out. */
export function prepareFolders(dataDir: string, account: Account | undefined): Folders {
  const data = makeDataFolder(dataDir);
  const closed = account && firstClosedFolder(data, account);
  if (closed) {
    throw new ConfigError([
      `DATA_DIR: PostgreSQL does not run as root, and its account cannot enter ${closed} on the way to ${data}.`,
      `Either choose a folder outside of it, e.g. DATA_DIR=/var/lib/paddock/data, or open the way: chmod o+x ${closed}`,
      WAY_OUT,
    ]);
  }
  return { data, cluster: join(data, 'postgres'), socket: makeSocketFolder(data, account) };
}

function makeDataFolder(dataDir: string): string {
  try {
    mkdirSync(dataDir, { recursive: true, mode: 0o755 });
    return realpathSync(dataDir);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new ConfigError([`DATA_DIR: the folder ${dataDir} cannot be made (${reason}).`, WAY_OUT], { cause });
  }
}

/**
 * A 0700 folder of its own under the system's temp folder, named by the data folder: the data folder's own path may be
 * too long for a socket, and no other account may connect, since connections are trusted.
 */
function makeSocketFolder(data: string, account: Account | undefined): string {
  const name = `paddock-${createHash('sha256').update(data).digest('hex').slice(0, 16)}`;
  const fits = (base: string) =>
    Buffer.byteLength(join(base, name, SOCKET_NAME)) <= SOCKET_PATH_BYTES &&
    !(account && firstClosedFolder(base, account));
  const base = [tmpdir(), '/tmp'].find(fits);
  if (base === undefined) {
    throw new ConfigError([
      `TMPDIR: the folder ${tmpdir()} is too long or closed for a socket; use e.g. TMPDIR=/tmp`,
      WAY_OUT,
    ]);
  }
  const folder = join(base, name);
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const stat = lstatSync(folder);
  const owner = account?.uid ?? process.getuid?.() ?? 0;
  const ours = stat.isDirectory() && (stat.uid === owner || (account !== undefined && stat.uid === 0));
  if (!ours)
    throw new ConfigError(
      `The folder ${folder} belongs to another account (uid ${stat.uid}). Remove it and start again.`,
    );
  if (account) chownSync(folder, account.uid, account.gid);
  chmodSync(folder, 0o700);
  return folder;
}
