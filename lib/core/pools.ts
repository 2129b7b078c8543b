/** Kinds of bet: who wins what, and when a pool is open at all. Dividends are in `dividend.ts`, odds in `odds.ts`. */
export const POOLS = ['win', 'place', 'quinella', 'exacta', 'quinella-place', 'trio', 'trifecta'] as const;
export type Pool = (typeof POOLS)[number];

/** Share of a pool that is paid back, as an exact fraction ≤ 1. */
export type Rate = { readonly num: number; readonly den: number };
export type Rates = Readonly<Record<Pool, Rate>>;

export const DEFAULT_RATES: Rates = {
  win: { num: 80, den: 100 },
  place: { num: 80, den: 100 },
  quinella: { num: 775, den: 1000 },
  exacta: { num: 75, den: 100 },
  'quinella-place': { num: 775, den: 1000 },
  trio: { num: 75, den: 100 },
  trifecta: { num: 725, den: 1000 },
};

export type PoolShape = {
  /** horses in a selection */
  readonly size: number;
  /** whether the selection names who comes in front of whom */
  readonly ordered: boolean;
  /** runners that must be left for the pool to stand */
  readonly minimumRunners: number;
};

export const SHAPES: Readonly<Record<Pool, PoolShape>> = {
  win: { size: 1, ordered: true, minimumRunners: 2 },
  place: { size: 1, ordered: false, minimumRunners: 5 },
  quinella: { size: 2, ordered: false, minimumRunners: 3 },
  exacta: { size: 2, ordered: true, minimumRunners: 3 },
  'quinella-place': { size: 2, ordered: false, minimumRunners: 4 },
  trio: { size: 3, ordered: false, minimumRunners: 6 },
  trifecta: { size: 3, ordered: true, minimumRunners: 6 },
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
 * A player's selection in its normal form: as given where the pool asks for an order, else ascending. Refused: a wrong number
 * of horses, one named twice, one outside the field or scratched. Whether the race has this pool is not asked here.
 */
export function normaliseSelection(
  pool: Pool,
  selection: readonly number[],
  fieldNumbers: readonly number[],
  scratched: readonly number[],
): NormalisedSelection {
  const { size, ordered } = SHAPES[pool];
  const possible =
    selection.length === size &&
    new Set(selection).size === size &&
    selection.every((number) => fieldNumbers.includes(number) && !scratched.includes(number));
  if (!possible) return { ok: false, code: 'SELECTION_INVALID' };
  return { ok: true, selection: ordered ? [...selection] : ascending(selection) };
}

/** Whether a scratch of one of `scratched` refunds a bet on this selection. */
export function isScratched(selection: readonly number[], scratched: readonly number[]): boolean {
  return selection.some((number) => scratched.includes(number));
}

/** `place` may be shared (dead heat); only its order matters, so 1, 1, 3 and 1, 1, 2 say the same. */
export type Finisher = { readonly number: number; readonly place: number };

/** The quinella-place pays any two of these. */
const QUINELLA_PLACE_FIRST = 3;

/**
 * Every winning combination, ascending. With a dead heat of any shape each strict order that agrees with the finish counts
 * and the combinations are their union. A horse can follow some others in such an order exactly when everybody who finished
 * before it is among them, so:
 * - the first k in order (win, exacta, trifecta): each horse has only those before it in the selection ahead of it;
 * - the first k in any order (quinella, trio): everybody ahead of a member is a member;
 * - place: fewer than `places` horses ahead;
 * - quinella-place: two of such a set of the first three.
 */
export function winningCombinations(pool: Pool, order: readonly Finisher[], places: number): number[][] {
  const { size, ordered } = SHAPES[pool];
  switch (pool) {
    case 'place':
      return sorted(order.filter((horse) => ahead(order, horse).length < places).map(({ number }) => [number]));
    case 'quinella-place': {
      const firsts = distinct(heads(order, Math.min(QUINELLA_PLACE_FIRST, order.length)).map(ascending));
      return distinct(firsts.flatMap(pairs));
    }
    default:
      return ordered ? sorted(heads(order, size)) : distinct(heads(order, size).map(ascending));
  }
}

function ahead(order: readonly Finisher[], { place }: Finisher): number[] {
  return order.filter((other) => other.place < place).map(({ number }) => number);
}

/** The first `count` horses of every strict order that agrees with the finish; none where fewer finished. */
function heads(order: readonly Finisher[], count: number): number[][] {
  const before = order.map((horse) => ({ number: horse.number, ahead: ahead(order, horse) }));
  let found: number[][] = [[]];
  for (let length = 0; length < count; length += 1) {
    found = found.flatMap((head) =>
      before
        .filter((horse) => !head.includes(horse.number) && horse.ahead.every((number) => head.includes(number)))
        .map(({ number }) => [...head, number]),
    );
  }
  return found;
}

function pairs(horses: readonly number[]): number[][] {
  return horses.flatMap((first, index) => horses.slice(index + 1).map((second) => [first, second]));
}

function distinct(selections: readonly number[][]): number[][] {
  return sorted([...new Map(selections.map((selection) => [selectionKey(selection), selection])).values()]);
}

function sorted(selections: number[][]): number[][] {
  return selections.sort((a, b) => {
    const at = a.findIndex((number, index) => number !== b[index]);
    return at < 0 ? 0 : (a[at] ?? 0) - (b[at] ?? 0);
  });
}

function ascending(numbers: readonly number[]): number[] {
  return [...numbers].sort((a, b) => a - b);
}
