import { ConfigError } from '../config/config-error.ts';
import { loadSettings } from '../config/env.ts';
import { createAudit } from '../db/postgres/audit.ts';
import { placeDataDir } from '../db/postgres/embedded/data-dir.ts';
import { openDatabaseForCommand } from '../db/postgres/open.ts';

const log = {
  info: () => {},
  warn: (fields: object, message: string) => console.warn(message, JSON.stringify(fields)),
  error: (fields: object, message: string) => console.error(message, JSON.stringify(fields)),
};

/** `npm run audit`: prints each broken invariant of the ledger; exit code 1 when there is one. */
async function main(): Promise<void> {
  const settings = loadSettings();
  const database = await openDatabaseForCommand(settings, placeDataDir(settings), log);
  try {
    const broken = await createAudit(database.target).audit();
    for (const { invariant, detail } of broken) console.log(`BROKEN: ${invariant}: ${detail}`);
    console.log(broken.length === 0 ? 'the ledger is sound' : `${broken.length} broken`);
    if (broken.length > 0) process.exitCode = 1;
  } finally {
    await database.close();
  }
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
