/** Points, bets, picks and votes in PostgreSQL, and the queue in front of them. */
import type { BetId, CommandId, PlayerId, RaceId } from '../core/ids.ts';
import type { Pool } from '../core/pools.ts';
import type { ErrorCode } from '../errors.ts';
import type { Receipt } from '../protocol.ts';
import type { PoolStake } from './races.ts';

type ItemBase = { readonly playerId: PlayerId; readonly commandId: CommandId /** hex */; readonly bodyHash: string };
/** Race items carry the leaf that goes into the race's tree (hex, 32 bytes) and the nonce and tag it was made from. */
type RaceItem = ItemBase & {
  readonly raceId: RaceId;
  readonly leaf: string;
  readonly tag: string;
  readonly nonce: string;
};
export type LedgerItem =
  | (RaceItem & {
      readonly kind: 'bet';
      readonly betId: BetId;
      readonly pool: Pool;
      readonly selection: readonly number[];
      readonly stake: bigint;
      /** the day in the configured time zone, YYYY-MM-DD; what a daily stake limit counts by */
      readonly day: string;
    })
  | (RaceItem & { readonly kind: 'pick'; readonly horse: number })
  | (RaceItem & { readonly kind: 'pick-clear' })
  | (RaceItem & { readonly kind: 'vote'; readonly place: number })
  | (ItemBase & {
      readonly kind: 'claim';
      readonly claim: 'daily' | 'relief';
      /** daily: points granted; relief: what balance and open stakes together are filled up to */
      readonly amount: bigint;
      /** relief: how long after one the next is had */
      readonly everyMs: number;
      /** the day in the configured time zone, YYYY-MM-DD */
      readonly day: string;
    });

export type LedgerAnswer =
  | {
      readonly ok: true;
      readonly repeated: boolean;
      readonly balance?: bigint;
      readonly balanceVersion?: number;
      readonly betId?: BetId;
      readonly horse?: number;
      readonly granted?: bigint;
      readonly receipt?: Receipt;
    }
  | { readonly ok: false; readonly code: ErrorCode }
  /** The race's or the wallet's lock was not to be had at once: queue it again, alone. */
  | { readonly ok: 'again' };

/** What a batch added to a race: odds are computed from these without asking again. A race's later batches have higher ids. */
export type BatchTotals = { readonly raceId: RaceId; readonly batch: bigint; readonly stakes: readonly PoolStake[] };

/** A batch that the ledger has not begun within this time after it was sent never happens: so a lost attempt has an end. */
export const LEDGER_BEGIN_WITHIN_MS = 1_500;

export interface Ledger {
  /**
   * One checked, set-based call. An answer for each item, in order; every accepted one is durable when this resolves.
   * A repeat with the same body answers as the first time, for ever. Rejects with UnavailableError: 'none' or 'unknown' for
   * all of them; with any other error when an item is impossible, and then nothing of the batch was written.
   */
  commitBatch(
    items: readonly LedgerItem[],
  ): Promise<{ readonly answers: readonly LedgerAnswer[]; readonly added: readonly BatchTotals[] }>;
  wallet(playerId: PlayerId): Promise<{ readonly balance: bigint; readonly version: number } | null>;
}

/** The batcher's face to the services. Rejects with RefusedError only. */
export interface LedgerQueue {
  submit(item: LedgerItem): Promise<Extract<LedgerAnswer, { ok: true }>>;
}
