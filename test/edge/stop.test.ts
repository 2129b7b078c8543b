import { spawn } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { until } from '../helpers/until.ts';

const CHILD = fileURLToPath(new URL('./stop-child.ts', import.meta.url));

function start(kind: string) {
  const child = spawn(process.execPath, ['--import', 'tsx', CHILD, kind], { stdio: ['ignore', 'pipe', 'inherit'] });
  let output = '';
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => (output += chunk));
  const exited = new Promise<{ code: number | null; lines: string[] }>((resolve) =>
    child.once('close', (code) => resolve({ code, lines: output.trim().split('\n') })),
  );
  return {
    child,
    exited,
    up: () => until('the child is up', () => output.includes('up\n')),
    said: (text: string) => until(text, () => output.includes(text)),
  };
}

describe('the way down', () => {
  it('[OP71] goes backwards, past what fails, and ends with 0', async () => {
    const { child, exited, up } = start('plain');
    await up();
    child.kill('SIGTERM');
    expect(await exited).toEqual({
      code: 0,
      lines: ['up', 'server.stopping', 'stopped last', 'server.stop_step_failed', 'stopped first', 'server.stopped'],
    });
  });

  it('[OP72] a step that hangs is left behind at its deadline', async () => {
    const { child, exited, up } = start('hang');
    await up();
    child.kill('SIGINT');
    const { code, lines } = await exited;
    expect([code, lines.slice(2)]).toEqual([
      0,
      ['stopped last', 'server.stop_step_overdue', 'server.stop_step_failed', 'stopped first', 'server.stopped'],
    ]);
  });

  it('[OP72] when everything hangs the process ends all the same, with 1', async () => {
    const { child, exited, up } = start('hard');
    await up();
    child.kill('SIGTERM');
    const { code, lines } = await exited;
    expect([code, lines.at(-1)]).toEqual([1, 'server.stop_overdue']);
  });

  it('[OP72] a second signal later than 2 s ends it at once, with 1', async () => {
    const { child, exited, up, said } = start('slow');
    await up();
    child.kill('SIGINT');
    child.kill('SIGINT');
    await said('stopped last');
    // The two seconds are the rule itself.
    await sleep(2_300);
    child.kill('SIGINT');
    const { code, lines } = await exited;
    expect([code, lines.at(-1)]).toEqual([1, 'server.stopped_at_once']);
  });

  it('[OP71] an error nobody caught stops it in order, with 1', async () => {
    const { code, lines } = await start('throw').exited;
    expect(code).toBe(1);
    expect(lines).toEqual([
      'up',
      'server.failed',
      'stopped last',
      'server.stop_step_failed',
      'stopped first',
      'server.stopped',
    ]);
  });

  it('[OP70] a start that fails undoes what it had done', async () => {
    const { code, lines } = await start('fail').exited;
    expect([code, lines]).toEqual([
      1,
      ['stopped last', 'server.stop_step_failed', 'stopped first', 'Error: it cannot start'],
    ]);
  });
});
