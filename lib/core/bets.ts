import type { ErrorCode } from '../errors.ts';
import type { PoolSettlement, PoolStake } from '../ports.ts';
import type { OddsView, RaceView } from '../protocol.ts';
import { DIVIDEND_STEP, type DividendRange, oddsNow, quote, type Stakes, settlePool, UNIT_POINTS } from './dividend.ts';
import {
  normaliseSelection,
  type Pool,
  parseSelectionKey,
  poolStands,
  selectionKey,
  winningCombinations,
} from './pools.ts';
import type { Dividend, Placing, RaceRow, Totals } from './race-state.ts';
import type { Member } from './room-state.ts';

export type BetContext = { readonly member: Member | undefined; readonly race: RaceView };

/** Whether this member may bet in this race at all. The phase is the ledger's to judge. */
export function checkBettor({ member, race }: BetContext): ErrorCode | null {
  if (member === undefined) return 'NOT_MEMBER';
  return race.kind === 'bet' && member.role === 'player' ? null : 'FORBIDDEN';
}

export type BetTerms = { readonly pool: Pool; readonly selection: readonly number[]; readonly stake: bigint };

/** A bet in its normal form, or why it cannot be one. `stake` is decimal points as the wire carries them. */
export function checkBet(
  race: Pick<RaceView, 'pools' | 'field' | 'scratched' | 'rules'>,
  bet: { readonly pool: Pool; readonly selection: readonly number[]; readonly stake: string },
): BetTerms | { readonly error: ErrorCode } {
  if (!race.pools.includes(bet.pool)) return { error: 'SELECTION_INVALID' };
  const field = race.field.map(({ number }) => number);
  const normal = normaliseSelection(bet.pool, bet.selection, field, race.scratched);
  if (!normal.ok) return { error: normal.code };
  const stake = BigInt(bet.stake);
  if (stake % UNIT_POINTS !== 0n) return { error: 'STAKE_INVALID' };
  if (stake > BigInt(race.rules.maxStakePerRace)) return { error: 'LIMIT_REACHED' };
  return { pool: bet.pool, selection: normal.selection, stake };
}

// ---- stakes ----

/** Stakes of one pool by selection. */
export function stakesOf(pool: Pool, stakes: readonly PoolStake[]): Stakes {
  const sums = new Map<string, bigint>();
  for (const line of stakes) {
    if (line.pool !== pool) continue;
    const key = selectionKey(line.selection);
    sums.set(key, (sums.get(key) ?? 0n) + line.stake);
  }
  return sums;
}

export function totalsOf(stakes: readonly PoolStake[]): Totals {
  const totals: Partial<Record<Pool, { gross: string; count: number }>> = {};
  for (const { pool, stake, count } of stakes) {
    const before = totals[pool];
    totals[pool] = { gross: String(BigInt(before?.gross ?? '0') + stake), count: (before?.count ?? 0) + count };
  }
  return totals;
}

// ---- settling ----

export type BetSettlement = {
  readonly dividends: readonly Dividend[];
  /** pools that are given back whole; none that nobody bet on */
  readonly refunded: readonly Pool[];
  readonly pools: readonly PoolSettlement[];
};

/** Dividends and bookings of every pool of the race, from the stakes that stand and the order of finish. */
export function settleBets(
  row: Pick<RaceRow, 'rules' | 'field' | 'scratched'>,
  stakes: readonly PoolStake[],
  order: readonly Placing[],
): BetSettlement {
  const dividends: Dividend[] = [];
  const refunded: Pool[] = [];
  const pools: PoolSettlement[] = [];
  for (const { pool, rate } of row.rules.pools) {
    const stands = poolStands(pool, row.field.length - row.scratched.length);
    const winners = stands ? winningCombinations(pool, order, row.rules.placesPaid).map(selectionKey) : [];
    const settled = settlePool({
      pool,
      unit: UNIT_POINTS,
      step: DIVIDEND_STEP,
      rate,
      stakes: stakesOf(pool, stakes),
      winners,
    });
    if (settled.kind === 'refund') {
      if (settled.gross > 0n) refunded.push(pool);
      pools.push({ pool, dividends: null, gross: settled.gross, paid: 0n, takeout: 0n, breakage: 0n });
      continue;
    }
    const { gross, paid, takeout, breakage } = settled;
    const lines = [...settled.dividends].map(([key, per100]) => ({ selection: parseSelectionKey(key), per100 }));
    dividends.push(...lines.map(({ selection, per100 }) => ({ pool, selection, per100: String(per100) })));
    pools.push({ pool, dividends: lines, gross, paid, takeout, breakage });
  }
  return { dividends, refunded, pools };
}

// ---- odds ----

/** Points per unit as odds per point with one digit; exact, since dividends are multiples of a tenth of the unit. */
export function oddsText(perUnit: bigint): string {
  const tenths = (perUnit * 10n) / UNIT_POINTS;
  return `${tenths / 10n}.${tenths % 10n}`;
}

type OddsRace = Pick<RaceView, 'rules' | 'field' | 'scratched'>;

function oddsInput(race: OddsRace, pool: Pool, stakes: readonly PoolStake[]) {
  const rule = race.rules.pools.find((open) => open.pool === pool);
  if (rule === undefined) return null;
  return {
    pool,
    unit: UNIT_POINTS,
    step: DIVIDEND_STEP,
    rate: rule.rate,
    stakes: stakesOf(pool, stakes),
    runners: race.field.map(({ number }) => number).filter((number) => !race.scratched.includes(number)),
    placesPaid: race.rules.placesPaid,
  };
}

/** What is shown while betting is open: the dividends if it closed now, win exactly, place as a range. */
export function oddsOf(race: OddsRace, stakes: readonly PoolStake[]): Pick<OddsView, 'totals' | 'win' | 'place'> {
  const win = oddsInput(race, 'win', stakes);
  const place = oddsInput(race, 'place', stakes);
  return {
    totals: totalsOf(stakes),
    ...(win && { win: texts(oddsNow(win), ({ low }) => oddsText(low)) }),
    ...(place && { place: texts(oddsNow(place), ({ low, high }) => [oddsText(low), oddsText(high)] as const) }),
  };
}

function texts<Text>(
  odds: ReadonlyMap<string, DividendRange>,
  text: (range: DividendRange) => Text,
): Record<string, Text> {
  return Object.fromEntries([...odds].map(([key, range]) => [key, text(range)]));
}

/** Points that a further bet would pay if betting closed right after it; null where the pool is not open for it. */
export function quoteBet(race: OddsRace, stakes: readonly PoolStake[], bet: BetTerms): DividendRange | null {
  const input = oddsInput(race, bet.pool, stakes);
  return input === null ? null : quote(input, bet.selection, bet.stake);
}
