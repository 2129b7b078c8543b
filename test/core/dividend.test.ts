import { describe, expect, test } from 'vitest';
import { oddsNow, payout, quote, type Stakes, settlePool } from '../../lib/core/dividend.ts';
import { DEFAULT_RATES, type Pool } from '../../lib/core/pools.ts';
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

  test('[BT4] the default rates of win and place are 80 %', () => {
    expect(DEFAULT_RATES).toEqual({ win: EIGHTY, place: EIGHTY });
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

function randomCase({ below, shuffle }: Integers): Case {
  const pool: Pool = below(2) === 0 ? 'win' : 'place';
  const size = pool === 'win' ? 2 + below(11) : 5 + below(8);
  const paid = pool === 'win' ? 1 : size >= 8 ? 3 : 2;
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
  const stakes = new Map<string, bigint>();
  const horses = Array.from({ length: size }, (_, index) => index + 1);
  const style = below(6);
  if (style === 0) stakes.set(String(1 + below(size)), (1n + units()) * 100n);
  else {
    for (const horse of horses) stakes.set(String(horse), units() * 100n);
    const total = [...stakes.values()].reduce((sum, stake) => sum + stake, 100n);
    if (style === 1) stakes.set(String(1 + below(size)), total * BigInt(1 + below(50)));
  }

  const scratches = below(4) === 0 && size > 2 ? 1 + below(Math.min(2, size - 2)) : 0;
  const order = shuffle(horses);
  for (const horse of order.splice(0, scratches)) stakes.delete(String(horse));

  const tied = below(2) === 0;
  const places = order.map((_, index) => index + 1);
  if (tied) {
    const ties = 1 + below(3);
    for (let tie = 0; tie < ties; tie += 1) {
      const from = below(Math.min(order.length - 1, paid + 1));
      const to = Math.min(order.length - 1, from + 1 + below(3));
      for (let index = from; index <= to; index += 1) places[index] = places[from] as number;
    }
  }
  const winners = order.filter((_, index) => places.filter((place) => place < (places[index] as number)).length < paid);
  return { pool, stakes, winners: winners.map(String), tied, scratched: scratches > 0 };
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
