import { describe, expect, test } from 'vitest';
import {
  isScratched,
  normaliseSelection,
  openPools,
  parseSelectionKey,
  placesPaid,
  poolStands,
  selectionKey,
  winningCombinations,
} from '../../lib/core/pools.ts';
import { integers } from './random.ts';

const FIELD = [1, 2, 3, 4, 5, 6, 7, 8];

/** All strict orders that agree with a finish given as groups of level horses. */
function strictOrders(groups: readonly (readonly number[])[]): number[][] {
  const [first, ...rest] = groups;
  if (first === undefined) return [[]];
  return permutations(first).flatMap((head) => strictOrders(rest).map((tail) => [...head, ...tail]));
}

function permutations(items: readonly number[]): number[][] {
  if (items.length === 0) return [[]];
  return items.flatMap((item) => permutations(items.filter((other) => other !== item)).map((rest) => [item, ...rest]));
}

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
    for (let run = 0; run < 400; run += 1) {
      const groups: number[][] = [];
      for (const number of shuffle([1, 2, 3, 4, 5, 6])) {
        const last = groups.at(-1);
        if (last !== undefined && below(2) === 0) last.push(number);
        else groups.push([number]);
      }
      const order = groups.flatMap((group, index) => group.map((number) => ({ number, place: index + 1 })));
      const paid = 1 + below(3);
      for (const pool of ['win', 'place'] as const) {
        const counted = pool === 'win' ? 1 : paid;
        const union = new Set(strictOrders(groups).flatMap((strict) => strict.slice(0, counted)));
        expect(winningCombinations(pool, order, paid), `seed ${seed}, ${JSON.stringify(groups)}`).toEqual(
          [...union].sort((a, b) => a - b).map((number) => [number]),
        );
      }
    }
  });
});
