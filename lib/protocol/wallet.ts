/** What players see of their own points. Points are decimal strings, times milliseconds of server time. */
import type { BetId, RaceId } from '../core/ids.ts';
import type { Pool } from '../core/pools.ts';
import type { Locale } from '../errors.ts';
import type { MyBet } from './views.ts';

/** Limits that players have set themselves. */
export type OwnLimits = {
  /** points a day; null: none */
  readonly dailyStake: string | null;
  /** With a daily limit: what counts towards it today. */
  readonly stakedToday?: string;
  /** A higher limit, or none, that begins with a coming day. */
  readonly next?: { readonly dailyStake: string | null; readonly from: number };
  /** No bets before this. */
  readonly coolOffUntil?: number;
};

/** One movement of points into a wallet or out of it. */
export type StatementEntry = {
  readonly id: string;
  readonly at: number;
  readonly kind: 'start' | 'daily' | 'relief' | 'stake' | 'payout' | 'refund';
  /** with a minus where points went out */
  readonly amount: string;
  /** what the wallet held after it */
  readonly balance: string;
  readonly raceId?: RaceId;
  readonly raceNumber?: number;
  readonly roomName?: string;
  readonly betId?: BetId;
  readonly pool?: Pool;
  readonly selection?: readonly number[];
};

/** A bet of any race; without an outcome while its race is not over. */
export type PastBet = MyBet & {
  readonly raceId: RaceId;
  readonly raceNumber: number;
  readonly roomName: string;
  /** the horses of the selection, in its order */
  readonly horses: readonly { readonly number: number; readonly name: Readonly<Record<Locale, string>> }[];
};
