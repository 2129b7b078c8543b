import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, describe, expect, it } from 'vitest';
import { createClient, type PgTarget } from '../../db/postgres/connect.ts';
import { findPostmaster } from '../../db/postgres/embedded/pid-file.ts';
import { isAlive, processesIn } from '../../db/postgres/embedded/process.ts';
import { stopServer } from '../../db/postgres/embedded/server-process.ts';
import { findEmbedded, startEmbedded } from '../../db/postgres/embedded/supervisor.ts';
import { temporaryFolder } from '../helpers/folder.ts';
import { quietLog } from '../helpers/postgres.ts';
import { type Running, runCommand, runFile } from '../helpers/process.ts';
import { until } from '../helpers/until.ts';

const CHILD = fileURLToPath(new URL('./child.ts', import.meta.url));
const running: Running[] = [];
const folders: string[] = [];

function newFolder(): string {
  const folder = temporaryFolder('supervised');
  folders.push(folder);
  return folder;
}

function start(dataDir: string, environment: Record<string, string> = {}, options = {}): Running {
  const child = runFile(CHILD, { DATA_DIR: dataDir, ...environment }, options);
  running.push(child);
  return child;
}

/** Every command a caller sends, on a connection of its own. */
async function query(target: PgTarget, sql: string): Promise<unknown[]> {
  const client = createClient(target, { applicationName: 'test' });
  await client.connect();
  try {
    return (await client.query(sql)).rows;
  } finally {
    await client.end();
  }
}

afterEach(async () => {
  await Promise.all(running.splice(0).map((child) => child.kill()));
  for (const folder of folders.splice(0)) {
    const left = findPostmaster(join(folder, 'postgres'));
    if (left) await stopServer(left.pid);
  }
});

describe('start and stop', () => {
  it('[OP7] the cluster is UTF-8 with no LANG set, and durable', async () => {
    const child = start(newFolder(), { DURABLE: '1' });
    const facts = await child.line('pid');
    expect(facts['encoding']).toEqual([{ encoding: 'UTF8', upper: 'É' }]);
    const target = facts['connection'] as PgTarget;
    expect(
      await query(
        target,
        "select name, setting from pg_settings where name in ('fsync','synchronous_commit','full_page_writes') order by 1",
      ),
    ).toEqual([
      { name: 'fsync', setting: 'on' },
      { name: 'full_page_writes', setting: 'on' },
      { name: 'synchronous_commit', setting: 'on' },
    ]);
  });

  it('[OP8] it listens on a socket in a 0700 folder and on no address', async () => {
    const server = await startEmbedded({ dataDir: newFolder(), log: quietLog, durable: false });
    const target = server.connection as { host: string };
    expect(statSync(target.host).mode & 0o777).toBe(0o700);
    expect(await query(server.connection, 'show listen_addresses')).toEqual([{ listen_addresses: '' }]);
    await server.stop();
    expect(existsSync(target.host)).toBe(false);
  });

  it('[OP9] a data folder with a path of 150 characters and blanks and quotes in it works', async () => {
    const base = newFolder();
    const folder = join(
      base,
      `it's a "long", path/${'a'.repeat(60)}`,
      'b'.repeat(Math.max(20, 150 - base.length - 80)),
    );
    expect(folder.length).toBeGreaterThanOrEqual(150);
    const server = await startEmbedded({ dataDir: folder, log: quietLog, durable: false });
    expect(await query(server.connection, 'select 1 as one')).toEqual([{ one: 1 }]);
    await server.stop();
  });

  it('[OP14] a stop ends open transactions, leaves no process and lets go of the folder', async () => {
    const dataDir = newFolder();
    const server = await startEmbedded({ dataDir, log: quietLog, durable: false });
    const pid = server.pid();
    const client = createClient(server.connection, { applicationName: 'test' });
    await client.connect();
    await client.query('begin');
    await client.query('create table held (n int)');
    await Promise.all([server.stop(), server.stop()]);
    expect(pid !== undefined && isAlive(pid)).toBe(false);
    expect(processesIn(join(dataDir, 'postgres'))).toEqual([]);
    expect(existsSync(join(dataDir, 'owner.json'))).toBe(false);
    expect(findEmbedded(dataDir)).toBeUndefined();
    await client.end().catch(() => {});
  });

  it('[OP14] a stop in the middle of a restart stops that too', async () => {
    for (const stage of ['dead', 'starting'] as const) {
      const dataDir = newFolder();
      const cluster = join(dataDir, 'postgres');
      const server = await startEmbedded({ dataDir, log: quietLog, durable: false });
      const pid = server.pid() ?? 0;
      process.kill(pid, 'SIGKILL');
      await until('the death is noticed', () => server.pid() === undefined, { everyMs: 1 });
      if (stage === 'starting')
        await until('the next one runs', () => findPostmaster(cluster)?.pid !== undefined, { everyMs: 1 });
      await server.stop();
      expect(processesIn(cluster), stage).toEqual([]);
    }
  });

  it('[OP15] Ctrl-C in a terminal does not reach PostgreSQL before the server has flushed', async () => {
    const dataDir = newFolder();
    const node = [process.execPath, '--import', join(process.cwd(), 'node_modules/tsx/dist/esm/index.mjs'), CHILD];
    const command = `exec ${node.map((word) => `'${word}'`).join(' ')}`;
    const child = runCommand('script', ['-qec', command, '/dev/null'], { DATA_DIR: dataDir });
    running.push(child);
    const { pid } = await child.line('pid');
    child.child.stdin?.write('\u0003');
    expect(await child.line('signal')).toEqual({ signal: 'SIGINT', answer: [{ one: 1 }] });
    await child.line('stopped');
    expect(await child.exit).toBe(0);
    expect(isAlive(pid as number)).toBe(false);
  });
});

describe('deaths', () => {
  it('[OP10] a killed parent leaves the server running; the next start adopts it with every commit', async () => {
    const dataDir = newFolder();
    const first = start(dataDir);
    const before = await first.line('pid');
    const target = before['connection'] as PgTarget;
    await query(target, 'create table kept as select generate_series(1, 500) as n');
    await first.kill();
    expect(isAlive(before['pid'] as number)).toBe(true);
    const second = start(dataDir);
    const after = await second.line('pid');
    expect(after).toMatchObject({ pid: before['pid'], adopted: true, connection: before['connection'] });
    expect(await query(target, 'select count(*) from kept')).toEqual([{ count: 500n }]);
    second.child.kill('SIGTERM');
    expect(await second.exit).toBe(0);
    expect(isAlive(before['pid'] as number)).toBe(false);
  });

  it('[OP11] a killed server is started again by itself and has every commit; adopted ones too', async () => {
    const dataDir = newFolder();
    const first = start(dataDir);
    await query((await first.line('pid'))['connection'] as PgTarget, 'create table kept as select 1 as n');
    await first.kill();
    let deaths = 0;
    const error = (_fields: object, message: string) => void (deaths += message === 'postgres.died' ? 1 : 0);
    const server = await startEmbedded({ dataDir, log: { ...quietLog, error }, durable: false });
    expect(server.adopted).toBe(true);
    for (let round = 1; round <= 2; round += 1) {
      const pid = server.pid();
      expect(pid).toBeDefined();
      process.kill(pid as number, 'SIGKILL');
      await until(
        'another server answers',
        async () =>
          server.pid() !== undefined && server.pid() !== pid && (await query(server.connection, 'select n from kept')),
      );
      expect(deaths).toBe(round);
      await query(server.connection, `insert into kept values (${round})`);
    }
    expect(await query(server.connection, 'select count(*) from kept')).toEqual([{ count: 3n }]);
    await server.stop();
  });

  it('[OP12] files of a dead server that name a living stranger do not prevent the start', async () => {
    const dataDir = newFolder();
    const cluster = join(dataDir, 'postgres');
    const first = await startEmbedded({ dataDir, log: quietLog, durable: false });
    const text = readFileSync(join(cluster, 'postmaster.pid'), 'utf8');
    const host = (first.connection as { host: string }).host;
    await first.stop();
    const stranger = runCommand('sleep', ['600'], {}, process.getuid?.() === 0 ? { uid: 65534, gid: 65534 } : {});
    running.push(stranger);
    mkdirSync(host, { recursive: true, mode: 0o700 });
    writeFileSync(join(cluster, 'postmaster.pid'), text.replace(/^\d+/, String(stranger.child.pid)));
    writeFileSync(join(host, '.s.PGSQL.5432.lock'), `${stranger.child.pid}\n`);
    const server = await startEmbedded({ dataDir, log: quietLog, durable: false });
    expect(await query(server.connection, 'select 1 as one')).toEqual([{ one: 1 }]);
    expect(stranger.child.exitCode).toBeNull();
    await server.stop();
  });

  it('[OP12] a first start that was interrupted is begun again', async () => {
    const dataDir = newFolder();
    mkdirSync(join(dataDir, 'postgres.new', 'base'), { recursive: true });
    const server = await startEmbedded({ dataDir, log: quietLog, durable: false });
    expect(await query(server.connection, 'select 1 as one')).toEqual([{ one: 1 }]);
    await server.stop();
  });
});

describe('two on one folder', () => {
  it('[OP13] the second process is refused, named the first, and does not disturb it', async () => {
    const dataDir = newFolder();
    const first = start(dataDir);
    const facts = await first.line('pid');
    const second = start(dataDir);
    const { error } = await second.line('error');
    expect(error).toEqual([
      `The data folder ${dataDir} is in use by process ${facts['parent']}.`,
      expect.stringContaining('DATA_DIR='),
    ]);
    expect(await second.exit).toBe(1);
    expect(await query(facts['connection'] as PgTarget, 'select 1 as one')).toEqual([{ one: 1 }]);
  });

  it('[OP13] of five that start at once exactly one gets the folder', async () => {
    const dataDir = newFolder();
    const all = [1, 2, 3, 4, 5].map(() => start(dataDir));
    await until('each has told', () => all.every((child) => /"(pid|error)"/.test(child.output())), {
      deadlineMs: 60_000,
    });
    expect(all.filter((child) => child.output().includes('"pid"'))).toHaveLength(1);
  });

  it('[OP24] a command beside the running server finds its database', async () => {
    const dataDir = newFolder();
    const first = start(dataDir);
    const facts = await first.line('pid');
    expect(findEmbedded(dataDir)).toMatchObject(facts['connection'] as object);
  });

  it('[OP13] data of another major version is refused in words', async () => {
    const dataDir = newFolder();
    mkdirSync(join(dataDir, 'postgres'));
    writeFileSync(join(dataDir, 'postgres', 'PG_VERSION'), '15\n');
    await expect(startEmbedded({ dataDir, log: quietLog })).rejects.toThrow(/made by PostgreSQL 15/);
    expect(existsSync(join(dataDir, 'owner.json'))).toBe(false);
  });
});

if (process.getuid?.() === 0) {
  describe('accounts', () => {
    it('[OP16] started by root it runs as another account, by an ordinary user as that user', async () => {
      const byRoot = start(newFolder());
      const rootFacts = await byRoot.line('pid');
      expect(statSync(`/proc/${rootFacts['pid']}`).uid).toBe(65534);
      const folder = newFolder();
      // uid 1 is `daemon` on every Debian.
      expect(spawnSync('chown', ['1:1', folder]).status).toBe(0);
      const byUser = start(folder, { HOME: folder }, { uid: 1, gid: 1 });
      const facts = await byUser.line('pid');
      expect(statSync(`/proc/${facts['pid']}`).uid).toBe(1);
      byUser.child.kill('SIGTERM');
      expect(await byUser.exit).toBe(0);
    });

    it('[OP17] a chosen folder that the account cannot enter is refused with both ways out', async () => {
      const base = newFolder();
      const closed = join(base, 'closed');
      mkdirSync(closed, { mode: 0o700 });
      const child = start(join(closed, 'data'));
      const { error } = await child.line('error');
      expect(error).toEqual([
        expect.stringContaining(`cannot enter ${closed}`),
        expect.stringMatching(/DATA_DIR=.*chmod o\+x/),
        expect.stringContaining('DATABASE_URL'),
      ]);
      expect(await child.exit).toBe(1);
    });
  });
}
