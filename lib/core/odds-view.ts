import type { OddsText, OddsView, RaceView } from '../protocol.ts';
import type { BetTerms } from './bets.ts';
import { DIVIDEND_STEP, UNIT_POINTS } from './dividend.ts';
import { type DividendRange, type OddsInput, oddsFor, quote } from './odds.ts';
import { isScratched, type Pool, parseSelectionKey, poolStands, type SelectionKey } from './pools.ts';
import type { PoolTotals } from './race-state.ts';

/** Stakes in points and bets of one pool by selection, as counted while betting is open. */
export type PoolLines = ReadonlyMap<SelectionKey, { readonly stake: bigint; readonly count: number }>;

/** One pool as it is shown. */
export type PoolPiece = {
  readonly pool: Pool;
  /** null: nobody bet on it */
  readonly total: PoolTotals | null;
  readonly odds: Readonly<Record<SelectionKey, OddsText>>;
};

type OddsRace = Pick<RaceView, 'rules' | 'field' | 'scratched'>;

/** Of pools with many selections these are shown: the most backed. */
const MOST_BACKED = 10;
/** Bytes of a message's JSON: with the event's name around it below 1 KB. */
const MESSAGE_BYTES = 1_000;

/** Points per unit as odds per point with one digit; exact, since dividends are multiples of a tenth of the unit. */
export function oddsText(perUnit: bigint): string {
  const tenths = (perUnit * 10n) / UNIT_POINTS;
  return `${tenths / 10n}.${tenths % 10n}`;
}

/** The total and the dividends if betting closed now: win and place whole, of other pools the most backed, most backed first. */
export function poolPiece(race: OddsRace, pool: Pool, lines: PoolLines): PoolPiece {
  const standing =
    race.scratched.length === 0
      ? [...lines]
      : [...lines].filter(([key]) => !isScratched(parseSelectionKey(key), race.scratched));
  const count = standing.reduce((sum, [, line]) => sum + line.count, 0);
  if (count === 0) return { pool, total: null, odds: {} };
  const gross = standing.reduce((sum, [, { stake }]) => sum + stake, 0n);
  const total = { gross: String(gross), count };
  const input = oddsInput(race, pool, standing);
  if (input === null) return { pool, total, odds: {} };
  const keys = pool === 'win' || pool === 'place' ? standing : mostBacked(standing);
  const odds = oddsFor(
    input,
    keys.map(([key]) => key),
  );
  return { pool, total, odds: Object.fromEntries([...odds].map(([key, range]) => [key, textOf(pool, range)])) };
}

/** Equal stakes in the order of their keys, so that every instance shows the same. */
function mostBacked<Line extends readonly [SelectionKey, { readonly stake: bigint }]>(lines: readonly Line[]): Line[] {
  return [...lines]
    .sort(([a, { stake: onA }], [b, { stake: onB }]) => (onA === onB ? (a < b ? -1 : 1) : onA > onB ? -1 : 1))
    .slice(0, MOST_BACKED);
}

function textOf(pool: Pool, { low, high }: DividendRange): OddsText {
  return pool === 'place' || pool === 'quinella-place' ? [oddsText(low), oddsText(high)] : oddsText(low);
}

/** Null where the race has no such pool or has lost too many runners for it. */
function oddsInput(
  race: OddsRace,
  pool: Pool,
  lines: Iterable<readonly [SelectionKey, { readonly stake: bigint }]>,
): OddsInput | null {
  const rule = race.rules.pools.find((open) => open.pool === pool);
  const runners = race.field.map(({ number }) => number).filter((number) => !race.scratched.includes(number));
  if (rule === undefined || !poolStands(pool, runners.length)) return null;
  return {
    pool,
    unit: UNIT_POINTS,
    step: DIVIDEND_STEP,
    rate: rule.rate,
    stakes: new Map(Array.from(lines, ([key, { stake }]) => [key, stake])),
    runners,
    placesPaid: race.rules.placesPaid,
  };
}

/** Points that a further bet would pay if betting closed right after it; null where the pool is not open for it. */
export function quoteBet(race: OddsRace, lines: PoolLines, bet: BetTerms): DividendRange | null {
  const input = oddsInput(race, bet.pool, lines);
  return input === null ? null : quote(input, bet.selection, bet.stake);
}

/**
 * The pools as messages of at most `MESSAGE_BYTES`: one where all fit, else several of the same version, numbered.
 * No piece is larger than a message, whatever the stakes: the longest, place with 12 horses, has half of it.
 */
export function oddsMessages(base: Omit<OddsView, 'totals' | 'part'>, pieces: readonly PoolPiece[]): OddsView[] {
  const whole = viewOf(base, pieces);
  if (sizeOf(whole) <= MESSAGE_BYTES) return [whole];
  const parts: PoolPiece[][] = [];
  for (const piece of pieces) {
    const roomy = parts.find((part) => sizeOf(viewOf({ ...base, part: [9, 9] }, [...part, piece])) <= MESSAGE_BYTES);
    if (roomy === undefined) parts.push([piece]);
    else roomy.push(piece);
  }
  return parts.map((part, index) => viewOf({ ...base, part: [index + 1, parts.length] }, part));
}

function viewOf(base: Omit<OddsView, 'totals'>, pieces: readonly PoolPiece[]): OddsView {
  const win = pieces.find(({ pool }) => pool === 'win');
  const place = pieces.find(({ pool }) => pool === 'place');
  const others = pieces.filter(({ pool, total }) => pool !== 'win' && pool !== 'place' && total !== null);
  return {
    ...base,
    totals: Object.fromEntries(pieces.flatMap(({ pool, total }) => (total === null ? [] : [[pool, total]]))),
    ...(win && { win: win.odds }),
    ...(place && { place: place.odds }),
    ...(others.length > 0 && { top: Object.fromEntries(others.map(({ pool, odds }) => [pool, odds])) }),
  };
}

/** Everything in it is ASCII. */
function sizeOf(view: OddsView): number {
  return JSON.stringify(view).length;
}
