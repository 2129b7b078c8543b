import { describe, expect, test } from 'vitest';
import { payout, type Stakes, settlePool } from '../../lib/core/dividend.ts';
import {
  DEFAULT_RATES,
  POOLS,
  type Pool,
  placesPaid,
  SHAPES,
  selectionKey,
  winningCombinations,
} from '../../lib/core/pools.ts';
import { type Integers, integers } from './random.ts';

const EIGHTY = { num: 80, den: 100 };
const TERMS = { unit: 100n, step: 10n, rate: EIGHTY };

function stakesOf(stakes: Readonly<Record<string, number | bigint>>): Map<string, bigint> {
  return new Map(Object.entries(stakes).map(([key, stake]) => [key, BigInt(stake)]));
}

function settle(stakes: Stakes, winners: string[], pool: Pool = 'win', rate = EIGHTY) {
  return settlePool({ ...TERMS, rate, pool, stakes, winners });
}

function dividendsOf(settled: ReturnType<typeof settle>): [string, bigint][] {
  if (settled.kind !== 'paid') throw new Error('refunded');
  return [...settled.dividends];
}

describe('worked examples', () => {
  test('[BT4] win: 5,000,000 of 9,000,000 on the winner pay 140', () => {
    const settled = settle(stakesOf({ 1: 5_000_000, 2: 4_000_000 }), ['1']);
    expect(dividendsOf(settled)).toEqual([['1', 140n]]);
    expect(settled).toMatchObject({ paid: 7_000_000n, takeout: 1_800_000n, breakage: 200_000n });
  });

  test('[BT4] break: 3,000,000 of 10,000,000 pay 260, the rest below a step is breakage', () => {
    const settled = settle(stakesOf({ 1: 3_000_000, 2: 7_000_000 }), ['1']);
    expect(dividendsOf(settled)).toEqual([['1', 260n]]);
    expect(settled).toMatchObject({ paid: 7_800_000n, takeout: 2_000_000n, breakage: 200_000n });
  });

  test('[BT4] place: 100k, 80k and 20k of 1,000,000 pay 290, 340 and 1,140', () => {
    const settled = settle(stakesOf({ 1: 100_000, 2: 80_000, 3: 20_000, 4: 800_000 }), ['1', '2', '3'], 'place');
    expect(dividendsOf(settled)).toEqual([
      ['1', 290n],
      ['2', 340n],
      ['3', 1140n],
    ]);
  });

  test('[BT4] dead heat for first in win: 200k and 100k of 1,000,000 pay 220 and 360', () => {
    const settled = settle(stakesOf({ 1: 200_000, 2: 100_000, 3: 700_000 }), ['1', '2']);
    expect(dividendsOf(settled)).toEqual([
      ['1', 220n],
      ['2', 360n],
    ]);
  });

  test('[BT4] tables that others published for the formula of Japan’s appendix 6 come out the same', () => {
    // (W + D/P) × R, three paid places: 25, 5 and 10 of 100 on the placed (note.com/20190430, on the regulation's appendix 6).
    const placed = settle(stakesOf({ 1: 25_000, 2: 5_000, 3: 10_000, 4: 60_000 }), ['1', '2', '3'], 'place');
    expect(dividendsOf(placed)).toEqual([
      ['1', 140n],
      ['2', 400n],
      ['3', 240n],
    ]);
    // The place pool of the Shuka Sho of 2023: 17,717,897 tickets on the winner, 304,461,700 on the unplaced, 84.58 by the formula
    // (note.com/mh35): never below the stake.
    const onWinner = 1_771_789_700;
    const shuka = settle(stakesOf({ 6: onWinner, 1: 100, 2: 100, 9: 304_461_700 }), ['6', '1', '2'], 'place');
    expect(dividendsOf(shuka)[0]).toEqual(['6', 100n]);
    const exact = (BigInt(onWinner) * 3n + 304_461_700n) * 8n * 100n * 100n;
    expect(exact / (3n * 10n * BigInt(onWinner))).toBe(8458n);
  });

  test('[BT5] all on the winner pays the stakes back, whatever the rate', () => {
    for (const rate of [EIGHTY, { num: 775, den: 1000 }, { num: 0, den: 1 }, { num: 1, den: 1 }]) {
      const settled = settle(stakesOf({ 1: 123_400 }), ['1'], 'win', rate);
      expect(dividendsOf(settled)).toEqual([['1', 100n]]);
      expect(settled).toMatchObject({ paid: 123_400n, takeout: 0n, breakage: 0n });
    }
  });

  test('[BT4] stakes beyond 64 bits are exact', () => {
    const scale = 10n ** 20n;
    const settled = settle(stakesOf({ 1: 3n * 100n * scale, 2: 7n * 100n * scale }), ['1']);
    expect(settled).toMatchObject({ paid: 780n * scale, takeout: 200n * scale, breakage: 20n * scale });
  });

  test('[BT42] the default rates are 80 % of win and place, 77.5 % of the quinellas, 75 % of exacta and trio, 72.5 % of the trifecta', () => {
    const percent = POOLS.map((pool) => (DEFAULT_RATES[pool].num * 100) / DEFAULT_RATES[pool].den);
    expect(percent).toEqual([80, 80, 77.5, 75, 77.5, 75, 72.5]);
  });
});

describe('edges', () => {
  test('[BT6] a pool in which nobody backed a winner is refunded without takeout', () => {
    expect(settle(stakesOf({ 1: 500, 2: 0 }), ['2', '3'])).toEqual({ kind: 'refund', gross: 500n });
    expect(settle(new Map(), ['1'])).toEqual({ kind: 'refund', gross: 0n });
    expect(settle(stakesOf({ 1: 500 }), [])).toEqual({ kind: 'refund', gross: 500n });
  });

  test('[BT6] where only some winners are backed the pool is shared among those', () => {
    const some = settle(stakesOf({ 1: 1000, 3: 9000 }), ['1', '2'], 'place');
    expect(dividendsOf(some)).toEqual([['1', 800n]]);
    expect(dividendsOf(settle(stakesOf({ 1: 1000, 3: 9000 }), ['1', '1'], 'place'))).toEqual([['1', 800n]]);
  });

  test('[LG1] a stake that is no whole number of units and a rate above 1 are never settled', () => {
    expect(() => settle(stakesOf({ 1: 150 }), ['1'])).toThrow(RangeError);
    expect(() => settle(stakesOf({ 1: 100, 2: -100 }), ['1'])).toThrow(RangeError);
    for (const rate of [
      { num: 101, den: 100 },
      { num: -1, den: 100 },
      { num: 1, den: 0 },
      { num: 0.8, den: 1 },
    ]) {
      expect(() => settle(stakesOf({ 1: 100 }), ['1'], 'win', rate), JSON.stringify(rate)).toThrow(RangeError);
    }
    expect(() => payout(150n, 200n)).toThrow(RangeError);
    expect(payout(300n, 1140n)).toBe(3420n);
  });
});

/** One pool of a random race. */
type Case = {
  readonly pool: Pool;
  readonly stakes: Map<string, bigint>;
  readonly winners: string[];
  readonly tied: boolean;
  readonly scratched: boolean;
};

/** Every selection of a pool over these horses, in normal form. */
function selectionsOf(pool: Pool, horses: readonly number[]): number[][] {
  const { size, ordered } = SHAPES[pool];
  const grow = (head: readonly number[]): number[][] =>
    head.length === size
      ? [[...head]]
      : horses
          .filter((horse) => !head.includes(horse) && (ordered || horse > (head.at(-1) ?? 0)))
          .flatMap((horse) => grow([...head, horse]));
  return grow([]);
}

const EVERY = new Map(
  POOLS.map((pool) => [
    pool,
    Array.from({ length: 13 }, (_, size) =>
      selectionsOf(
        pool,
        Array.from({ length: size }, (_, index) => index + 1),
      ).map(selectionKey),
    ),
  ]),
);

function randomCase({ below, shuffle }: Integers): Case {
  const pool = POOLS[below(POOLS.length)] ?? 'win';
  const least = SHAPES[pool].minimumRunners;
  const size = least + below(13 - least);
  const paid = placesPaid(size);
  const units = (): bigint => {
    switch (below(5)) {
      case 0:
        return 0n;
      case 1:
        return BigInt(1 + below(3));
      case 2:
        return BigInt(1 + below(200));
      case 3:
        return BigInt(1 + below(1_000_000));
      default:
        return BigInt(1 + below(2 ** 30)) * BigInt(1 + below(2 ** 30));
    }
  };
  const every = EVERY.get(pool)?.[size] ?? [];
  const any = (): string => every[below(every.length)] ?? '';
  const horses = Array.from({ length: size }, (_, index) => index + 1);

  const order = shuffle(horses);
  const gone = below(4) === 0 && size > 2 ? order.splice(0, 1 + below(Math.min(2, size - 2))) : [];
  const tied = below(2) === 0;
  const places = order.map((_, index) => index + 1);
  if (tied) {
    const ties = 1 + below(3);
    for (let tie = 0; tie < ties; tie += 1) {
      const from = below(Math.min(order.length - 1, Math.max(paid, SHAPES[pool].size) + 1));
      const to = Math.min(order.length - 1, from + 1 + below(3));
      for (let index = from; index <= to; index += 1) places[index] = places[from] as number;
    }
  }
  const finish = order.map((number, index) => ({ number, place: places[index] as number }));
  const winners = winningCombinations(pool, finish, paid).map(selectionKey);

  const stakes = new Map<string, bigint>();
  const style = below(6);
  if (style === 0) stakes.set(any(), (1n + units()) * 100n);
  else {
    // Of pools with hundreds of selections some are backed, and most winners among them.
    const backed = every.length <= 12 ? every : Array.from({ length: 1 + below(16) }, any);
    for (const key of backed) stakes.set(key, units() * 100n);
    if (every.length > 12) for (const key of winners.slice(0, 6)) if (below(4) > 0) stakes.set(key, units() * 100n);
    const total = [...stakes.values()].reduce((sum, stake) => sum + stake, 100n);
    const heavy = below(2) === 0 ? any() : (winners[below(Math.max(winners.length, 1))] ?? any());
    if (style === 1) stakes.set(heavy, total * BigInt(1 + below(50)));
  }
  if (gone.length > 0)
    for (const key of stakes.keys()) if (key.split('-').some((part) => gone.includes(Number(part)))) stakes.delete(key);
  return { pool, stakes, winners, tied, scratched: gone.length > 0 };
}

/** The greatest multiple of 10 not above (W + D/P)·R per unit, found by trying: no division, fractions cleared by multiplying. */
function naiveDividend(stake: bigint, losers: bigint, winners: bigint, rate: { num: number; den: number }): bigint {
  const affordable = (dividend: bigint): boolean =>
    dividend * (stake / 100n) * winners * BigInt(rate.den) <= (stake * winners + losers) * BigInt(rate.num);
  let step = 10n;
  while (affordable(step * 2n)) step *= 2n;
  let dividend = 0n;
  for (; step >= 10n; step /= 2n) while (affordable(dividend + step)) dividend += step;
  return dividend < 100n ? 100n : dividend;
}

describe('any pool', () => {
  test('[LG1] 300,000 random pools never owe more than their gross and are booked to the point', {
    timeout: 300_000,
  }, () => {
    const random = integers();
    console.log(`pools: seed ${random.seed}`);
    const rates = [EIGHTY, { num: 775, den: 1000 }, { num: 75, den: 100 }, { num: 725, den: 1000 }, { num: 1, den: 1 }];
    const seen = { tied: 0, severalWinners: 0, majority: 0, scratched: 0, single: 0, minimum: 0, refund: 0, naive: 0 };
    for (let run = 0; run < 300_000; run += 1) {
      const { pool, stakes, winners, tied, scratched } = randomCase(random);
      const rate = rates[random.below(rates.length)] ?? EIGHTY;
      const settled = settle(stakes, winners, pool, rate);
      const fail = (why: string): never => {
        const told = JSON.stringify({ pool, rate, stakes: [...stakes], winners }, (_, value) =>
          typeof value === 'bigint' ? String(value) : value,
        );
        throw new Error(`seed ${random.seed}, pool ${run}: ${why}: ${told}`);
      };

      let gross = 0n;
      let largest = 0n;
      let bettors = 0;
      for (const stake of stakes.values()) {
        gross += stake;
        if (stake > largest) largest = stake;
        if (stake > 0n) bettors += 1;
      }
      const backed = winners.filter((key) => (stakes.get(key) ?? 0n) > 0n);
      seen.tied += tied ? 1 : 0;
      seen.scratched += scratched ? 1 : 0;
      seen.single += bettors === 1 ? 1 : 0;
      if (settled.gross !== gross) fail('gross');
      if ((settled.kind === 'refund') !== (backed.length === 0)) fail('refund');
      if (settled.kind === 'refund') {
        seen.refund += 1;
        continue;
      }

      if (settled.dividends.size !== backed.length) fail('number of dividends');
      let owed = 0n;
      let minimum = false;
      for (const [key, dividend] of settled.dividends) {
        const stake = stakes.get(key) ?? 0n;
        owed += (stake / 100n) * dividend;
        minimum ||= dividend === 100n;
        if (dividend < 100n || dividend % 10n !== 0n) fail('a dividend below the unit or between steps');
      }
      if (owed > gross) fail('owes more than its gross');
      if (owed !== settled.paid) fail('paid');
      if (settled.paid + settled.takeout + settled.breakage !== gross) fail('books');
      if (settled.paid < 0n || settled.takeout < 0n || settled.breakage < 0n) fail('negative');
      if (settled.takeout * BigInt(rate.den) > gross * BigInt(rate.den - rate.num)) fail('takeout above its share');
      seen.severalWinners += backed.length > 1 ? 1 : 0;
      seen.majority += backed.some((key) => (stakes.get(key) ?? 0n) * 2n > gross) ? 1 : 0;
      seen.minimum += minimum ? 1 : 0;

      if (run % 10 === 0) {
        seen.naive += 1;
        const losers = gross - backed.reduce((sum, key) => sum + (stakes.get(key) ?? 0n), 0n);
        for (const key of backed) {
          const naive = naiveDividend(stakes.get(key) ?? 0n, losers, BigInt(backed.length), rate);
          if (settled.dividends.get(key) !== naive) fail(`${key} should pay ${naive}`);
        }
      }
    }
    console.log(`pools: ${JSON.stringify(seen)}`);
    expect(seen.tied).toBeGreaterThan(140_000);
    expect(seen.severalWinners).toBeGreaterThan(50_000);
    expect(seen.majority).toBeGreaterThan(50_000);
    expect(seen.scratched).toBeGreaterThan(50_000);
    expect(seen.single).toBeGreaterThan(20_000);
    expect(seen.refund).toBeGreaterThan(10_000);
    expect(seen.minimum).toBeGreaterThanOrEqual(1_000);
    expect(seen.naive).toBeGreaterThan(20_000);
  });
});
