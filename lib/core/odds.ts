import { checkedStake, checkTerms, dividendPerUnit, type PoolTerms, payout, type Stakes } from './dividend.ts';
import { type Pool, parseSelectionKey, type SelectionKey, SHAPES, selectionKey } from './pools.ts';

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
 * What each selection would pay per unit if betting closed now and it won without a dead heat; with `step` 10 and `unit` 100
 * that is odds to 0.1. In place and quinella-place the share depends on who else is placed: a range. Selections that nobody
 * backed have no odds and are left out, those with a horse that does not run count for nothing.
 */
export function oddsNow(input: OddsInput): Map<SelectionKey, DividendRange> {
  return oddsFor({ ...input, stakes: onRunners(input) }, input.stakes.keys());
}

/** The same for some selections only. All stakes are on runners: with many selections looking is what takes longest. */
export function oddsFor(input: OddsInput, keys: Iterable<SelectionKey>): Map<SelectionKey, DividendRange> {
  const price = pricer(input);
  const odds = new Map<SelectionKey, DividendRange>();
  for (const key of keys) {
    const range = price(key);
    if (range !== null) odds.set(key, range);
  }
  return odds;
}

/**
 * What a further bet of `stake` points would be paid, in points, if betting closed right after it and it won without a
 * dead heat. Null where the selection is none of this pool. Throws RangeError as `settlePool` does.
 */
export function quote(input: OddsInput, selection: readonly number[], stake: bigint): DividendRange | null {
  const { size, ordered } = SHAPES[input.pool];
  const inOrder = ordered || selection.every((number, index) => index === 0 || (selection[index - 1] ?? 0) < number);
  if (selection.length !== size || new Set(selection).size !== size || !inOrder) return null;
  const key = selectionKey(selection);
  const stakes = onRunners(input);
  stakes.set(key, (stakes.get(key) ?? 0n) + checkedStake(stake, input.unit));
  const horsesRun = selection.every((number) => input.runners.includes(number));
  const range = horsesRun ? pricer({ ...input, stakes })(key) : null;
  if (range === null) return null;
  return { low: payout(stake, range.low, input.unit), high: payout(stake, range.high, input.unit) };
}

type Price = (key: SelectionKey) => DividendRange | null;

function onRunners({ stakes, runners }: OddsInput): Map<SelectionKey, bigint> {
  const runs = (key: SelectionKey): boolean => parseSelectionKey(key).every((number) => runners.includes(number));
  return new Map([...stakes].filter(([key]) => runs(key)));
}

/** What is the same for every selection of the pool is made once. */
function pricer(input: OddsInput): Price {
  checkTerms(input);
  let gross = 0n;
  for (const stake of input.stakes.values()) gross += checkedStake(stake, input.unit);
  const range = rangeOf(input, gross);
  return (key) => {
    const own = input.stakes.get(key) ?? 0n;
    return own === 0n ? null : range(key, own);
  };
}

function rangeOf(input: OddsInput, gross: bigint): (key: SelectionKey, own: bigint) => DividendRange | null {
  switch (input.pool) {
    case 'place':
      return placeRange(input, gross);
    case 'quinella-place':
      return (key, own) => quinellaPlaceRange(input, gross, key, own);
    default:
      return (_, own) => {
        const dividend = dividendPerUnit(input, own, 1n, gross - own);
        return { low: dividend, high: dividend };
      };
  }
}

/**
 * Any `placesPaid` runners may share the pool. The dividend rises with D/P, so for each possible number of backed co-winners
 * the most backed give the lowest and the least backed the highest.
 */
function placeRange(input: OddsInput, gross: bigint): (key: SelectionKey, own: bigint) => DividendRange | null {
  const ranked = input.runners
    .map((number) => ({ key: selectionKey([number]), stake: input.stakes.get(selectionKey([number])) ?? 0n }))
    .sort((a, b) => (a.stake < b.stake ? 1 : a.stake > b.stake ? -1 : 0));
  const others = Math.min(input.placesPaid, ranked.length) - 1;
  if (others < 0) return () => null;
  return (key, own) => {
    const rivals = ranked.filter((rival) => rival.key !== key).map(({ stake }) => stake);
    const backed = rivals.filter((stake) => stake > 0n);
    const fewest = Math.max(0, others - (rivals.length - backed.length));
    const dividends: bigint[] = [];
    for (let count = fewest; count <= Math.min(others, backed.length); count += 1) {
      const winners = BigInt(count + 1);
      const most = sum(backed.slice(0, count));
      const least = sum(backed.slice(backed.length - count));
      dividends.push(dividendPerUnit(input, own, winners, gross - own - most));
      dividends.push(dividendPerUnit(input, own, winners, gross - own - least));
    }
    return spread(dividends);
  };
}

/** With a and b in front any other runner may be the third: then a–third and b–third win as well. */
function quinellaPlaceRange(input: OddsInput, gross: bigint, key: SelectionKey, own: bigint): DividendRange | null {
  const [a = 0, b = 0] = parseSelectionKey(key);
  const stakeOn = (first: number, second: number): bigint =>
    input.stakes.get(selectionKey([Math.min(first, second), Math.max(first, second)])) ?? 0n;
  const thirds = input.runners.filter((number) => number !== a && number !== b);
  return spread(
    thirds.map((third) => {
      const beside = [stakeOn(a, third), stakeOn(b, third)].filter((stake) => stake > 0n);
      return dividendPerUnit(input, own, BigInt(1 + beside.length), gross - own - sum(beside));
    }),
  );
}

function spread(dividends: readonly bigint[]): DividendRange | null {
  const [first, ...rest] = dividends;
  if (first === undefined) return null;
  return rest.reduce<DividendRange>(
    ({ low, high }, dividend) => ({ low: dividend < low ? dividend : low, high: dividend > high ? dividend : high }),
    { low: first, high: first },
  );
}

function sum(values: readonly bigint[]): bigint {
  return values.reduce((total, value) => total + value, 0n);
}
