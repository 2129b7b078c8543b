import type { Pool } from '../../lib/core/pools.ts';

/** Every strict order that agrees with a finish given as groups of level horses. */
export function strictOrders(groups: readonly (readonly number[])[]): number[][] {
  const [first, ...rest] = groups;
  if (first === undefined) return [[]];
  const tails = strictOrders(rest);
  return permutations(first).flatMap((head) => tails.map((tail) => [...head, ...tail]));
}

function permutations(items: readonly number[]): number[][] {
  if (items.length === 0) return [[]];
  return items.flatMap((item) => permutations(items.filter((other) => other !== item)).map((rest) => [item, ...rest]));
}

/** Horses by place, those that are level together. */
export function groupsOf(order: readonly { readonly number: number; readonly finishMs: number }[]): number[][] {
  const groups = new Map<number, number[]>();
  for (const { number, finishMs } of [...order].sort((a, b) => a.finishMs - b.finishMs))
    groups.set(finishMs, [...(groups.get(finishMs) ?? []), number]);
  return [...groups.values()];
}

const ascending = (numbers: readonly number[]): number[] => [...numbers].sort((a, b) => a - b);

/** What wins in a strict order, as the rules of each pool say it. Keys: "3", "3-7". */
function winnersOf(pool: Pool, order: readonly number[], places: number): string[] {
  const [a = 0, b = 0, c = 0] = order;
  switch (pool) {
    case 'win':
      return [`${a}`];
    case 'place':
      return order.slice(0, places).map(String);
    case 'exacta':
      return [`${a}-${b}`];
    case 'quinella':
      return [ascending([a, b]).join('-')];
    case 'quinella-place':
      return [
        [a, b],
        [a, c],
        [b, c],
      ].map((pair) => ascending(pair).join('-'));
    case 'trio':
      return [ascending([a, b, c]).join('-')];
    case 'trifecta':
      return [`${a}-${b}-${c}`];
  }
}

/** The winning selections of a finish with ties, as the union over all its strict orders: by definition, however slow. */
export function winnersByHand(pool: Pool, groups: readonly (readonly number[])[], places: number): Set<string> {
  return new Set(strictOrders(groups).flatMap((order) => winnersOf(pool, order, places)));
}
