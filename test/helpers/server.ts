import { type ChildProcess, spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { temporaryFolder } from './folder.ts';
import { until } from './until.ts';

export type ServerOptions = {
  /** Settings over the test's own defaults; undefined takes one away. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** Keeps its data beyond `stop`: give the same folder to start on it again. */
  readonly dataDir?: string;
  /** 0: any free one. */
  readonly port?: number;
};

export type LogLine = Readonly<Record<string, unknown>> & { readonly msg: string; readonly level: number };

export type TestServer = {
  readonly url: string;
  readonly port: number;
  readonly dataDir: string;
  pid(): number;
  /** Everything it has logged so far, all lives. */
  lines(): readonly LogLine[];
  /** SIGTERM; resolves with the exit code once it is gone. */
  stop(): Promise<number | null>;
  /** SIGKILL of the server alone: the embedded database lives on, as after a crash. */
  kill(): Promise<void>;
  /** Stopped in order if it runs, then started again on the same port and data. */
  restart(env?: ServerOptions['env']): Promise<void>;
};

export type Exited = { readonly code: number | null; readonly stdout: string; readonly stderr: string };

const ENTRY = fileURLToPath(new URL('../../server.ts', import.meta.url));
const ROOT = fileURLToPath(new URL('../..', import.meta.url));
/** Long enough for a slow machine: a start that takes longer hangs. */
const START_DEADLINE_MS = 45_000;

type Running = {
  readonly child: ChildProcess;
  readonly output: { stdout: string; stderr: string };
  readonly exited: Promise<number | null>;
};

/** The real server as a process of its own, on a folder and a port of its own. Whoever starts it stops it. */
export async function startServer(options: ServerOptions = {}): Promise<TestServer> {
  const dataDir = options.dataDir ?? temporaryFolder('server');
  const lines: LogLine[] = [];
  let running = launch(dataDir, options.port ?? 0, options.env);
  const port = await listening(running);
  const url = `http://127.0.0.1:${port}`;

  async function end(signal: NodeJS.Signals): Promise<number | null> {
    running.child.kill(signal);
    const code = await running.exited;
    lines.push(...parsed(running.output.stdout));
    running.output.stdout = '';
    return code;
  }

  return {
    url,
    port,
    dataDir,
    pid: () => running.child.pid ?? 0,
    lines: () => [...lines, ...parsed(running.output.stdout)],
    stop: () => end('SIGTERM'),
    kill: async () => {
      await end('SIGKILL');
    },
    restart: async (env) => {
      if (running.child.exitCode === null && running.child.signalCode === null) await end('SIGTERM');
      running = launch(dataDir, port, { ...options.env, ...env });
      await listening(running);
    },
  };
}

/** A start that is watched from its first moment. */
export function spawnServer(options: ServerOptions = {}): Running {
  return launch(options.dataDir ?? temporaryFolder('server'), options.port ?? 0, options.env);
}

/** A start that is expected to fail: what it said, and how it ended. */
export async function runServer(options: ServerOptions = {}): Promise<Exited> {
  const { output, exited } = spawnServer(options);
  return { code: await exited, ...output };
}

function launch(dataDir: string, port: number, env: ServerOptions['env'] = {}): Running {
  const child = spawn(process.execPath, ['--import', 'tsx', ENTRY], {
    cwd: ROOT,
    env: {
      ...process.env,
      NODE_ENV: 'test',
      HOST: '127.0.0.1',
      PORT: String(port),
      DATA_DIR: dataDir,
      LOG_LEVEL: 'info',
      HOUSE_ROOMS: '0',
      // A machine that runs tests is slow at times; that is no outage.
      LEDGER_ANSWER_MS: '3000',
      ...env,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const output = { stdout: '', stderr: '' };
  child.stdout?.setEncoding('utf8').on('data', (chunk: string) => (output.stdout += chunk));
  child.stderr?.setEncoding('utf8').on('data', (chunk: string) => (output.stderr += chunk));
  const exited = new Promise<number | null>((resolve) => child.once('close', resolve));
  return { child, output, exited };
}

async function listening({ child, output }: Running): Promise<number> {
  const line = await until(
    'the server listens',
    () => {
      const found = parsed(output.stdout).find(({ msg }) => msg === 'server.listening');
      if (!found && (child.exitCode !== null || child.signalCode !== null)) return { port: null };
      return found;
    },
    { deadlineMs: START_DEADLINE_MS },
  ).catch((error: unknown) => {
    child.kill('SIGKILL');
    throw error;
  });
  if (line.port === null) throw new Error(`the server ended while starting:\n${output.stderr}\n${output.stdout}`);
  return Number(line.port);
}

/** Whole lines only: the last one may still be on its way. */
function parsed(stdout: string): LogLine[] {
  const whole = stdout.slice(0, stdout.lastIndexOf('\n') + 1);
  return whole.split('\n').flatMap((line) => (line.startsWith('{') ? [JSON.parse(line) as LogLine] : []));
}
