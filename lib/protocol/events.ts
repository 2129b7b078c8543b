/** What the server sends without being asked: the events of a room's log, and messages outside it. */
import type { BetId, Epoch, MessageId, PlayerId, RaceId, RoomId } from '../core/ids.ts';
import type { Pool } from '../core/pools.ts';
import type { Phase, PickReveal, PlaceReveal, RaceResult, Totals, VoidReason } from '../core/race-state.ts';
import type { Role, RoomSettings } from '../core/room-state.ts';
import type { Locale } from '../errors.ts';
import type { ChatMessage, FrameChunkView, MemberView, RaceView, RoomCard, Snapshot } from './views.ts';

/** What every member of a room is told, in one order without gaps. */
export type RoomEventBody =
  | { readonly type: 'member joined'; readonly member: MemberView & { readonly joinedAt: number } }
  | {
      readonly type: 'member left';
      readonly playerId: PlayerId;
      readonly cause: 'left' | 'timeout' | 'kicked' | 'left-elsewhere';
      readonly reason?: string;
    }
  | {
      readonly type: 'member changed';
      readonly playerId: PlayerId;
      readonly patch: {
        readonly role?: Role;
        readonly ready?: boolean;
        readonly connected?: boolean;
        readonly nickname?: string;
      };
    }
  | {
      readonly type: 'settings changed';
      readonly version: number;
      readonly patch: {
        readonly name?: string;
        readonly hasPassword?: boolean;
        readonly settings?: Partial<RoomSettings>;
        readonly expiresAt?: number;
      };
      readonly by: PlayerId | null;
    }
  | {
      readonly type: 'host changed';
      readonly hostId: PlayerId | null;
      readonly cause: 'created' | 'handover' | 'left' | 'timeout' | 'joined';
      readonly version: number;
    }
  | { readonly type: 'chat'; readonly message: ChatMessage }
  | {
      readonly type: 'reaction';
      readonly messageId: MessageId;
      readonly emoji: string;
      readonly playerId: PlayerId;
      readonly on: boolean;
    }
  | { readonly type: 'race opened'; readonly race: RaceView }
  | { readonly type: 'pick made'; readonly raceId: RaceId; readonly playerId: PlayerId; readonly picked: boolean }
  /** Only while open. `unpicked`: whose pick of this horse is cleared by it. Bets on the horse went back at the same moment. */
  | {
      readonly type: 'horse scratched';
      readonly raceId: RaceId;
      readonly number: number;
      readonly unpicked?: readonly PlayerId[];
    }
  | { readonly type: 'race closing'; readonly raceId: RaceId; readonly closesAt: number }
  | { readonly type: 'race closed'; readonly raceId: RaceId; readonly betsRoot: string; readonly totals: Totals }
  | {
      readonly type: 'race drawn';
      readonly raceId: RaceId;
      readonly picks?: readonly PickReveal[];
      readonly place?: PlaceReveal;
      readonly startsAt: number;
    }
  | { readonly type: 'race running'; readonly raceId: RaceId; readonly startsAt: number; readonly endsAt: number }
  | {
      readonly type: 'race settled';
      readonly raceId: RaceId;
      readonly result: RaceResult;
      /** The race is on hold: its payouts wait until `race paid`. */
      readonly payoutsHeld?: true;
      readonly nextOpensAt?: number;
    }
  | {
      readonly type: 'race void';
      readonly raceId: RaceId;
      readonly reason: VoidReason;
      readonly seed: string;
      /** The race is on hold: its refunds wait until `race paid`. */
      readonly payoutsHeld?: true;
      readonly nextOpensAt?: number;
    }
  /** What was on hold has been paid; this need not be the room's newest race any more. */
  | { readonly type: 'race paid'; readonly raceId: RaceId }
  | { readonly type: 'race paused'; readonly phase: Phase }
  | {
      readonly type: 'notice';
      readonly key: 'closing-soon' | 'exclusive-next';
      readonly params: Readonly<Record<string, string | number>>;
    }
  | { readonly type: 'room closed'; readonly cause: 'closed' | 'expired' };
export type RoomEventType = RoomEventBody['type'];
export type RoomEvent = RoomEventBody & { readonly seq: number; readonly at: number };

export type RoomEventsPacket = {
  readonly roomId: RoomId;
  readonly epoch: Epoch;
  readonly fromSeq: number;
  readonly toSeq: number;
  readonly events: readonly RoomEvent[];
};

/** Odds per 1 point, one digit ("2.4"); in place and quinella-place a range. */
export type OddsText = string | readonly [low: string, high: string];

export type OddsView = {
  readonly raceId: RaceId;
  readonly version: number;
  readonly final: boolean;
  /**
   * Where one message cannot hold all pools: which of how many this is, all of the same version. The first begins anew, the
   * others add their pools to it.
   */
  readonly part?: readonly [number: number, of: number];
  /** Pools that nobody bet on are left out. */
  readonly totals: Totals;
  /** By selection ("3"); absent: nobody backed it. */
  readonly win?: Readonly<Record<string, OddsText>>;
  readonly place?: Readonly<Record<string, OddsText>>;
  /** Of each other pool the ten most backed selections ("3-7", in the pool's normal order), most backed first. */
  readonly top?: Readonly<Partial<Record<Pool, Readonly<Record<string, OddsText>>>>>;
  /** Exclusive pick rooms: horses that are gone. */
  readonly taken?: readonly number[];
};

export type SettledBet = {
  readonly betId: BetId;
  readonly pool: Pool;
  readonly selection: readonly number[];
  readonly stake: string;
  readonly outcome: 'paid' | 'lost' | 'refunded';
  readonly returned: string;
};

/** Everything the server sends without being asked. */
export type ServerEvents = {
  'session:ready': {
    readonly token: string;
    readonly player: {
      readonly id: PlayerId;
      readonly nickname: string;
      readonly locale: Locale;
      readonly balance: string | null;
    };
    readonly resumed: boolean;
    readonly left?: { readonly cause: string };
    readonly serverAt: number;
    readonly admission: 'admitted';
    readonly degraded: { readonly redis?: true; readonly ledger?: true };
    readonly shareBase: string;
    readonly version: string;
    /** Divides every length of a round; 1 outside demonstrations and tests. */
    readonly timeScale: number;
  };
  'room:snapshot': { readonly room: Snapshot; readonly seat: string };
  'room:events': RoomEventsPacket;
  'room:left': {
    readonly roomId: RoomId;
    readonly cause: 'kicked' | 'closed' | 'expired' | 'left-elsewhere' | 'timeout';
    readonly reason?: string;
    readonly until?: number;
  };
  /**
   * At most four messages a second, each below 1 KB: where the odds of all pools take several, they come the less often. The last
   * ones are `final`: read from the ledger after the close, told before the gates open.
   */
  'race:odds': OddsView;
  'race:frames': FrameChunkView & { readonly raceId: RaceId };
  'wallet:update': {
    readonly balance: string;
    readonly version: number;
    readonly cause: 'stake' | 'payout' | 'refund' | 'grant';
    readonly betId?: BetId;
  };
  'bet:settled': { readonly raceId: RaceId; readonly bets: readonly SettledBet[] };
  'lobby:update': {
    readonly version: number;
    readonly upserted: readonly RoomCard[];
    readonly removed: readonly RoomId[];
    readonly total: number;
  };
  'server:notice': { readonly kind: 'degraded' | 'restored' | 'draining'; readonly ledger?: true };
};
export type ServerEventName = keyof ServerEvents;
