import { ConfigError } from '../../config/config-error.ts';
import { loadSettings } from '../../config/env.ts';
import { createClient } from '../../db/postgres/connect.ts';
import { placeDataDir } from '../../db/postgres/embedded/data-dir.ts';
import { startEmbedded } from '../../db/postgres/embedded/supervisor.ts';

/**
 * A process that supervises an embedded server, to be killed, interrupted and run as other accounts. Tells what happens
 * as one JSON object a line; SIGINT and SIGTERM make it ask the server once more and stop.
 */
const quiet = { info: () => {}, warn: () => {}, error: () => {} };
const tell = (facts: object) => process.stdout.write(`${JSON.stringify(facts)}\n`);

async function main(): Promise<void> {
  const settings = loadSettings();
  const server = await startEmbedded({
    dataDir: placeDataDir(settings),
    log: quiet,
    durable: process.env['DURABLE'] === '1',
  });
  const ask = async (sql: string): Promise<unknown> => {
    const client = createClient(server.connection, { applicationName: 'child' });
    await client.connect();
    try {
      return (await client.query(sql)).rows;
    } finally {
      await client.end();
    }
  };
  const hold = setInterval(() => {}, 1_000);
  let ending = false;
  const end = async (name: string) => {
    if (ending) return;
    ending = true;
    tell({ signal: name, answer: await ask('select 1 as one') });
    await server.stop();
    clearInterval(hold);
    tell({ stopped: true });
  };
  process.on('SIGINT', () => end('SIGINT'));
  process.on('SIGTERM', () => end('SIGTERM'));
  tell({
    pid: server.pid(),
    parent: process.pid,
    adopted: server.adopted,
    connection: server.connection,
    encoding: await ask("select current_setting('server_encoding') as encoding, upper('é') as upper"),
  });
}

main().catch((error: unknown) => {
  tell({ error: error instanceof ConfigError ? error.lines : String(error) });
  process.exitCode = 1;
});
