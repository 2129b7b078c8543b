import { type Pool, type Rate, type SelectionKey, selectionKey } from './pools.ts';

/** A stake is a whole number of these. */
export const UNIT_POINTS = 100n;
/** Dividends per unit are multiples of this. */
export const DIVIDEND_STEP = 10n;

/** Stakes of one pool in points by selection, after refunds; each a whole number of units, ≥ 0. */
export type Stakes = ReadonlyMap<SelectionKey, bigint>;

export type PoolTerms = {
  /** points */
  readonly unit: bigint;
  /** points */
  readonly step: bigint;
  readonly rate: Rate;
};

export type SettlePoolInput = PoolTerms & {
  readonly pool: Pool;
  readonly stakes: Stakes;
  readonly winners: readonly SelectionKey[];
};

export type PoolSettlement =
  | {
      readonly kind: 'paid';
      /** points per unit, for each backed winning selection */
      readonly dividends: ReadonlyMap<SelectionKey, bigint>;
      /** points; gross = paid + takeout + breakage, none of them negative */
      readonly gross: bigint;
      readonly paid: bigint;
      readonly takeout: bigint;
      readonly breakage: bigint;
    }
  /** Nobody backed a winner (or nobody bet): every stake goes back, nothing is taken. */
  | { readonly kind: 'refund'; readonly gross: bigint };

/**
 * Settles one pool by (W + D/P) × R (Japan's Enforcement Regulations of the Horse Racing Act, art. 9 and appendix 6), in integers:
 * q = ((W·P + D)·Rnum·unit) div (P·Rden·W), down to a multiple of `step`, at least `unit`; W the stake on this winner,
 * P the number of backed winners, D the stakes on losers. The pool never pays out more than it took in, since q is either
 * the unit (the winner's own stake back) or pays at most W + D/P.
 * Throws RangeError for stakes that are negative or no whole units, and for a rate outside 0…1: such facts must not be settled.
 */
export function settlePool(input: SettlePoolInput): PoolSettlement {
  checkTerms(input);
  let gross = 0n;
  for (const stake of input.stakes.values()) gross += checkedStake(stake, input.unit);

  const backed = [...new Set(input.winners)].flatMap((key) => {
    const stake = input.stakes.get(key) ?? 0n;
    return stake > 0n ? [{ key, stake }] : [];
  });
  if (backed.length === 0) return { kind: 'refund', gross };

  const onWinners = backed.reduce((sum, winner) => sum + winner.stake, 0n);
  const dividends = new Map<SelectionKey, bigint>();
  let paid = 0n;
  for (const { key, stake } of backed) {
    const dividend = dividendPerUnit(input, stake, BigInt(backed.length), gross - onWinners);
    dividends.set(key, dividend);
    paid += (stake / input.unit) * dividend;
  }

  const den = BigInt(input.rate.den);
  const statutory = (gross * (den - BigInt(input.rate.num))) / den;
  const takeout = statutory < gross - paid ? statutory : gross - paid;
  return { kind: 'paid', dividends, gross, paid, takeout, breakage: gross - paid - takeout };
}

/** Points paid for one stake: units × dividend, never rounded. */
export function payout(stake: bigint, dividend: bigint, unit: bigint = UNIT_POINTS): bigint {
  return (checkedStake(stake, unit) / unit) * dividend;
}

/** Points per unit; equal where the pool has one winner. */
export type DividendRange = { readonly low: bigint; readonly high: bigint };

export type OddsInput = PoolTerms & {
  readonly pool: Pool;
  readonly stakes: Stakes;
  /** Horses still in the race. */
  readonly runners: readonly number[];
  readonly placesPaid: number;
};

/**
 * What each selection would pay per unit if betting closed now and it won without a dead heat; with `step` 10 and
 * `unit` 100 that is odds to 0.1. A place bet's share depends on who else is placed: a range. Selections that nobody
 * backed have no odds and are left out.
 */
export function oddsNow(input: OddsInput): Map<SelectionKey, DividendRange> {
  checkTerms(input);
  const runners = input.runners.map((number) => selectionKey([number]));
  const ranked = runners
    .map((key) => ({ key, stake: checkedStake(input.stakes.get(key) ?? 0n, input.unit) }))
    .sort((a, b) => (a.stake < b.stake ? 1 : a.stake > b.stake ? -1 : 0));
  const gross = ranked.reduce((sum, horse) => sum + horse.stake, 0n);
  const others = Math.min(input.pool === 'win' ? 1 : input.placesPaid, ranked.length) - 1;

  const odds = new Map<SelectionKey, DividendRange>();
  if (others < 0) return odds;
  for (const key of runners) {
    const own = input.stakes.get(key) ?? 0n;
    if (own === 0n) continue;
    const rivals = ranked.flatMap((rival) => (rival.key === key ? [] : [rival.stake]));
    odds.set(key, rangeOf(input, own, gross - own, rivals, others));
  }
  return odds;
}

/**
 * What a further bet of `stake` points would be paid, in points, if betting closed right after it and it won without a
 * dead heat. Null where the selection is not a runner of this pool. Throws RangeError as `settlePool` does.
 */
export function quote(input: OddsInput, selection: readonly number[], stake: bigint): DividendRange | null {
  const key = selectionKey(selection);
  const stakes = new Map(input.stakes);
  stakes.set(key, (stakes.get(key) ?? 0n) + checkedStake(stake, input.unit));
  const range = oddsNow({ ...input, stakes }).get(key);
  if (range === undefined) return null;
  return { low: payout(stake, range.low, input.unit), high: payout(stake, range.high, input.unit) };
}

/**
 * `rivals` (descending) are the stakes on the other runners, of whom `others` share the pool with this one. The dividend
 * rises with D/P, so for each possible number of backed co-winners the most backed give the lowest and the least
 * backed the highest.
 */
function rangeOf(
  terms: PoolTerms,
  own: bigint,
  onOthers: bigint,
  rivals: readonly bigint[],
  others: number,
): DividendRange {
  const backed = rivals.filter((stake) => stake > 0n);
  const fewest = Math.max(0, others - (rivals.length - backed.length));
  const most = Math.min(others, backed.length);
  let low: bigint | undefined;
  let high: bigint | undefined;
  for (let count = fewest; count <= most; count += 1) {
    const winners = BigInt(count + 1);
    const worst = dividendPerUnit(terms, own, winners, onOthers - sum(backed.slice(0, count)));
    const best = dividendPerUnit(terms, own, winners, onOthers - sum(backed.slice(backed.length - count)));
    if (low === undefined || worst < low) low = worst;
    if (high === undefined || best > high) high = best;
  }
  return { low: low ?? terms.unit, high: high ?? terms.unit };
}

function dividendPerUnit(terms: PoolTerms, stake: bigint, winners: bigint, onLosers: bigint): bigint {
  const exact =
    ((stake * winners + onLosers) * BigInt(terms.rate.num) * terms.unit) / (winners * BigInt(terms.rate.den) * stake);
  const stepped = exact - (exact % terms.step);
  return stepped > terms.unit ? stepped : terms.unit;
}

function sum(values: readonly bigint[]): bigint {
  return values.reduce((total, value) => total + value, 0n);
}

function checkedStake(stake: bigint, unit: bigint): bigint {
  if (stake < 0n || stake % unit !== 0n) throw new RangeError(`not a whole number of units: ${stake}`);
  return stake;
}

function checkTerms(terms: PoolTerms): void {
  const { num, den } = terms.rate;
  if (!Number.isSafeInteger(num) || !Number.isSafeInteger(den) || num < 0 || den <= 0 || num > den) {
    throw new RangeError(`not a return rate: ${num}/${den}`);
  }
  if (terms.unit <= 0n || terms.step <= 0n) throw new RangeError('unit and step must be positive');
}
