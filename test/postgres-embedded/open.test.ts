import { createServer } from 'node:net';
import { describe, expect, it } from 'vitest';
import { loadSettings } from '../../config/env.ts';
import { createPool } from '../../db/postgres/connect.ts';
import { openDatabase } from '../../db/postgres/open.ts';
import { temporaryFolder } from '../helpers/folder.ts';
import { createTestDatabase, quietLog } from '../helpers/postgres.ts';

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  return typeof address === 'object' && address ? address.port : 0;
}

describe('opening the database of the settings', () => {
  it('[OP25] DATABASE_URL is used as it is, and left running', async () => {
    const database = await createTestDatabase({ migrate: false });
    const dataDir = temporaryFolder('unused');
    const opened = await openDatabase(loadSettings({ DATABASE_URL: database.url }), dataDir, quietLog);
    expect(opened.embedded).toBeUndefined();
    await opened.close();
    const pool = createPool(opened.target, { applicationName: 'test' }, () => {});
    expect((await pool.query('select current_database() as name')).rows).toEqual([{ name: database.name }]);
    await pool.end();
    await database.drop();
  });

  it('[OP25] a server that cannot be reached is named after some attempts; a refusal at once; no password is shown', async () => {
    const warnings: string[] = [];
    const log = { ...quietLog, warn: (_fields: object, message: string) => warnings.push(message) };
    const nobody = loadSettings({ DATABASE_URL: `postgres://paddock:topsecret@127.0.0.1:${await freePort()}/paddock` });
    const error = await openDatabase(nobody, '/nowhere', log).catch((cause: unknown) => cause);
    expect(String(error)).toMatch(/DATABASE_URL: .*ECONNREFUSED/);
    expect(String(error)).not.toContain('topsecret');
    expect(warnings).toHaveLength(5);
    const database = await createTestDatabase({ migrate: false });
    const unknown = loadSettings({ DATABASE_URL: database.url.replace(database.name, 'no_such_database') });
    await expect(openDatabase(unknown, '/nowhere', log)).rejects.toThrow(/no_such_database/);
    expect(warnings).toHaveLength(5);
    await database.drop();
  });
});
