import { describe, expect, test } from 'vitest';
import {
  isScratched,
  normaliseSelection,
  openPools,
  POOLS,
  parseSelectionKey,
  placesPaid,
  poolStands,
  SHAPES,
  selectionKey,
  winningCombinations,
} from '../../lib/core/pools.ts';
import { winnersByHand } from '../helpers/strict-orders.ts';
import { integers } from './random.ts';

const FIELD = [1, 2, 3, 4, 5, 6, 7, 8];

describe('selections', () => {
  test('[BT1] one runner of the field is a selection of win and place', () => {
    expect(normaliseSelection('win', [3], FIELD, [])).toEqual({ ok: true, selection: [3] });
    expect(normaliseSelection('place', [8], FIELD, [2])).toEqual({ ok: true, selection: [8] });
  });

  test('[BT1] a wrong length, a horse outside the field and a scratched one are SELECTION_INVALID', () => {
    const refused = { ok: false, code: 'SELECTION_INVALID' };
    for (const selection of [[], [1, 2], [3, 3], [0], [9], [-1], [1.5], [Number.NaN]]) {
      expect(normaliseSelection('win', selection, FIELD, []), JSON.stringify(selection)).toEqual(refused);
    }
    expect(normaliseSelection('place', [2], FIELD, [2])).toEqual(refused);
    expect(normaliseSelection('place', [1], FIELD, [2])).toEqual({ ok: true, selection: [1] });
  });

  test('[BT40] two or three runners are a selection of the other pools: in the given order where it counts, else ascending', () => {
    const normal = (pool: (typeof POOLS)[number], ...selection: number[]) => {
      const result = normaliseSelection(pool, selection, FIELD, [2]);
      return result.ok ? result.selection : result.code;
    };
    for (const pool of ['quinella', 'quinella-place'] as const) {
      expect(normal(pool, 8, 3), pool).toEqual([3, 8]);
      expect(normal(pool, 3, 8), pool).toEqual([3, 8]);
    }
    expect(normal('trio', 7, 8, 1)).toEqual([1, 7, 8]);
    expect(normal('exacta', 8, 3)).toEqual([8, 3]);
    expect(normal('trifecta', 7, 8, 1)).toEqual([7, 8, 1]);
    for (const pool of POOLS) {
      const { size } = SHAPES[pool];
      const fitting = [3, 4, 5].slice(0, size);
      expect(normal(pool, ...fitting), pool).toEqual(fitting);
      const wrong = [
        [],
        fitting.slice(1),
        [...fitting, 6],
        [...fitting.slice(1), 2],
        [...fitting.slice(1), 9],
        [...fitting.slice(1), 0],
        [...fitting.slice(1), 3.5],
        ...(size > 1 ? [[...fitting.slice(1), fitting[1] ?? 0]] : []),
      ];
      for (const selection of wrong)
        expect(normal(pool, ...selection), `${pool} ${selection}`).toBe('SELECTION_INVALID');
    }
  });

  test('[BT1] a selection and its key stand for each other', () => {
    expect(selectionKey([10, 2])).toBe('10-2');
    expect(parseSelectionKey('10-2')).toEqual([10, 2]);
    expect(isScratched([10, 2], [2])).toBe(true);
    expect(isScratched([10, 2], [1, 3])).toBe(false);
  });
});

describe('which pools a field has', () => {
  test('[BT2] place pays three from 8 runners, two from 5 to 7, none below', () => {
    expect([2, 3, 4, 5, 6, 7, 8, 9, 12].map(placesPaid)).toEqual([0, 0, 0, 2, 2, 2, 3, 3, 3]);
  });

  test('[BT2] win needs two runners and place five', () => {
    expect([1, 2, 4, 5].map((runners) => poolStands('win', runners))).toEqual([false, true, true, true]);
    expect([1, 2, 4, 5].map((runners) => poolStands('place', runners))).toEqual([false, false, false, true]);
    expect(openPools(['place', 'win', 'win'], 5)).toEqual(['win', 'place']);
    expect(openPools(['place', 'win'], 4)).toEqual(['win']);
    expect(openPools(['place'], 4)).toEqual([]);
  });

  test('[BT41] quinella and exacta need three runners, quinella-place four, trio and trifecta six', () => {
    const least = POOLS.map((pool) => [1, 2, 3, 4, 5, 6, 7].find((runners) => poolStands(pool, runners)));
    expect(Object.fromEntries(POOLS.map((pool, index) => [pool, least[index]]))).toEqual({
      win: 2,
      place: 5,
      quinella: 3,
      exacta: 3,
      'quinella-place': 4,
      trio: 6,
      trifecta: 6,
    });
    expect(openPools([...POOLS].reverse(), 4)).toEqual(['win', 'quinella', 'exacta', 'quinella-place']);
    expect(openPools(POOLS, 6)).toEqual(POOLS);
  });
});

describe('winning combinations', () => {
  test('[BT3] without a dead heat the first wins and the first n are placed', () => {
    const order = [5, 2, 7, 1, 3].map((number, index) => ({ number, place: index + 1 }));
    expect(winningCombinations('win', order, 2)).toEqual([[5]]);
    expect(winningCombinations('place', order, 2)).toEqual([[2], [5]]);
    expect(winningCombinations('place', order, 3)).toEqual([[2], [5], [7]]);
  });

  test('[BT3] a dead heat for the last paid place pays all of it, one above it takes the places below', () => {
    const lastPlace = [
      { number: 1, place: 1 },
      { number: 2, place: 2 },
      { number: 3, place: 2 },
      { number: 4, place: 2 },
      { number: 5, place: 5 },
    ];
    expect(winningCombinations('place', lastPlace, 2)).toEqual([[1], [2], [3], [4]]);
    const first = [
      { number: 4, place: 1 },
      { number: 9, place: 1 },
      { number: 2, place: 3 },
    ];
    expect(winningCombinations('place', first, 2)).toEqual([[4], [9]]);
    expect(winningCombinations('win', first, 2)).toEqual([[4], [9]]);
  });

  test('[BT3] for dead heats of any shape they are the union over every strict order that agrees with the finish', () => {
    const { seed, below, shuffle } = integers();
    const seen = { tied: 0, allLevel: 0 };
    for (let run = 0; run < 600; run += 1) {
      const field = FIELD.slice(0, 2 + below(6));
      const ties = below(5);
      const groups: number[][] = [];
      for (const number of shuffle(field)) {
        const last = groups.at(-1);
        if (last !== undefined && below(5) < ties) last.push(number);
        else groups.push([number]);
      }
      if (groups.length < field.length) seen.tied += 1;
      if (groups.length === 1) seen.allLevel += 1;
      const order = groups.flatMap((group, index) => group.map((number) => ({ number, place: index + 1 })));
      const paid = 1 + below(3);
      for (const pool of POOLS) {
        if (field.length < SHAPES[pool].size || (pool === 'quinella-place' && field.length < 3)) continue;
        const found = winningCombinations(pool, shuffle(order), paid);
        const byHand = winnersByHand(pool, groups, paid);
        const told = `seed ${seed}, ${pool}, ${JSON.stringify(groups)}`;
        expect(new Set(found.map(selectionKey)), told).toEqual(byHand);
        expect(found, told).toHaveLength(byHand.size);
        if (!SHAPES[pool].ordered)
          for (const selection of found)
            expect(
              [...selection].sort((a, b) => a - b),
              told,
            ).toEqual(selection);
      }
    }
    expect(seen.tied).toBeGreaterThan(300);
    expect(seen.allLevel).toBeGreaterThan(5);
  });

  test('[BT3] all twelve level: every selection wins, in whatever pool', () => {
    const order = Array.from({ length: 12 }, (_, index) => ({ number: index + 1, place: 1 }));
    const count = Object.fromEntries(POOLS.map((pool) => [pool, winningCombinations(pool, order, 3).length]));
    expect(count).toEqual({
      win: 12,
      place: 12,
      quinella: 66,
      exacta: 132,
      'quinella-place': 66,
      trio: 220,
      trifecta: 1320,
    });
  });

  test('[BT3] the shapes that tote rules name: two or three level at each place', () => {
    const finish = (...groups: number[][]) =>
      groups.flatMap((group) =>
        group.map((number) => ({ number, place: 1 + groups.slice(0, groups.indexOf(group)).flat().length })),
      );
    const won = (pool: (typeof POOLS)[number], ...groups: number[][]) =>
      winningCombinations(pool, finish(...groups), 3).map(selectionKey);
    // Two first: the one pair, in either order; the third completes the trio.
    expect(won('quinella', [1, 2], [3], [4])).toEqual(['1-2']);
    expect(won('exacta', [1, 2], [3], [4])).toEqual(['1-2', '2-1']);
    expect(won('trifecta', [1, 2], [3], [4])).toEqual(['1-2-3', '2-1-3']);
    // Two second: the winner with either of them.
    expect(won('quinella', [1], [2, 3], [4])).toEqual(['1-2', '1-3']);
    expect(won('exacta', [1], [2, 3], [4])).toEqual(['1-2', '1-3']);
    expect(won('trio', [1], [2, 3], [4])).toEqual(['1-2-3']);
    expect(won('trifecta', [1], [2, 3], [4])).toEqual(['1-2-3', '1-3-2']);
    // Two third: either may complete the trio; the pair of the two has never won.
    expect(won('trio', [1], [2], [3, 4])).toEqual(['1-2-3', '1-2-4']);
    expect(won('quinella-place', [1], [2], [3, 4])).toEqual(['1-2', '1-3', '1-4', '2-3', '2-4']);
    // Three first.
    expect(won('quinella', [1, 2, 3], [4])).toEqual(['1-2', '1-3', '2-3']);
    expect(won('trifecta', [1, 2, 3], [4])).toHaveLength(6);
    // Three second: any two of them are in the first three with the winner.
    expect(won('quinella-place', [1], [2, 3, 4], [5])).toEqual(['1-2', '1-3', '1-4', '2-3', '2-4', '3-4']);
  });
});
