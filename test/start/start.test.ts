import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { join } from 'node:path';
import { afterAll, afterEach, describe, expect, it } from 'vitest';
import { SHARED_HOME } from '../../db/postgres/embedded/binaries.ts';
import { findPostmaster, readPidFile } from '../../db/postgres/embedded/pid-file.ts';
import { isAlive } from '../../db/postgres/embedded/process.ts';
import { stopServer } from '../../db/postgres/embedded/server-process.ts';
import { makeClone, WHOLE_PROJECT } from '../helpers/clone.ts';
import { temporaryFolder } from '../helpers/folder.ts';
import { PROJECT, type Running, runCommand } from '../helpers/process.ts';
import { until } from '../helpers/until.ts';

const running: Running[] = [];
const dataFolders: string[] = [];
const shared = new Set(existsSync(SHARED_HOME) ? readdirSync(SHARED_HOME) : []);

type Started = Running & { port: number; dataDir: string };

async function listenOn(port: number): Promise<Server> {
  const server = createServer().listen(port, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  return server;
}

const portOf = (server: Server) => (server.address() as { port: number }).port;

async function freePort(): Promise<number> {
  const server = await listenOn(0);
  const port = portOf(server);
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/** Runs `command` (npm start unless told) with nothing in its environment but what a bare machine has: no LANG. */
async function start(
  dataDir: string,
  options: { cwd?: string; uid?: number; command?: string[]; chooseDataDir?: boolean; port?: number } = {},
): Promise<Started> {
  const { cwd = PROJECT, uid, command = ['npm', 'start'], chooseDataDir = true } = options;
  const port = options.port ?? (await freePort());
  const environment = {
    PORT: String(port),
    HOST: '127.0.0.1',
    HOME: temporaryFolder('home'),
    ...(chooseDataDir && { DATA_DIR: dataDir }),
  };
  if (uid !== undefined) spawnSync('chown', [String(uid), environment.HOME, dataDir]);
  const account = uid === undefined ? {} : { uid, gid: uid };
  const child = runCommand(command[0] ?? '', command.slice(1), environment, { cwd, ...account });
  running.push(child);
  dataFolders.push(dataDir);
  return { ...child, port, dataDir };
}

async function untilPage(started: Started): Promise<void> {
  let ended: number | string | undefined;
  void started.exit.then((code) => {
    ended = code;
  });
  await until(
    'the page',
    async () => {
      if (ended !== undefined) return 'ended';
      const response = await fetch(`http://127.0.0.1:${started.port}/`);
      return response.status === 200 && (await response.text()).includes('<script');
    },
    { deadlineMs: 50_000 },
  );
  expect(ended, started.output()).toBeUndefined();
}

const postgresOf = (dataDir: string) => readPidFile(join(dataDir, 'postgres'))?.pid ?? 0;
const serverOf = (dataDir: string) =>
  (JSON.parse(readFileSync(join(dataDir, 'owner.json'), 'utf8')) as { pid: number }).pid;

/** Asks it to stop as given and sees that nothing of it is left. */
async function stopAndLook(started: Started, ask: () => void): Promise<number | string> {
  const pids = [serverOf(started.dataDir), postgresOf(started.dataDir)];
  expect(pids.map(isAlive)).toEqual([true, true]);
  ask();
  const code = await started.exit;
  await until('server and PostgreSQL are gone', () => !pids.some(isAlive));
  expect(existsSync(join(started.dataDir, 'owner.json'))).toBe(false);
  expect(started.output()).toContain('postgres.stopped');
  return code;
}

afterEach(async () => {
  await Promise.all(running.splice(0).map((child) => child.kill()));
  for (const folder of dataFolders.splice(0)) {
    if (existsSync(join(folder, 'owner.json'))) process.kill(serverOf(folder), 'SIGKILL');
    const left = existsSync(folder) ? findPostmaster(join(folder, 'postgres')) : undefined;
    if (left) await stopServer(left.pid);
  }
});

afterAll(() => {
  if (!existsSync(SHARED_HOME)) return;
  for (const name of readdirSync(SHARED_HOME))
    if (!shared.has(name)) rmSync(join(SHARED_HOME, name), { recursive: true });
  if (readdirSync(SHARED_HOME).length === 0) rmSync(SHARED_HOME, { recursive: true });
});

describe('npm start', () => {
  it('[OP29] serves the page; SIGTERM to npm leaves nothing running', async () => {
    const started = await start(temporaryFolder('data'));
    await untilPage(started);
    await stopAndLook(started, () => started.child.kill('SIGTERM'));
    expect(started.output()).toContain('server.stopped');
  });

  it('[OP29] Ctrl-C in a terminal, which arrives twice, leaves nothing running', async () => {
    const started = await start(temporaryFolder('data'), {
      command: ['script', '-qec', 'exec npm start', '/dev/null'],
    });
    await untilPage(started);
    await stopAndLook(started, () => started.child.stdin?.write('\u0003'));
    expect(started.output()).toContain('server.stopped');
  });

  it('[OP30] a taken port is told in words, with an exit code and nothing half started', async () => {
    const holder = await listenOn(0);
    const dataDir = join(temporaryFolder('data'), 'new');
    const started = await start(dataDir, { port: portOf(holder) });
    expect(await started.exit).toBe(1);
    expect(started.output()).toMatch(new RegExp(`^PORT: .*${portOf(holder)}`, 'm'));
    expect(started.output()).not.toContain('    at ');
    expect(existsSync(dataDir)).toBe(false);
    await new Promise((resolve) => holder.close(resolve));
  });

  it('[OP30] a wrong setting is told without a stack, with an exit code and nothing started', async () => {
    const dataDir = join(temporaryFolder('data'), 'new');
    const started = await start(dataDir, { port: 99_999 });
    expect(await started.exit).toBe(1);
    expect(started.output()).toMatch(/^PORT: .*it is "99999".*PORT=3000$/m);
    expect(started.output()).not.toContain('    at ');
    expect(existsSync(dataDir)).toBe(false);
  });

  if (process.getuid?.() === 0) {
    it('[OP31] serves the page to an ordinary user, with no LANG set', async () => {
      const started = await start(temporaryFolder('data'), { uid: 1 });
      await untilPage(started);
      expect(statSync(`/proc/${postgresOf(started.dataDir)}`).uid).toBe(1);
      await stopAndLook(started, () => started.child.kill('SIGTERM'));
    });

    it('[OP31] serves the page to root from a clone in a closed home, at a path of 150 characters', async () => {
      const home = join(temporaryFolder('clone'), 'home');
      mkdirSync(home, { mode: 0o700 });
      const clone = join(home, 'a'.repeat(150 - home.length));
      expect(clone.length).toBeGreaterThanOrEqual(150);
      makeClone(clone, WHOLE_PROJECT);
      const started = await start(join(clone, 'data'), { cwd: clone, chooseDataDir: false });
      await untilPage(started);
      await stopAndLook(started, () => started.child.kill('SIGTERM'));
    });
  }
});
