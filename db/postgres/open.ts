import { ConfigError } from '../../config/config-error.ts';
import type { Settings } from '../../config/env.ts';
import { createClient, type PgTarget } from './connect.ts';
import { type EmbeddedPostgres, findEmbedded, type Log, startEmbedded } from './embedded/supervisor.ts';

/** A database that answers, wherever it is. `close` ends the embedded server; pools on it are closed before. */
export type Database = { target: PgTarget; embedded?: EmbeddedPostgres; close: () => Promise<void> };

/** Pauses between attempts to reach a server that may be starting beside us: 6 s in all. */
const RETRY_PAUSES_MS = [250, 500, 750, 1_500, 3_000];

/**
 * The database of the settings: the server of DATABASE_URL once it answers, else the embedded one on `dataDir`
 * (see placeDataDir). Throws ConfigError.
 */
export async function openDatabase(settings: Settings, dataDir: string, log: Log): Promise<Database> {
  if (settings.databaseUrl === undefined) {
    const embedded = await startEmbedded({ dataDir, log });
    return { target: embedded.connection, embedded, close: embedded.stop };
  }
  const target = { connectionString: settings.databaseUrl };
  await untilReached(target, log);
  return { target, close: async () => {} };
}

/** The same for a command beside the server: where the embedded one runs already, it is used and left running. */
export async function openDatabaseForCommand(settings: Settings, dataDir: string, log: Log): Promise<Database> {
  const running = settings.databaseUrl === undefined ? findEmbedded(dataDir) : undefined;
  return running ? { target: running, close: async () => {} } : openDatabase(settings, dataDir, log);
}

async function untilReached(target: PgTarget, log: Log): Promise<void> {
  for (const pauseMs of [...RETRY_PAUSES_MS, undefined]) {
    const client = createClient(target, { applicationName: 'paddock-start' });
    try {
      await client.connect();
      return;
    } catch (cause) {
      const reason = describe(cause);
      if (pauseMs === undefined || isRefusal(cause)) {
        throw new ConfigError(
          [
            `DATABASE_URL: the database cannot be used: ${reason}.`,
            'Example: DATABASE_URL=postgres://paddock:password@db.example/paddock',
          ],
          { cause },
        );
      }
      log.warn({ reason, pauseMs }, 'postgres.unreachable');
      await new Promise((resolve) => setTimeout(resolve, pauseMs));
    } finally {
      await client.end().catch(() => {});
    }
  }
}

/** The server answered and said no (password, unknown database): asking again changes nothing. */
function isRefusal(error: unknown): boolean {
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  return /^(28|3D)/.test(code);
}

/** Several addresses of one name fail as an AggregateError, whose own message is empty. */
function describe(error: unknown): string {
  if (error instanceof AggregateError) return error.errors.map(describe).join('; ');
  return error instanceof Error ? error.message : String(error);
}
