import type { ErrorCode } from '../errors.ts';
import type { PoolSettlement, PoolStake } from '../ports.ts';
import type { RaceView } from '../protocol.ts';
import { DIVIDEND_STEP, type Stakes, settlePool, UNIT_POINTS } from './dividend.ts';
import {
  normaliseSelection,
  type Pool,
  parseSelectionKey,
  poolStands,
  selectionKey,
  winningCombinations,
} from './pools.ts';
import type { Dividend, Placing, RaceRow } from './race-state.ts';
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
  const left = race.field.length - race.scratched.length;
  if (!race.pools.includes(bet.pool) || !poolStands(bet.pool, left)) return { error: 'SELECTION_INVALID' };
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
function stakesOf(pool: Pool, stakes: readonly PoolStake[]): Stakes {
  const sums = new Map<string, bigint>();
  for (const line of stakes) {
    if (line.pool !== pool) continue;
    const key = selectionKey(line.selection);
    sums.set(key, (sums.get(key) ?? 0n) + line.stake);
  }
  return sums;
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
