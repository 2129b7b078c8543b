import type { Pool, Rate, SelectionKey } from './pools.ts';

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

/** Points per unit for a winner with `stake` on it, one of `winners` backed ones; `onLosers` on all others. */
export function dividendPerUnit(terms: PoolTerms, stake: bigint, winners: bigint, onLosers: bigint): bigint {
  const exact =
    ((stake * winners + onLosers) * BigInt(terms.rate.num) * terms.unit) / (winners * BigInt(terms.rate.den) * stake);
  const stepped = exact - (exact % terms.step);
  return stepped > terms.unit ? stepped : terms.unit;
}

export function checkedStake(stake: bigint, unit: bigint): bigint {
  if (stake < 0n || stake % unit !== 0n) throw new RangeError(`not a whole number of units: ${stake}`);
  return stake;
}

export function checkTerms(terms: PoolTerms): void {
  const { num, den } = terms.rate;
  if (!Number.isSafeInteger(num) || !Number.isSafeInteger(den) || num < 0 || den <= 0 || num > den) {
    throw new RangeError(`not a return rate: ${num}/${den}`);
  }
  if (terms.unit <= 0n || terms.step <= 0n) throw new RangeError('unit and step must be positive');
}
