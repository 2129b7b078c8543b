import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { temporaryFolder } from '../helpers/folder.ts';
import { type Arena, callerOf, createArena } from './arena.ts';

let arena: Arena;
beforeAll(async () => {
  arena = await createArena({ timeScale: 20 });
});
afterAll(async () => {
  await arena.close();
});

/** The command as a process of its own, on this test's database. */
async function verify(...parts: readonly string[]): Promise<{ code: number | null; out: string }> {
  const command = fileURLToPath(new URL('../../cmd/verify.ts', import.meta.url));
  const env = { ...process.env, DATABASE_URL: arena.database.url, DATA_DIR: temporaryFolder('verify') };
  const child = spawn(process.execPath, ['--import', import.meta.resolve('tsx'), command, ...parts], {
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let out = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (data) => (out += String(data)));
  const [code] = (await once(child, 'close')) as [number | null];
  return { code, out };
}

describe('npm run verify', () => {
  it('[RC55] prints each step of a race from the database or from a file, and fails where the record was changed', async () => {
    const server = await arena.instance();
    const roomId = await arena.room('bet');
    await server.join(roomId, 'host');
    const { raceId } = await server.start(roomId, 'host');
    await server.bet(raceId, 'host', 2, 300);
    expect(await verify(raceId)).toMatchObject({ code: 2, out: expect.stringContaining('not over yet') });
    await server.closeSoon(roomId);
    await server.until(roomId, 'race settled');

    const whole = await verify(raceId);
    expect(whole.out).toContain(`race ${raceId} verifies`);
    for (const step of ['commitment', 'field', 'record-link', 'bets-root', 'order', 'dividends'])
      expect(whole.out).toContain(`ok     ${step}:`);
    expect(whole.code).toBe(0);

    const record = await server.races.get(callerOf('x'), { raceId });
    const file = join(temporaryFolder('record'), 'record.json');
    writeFileSync(file, JSON.stringify(record));
    expect(await verify(file)).toMatchObject({ code: 0 });
    writeFileSync(file, JSON.stringify({ ...record, seed: 'ab'.repeat(32) }));
    const changed = await verify(file);
    expect(changed).toMatchObject({ code: 1, out: expect.stringContaining('FAILED commitment') });
    expect(await verify('no-such-race')).toMatchObject({ code: 2 });
    expect(await verify()).toMatchObject({ code: 2, out: expect.stringContaining('name a race id') });
  });
});
