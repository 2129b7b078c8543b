import { describe, expect, it, test } from 'vitest';
import { payout, type Stakes, settlePool } from '../../lib/core/dividend.ts';
import { oddsNow, quote } from '../../lib/core/odds.ts';
import { oddsMessages, oddsText, type PoolLines, poolPiece, quoteBet } from '../../lib/core/odds-view.ts';
import { DEFAULT_RATES, POOLS, type Pool, placesPaid, SHAPES, selectionKey } from '../../lib/core/pools.ts';
import { publicRace } from '../../lib/core/public-race.ts';
import { createDraws, makeField } from '../../lib/engine/index.ts';
import type { RaceView } from '../../lib/protocol.ts';
import { winnersByHand } from '../helpers/strict-orders.ts';
import { bytes, detailsOf, rowOf, rules } from './race-fixtures.ts';
import { integers } from './random.ts';

const EIGHTY = { num: 80, den: 100 };
const TERMS = { unit: 100n, step: 10n, rate: EIGHTY };

function stakesOf(stakes: Readonly<Record<string, number | bigint>>): Map<string, bigint> {
  return new Map(Object.entries(stakes).map(([key, stake]) => [key, BigInt(stake)]));
}

function settle(stakes: Stakes, winners: string[], pool: Pool = 'win') {
  return settlePool({ ...TERMS, pool, stakes, winners });
}

function dividendsOf(settled: ReturnType<typeof settle>): [string, bigint][] {
  if (settled.kind !== 'paid') throw new Error('refunded');
  return [...settled.dividends];
}

describe('odds before the close', () => {
  const runners = [1, 2, 3, 4, 5, 6, 7, 8];

  test('[BT7] win odds are the dividend if betting closed now; a horse nobody backed has none', () => {
    const stakes = stakesOf({ 1: 5_000_000, 2: 3_000_000, 3: 1_000_000 });
    const odds = oddsNow({ ...TERMS, pool: 'win', stakes, runners, placesPaid: 3 });
    expect([...odds]).toEqual([
      ['1', { low: 140n, high: 140n }],
      ['2', { low: 240n, high: 240n }],
      ['3', { low: 720n, high: 720n }],
    ]);
  });

  test('[BT7] place odds are exactly the range over everybody who could share the places', () => {
    const random = integers();
    for (let run = 0; run < 300; run += 1) {
      const field = runners.slice(0, 5 + random.below(4));
      const paid = field.length >= 8 ? 3 : 2;
      const stakes = new Map(
        field.map((number) => [String(number), BigInt(random.below(3) === 0 ? 0 : 1 + random.below(3000)) * 100n]),
      );
      const found = new Map<string, { low: bigint; high: bigint }>();
      for (const placed of subsets(field, paid)) {
        const settled = settle(stakes, placed.map(String), 'place');
        if (settled.kind === 'refund') continue;
        for (const [key, dividend] of settled.dividends) {
          const { low, high } = found.get(key) ?? { low: dividend, high: dividend };
          found.set(key, { low: dividend < low ? dividend : low, high: dividend > high ? dividend : high });
        }
      }
      const odds = oddsNow({ ...TERMS, pool: 'place', stakes, runners: field, placesPaid: paid });
      const sorted = (map: Map<string, unknown>) => [...map].sort(([a], [b]) => Number(a) - Number(b));
      expect(sorted(odds), `seed ${random.seed}, run ${run}`).toEqual(sorted(found));
    }
  });

  test('[BT7] stakes on horses that no longer run count for nothing', () => {
    const all = oddsNow({
      ...TERMS,
      pool: 'win',
      stakes: stakesOf({ 1: 1000, 2: 1000 }),
      runners: [1, 2],
      placesPaid: 0,
    });
    expect(all.get('1')).toEqual({ low: 160n, high: 160n });
    const left = oddsNow({
      ...TERMS,
      pool: 'win',
      stakes: stakesOf({ 1: 1000, 2: 1000 }),
      runners: [1],
      placesPaid: 0,
    });
    expect([...left]).toEqual([['1', { low: 100n, high: 100n }]]);
    expect(oddsNow({ ...TERMS, pool: 'place', stakes: stakesOf({ 1: 1000 }), runners, placesPaid: 0 }).size).toBe(0);
  });

  test('[BT8] a quote counts the bet itself and is what settling right after it would pay', () => {
    const stakes = stakesOf({ 1: 2000, 2: 7000 });
    const input = { ...TERMS, pool: 'win' as const, stakes, runners, placesPaid: 3 };
    const settled = settle(stakesOf({ 1: 3000, 2: 7000 }), ['1']);
    const due = payout(1000n, new Map(dividendsOf(settled)).get('1') ?? 0n);
    expect(due).toBe(2600n);
    expect(quote(input, [1], 1000n)).toEqual({ low: due, high: due });
    expect(quote(input, [8], 500n)).toEqual({ low: 7600n, high: 7600n });
    expect(stakes.get('1')).toBe(2000n);
  });

  test('[BT8] a quote on a horse that does not run is null, one for no whole units throws', () => {
    const input = { ...TERMS, pool: 'place' as const, stakes: new Map<string, bigint>(), runners, placesPaid: 3 };
    expect(quote(input, [9], 100n)).toBeNull();
    expect(quote(input, [1], 100n)).toEqual({ low: 100n, high: 100n });
    expect(() => quote(input, [1], 150n)).toThrow(RangeError);
  });
});

function subsets(items: readonly number[], size: number): number[][] {
  if (size === 0) return [[]];
  return items.flatMap((item, index) => subsets(items.slice(index + 1), size - 1).map((rest) => [item, ...rest]));
}

/** Every strict order of the first three of these runners; who comes later decides nothing. */
function firstThree(field: readonly number[]): number[][] {
  return field.flatMap((a) =>
    field.flatMap((b) => field.flatMap((c) => (new Set([a, b, c]).size === 3 ? [[a, b, c]] : []))),
  );
}

describe('odds of every pool', () => {
  it('[BT7] are exactly what settling now would pay over all finishes without a dead heat', () => {
    const random = integers();
    let ranges = 0;
    for (let run = 0; run < 210; run += 1) {
      const pool = POOLS[run % POOLS.length] ?? 'win';
      const { size, ordered, minimumRunners } = SHAPES[pool];
      const field = [1, 2, 3, 4, 5, 6, 7, 8].slice(0, Math.max(minimumRunners, 4) + random.below(2));
      const paid = placesPaid(field.length);
      const stakes = new Map<string, bigint>();
      for (let line = 0; line < 12; line += 1) {
        const selection = random.shuffle(field).slice(0, size);
        const key = selectionKey(ordered ? selection : selection.sort((a, b) => a - b));
        stakes.set(key, BigInt(random.below(4) === 0 ? 0 : 1 + random.below(3000)) * 100n);
      }
      const found = new Map<string, { low: bigint; high: bigint }>();
      for (const first of firstThree(field)) {
        const finish = [...first, ...field.filter((number) => !first.includes(number))].map((number) => [number]);
        const settled = settle(stakes, [...winnersByHand(pool, finish, paid)], pool);
        if (settled.kind === 'refund') continue;
        for (const [key, dividend] of settled.dividends) {
          const { low, high } = found.get(key) ?? { low: dividend, high: dividend };
          found.set(key, { low: dividend < low ? dividend : low, high: dividend > high ? dividend : high });
        }
      }
      const odds = oddsNow({ ...TERMS, pool, stakes, runners: field, placesPaid: paid });
      expect(new Map(odds), `seed ${random.seed}, run ${run}, ${pool}`).toEqual(found);
      for (const { low, high } of odds.values()) if (low !== high) ranges += 1;
    }
    expect(ranges).toBeGreaterThan(50);
  });

  it('[BT8] a quote is what settling right after the bet would pay, in every pool; none for what is no selection of it', () => {
    const runners = [1, 2, 3, 4, 5, 6, 7, 8];
    const of = (pool: Pool, stakes: Stakes, selection: number[], stake: bigint) =>
      quote({ ...TERMS, pool, stakes, runners, placesPaid: 3 }, selection, stake);
    expect(of('exacta', stakesOf({ '2-1': 9_000 }), [1, 2], 1_000n)).toEqual({ low: 8_000n, high: 8_000n });
    expect(of('trifecta', stakesOf({ '3-2-1': 9_000 }), [1, 2, 3], 1_000n)).toEqual({ low: 8_000n, high: 8_000n });
    // 1-2 wins with 1-3 or 2-3 beside it when 3 is third, alone with any other.
    const pairs = stakesOf({ '1-3': 2_000, '4-5': 7_000 });
    expect(of('quinella-place', pairs, [1, 2], 1_000n)).toEqual({ low: 3_600n, high: 8_000n });
    expect(of('quinella', new Map(), [2, 1], 100n)).toBeNull();
    for (const selection of [[1], [1, 1], [1, 2, 3], [1, 9], []])
      expect(of('exacta', new Map(), selection, 100n), String(selection)).toBeNull();
  });
});

// ---- what is shown ----

const ALL = rules({
  pools: POOLS.map((pool) => ({ pool, rate: DEFAULT_RATES[pool] })),
  placesPaid: 3,
  maxStakePerRace: 1_000_000_000,
});
const raceOf = (horses: number, of = ALL, scratched: readonly number[] = []): RaceView =>
  publicRace(
    detailsOf(
      rowOf({
        kind: 'bet',
        rules: of,
        scratched,
        field: makeField({ draws: createDraws(bytes(2), 'odds'), count: horses, equal: false }),
      }),
    ),
    0,
  );
const linesOf = (lines: Readonly<Record<string, number | bigint>>): PoolLines =>
  new Map(Object.entries(lines).map(([key, stake]) => [key, { stake: BigInt(stake), count: 1 }]));
const BASE = { raceId: raceOf(8).id, version: 1_800_000_000_000, final: false };

describe('odds as they are shown', () => {
  it('[RC47] are points per point with one digit, win and place whole, nothing for what nobody backed', () => {
    expect([100n, 160n, 1_140n, 123_450n].map(oddsText)).toEqual(['1.0', '1.6', '11.4', '1234.5']);
    const both = { ...ALL, pools: ALL.pools.slice(0, 2) };
    const race = raceOf(8, { ...both, placesPaid: 2 });
    const pieces = [
      poolPiece(
        race,
        'win',
        new Map([...linesOf({ 3: 500, 1: 500 })].map(([key, line]) => [key, { ...line, count: 2 }])),
      ),
      poolPiece(race, 'place', linesOf({ 5: 400, 6: 100 })),
    ];
    expect(oddsMessages(BASE, pieces)).toEqual([
      {
        ...BASE,
        totals: { win: { gross: '1000', count: 4 }, place: { gross: '500', count: 2 } },
        win: { '1': '1.6', '3': '1.6' },
        place: { '5': ['1.0', '1.0'], '6': ['1.0', '4.0'] },
      },
    ]);
    const none = [poolPiece(race, 'win', new Map()), poolPiece(race, 'place', new Map())];
    expect(oddsMessages(BASE, none)).toEqual([{ ...BASE, totals: {}, win: {}, place: {} }]);
  });

  it('[RC47] a quote counts the bet itself, and there is none for a pool that the race has not or no longer', () => {
    const race = raceOf(8);
    const bet = { pool: 'win', selection: [2], stake: 100n } as const;
    expect(quoteBet(race, linesOf({ 3: 500, 1: 500 }), bet)).toEqual({ low: 880n, high: 880n });
    const winOnly = raceOf(8, { ...ALL, pools: ALL.pools.slice(0, 1) });
    expect(quoteBet(winOnly, new Map(), { ...bet, pool: 'place' })).toBeNull();
    const trio = { pool: 'trio', selection: [1, 2, 3], stake: 100n } as const;
    expect(quoteBet(raceOf(8, ALL, [7, 8]), new Map(), trio)).toEqual({ low: 100n, high: 100n });
    expect(quoteBet(raceOf(8, ALL, [6, 7, 8]), new Map(), trio)).toBeNull();
  });

  it('[BT43] of the pools with many selections the total and the ten most backed are shown, most backed first', () => {
    const lines: Record<string, number> = {};
    for (let a = 1; a <= 4; a += 1) for (let b = a + 1; b <= 8; b += 1) lines[`${a}-${b}`] = 100 * (10 * b + a);
    const piece = poolPiece(raceOf(8), 'quinella', linesOf(lines));
    const gross = Object.values(lines).reduce((sum, stake) => sum + stake, 0);
    expect(piece.total).toEqual({ gross: String(gross), count: 22 });
    const keys = Object.keys(piece.odds);
    expect(keys).toEqual(['4-8', '3-8', '2-8', '1-8', '4-7', '3-7', '2-7', '1-7', '4-6', '3-6']);
    expect(piece.odds['4-8']).toBe(oddsText(dividendAlone(lines['4-8'] ?? 0, gross, DEFAULT_RATES.quinella)));
    expect(Object.keys(poolPiece(raceOf(8, ALL, [8]), 'quinella', linesOf(lines)).odds)[0]).toBe('4-7');
  });

  it('[BT44] a message is below 1 KB whatever is staked, and several of one version carry all pools', () => {
    const race = raceOf(12);
    const random = integers();
    let most = 0;
    for (const style of ['heavy', 'even', 'random'] as const) {
      const pieces = POOLS.map((pool) => poolPiece(race, pool, everything(pool, style, random.below)));
      const messages = oddsMessages({ ...BASE, raceId: 'r'.repeat(64) as RaceView['id'], final: true }, pieces);
      for (const message of messages) {
        const packet = `42["race:odds",${JSON.stringify(message)}]`;
        expect(Buffer.byteLength(packet), `${style}, seed ${random.seed}`).toBeLessThanOrEqual(1_024);
        most = Math.max(most, packet.length);
      }
      expect(new Set(messages.map(({ version }) => version)).size).toBe(1);
      expect(messages.map(({ part }) => part)).toEqual(messages.map((_, index) => [index + 1, messages.length]));
      const told = messages.flatMap(({ totals }) => Object.keys(totals));
      expect(told.sort()).toEqual([...POOLS].sort());
      expect(Object.keys(messages.find(({ win }) => win !== undefined)?.win ?? {})).toHaveLength(12);
      expect(Object.keys(messages.find(({ place }) => place !== undefined)?.place ?? {})).toHaveLength(12);
      const tops = messages.flatMap(({ top }) => Object.entries(top ?? {}));
      expect(tops.map(([pool]) => pool).sort()).toEqual(POOLS.slice(2).sort());
      for (const [pool, odds] of tops) expect(Object.keys(odds), pool).toHaveLength(10);
      console.log(`odds, ${style}: ${messages.length} messages, ${messages.map((one) => JSON.stringify(one).length)}`);
    }
    expect(most).toBeGreaterThan(700);
  });
});

function dividendAlone(stake: number, gross: number, { num, den }: { num: number; den: number }): bigint {
  const exact = (BigInt(gross) * BigInt(num) * 100n) / (BigInt(den) * BigInt(stake));
  return exact - (exact % 10n);
}

/** Every selection of the pool over 12 horses is backed; 'heavy': nearly all points of 500 players on one, a unit on each other. */
function everything(pool: Pool, style: 'heavy' | 'even' | 'random', below: (n: number) => number): PoolLines {
  const { size, ordered } = SHAPES[pool];
  const grow = (head: readonly number[]): number[][] =>
    head.length === size
      ? [[...head]]
      : [12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1]
          .filter((horse) => !head.includes(horse) && (ordered || horse > (head.at(-1) ?? 0)))
          .flatMap((horse) => grow([...head, horse]));
  const lines = grow([]).map((selection, index) => {
    const units = style === 'even' ? 1_000_000_000 : style === 'random' ? 1 + below(2 ** 30) : index === 0 ? 5e9 : 1;
    return [selectionKey(selection), { stake: BigInt(units) * 100n, count: 99_999 }] as const;
  });
  return new Map(lines);
}
