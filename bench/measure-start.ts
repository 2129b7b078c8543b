import { type ChildProcess, spawn } from 'node:child_process';
import { chmodSync, cpSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { cpus, tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

/**
 * Times `npm start` until the page is served, in a copy of the project as it is after `npm ci`: cold (nothing built, no
 * data) and warm (the median of five more). With --rss also the memory after a minute without clients. --json: one line.
 */
const PROJECT = fileURLToPath(new URL('..', import.meta.url));
const LEFT_OUT = new Set(['dist', 'data', '.git', 'coverage', 'node_modules']);
const WARM_RUNS = 5;
const IDLE_MS = 60_000;
const DEADLINE_MS = 120_000;

type Memory = { nodeMb: number; postgresMb: number };

function makeCopy(): string {
  const folder = mkdtempSync(join(tmpdir(), 'paddock-start-'));
  chmodSync(folder, 0o755);
  const filter = (path: string) => !LEFT_OUT.has(basename(path)) || path.includes('/public/');
  for (const name of readdirSync(PROJECT)) {
    if (!LEFT_OUT.has(name)) cpSync(join(PROJECT, name), join(folder, name), { recursive: true, filter });
  }
  cpSync(join(PROJECT, 'node_modules'), join(folder, 'node_modules'), { recursive: true, verbatimSymlinks: true });
  return folder;
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (typeof address !== 'object' || address === null) throw new Error('no port');
  return address.port;
}

/** Milliseconds from the command to the page, and the running command. */
async function start(folder: string): Promise<{ ms: number; child: ChildProcess }> {
  const port = await freePort();
  const env = { ...process.env, PORT: String(port), HOST: '127.0.0.1', LOG_LEVEL: 'warn', NODE_ENV: 'development' };
  const began = performance.now();
  const child = spawn('npm', ['start', '--silent'], { cwd: folder, env, stdio: ['ignore', 'ignore', 'inherit'] });
  while (!(await servesPage(port))) {
    if (child.exitCode !== null) throw new Error(`npm start ended with ${child.exitCode}`);
    if (performance.now() - began > DEADLINE_MS) throw new Error('no page within two minutes');
    await sleep(20);
  }
  return { ms: performance.now() - began, child };
}

async function servesPage(port: number): Promise<boolean> {
  try {
    const response = await fetch(`http://127.0.0.1:${port}/`);
    return response.status === 200 && (await response.text()).includes('<script');
  } catch {
    return false;
  }
}

async function stop(child: ChildProcess): Promise<void> {
  const ended = new Promise((resolve) => child.once('exit', resolve));
  child.kill('SIGTERM');
  await ended;
}

/** Memory of the server and of PostgreSQL (proportional set sizes added up: shared pages count once). Linux only. */
function memoryOf(folder: string): Memory {
  const data = join(folder, 'data');
  const { pid } = JSON.parse(readFileSync(join(data, 'owner.json'), 'utf8')) as { pid: number };
  const postmaster = Number(readFileSync(join(data, 'postgres', 'postmaster.pid'), 'utf8').split('\n')[0]);
  const family = [postmaster, ...childrenOf(postmaster)];
  return {
    nodeMb: kilobytes(`/proc/${pid}/status`, 'VmRSS') / 1024,
    postgresMb: family.reduce((sum, id) => sum + kilobytes(`/proc/${id}/smaps_rollup`, 'Pss'), 0) / 1024,
  };
}

function childrenOf(pid: number): number[] {
  return readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ').filter(Boolean).map(Number);
}

function kilobytes(file: string, name: string): number {
  return Number(new RegExp(`^${name}:\\s+(\\d+)`, 'm').exec(readFileSync(file, 'utf8'))?.[1] ?? Number.NaN);
}

function median(values: number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}

async function main(): Promise<void> {
  const wantsMemory = process.argv.includes('--rss');
  const folder = makeCopy();
  try {
    const cold = await start(folder);
    await stop(cold.child);
    const warm: number[] = [];
    let memory: Memory | undefined;
    for (let run = 0; run < WARM_RUNS; run += 1) {
      const { ms, child } = await start(folder);
      warm.push(ms);
      if (wantsMemory && run === 0) {
        await sleep(IDLE_MS);
        memory = memoryOf(folder);
      }
      await stop(child);
    }
    const result = {
      coldMs: Math.round(cold.ms),
      warmMs: Math.round(median(warm)),
      warmRunsMs: warm.map(Math.round),
      ...memory,
    };
    if (process.argv.includes('--json')) console.log(JSON.stringify(result));
    else report(result);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function report(result: { coldMs: number; warmMs: number; warmRunsMs: number[] } & Partial<Memory>): void {
  const seconds = (ms: number) => `${(ms / 1000).toFixed(2)} s`;
  console.log(`machine: ${cpus().length} × ${cpus()[0]?.model ?? 'unknown'}, Node ${process.versions.node}`);
  console.log(`cold start with building, to the page: ${seconds(result.coldMs)} (at most 10 s)`);
  console.log(
    `warm start, to the page: ${seconds(result.warmMs)} (at most 3 s), of ${result.warmRunsMs.map(seconds).join(', ')}`,
  );
  if (result.nodeMb === undefined || result.postgresMb === undefined) return;
  console.log(
    `after a minute without clients: server ${result.nodeMb.toFixed(0)} MB (at most 150), PostgreSQL ${result.postgresMb.toFixed(0)} MB beside it`,
  );
}

await main();
