import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createDraws, makeField, simulate } from '../../lib/engine/index.ts';
import { SimulationPool } from '../../lib/run/simulation-pool.ts';
import { countWins } from '../../lib/run/simulation-task.ts';
import { createTestLog } from '../races/arena.ts';

const { log, lines } = createTestLog();
const field = makeField({ draws: createDraws(new Uint8Array(32).fill(3), 'test'), count: 8, equal: false });
const keyOf = (n: number): Uint8Array => new Uint8Array(32).fill(n);
const inline = (n: number) => simulate({ simVersion: 1, track: 'medium', horses: field, key: keyOf(n) });

let pool: SimulationPool;
beforeAll(async () => {
  pool = new SimulationPool({ log, threads: 1 });
  await pool.warm();
});
afterAll(async () => {
  await pool.close();
});

describe('the simulation pool', () => {
  it('[RC50] gives what the engine gives, off the loop', async () => {
    const before = pool.stats();
    const runs = await Promise.all([1, 2, 3].map((n) => pool.simulate({ track: 'medium', field, key: keyOf(n) })));
    expect(runs).toEqual([1, 2, 3].map(inline));
    expect(pool.stats().completed).toBe(before.completed + 3);
    expect(pool.stats().inline).toBe(0);
    expect(await pool.monteCarlo('short', field, 50)).toEqual(countWins('short', field, 0, 50));
  });

  it('[RC51] a worker that dies in the middle is replaced, and no race is lost', async () => {
    const runs = Promise.all([4, 5, 6, 7].map((n) => pool.simulate({ track: 'medium', field, key: keyOf(n) })));
    await pool.killWorkers();
    expect(await runs).toEqual([4, 5, 6, 7].map(inline));
    const before = pool.stats().completed;
    await pool.warm();
    expect(pool.stats().completed).toBeGreaterThan(before);
  });

  it('[RC52] a full queue, a missed deadline or a closed pool: races run inline, the morning line is refused', async () => {
    const narrow = new SimulationPool({ log, threads: 1, mostTasks: 2, monteCarloDeadlineMs: 30 });
    await narrow.warm();
    const late = narrow.monteCarlo('long', field, 100_000);
    const refused = expect(late).rejects.toThrow('in time');
    const runs = await Promise.all([1, 2, 3, 4].map((n) => narrow.simulate({ track: 'medium', field, key: keyOf(n) })));
    expect(runs).toEqual([1, 2, 3, 4].map(inline));
    expect(narrow.stats().inline).toBe(3);
    await refused;
    const slow = new SimulationPool({ log, threads: 1, simulateDeadlineMs: 0 });
    expect(await slow.simulate({ track: 'medium', field, key: keyOf(8) })).toEqual(inline(8));
    expect(slow.stats().inline).toBe(1);
    await slow.warm();
    const many = await Promise.allSettled([1, 2, 3].map(() => slow.monteCarlo('short', field, 40)));
    expect(many.map(({ status }) => status)).toEqual(['fulfilled', 'fulfilled', 'rejected']);
    await slow.close();
    await narrow.close();
    expect(await narrow.simulate({ track: 'medium', field, key: keyOf(9) })).toEqual(inline(9));
    await expect(narrow.monteCarlo('medium', field, 10)).rejects.toThrow();
    expect(lines.filter(({ level }) => level === 'error')).toEqual([]);
  });

  it('[RC56] a worker has run races before it takes its first task, also one that replaces a dead one', async () => {
    const fresh = new SimulationPool({ log, threads: 1 });
    const first = await fresh.warm();
    expect(first).toBeGreaterThanOrEqual(20);
    await fresh.monteCarlo('short', field, 7);
    expect(await fresh.warm()).toBe(first + 7);
    await fresh.killWorkers();
    // Another one: it knows nothing of the seven.
    expect(await fresh.warm()).toBe(first);
    await fresh.close();
    const wide = new SimulationPool({ log, threads: 2 });
    const each = await Promise.all(Array.from({ length: 8 }, () => wide.warm()));
    expect(Math.min(...each)).toBe(first);
    await wide.close();
  });

  it('[RC53] a field that is none is an error, not a reason to try inline', async () => {
    const before = pool.stats().inline;
    await expect(pool.simulate({ track: 'medium', field: field.slice(0, 1), key: keyOf(1) })).rejects.toThrow(
      RangeError,
    );
    expect(pool.stats().inline).toBe(before);
  });
});
