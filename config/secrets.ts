import { randomBytes } from 'node:crypto';
import {
  closeSync,
  existsSync,
  fsyncSync,
  linkSync,
  lstatSync,
  mkdirSync,
  openSync,
  readFileSync,
  rmSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { ConfigError } from './config-error.ts';
import type { Settings } from './env.ts';
import { SETTINGS } from './settings.ts';

/** 32 bytes each. */
export type Secrets = {
  readonly sessionSecret: Uint8Array;
  readonly receiptKey: Uint8Array;
  readonly seedWrapKey: Uint8Array;
};

const FILES = { sessionSecret: 'session-secret', receiptKey: 'receipt-key', seedWrapKey: 'seed-wrap-key' } as const;

/**
 * The three keys: from the settings, else from files of mode 0600 in DATA_DIR, which are made on first use. With
 * NODE_ENV=production the settings have been required already, so that nothing is ever made there.
 */
export function loadSecrets(settings: Settings, dataDir = settings.dataDir): Secrets {
  const load = (name: keyof Secrets) => settings[name] ?? readOrMake(dataDir, name);
  return Object.freeze({
    sessionSecret: load('sessionSecret'),
    receiptKey: load('receiptKey'),
    seedWrapKey: load('seedWrapKey'),
  });
}

function readOrMake(dataDir: string, name: keyof Secrets): Uint8Array {
  const folder = join(dataDir, 'keys');
  const file = join(folder, FILES[name]);
  const { env, example } = SETTINGS[name];
  try {
    // As root the database runs under another account, which must get into the data folder, but not into this one.
    mkdirSync(dataDir, { recursive: true });
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    make(file);
    const stat = lstatSync(file);
    if ((stat.mode & 0o077) !== 0) {
      throw new ConfigError(
        `${env}: others can read ${file}. If nobody did: chmod 600 ${file}. Else remove it, or set the key. Example: ${example}`,
      );
    }
    const bytes = Buffer.from(readFileSync(file, 'utf8').trim(), 'hex');
    if (bytes.length !== 32)
      throw new ConfigError(
        `${env}: ${file} does not hold 64 hex digits. Put it back from a backup, or set the key. Example: ${example}`,
      );
    return Uint8Array.from(bytes);
  } catch (cause) {
    if (cause instanceof ConfigError) throw cause;
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new ConfigError(
      `${env}: the key cannot be kept in ${file} (${reason}). Set it instead. Example: ${example}`,
      { cause },
    );
  }
}

/**
 * Written aside and linked into place: of two processes that start together one wins and both read its key, and a
 * crash leaves a whole file or none. On disk before it is used, since the database will depend on it.
 */
function make(file: string): void {
  if (existsSync(file)) return;
  const draft = `${file}.${process.pid}`;
  const handle = openSync(draft, 'w', 0o600);
  try {
    writeSync(handle, `${randomBytes(32).toString('hex')}\n`);
    fsyncSync(handle);
    linkSync(draft, file);
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error;
  } finally {
    closeSync(handle);
    rmSync(draft, { force: true });
  }
}
