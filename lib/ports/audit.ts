/** The audit of the ledger, and what is done about what it finds. */
import type { PlayerId, RaceId } from '../core/ids.ts';

/** A row of the audit: an invariant's key, what is wrong, and whom it names. */
export type Broken = {
  readonly invariant: string;
  readonly detail: string;
  readonly raceId: RaceId | null;
  readonly playerId: PlayerId | null;
};

/** Looks through every transfer and bet there is. */
export interface LedgerAudit {
  /** All there are: a stable key and what it says. */
  readonly invariants: readonly { readonly key: string; readonly says: string }[];
  /**
   * Broken invariants, of one moment; empty when all is well. What is being placed or paid meanwhile is in it whole or not at
   * all. Rejects when it could not be looked at whole.
   */
  audit(): Promise<readonly Broken[]>;
  /** Breaks off an audit that is under way, which then rejects. */
  close(): void;
}

export type Subject =
  | { readonly kind: 'race'; readonly id: RaceId }
  | { readonly kind: 'wallet'; readonly id: PlayerId };

/** 'already': it is frozen. 'lifted': an operator has lifted exactly this before. 'busy': a lock was not to be had. */
export type FreezeMove = 'frozen' | 'already' | 'lifted' | 'absent' | 'busy';
export type ThawMove = 'thawed' | 'not-frozen' | 'absent' | 'busy';

/**
 * A frozen wallet neither stakes nor claims; what it has won comes in. A frozen race takes no bets, and when it is over its
 * payouts and refunds wait. Each call is one transaction under the subject's locks, safe to repeat from anywhere.
 */
export interface Freezing {
  /** `again`: also if exactly this was lifted before. */
  freeze(subject: Subject, invariant: string, detail: string, again: boolean): Promise<FreezeMove>;
  /**
   * Lifts it and makes the payouts that wait (`paid`, fact `race paid`), or neither: rejects where they do not agree with the bets.
   */
  thaw(subject: Subject, by: string): Promise<{ readonly move: ThawMove; readonly paid: boolean }>;
  /** How many are frozen now. */
  standing(): Promise<{ readonly races: number; readonly wallets: number }>;
}
