import { existsSync, lstatSync, mkdirSync, readdirSync, readlinkSync, realpathSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { createClient, type PgTarget } from '../../db/postgres/connect.ts';
import { SHARED_HOME } from '../../db/postgres/embedded/binaries.ts';
import { librariesOf, makeClone } from '../helpers/clone.ts';
import { temporaryFolder } from '../helpers/folder.ts';
import { type Running, runFile } from '../helpers/process.ts';

const links = (clone: string) =>
  readdirSync(librariesOf(clone), { withFileTypes: true }).filter((entry) => entry.isSymbolicLink());

/** A copy of what a supervisor needs, installed with scripts blocked: without the links that an install script makes. */
function makeSmallClone(clone: string): void {
  makeClone(clone, ['config', 'db', 'test/postgres-embedded/child.ts']);
  for (const link of links(clone)) rmSync(join(librariesOf(clone), link.name));
}

function start(clone: string): Running {
  return runFile(join(clone, 'test/postgres-embedded/child.ts'), {}, { cwd: clone });
}

async function query(target: unknown, sql: string): Promise<unknown[]> {
  const client = createClient(target as PgTarget, { applicationName: 'test' });
  await client.connect();
  const { rows } = await client.query(sql);
  await client.end();
  return rows;
}

const before = new Set(existsSync(SHARED_HOME) ? readdirSync(SHARED_HOME) : []);

afterAll(() => {
  if (!existsSync(SHARED_HOME)) return;
  for (const name of readdirSync(SHARED_HOME))
    if (!before.has(name)) rmSync(join(SHARED_HOME, name), { recursive: true });
  if (readdirSync(SHARED_HOME).length === 0) rmSync(SHARED_HOME, { recursive: true });
});

describe('a clone', () => {
  it('[OP23] installed with install scripts blocked gets the links it lacks', async () => {
    const clone = join(temporaryFolder('clone'), 'paddock');
    makeSmallClone(clone);
    expect(links(clone)).toHaveLength(0);
    const child = start(clone);
    const { pid } = await child.line('pid');
    expect(pid).toBeGreaterThan(0);
    expect(links(clone).length).toBeGreaterThan(5);
    child.child.kill('SIGTERM');
    expect(await child.exit).toBe(0);
  });

  if (process.getuid?.() === 0) {
    it('[OP17] in a closed home, run by root, keeps its data where the database account can enter, also when it is moved', async () => {
      const home = join(temporaryFolder('clone'), 'home');
      mkdirSync(home, { mode: 0o700 });
      const clone = join(home, 'paddock');
      makeSmallClone(clone);
      const first = start(clone);
      const facts = await first.line('pid');
      expect(readlinkSync(`/proc/${facts['pid']}/exe`).startsWith(join(SHARED_HOME, 'postgresql-'))).toBe(true);
      expect(lstatSync(join(clone, 'data')).isSymbolicLink()).toBe(true);
      const place = realpathSync(join(clone, 'data'));
      expect(place.startsWith(join(SHARED_HOME, 'data-'))).toBe(true);
      await query(facts['connection'], 'create table kept as select 1 as n');
      first.child.kill('SIGTERM');
      expect(await first.exit).toBe(0);

      const moved = join(home, 'moved');
      renameSync(clone, moved);
      const second = start(moved);
      const again = await second.line('pid');
      expect(realpathSync(join(moved, 'data'))).toBe(place);
      expect(await query(again['connection'], 'select n from kept')).toEqual([{ n: 1 }]);
      second.child.kill('SIGTERM');
      expect(await second.exit).toBe(0);
    });
  }
});
