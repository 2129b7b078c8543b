/** Kinds of bet: who wins what, and when a pool is open at all. Dividends are in `dividend.ts`. */
export type Pool = 'win' | 'place';
export const POOLS: readonly Pool[] = ['win', 'place'];

/** Share of a pool that is paid back, as an exact fraction ≤ 1. */
export type Rate = { readonly num: number; readonly den: number };

export const DEFAULT_RATES: Readonly<Record<Pool, Rate>> = {
  win: { num: 80, den: 100 },
  place: { num: 80, den: 100 },
};

type PoolShape = {
  /** horses in a selection */
  readonly size: number;
  /** runners that must be left for the pool to stand */
  readonly minimumRunners: number;
};

const SHAPES: Readonly<Record<Pool, PoolShape>> = {
  win: { size: 1, minimumRunners: 2 },
  place: { size: 1, minimumRunners: 5 },
};

/** A selection as the key of a map: its horses joined by '-', in the pool's normal order. */
export type SelectionKey = string;

export function selectionKey(selection: readonly number[]): SelectionKey {
  return selection.join('-');
}

/** Inverse of `selectionKey`. */
export function parseSelectionKey(key: SelectionKey): number[] {
  return key.split('-').map(Number);
}

/** Places that the place pool pays: 3 from 8 runners, 2 from 5 to 7, none below. Decided by the field at opening. */
export function placesPaid(runners: number): number {
  if (runners >= 8) return 3;
  return runners >= SHAPES.place.minimumRunners ? 2 : 0;
}

/** Whether enough runners are left; a pool that stood at opening and no longer does is refunded whole. */
export function poolStands(pool: Pool, runners: number): boolean {
  return runners >= SHAPES[pool].minimumRunners;
}

/** Of the wanted pools those that a field of this size can have, each once, in the order of `POOLS`. */
export function openPools(wanted: readonly Pool[], runners: number): Pool[] {
  return POOLS.filter((pool) => wanted.includes(pool) && poolStands(pool, runners));
}

export type NormalisedSelection =
  | { readonly ok: true; readonly selection: readonly number[] }
  | { readonly ok: false; readonly code: 'SELECTION_INVALID' };

/**
 * A player's selection in its normal form. Refused: a wrong number of horses, one named twice, one outside the field or scratched.
 * Whether the race has this pool is not asked here.
 */
export function normaliseSelection(
  pool: Pool,
  selection: readonly number[],
  fieldNumbers: readonly number[],
  scratched: readonly number[],
): NormalisedSelection {
  const possible =
    selection.length === SHAPES[pool].size &&
    new Set(selection).size === selection.length &&
    selection.every((number) => fieldNumbers.includes(number) && !scratched.includes(number));
  return possible ? { ok: true, selection: [...selection] } : { ok: false, code: 'SELECTION_INVALID' };
}

/** Whether a scratch of one of `scratched` refunds a bet on this selection. */
export function isScratched(selection: readonly number[], scratched: readonly number[]): boolean {
  return selection.some((number) => scratched.includes(number));
}

/** `place` may be shared (dead heat); only its order matters, so 1, 1, 3 and 1, 1, 2 say the same. */
export type Finisher = { readonly number: number; readonly place: number };

/**
 * Every winning combination, in ascending order of horse numbers. With a dead heat of any shape each strict order that
 * agrees with the finish counts and the combinations are their union: a horse is among the first n of one of them
 * exactly when fewer than n horses finished before it.
 */
export function winningCombinations(pool: Pool, order: readonly Finisher[], places: number): number[][] {
  const counted = pool === 'win' ? 1 : places;
  return order
    .filter((horse) => order.filter((other) => other.place < horse.place).length < counted)
    .map((horse) => [horse.number])
    .sort(([a = 0], [b = 0]) => a - b);
}
