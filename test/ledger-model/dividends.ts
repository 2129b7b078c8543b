/**
 * Who wins what, said a second time and differently from the product: every strict order that agrees with the finish is
 * written out, and the formula of the pools is applied to what those orders name. Nothing is imported from lib/core.
 */
export const UNIT = 100n;
const STEP = 10n;

export const POOLS = {
  win: { size: 1, ordered: true, least: 2, rate: [80, 100] },
  place: { size: 1, ordered: true, least: 5, rate: [80, 100] },
  quinella: { size: 2, ordered: false, least: 3, rate: [775, 1000] },
  exacta: { size: 2, ordered: true, least: 3, rate: [75, 100] },
  'quinella-place': { size: 2, ordered: false, least: 4, rate: [775, 1000] },
  trio: { size: 3, ordered: false, least: 6, rate: [75, 100] },
  trifecta: { size: 3, ordered: true, least: 6, rate: [725, 1000] },
} as const;
export type PoolName = keyof typeof POOLS;
export const POOL_NAMES = Object.keys(POOLS) as PoolName[];

export type Finish = readonly { readonly number: number; readonly place: number }[];

function permutations(horses: readonly number[]): number[][] {
  if (horses.length <= 1) return [[...horses]];
  return horses.flatMap((first) =>
    permutations(horses.filter((other) => other !== first)).map((rest) => [first, ...rest]),
  );
}

/** All orders without ties that the finish could have been. */
export function strictOrders(finish: Finish): number[][] {
  const places = [...new Set(finish.map(({ place }) => place))].sort((a, b) => a - b);
  return places.reduce<number[][]>(
    (orders, place) => {
      const tied = permutations(finish.filter((horse) => horse.place === place).map(({ number }) => number));
      return orders.flatMap((head) => tied.map((group) => [...head, ...group]));
    },
    [[]],
  );
}

export const keyOf = (selection: readonly number[]): string => selection.join('-');
const sorted = (horses: readonly number[]): number[] => [...horses].sort((a, b) => a - b);

/** Keys of the selections that win. */
export function winnersOf(pool: PoolName, finish: Finish, places: number): Set<string> {
  const keys = new Set<string>();
  for (const order of strictOrders(finish)) {
    const [first = 0, second = 0, third = 0] = order;
    if (pool === 'win') keys.add(keyOf([first]));
    else if (pool === 'place') for (const horse of order.slice(0, places)) keys.add(keyOf([horse]));
    else if (pool === 'quinella') keys.add(keyOf(sorted([first, second])));
    else if (pool === 'exacta') keys.add(keyOf([first, second]));
    else if (pool === 'trio') keys.add(keyOf(sorted([first, second, third])));
    else if (pool === 'trifecta') keys.add(keyOf([first, second, third]));
    else
      for (const pair of [
        [first, second],
        [first, third],
        [second, third],
      ])
        keys.add(keyOf(sorted(pair)));
  }
  return keys;
}

export type Settled = {
  readonly per100: ReadonlyMap<string, bigint>;
  readonly takeout: bigint;
  readonly breakage: bigint;
};

/** Null: nobody backed a winner, all goes back. `stakes`: points by selection, without what a scratch gave back. */
export function settlePool(
  pool: PoolName,
  stakes: ReadonlyMap<string, bigint>,
  winners: ReadonlySet<string>,
): Settled | null {
  const [num, den] = POOLS[pool].rate.map(BigInt) as [bigint, bigint];
  const backed = [...stakes].filter(([key]) => winners.has(key));
  if (backed.length === 0) return null;
  const count = BigInt(backed.length);
  let gross = 0n;
  for (const stake of stakes.values()) gross += stake;
  const losing = gross - backed.reduce((sum, [, stake]) => sum + stake, 0n);
  const per100 = new Map<string, bigint>();
  let paid = 0n;
  for (const [key, stake] of backed) {
    let dividend = ((stake * count + losing) * num * UNIT) / (count * den * stake);
    dividend -= dividend % STEP;
    if (dividend < UNIT) dividend = UNIT;
    per100.set(key, dividend);
    paid += (stake / UNIT) * dividend;
  }
  const share = (gross * (den - num)) / den;
  const takeout = share < gross - paid ? share : gross - paid;
  return { per100, takeout, breakage: gross - paid - takeout };
}
