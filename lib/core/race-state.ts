import type { HorseName, RunningStyle, Silks, Track } from '../engine/index.ts';
import type { PlayerId, RaceId, RoomId } from './ids.ts';
import type { Pool } from './pools.ts';
import type { RoomKind } from './room-state.ts';

export type Phase = 'open' | 'closed' | 'running' | 'settled' | 'void';
export type VoidReason = 'late-close' | 'too-few-picks' | 'same-horse' | 'too-few-runners' | 'admin';

/** A runner as published at opening. `ability` and `stamina` are the engine's integers: without them nobody could verify the race. */
export type Runner = {
  readonly number: number;
  readonly name: HorseName;
  readonly silks: Silks;
  readonly style: RunningStyle;
  /** Places of the last five outings, newest last. */
  readonly form: readonly number[];
  readonly ability: number;
  readonly stamina: number;
  /** Decimal odds with one digit ("3.4"); absent where all horses are equal. */
  readonly morningLine?: string;
};

/** What a race is run by, fixed at opening. */
export type RaceRules = {
  readonly pools: readonly { readonly pool: Pool; readonly rate: { readonly num: number; readonly den: number } }[];
  readonly placesPaid: number;
  /** points */
  readonly maxStakePerRace: number;
  readonly exclusivePicks: boolean;
  readonly placeVote: boolean;
  readonly openSeconds: number;
  readonly resultSeconds: number;
};

/** Points as decimal strings: they travel in JSON. */
export type PoolTotals = { readonly gross: string; readonly count: number };
export type Totals = Readonly<Partial<Record<Pool, PoolTotals>>>;

export type PickReveal = { readonly playerId: PlayerId; readonly horse: number; readonly drawn: boolean };
export type PlaceReveal = {
  readonly drawn: number;
  readonly votes: readonly { readonly playerId: PlayerId; readonly place: number }[];
};

export type Placing = { readonly number: number; readonly finishMs: number; readonly place: number };
export type Dividend = { readonly pool: Pool; readonly selection: readonly number[]; readonly per100: string };

export type RaceResult = {
  readonly order: readonly Placing[];
  /** Bet rooms. A pool without winners is refunded and has none. */
  readonly dividends?: readonly Dividend[];
  readonly refunded?: readonly Pool[];
  /** Pick rooms. */
  readonly caught?: readonly PlayerId[];
  /** hex */
  readonly seed: string;
};

/**
 * The race row as PostgreSQL keeps it, secrets included: it must leave the server only through `publicRace`.
 * All times are server time in ms.
 */
export type RaceRow = {
  readonly id: RaceId;
  readonly roomId: RoomId;
  readonly kind: RoomKind;
  readonly number: number;
  readonly phase: Phase;
  readonly track: Track;
  readonly rules: RaceRules;
  readonly field: readonly Runner[];
  readonly fieldHash: string;
  readonly simVersion: 1;
  readonly rulesVersion: number;
  readonly seedKeyId: string;
  readonly commitment: string;
  readonly previousRecordHash: string | null;
  readonly participants: readonly PlayerId[] | null;
  readonly rerunOf: RaceId | null;
  readonly openedAt: number;
  readonly closesAt: number;
  readonly closedAt: number | null;
  readonly startsAt: number | null;
  readonly endsAt: number | null;
  readonly endedAt: number | null;
  readonly totals: Totals;
  readonly scratched: readonly number[];
  readonly betsRoot: string | null;
  /** Stored by the draw, secret until `endsAt`. */
  readonly outcome: RaceOutcome | null;
  /** Stored by the settlement or the voiding; public. */
  readonly seed: string | null;
  readonly voidReason: VoidReason | null;
  readonly recordHash: string | null;
  /** Over, but frozen: payouts and refunds wait. */
  readonly payoutsHeld: boolean;
};

/** What the draw stores: a pure function of row, picks, scratches and bets root. */
export type RaceOutcome = {
  readonly order: readonly Placing[];
  readonly durationMs: number;
  readonly picks?: readonly PickReveal[];
  readonly place?: PlaceReveal;
  readonly caught?: readonly PlayerId[];
};

/** How long the running phase lasts beyond the last finisher. */
export const AFTER_FINISH_MS = 2_000;
