import { spawn } from 'node:child_process';
import { PROJECT } from './process.ts';

export type Said = { readonly code: number | null; readonly out: string; readonly err: string };

/** `npm run admin -- …` beside the running server, with the server's settings. */
export function admin(
  server: { readonly dataDir: string; readonly timeScale: string },
  ...words: readonly string[]
): Promise<Said> {
  const child = spawn(process.execPath, ['--import', 'tsx', 'cmd/admin.ts', ...words], {
    cwd: PROJECT,
    env: { ...process.env, NODE_ENV: 'test', TIME_SCALE: server.timeScale, DATA_DIR: server.dataDir },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const said = { out: '', err: '' };
  child.stdout.on('data', (chunk: Buffer) => (said.out += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (said.err += chunk.toString()));
  return new Promise((resolve) => child.once('close', (code) => resolve({ code, ...said })));
}
