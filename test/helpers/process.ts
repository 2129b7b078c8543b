import { type ChildProcess, type SpawnOptions, spawn } from 'node:child_process';
import { tmpdir } from 'node:os';
import { fileURLToPath } from 'node:url';
import { until } from './until.ts';

export const PROJECT = fileURLToPath(new URL('../..', import.meta.url)).replace(/\/$/, '');

export type Running = {
  child: ChildProcess;
  /** everything written so far */
  output: () => string;
  /** Waits for a line that is a JSON object with this key, and returns the object. */
  line: (key: string) => Promise<Record<string, unknown>>;
  /** resolves with exit code or signal name */
  exit: Promise<number | string>;
  /** SIGKILL by its own id, if it still runs; resolves when it is gone */
  kill: () => Promise<void>;
};

/** Runs a TypeScript file of the project in a process of its own. `environment` is all it gets, with PATH. */
export function runFile(path: string, environment: Record<string, string>, options: SpawnOptions = {}): Running {
  return runCommand(
    process.execPath,
    ['--import', `${PROJECT}/node_modules/tsx/dist/esm/index.mjs`, path],
    environment,
    options,
  );
}

export function runCommand(
  command: string,
  args: string[],
  environment: Record<string, string>,
  options: SpawnOptions = {},
): Running {
  const child = spawn(command, args, {
    cwd: PROJECT,
    stdio: ['pipe', 'pipe', 'pipe'],
    ...options,
    env: { PATH: process.env['PATH'] ?? '', TMPDIR: tmpdir(), ...environment },
  });
  let written = '';
  child.stdout?.on('data', (chunk: Buffer) => {
    written += chunk.toString();
  });
  child.stderr?.on('data', (chunk: Buffer) => {
    written += chunk.toString();
  });
  let ended = false;
  const exit = new Promise<number | string>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code, signal) => {
      ended = true;
      resolve(code ?? signal ?? 'unknown');
    });
  });
  const find = (key: string) => {
    for (const text of written.split(/\r?\n/)) {
      // A terminal echoes ^C in front of the next line.
      const from = text.indexOf('{');
      if (from < 0) continue;
      try {
        const facts = JSON.parse(text.slice(from)) as Record<string, unknown>;
        if (key in facts) return facts;
      } catch {
        // A line that is still being written.
      }
    }
    return undefined;
  };
  const line = async (key: string) => {
    await until(`a line with "${key}"`, () => find(key) ?? ended, { deadlineMs: 30_000 });
    const facts = find(key);
    if (!facts) throw new Error(`the process ended without a line with "${key}":\n${written}`);
    return facts;
  };
  return {
    child,
    output: () => written,
    line,
    exit,
    kill: async () => {
      if (!ended) child.kill('SIGKILL');
      await exit;
    },
  };
}
