/** A player's own view of their points in PostgreSQL: what they hold, what moved, what they bet, what they limit themselves to. */
import type { CommandId, PlayerId } from '../core/ids.ts';
import type { PastBet, StatementEntry } from '../protocol.ts';

/** Limits as they stand; `next` begins with the day `from` (YYYY-MM-DD). */
export type LimitsRow = {
  readonly dailyStake: bigint | null;
  readonly next: { readonly dailyStake: bigint | null; readonly from: string } | null;
  /** ms; 0: never */
  readonly coolOffUntil: number;
  /** what counts towards a daily limit on the day asked about */
  readonly staked: bigint;
};

export type Standing = {
  readonly balance: bigint;
  readonly version: number;
  readonly lastDailyDay: string | null;
  readonly lastReliefAt: number | null;
  /** staked in races that are not over; only looked at where the balance is below what relief fills up to, else 0 */
  readonly openStakes: bigint;
  readonly limits: LimitsRow;
};

/**
 * Where a page of the statement ended: the last entry's id; and of the first page's first entry the id and the balance after
 * it. A settlement under way has drawn ids that nobody sees yet: points that come in below `newest` show in that balance.
 */
export type StatementCursor = { readonly last: bigint; readonly newest: bigint; readonly balance: bigint };

export type StatementPage = {
  readonly entries: readonly StatementEntry[];
  readonly next: StatementCursor | null;
  /** nothing has come in below the cursor's newest entry since */
  readonly unchanged: boolean;
};

export type LimitsChange = {
  readonly playerId: PlayerId;
  readonly commandId: CommandId;
  /** hex */
  readonly bodyHash: string;
  /** absent: as it is; null: none */
  readonly dailyStake?: bigint | null;
  /** from the ledger's now on */
  readonly coolOffMs?: number;
  /** YYYY-MM-DD, and when it began */
  readonly day: string;
  readonly dayFrom: number;
  readonly nextDay: string;
};

export interface Statements {
  /** In one snapshot; null: no wallet yet. `reliefUpTo`: what relief fills up to. */
  standing(playerId: PlayerId, day: string, reliefUpTo: bigint): Promise<Standing | null>;
  /** Newest first, at most 30, in one snapshot. */
  entries(playerId: PlayerId, before: StatementCursor | null): Promise<StatementPage>;
  /** Newest first, at most 30. `before` and `next` are ids of stakes, which a wallet's bets draw in their order. */
  bets(
    playerId: PlayerId,
    before: bigint | null,
  ): Promise<{ readonly bets: readonly PastBet[]; readonly next: bigint | null }>;
  /**
   * Under the wallet's lock: no bet is judged by the old limits after this has resolved. Makes the wallet if there is none.
   * A repeat changes nothing and has the limits of the first time; 'conflict': the id was used with another body.
   */
  setLimits(change: LimitsChange): Promise<LimitsRow | 'conflict'>;
}
