import { describe, expect, it } from 'vitest';
import {
  type BoardWindow,
  denseRanks,
  isPeriod,
  neighbour,
  periodOf,
  thinned,
  valueText,
  WINDOWS,
  wilsonLowerBound,
} from '../../lib/core/boards.ts';

const DAY_MS = 86_400_000;
const dayText = (at: number) => new Date(at).toISOString().slice(0, 10);

/** The week of a day, counted another way than the product's: by walking to the Thursday with JavaScript's own calendar. */
function isoWeek(at: number): string {
  let thursday = at;
  while (new Date(thursday).getUTCDay() !== 4) {
    thursday += (new Date(thursday).getUTCDay() + 6) % 7 < 3 ? DAY_MS : -DAY_MS;
  }
  const year = new Date(thursday).getUTCFullYear();
  const week = Math.floor((thursday - Date.UTC(year, 0, 1)) / DAY_MS / 7) + 1;
  return `${year}-W${String(week).padStart(2, '0')}`;
}

describe('what boards rank by', () => {
  it.each([
    [1, 1, 0.2065],
    [5, 10, 0.2366],
    [30, 100, 0.2189],
    [100, 101, 0.946],
  ])('[BD1] %i hits of %i races have the lower bound %f', (hits, races, bound) => {
    expect(Number(wilsonLowerBound(hits, races).toFixed(4))).toBe(bound);
  });

  it('[BD1] nothing hit is bounded by 0, and more hits of the same races by more', () => {
    for (let races = 1; races < 500; races += 1)
      expect(valueText('hit-rate', { value: 0n, hits: 0, races })).toBe('0.0000');
    for (let hits = 1; hits <= 50; hits += 1) {
      expect(wilsonLowerBound(hits, 50)).toBeGreaterThan(wilsonLowerBound(hits - 1, 50));
      expect(wilsonLowerBound(hits, 50)).toBeLessThan(hits / 50);
    }
  });

  it('[BD2] equal values share a rank and the next value has the next one, on whatever page', () => {
    const values = [9n, 9n, 7n, 3n, 3n, 3n, -4n];
    expect(denseRanks(values)).toEqual([1, 1, 2, 3, 3, 3, 4]);
    expect(denseRanks(values.slice(4), { value: 3n, rank: 3 })).toEqual([3, 3, 4]);
    expect(denseRanks(values.slice(6), { value: 3n, rank: 3 })).toEqual([4]);
    expect(denseRanks([])).toEqual([]);
  });

  it('[BD1] values are told as people read them', () => {
    expect(valueText('hit-rate', { value: 236_593n, hits: 5, races: 10 })).toBe('0.2366');
    expect(valueText('profit', { value: -1_200n, hits: 0, races: 3 })).toBe('-1200');
  });
});

describe('periods', () => {
  it('[BD3] every day from 1999 to 2101 lies in the ISO week and the quarter of the calendar, between its neighbours', () => {
    const end = Date.UTC(2101, 11, 31);
    for (let at = Date.UTC(1999, 0, 1); at <= end; at += DAY_MS) {
      const day = dayText(at);
      const quarter = `${day.slice(0, 4)}-Q${Math.floor(new Date(at).getUTCMonth() / 3) + 1}`;
      if (periodOf('week', day) !== isoWeek(at) || periodOf('season', day) !== quarter || periodOf('day', day) !== day)
        throw new Error(`${day}: ${periodOf('week', day)} ${periodOf('season', day)}`);
      if (!isPeriod('day', day) || neighbour('day', day, 1) !== dayText(at + DAY_MS)) throw new Error(day);
    }
  });

  it('[BD3] the neighbours of a period are the ones right beside it', () => {
    for (const [window, first, count] of [
      ['day', '2023-12-25', 800],
      ['week', '2015-W01', 900],
      ['season', '1999-Q4', 200],
    ] as const) {
      let period = first as string;
      for (let index = 0; index < count; index += 1) {
        const next = neighbour(window, period, 1);
        expect(next && isPeriod(window, next)).toBe(true);
        expect(next && neighbour(window, next, -1)).toBe(period);
        expect(next && next > period).toBe(true);
        period = next ?? '';
      }
    }
    expect(neighbour('season', '2026-Q4', 1)).toBe('2027-Q1');
    expect(neighbour('week', '2026-W53', 1)).toBe('2027-W01');
    expect(neighbour('all', '', -1)).toBe(null);
  });

  it('[BD3] what is no period of its window is told from one that is', () => {
    const none: [BoardWindow, string][] = [
      ['day', '2026-02-30'],
      ['day', '2026-W47'],
      ['day', ''],
      ['week', '2026-W54'],
      ['week', '2025-W53'],
      ['week', '2026-W00'],
      ['season', '2026-Q5'],
      ['season', '2026-11-20'],
      ['all', '2026-Q4'],
    ];
    expect(none.filter(([window, period]) => isPeriod(window, period))).toEqual([]);
    expect(isPeriod('week', '2026-W53')).toBe(true);
    expect(WINDOWS.map((window) => isPeriod(window, periodOf(window, '2028-02-29')))).toEqual([true, true, true, true]);
  });
});

describe('curves', () => {
  it('[BD12] a long way is told by some of its points, first and last among them', () => {
    const way = Array.from({ length: 1_000 }, (_, index) => index);
    const some = thinned(way, 120);
    expect([some.length, some[0], some.at(-1)]).toEqual([120, 0, 999]);
    expect(some).toEqual([...new Set(some)].sort((a, b) => a - b));
    expect(thinned([1, 2, 3], 120)).toEqual([1, 2, 3]);
    expect(thinned([], 120)).toEqual([]);
  });
});
