import { createHash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { createDraws } from '../../lib/engine/index.ts';
import { DRAW_LABELS, drawHorses, drawPlace } from '../../lib/fairness/index.ts';
import { chiSquareP, uniformP } from '../helpers/chi-square.ts';

/** Fixed keys: the same figures in every run. */
function keyOf(index: number): Uint8Array {
  return new Uint8Array(createHash('sha256').update(`draws ${index}`).digest());
}

function chiSquare(counts: readonly number[], expected: readonly number[]): number {
  return counts.reduce((sum, count, index) => sum + (count - (expected[index] ?? 0)) ** 2 / (expected[index] ?? 0), 0);
}

function expectUniform(counts: readonly number[], name: string): void {
  expect(uniformP(counts), `${name}: ${counts.join(' ')}`).toBeGreaterThan(0.001);
}

describe('bounded draws', () => {
  test('[FR21] below(n) is uniform for every n a race draws from, within one key', () => {
    for (const label of Object.values(DRAW_LABELS)) {
      const draws = createDraws(keyOf(0), label);
      for (const n of [2, 3, 5, 6, 7, 8, 11, 12, 100]) {
        const counts = new Array<number>(n).fill(0);
        for (let run = 0; run < 400 * n; run += 1) {
          const value = draws.below(n);
          counts[value] = (counts[value] ?? Number.NaN) + 1;
        }
        expectUniform(counts, `${label} below ${n}`);
      }
    }
  });

  test('[FR21] the first draws of many keys are uniform, and independent between labels', () => {
    const table = new Array<number>(36).fill(0);
    for (let run = 0; run < 7200; run += 1) {
      const a = createDraws(keyOf(run), DRAW_LABELS.picks).below(6);
      const b = createDraws(keyOf(run), DRAW_LABELS.place).below(6);
      table[6 * a + b] = (table[6 * a + b] ?? Number.NaN) + 1;
    }
    expectUniform(table, 'first draws by label');
  });
});

describe('the place that gets caught', () => {
  test('[FR22] a place is drawn in proportion to its votes, a vote above the picked horses counts as last', () => {
    const votes = [1, 1, 1, 2, 3, 4, 12];
    const counts = [0, 0, 0, 0];
    for (let run = 0; run < 7000; run += 1) {
      const place = drawPlace(keyOf(run), votes, 4);
      counts[place - 1] = (counts[place - 1] ?? Number.NaN) + 1;
    }
    expect(chiSquareP(chiSquare(counts, [3000, 1000, 1000, 2000]), 3), counts.join(' ')).toBeGreaterThan(0.001);
  });

  test('[FR22] without votes it is the last place, with one vote that one', () => {
    for (let run = 0; run < 50; run += 1) {
      expect(drawPlace(keyOf(run), [], 5)).toBe(5);
      expect(drawPlace(keyOf(run), [2], 5)).toBe(2);
      expect(drawPlace(keyOf(run), [7, 9], 5)).toBe(5);
    }
    for (const [votes, picked] of [
      [[1], 0],
      [[0], 3],
      [[1.5], 3],
      [[-1], 3],
    ] as const) {
      expect(() => drawPlace(keyOf(0), [...votes], picked)).toThrow(RangeError);
    }
  });
});

describe('drawn horses', () => {
  test('[FR23] every player gets each free horse equally often, exclusive or not', () => {
    for (const exclusive of [false, true]) {
      const counts = new Map(['a', 'b', 'c'].map((player) => [player, [0, 0, 0, 0]]));
      for (let run = 0; run < 4000; run += 1) {
        const drawn = drawHorses(keyOf(run), { players: ['a', 'b', 'c'], horses: [2, 3, 5, 8], exclusive });
        expect(drawn.size).toBe(3);
        if (exclusive) expect(new Set(drawn.values()).size).toBe(3);
        for (const [player, horse] of drawn) {
          const own = counts.get(player) ?? [];
          const index = [2, 3, 5, 8].indexOf(horse);
          own[index] = (own[index] ?? Number.NaN) + 1;
        }
      }
      for (const [player, own] of counts) expectUniform(own, `${player}, exclusive ${exclusive}`);
    }
  });

  test('[FR23] too few horses are refused, nobody to draw for is fine', () => {
    expect(() => drawHorses(keyOf(0), { players: ['a', 'b'], horses: [1], exclusive: true })).toThrow(RangeError);
    expect(() => drawHorses(keyOf(0), { players: ['a'], horses: [], exclusive: false })).toThrow(RangeError);
    expect(drawHorses(keyOf(0), { players: [], horses: [], exclusive: true }).size).toBe(0);
    expect([...drawHorses(keyOf(0), { players: ['a', 'b'], horses: [4], exclusive: false }).values()]).toEqual([4, 4]);
  });
});
