import { ConfigError } from '../config/config-error.ts';
import { loadSettings } from '../config/env.ts';
import { placeDataDir } from '../db/postgres/embedded/data-dir.ts';
import { migrate } from '../db/postgres/migrate.ts';
import { openDatabaseForCommand } from '../db/postgres/open.ts';

const log = {
  info: (fields: object, message: string) => console.log(message, JSON.stringify(fields)),
  warn: (fields: object, message: string) => console.warn(message, JSON.stringify(fields)),
  error: (fields: object, message: string) => console.error(message, JSON.stringify(fields)),
};

/** `npm run migrate`: brings the database of the settings up to this version, and tells what it did. */
async function main(): Promise<void> {
  const settings = loadSettings();
  const database = await openDatabaseForCommand(settings, placeDataDir(settings), log);
  try {
    const done = await migrate(database.target, log);
    console.log(done.length === 0 ? 'the schema is up to date' : `migrated: ${done.join(', ')}`);
  } finally {
    await database.close();
  }
}

main().catch((error: unknown) => {
  console.error(error instanceof ConfigError ? error.message : error);
  process.exitCode = 1;
});
