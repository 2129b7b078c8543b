import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createClient } from '../db/postgres/connect.ts';
import { startEmbedded } from '../db/postgres/embedded/supervisor.ts';
import { MIGRATIONS_FOLDER, migrate } from '../db/postgres/migrate.ts';
import { dumpSchema } from '../db/postgres/schema-snapshot.ts';

/**
 * Writes migrations/schema.snapshot.txt from a freshly migrated database; with --check only compares, and shows what
 * differs. A change of the schema is then seen as such in every change of the project.
 */
async function main(): Promise<void> {
  const file = join(MIGRATIONS_FOLDER, 'schema.snapshot.txt');
  const fresh = await freshSchema();
  if (!process.argv.includes('--check')) {
    writeFileSync(file, fresh);
    console.log(`written: ${file}`);
    return;
  }
  const committed = existsSync(file) ? readFileSync(file, 'utf8') : '';
  if (committed === fresh) return;
  for (const line of difference(committed, fresh)) console.error(line);
  console.error(
    'The migrations make another schema than migrations/schema.snapshot.txt says. Run: npx tsx bin/schema.ts',
  );
  process.exitCode = 1;
}

async function freshSchema(): Promise<string> {
  const dataDir = mkdtempSync(join(tmpdir(), 'paddock-schema-'));
  chmodSync(dataDir, 0o755);
  const log = { info: () => {}, warn: () => {}, error: () => {} };
  const server = await startEmbedded({ dataDir, log, durable: false });
  try {
    await migrate(server.connection, log);
    const client = createClient(server.connection, { applicationName: 'paddock-schema' });
    await client.connect();
    const text = await dumpSchema(client);
    await client.end();
    return text;
  } finally {
    await server.stop();
    rmSync(dataDir, { recursive: true, force: true });
  }
}

/** Lines only one side has; a snapshot has no two equal lines within a section, and order is fixed. */
function difference(before: string, after: string): string[] {
  const [old, now] = [before.split('\n'), after.split('\n')];
  const gone = old.filter((line) => !now.includes(line)).map((line) => `- ${line}`);
  const come = now.filter((line) => !old.includes(line)).map((line) => `+ ${line}`);
  return [...gone, ...come];
}

await main();
