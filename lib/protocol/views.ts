/** What the wire shows of rooms, people, races and bets. Points are decimal strings, times milliseconds of server time. */
import type { BetId, CommandId, Epoch, MessageId, PlayerId, RaceId, RoomId } from '../core/ids.ts';
import type { Pool } from '../core/pools.ts';
import type {
  Phase,
  PickReveal,
  PlaceReveal,
  RaceResult,
  RaceRules,
  Runner,
  Totals,
  VoidReason,
} from '../core/race-state.ts';
import type { Role, RoomKind, RoomSettings } from '../core/room-state.ts';
import type { Track } from '../engine/index.ts';
import type { Locale } from '../errors.ts';

export type MemberView = {
  readonly id: PlayerId;
  readonly nickname: string;
  readonly role: Role;
  readonly ready?: boolean;
  readonly connected: boolean;
};

export type Reaction = { readonly emoji: string; readonly playerIds: readonly PlayerId[] };

export type ChatMessage = {
  readonly id: MessageId;
  readonly playerId: PlayerId;
  readonly nickname: string;
  readonly text: string;
  readonly at: number;
  readonly replyTo?: MessageId;
  readonly mentions?: readonly PlayerId[];
  readonly reactions?: readonly Reaction[];
};

/** What everybody may know of a race at this moment; grows by phase. Made only by `publicRace`. */
export type RaceView = {
  readonly id: RaceId;
  readonly roomId: RoomId;
  readonly kind: RoomKind;
  readonly number: number;
  readonly phase: Phase;
  readonly track: Track;
  readonly pools: readonly Pool[];
  readonly rules: RaceRules;
  readonly maxStakePerRace: string;
  readonly field: readonly Runner[];
  readonly commitment: string;
  readonly fieldHash: string;
  readonly rulesVersion: number;
  readonly simVersion: number;
  readonly openedAt: number;
  readonly closesAt: number;
  readonly startsAt?: number;
  readonly endsAt?: number;
  readonly totals: Totals;
  readonly scratched: readonly number[];
  readonly participants?: readonly PlayerId[];
  readonly rerunOf?: RaceId;
  /** Who has picked (not what). */
  readonly picked: readonly PlayerId[];
  /** Exclusive picks: the horses that are gone. */
  readonly taken?: readonly number[];
  /** From `race drawn` on. */
  readonly picks?: readonly PickReveal[];
  readonly place?: PlaceReveal;
  readonly betsRoot?: string;
  readonly result?: RaceResult;
  readonly voidReason?: VoidReason;
  /** Over, but on hold: payouts and refunds wait. */
  readonly payoutsHeld?: true;
};

/** A race as it is kept for ever: the view, and when over what is needed to verify it. */
export type RaceRecord = RaceView & {
  readonly previousRecordHash: string | null;
  readonly recordHash?: string;
  readonly seed?: string;
  readonly batches?: readonly {
    readonly batch: string;
    readonly root: string;
    readonly count: number;
    readonly totals: Totals;
    readonly signature?: string;
  }[];
};

export type RaceLine = {
  readonly id: RaceId;
  readonly number: number;
  readonly phase: Phase;
  readonly at: number;
  readonly order?: readonly { readonly number: number; readonly place: number }[];
  readonly caught?: readonly PlayerId[];
};

export type Snapshot = {
  readonly id: RoomId;
  readonly code: string;
  readonly name: string;
  readonly kind: RoomKind;
  readonly epoch: Epoch;
  readonly seq: number;
  readonly version: number;
  readonly degraded: { readonly redis?: true; readonly ledger?: true };
  readonly settings: RoomSettings;
  readonly settingsVersion: number;
  readonly hasPassword: boolean;
  readonly hostId: PlayerId | null;
  readonly expiresAt: number;
  /** All up to 60; above: the host, me, and connected ones up to 60. */
  readonly members: readonly MemberView[];
  readonly memberCount: number;
  readonly spectators: number;
  readonly race: RaceView | null;
  readonly nextOpensAt?: number;
  readonly chat: readonly ChatMessage[];
  readonly me: { readonly playerId: PlayerId; readonly role: Role };
};

export type RoomCard = {
  readonly id: RoomId;
  readonly code: string;
  readonly name: string;
  readonly kind: RoomKind;
  readonly players: number;
  readonly capacity: number;
  readonly spectators: number;
  readonly phase: Phase | 'idle';
  readonly closesAt?: number;
  readonly hasPassword: boolean;
  readonly mode: 'manual' | 'auto';
  readonly locale: Locale;
};

/** What the player keeps to check a race: the leaf of the bets tree it must be found in. All hex. */
export type Receipt = {
  readonly raceId: RaceId;
  readonly leaf: string;
  readonly tag: string;
  readonly nonce: string;
  readonly commandId: CommandId;
};

export type MyBet = {
  readonly betId: BetId;
  readonly pool: Pool;
  readonly selection: readonly number[];
  readonly stake: string;
  readonly placedAt: number;
  readonly outcome?: 'paid' | 'lost' | 'refunded';
  readonly returned?: string;
  readonly receipt: Receipt;
};

export type FrameChunkView = {
  readonly chunk: number;
  readonly fromMs: number;
  readonly untilMs: number;
  readonly data: string;
};
