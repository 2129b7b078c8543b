import { ConfigError } from '../config/config-error.ts';
import { loadSettings } from '../config/env.ts';
import { createAudit } from '../db/postgres/audit.ts';
import { createPool } from '../db/postgres/connect.ts';
import { placeDataDir } from '../db/postgres/embedded/data-dir.ts';
import { createFreezing } from '../db/postgres/freeze.ts';
import { openDatabaseForCommand } from '../db/postgres/open.ts';
import type { Broken, LedgerAudit } from '../lib/ports.ts';
import { createFreezer } from '../lib/service/freezer.ts';

const USAGE = 'npm run audit [-- --freeze]';
/** Rows of one invariant that are printed. */
const ROWS_SHOWN = 20;

const log = {
  info: () => {},
  warn: (fields: object, message: string) => console.warn(message, JSON.stringify(fields)),
  error: (fields: object, message: string) => console.error(message, JSON.stringify(fields)),
};

/**
 * `npm run audit`: prints for each invariant of the ledger whether it holds; exit code 1 when one does not. With `--freeze` the
 * races and wallets that are named are frozen, as the server does it by itself.
 */
async function main(): Promise<void> {
  const words = process.argv.slice(2);
  if (words.some((word) => word !== '--freeze'))
    throw new ConfigError([`audit: the only option is --freeze: ${USAGE}`]);
  const settings = loadSettings();
  const database = await openDatabaseForCommand(settings, placeDataDir(settings), log);
  try {
    const ledger = createAudit(database.target);
    const from = performance.now();
    const broken = await ledger.audit();
    print(ledger.invariants, broken, (performance.now() - from) / 1_000);
    if (broken.length > 0) process.exitCode = 1;
    if (words.length === 0) return;
    const pool = createPool(database.target, { applicationName: 'paddock-audit', max: 1 }, () => {});
    try {
      const freezer = createFreezer({ freezing: createFreezing(pool, settings), log: { error: () => {} } });
      const frozen = await freezer.freezeNamed(broken);
      for (const { kind, id } of frozen) console.log(`frozen: ${kind} ${id}`);
      console.log(frozen.length === 0 ? 'nothing more to freeze' : `${frozen.length} frozen`);
    } finally {
      await pool.end();
    }
  } finally {
    await database.close();
  }
}

function print(invariants: LedgerAudit['invariants'], broken: readonly Broken[], seconds: number): void {
  const known = new Set(invariants.map(({ key }) => key));
  const others = broken.filter(({ invariant }) => !known.has(invariant));
  const all = [...invariants, ...others.map(({ invariant }) => ({ key: invariant, says: '' }))];
  for (const { key, says } of all) {
    const rows = broken.filter(({ invariant }) => invariant === key);
    console.log(`${rows.length === 0 ? 'OK    ' : 'BROKEN'}  ${key.padEnd(26)}  ${says}`);
    for (const { detail } of rows.slice(0, ROWS_SHOWN)) console.log(`          ${detail}`);
    if (rows.length > ROWS_SHOWN) console.log(`          and ${rows.length - ROWS_SHOWN} more`);
  }
  const failed = new Set(broken.map(({ invariant }) => invariant)).size;
  const found = failed === 0 ? 'the ledger is sound' : `${failed} of ${all.length} invariants are broken`;
  console.log(`${found} (looked for ${seconds.toFixed(1)} s)`);
}

/** SQLSTATE of a view that is not there. */
const UNDEFINED_TABLE = '42P01';

main().catch((error: unknown) => {
  if (error instanceof Error && 'code' in error && error.code === UNDEFINED_TABLE) {
    console.error('This database has no ledger yet: start the server once, or run: npm run migrate');
  } else {
    console.error(error instanceof ConfigError ? error.message : error);
  }
  process.exitCode = 1;
});
