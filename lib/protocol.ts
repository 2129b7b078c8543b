/**
 * The wire contract: the only place where requests and events are named. A strict schema per request;
 * reply and event types stand beside them. Points are decimal strings, times integer milliseconds of server time.
 * docs/protocol.md is generated from this file.
 */
import { z } from 'zod';
import type { BetId, CommandId, Epoch, MessageId, PlayerId, RaceId, RoomId } from './core/ids.ts';
import type { Pool } from './core/pools.ts';
import type { Phase, PickReveal, PlaceReveal, RaceResult, Totals, VoidReason } from './core/race-state.ts';
import type { Role, RoomSettings } from './core/room-state.ts';
import type { ConnectErrorCode, ErrorCode, Locale } from './errors.ts';
import type {
  ChatMessage,
  FrameChunkView,
  MemberView,
  MyBet,
  RaceLine,
  RaceRecord,
  RaceView,
  Receipt,
  RoomCard,
  Snapshot,
} from './protocol/views.ts';

export type * from './protocol/views.ts';

export const PROTOCOL_VERSION = 1;

// ---- schemas ----

/** Ids are ours and printable; anything else names nothing, and must not reach a database. */
const id = <Id extends string>() =>
  z
    .string()
    .max(64)
    .regex(/^[\x21-\x7e]+$/) as unknown as z.ZodType<Id, string>;
const commandId = z.uuid() as unknown as z.ZodType<CommandId, string>;
const roomId = id<RoomId>();
const raceId = id<RaceId>();
const playerId = id<PlayerId>();
const messageId = id<MessageId>();
const epoch = id<Epoch>();
const seq = z.int().min(0).max(Number.MAX_SAFE_INTEGER);
const code = z.string().regex(/^[0-9A-Za-z -]{1,16}$/);
const text = (max: number) => z.string().min(1).max(max);
const password = z.string().min(1).max(64);
const nickname = z.string().max(64);
const locale = z.enum(['ko', 'en']);
const kind = z.enum(['pick', 'bet']);
const role = z.enum(['player', 'spectator']);
const pool = z.enum(['win', 'place']);
const selection = z.array(z.int().min(1).max(12)).min(1).max(3);
/** Whole points; whether it is a whole number of units is a rule, not a shape. */
const stake = z.string().regex(/^[1-9][0-9]{0,17}$/);
/** The player's own randomness in the receipt, hex. */
const nonce = z.string().regex(/^(?:[0-9a-f]{2}){8,32}$/);
const horse = z.int().min(1).max(12);

export const settingsSchema = z.strictObject({
  capacity: z.int().min(2).max(500),
  listed: z.boolean(),
  spectators: z.boolean(),
  slowModeSeconds: z.int().min(0).max(120),
  locked: z.boolean(),
  lifetimeMinutes: z.int().min(10).max(1440),
  emptyGraceSeconds: z.int().min(10).max(3600),
  mode: z.enum(['manual', 'auto']),
  openSeconds: z.int().min(10).max(300),
  resultSeconds: z.int().min(5).max(60),
  horses: z.union([z.literal('auto'), z.int().min(4).max(12)]),
  track: z.enum(['short', 'medium', 'long']),
  pools: z.array(pool).min(1).max(2),
  maxStakePerRace: z.int().min(100).max(1_000_000_000),
  exclusivePicks: z.boolean(),
  placeVote: z.boolean(),
});
const settings = settingsSchema.partial();

/** Every request by event name. Mutating ones carry a `commandId`. */
export const REQUESTS = {
  'time:sync': z.strictObject({ sentAt: z.number() }),
  'session:link': z.strictObject({}),
  'session:logout': z.strictObject({ commandId, everywhere: z.boolean().optional() }),

  'lobby:watch': z.strictObject({
    search: z.string().max(30).optional(),
    kind: kind.optional(),
    after: z
      .string()
      .regex(/^[\x20-\x7e]{0,128}$/)
      .optional(),
  }),
  'lobby:unwatch': z.strictObject({}),

  'room:create': z.strictObject({
    commandId,
    kind,
    name: z.string().max(64).optional(),
    password: password.optional(),
    settings: settings.optional(),
  }),
  'room:find': z.strictObject({ code }),
  'room:join': z.strictObject({
    commandId,
    roomId,
    password: password.optional(),
    key: text(64).optional(),
    as: role.optional(),
  }),
  'room:leave': z.strictObject({ commandId, roomId }),
  'room:role': z.strictObject({ commandId, roomId, as: role }),
  'room:ready': z.strictObject({ commandId, roomId, ready: z.boolean() }),
  'room:sync': z.strictObject({ roomId, epoch, seq }),
  'room:members': z.strictObject({ roomId, after: playerId.optional() }),
  'room:configure': z.strictObject({
    commandId,
    roomId,
    version: z.int().min(0),
    patch: z.strictObject({
      name: z.string().max(64).optional(),
      password: password.nullable().optional(),
      settings: settings.optional(),
    }),
  }),
  'room:handover': z.strictObject({ commandId, roomId, playerId }),
  'room:kick': z.strictObject({ commandId, roomId, playerId, reason: text(100).optional() }),
  'room:close': z.strictObject({ commandId, roomId }),

  'race:start': z.strictObject({ commandId, roomId, rerunOf: raceId.optional() }),
  'race:get': z.strictObject({ raceId }),
  'race:history': z.strictObject({ roomId, before: raceId.optional(), limit: z.int().min(1).max(20).optional() }),
  'race:frames:get': z.strictObject({ raceId, fromMs: z.int().min(0).max(120_000) }),

  'bet:place': z.strictObject({ commandId, raceId, pool, selection, stake, nonce: nonce.optional() }),
  'bet:quote': z.strictObject({ raceId, pool, selection, stake }),
  'bet:mine': z.strictObject({ raceId }),

  'pick:choose': z.strictObject({
    commandId,
    raceId,
    horse: z.union([horse, z.literal('random')]),
    nonce: nonce.optional(),
  }),
  'pick:clear': z.strictObject({ commandId, raceId }),
  'vote:place': z.strictObject({ commandId, raceId, place: horse, nonce: nonce.optional() }),

  'chat:send': z.strictObject({
    commandId,
    roomId,
    text: text(2_000),
    replyTo: messageId.optional(),
    mentions: z.array(playerId).max(10).optional(),
  }),
  'chat:history': z.strictObject({ roomId, before: messageId.optional(), limit: z.int().min(1).max(50).optional() }),
  'chat:react': z.strictObject({
    commandId,
    roomId,
    messageId,
    emoji: z.enum(['👍', '❤️', '😂', '😮', '😢', '🎉']),
    on: z.boolean(),
  }),

  'wallet:get': z.strictObject({}),
  'wallet:claim': z.strictObject({ commandId, kind: z.literal('daily') }),

  'profile:get': z.strictObject({ playerId: playerId.optional() }),
  'profile:update': z.strictObject({ commandId, nickname: nickname.optional(), locale: locale.optional() }),
} as const;

export type RequestName = keyof typeof REQUESTS;
export type Payload<Name extends RequestName> = z.output<(typeof REQUESTS)[Name]>;

/** `auth` of the Socket.IO handshake. */
export const handshakeSchema = z.object({
  protocol: z.literal(PROTOCOL_VERSION),
  token: z.string().max(2_000).optional(),
  nickname: nickname.optional(),
  locale: locale.optional(),
  link: z.string().max(16).optional(),
  resume: z.strictObject({ roomId, epoch, seq, seat: z.string().max(2_000).optional() }).optional(),
});
export type Handshake = z.output<typeof handshakeSchema>;

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
      readonly nextOpensAt?: number;
    }
  | {
      readonly type: 'race void';
      readonly raceId: RaceId;
      readonly reason: VoidReason;
      readonly seed: string;
      readonly nextOpensAt?: number;
    }
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

// ---- replies ----

export type Replies = {
  'time:sync': { sentAt: number; serverAt: number };
  'session:link': { code: string; expiresAt: number };
  'session:logout': Record<string, never>;
  'lobby:watch': { version: number; rooms: readonly RoomCard[]; total: number; next?: string };
  'lobby:unwatch': Record<string, never>;
  'room:create': { room: Snapshot; seat: string; inviteKey?: string };
  'room:find': RoomCard;
  'room:join': { room: Snapshot; seat: string /** to the host of a room with a password */; inviteKey?: string };
  'room:leave': Record<string, never>;
  'room:role': Record<string, never>;
  'room:ready': Record<string, never>;
  'room:sync': { recovered: true; events: readonly RoomEvent[] } | { recovered: false; room: Snapshot };
  'room:members': { members: readonly MemberView[]; next?: PlayerId };
  'room:configure': { version: number; inviteKey?: string };
  'room:handover': Record<string, never>;
  'room:kick': Record<string, never>;
  'room:close': Record<string, never>;
  'race:start': { raceId: RaceId; closesAt: number };
  'race:get': RaceRecord;
  'race:history': { races: readonly RaceLine[]; next?: RaceId };
  'race:frames:get': { chunks: readonly FrameChunkView[] };
  'bet:place': { betId: BetId; balance: string; balanceVersion: number; receipt: Receipt };
  'bet:quote': { low: string; high: string };
  'bet:mine': {
    bets: readonly MyBet[];
    pick?: { horse: number | null; receipt?: Receipt };
    vote?: { place: number; receipt?: Receipt };
  };
  'pick:choose': { horse: number; receipt: Receipt };
  'pick:clear': Record<string, never>;
  'vote:place': { receipt: Receipt };
  'chat:send': { messageId: MessageId };
  'chat:history': { messages: readonly ChatMessage[]; next?: MessageId };
  'chat:react': Record<string, never>;
  'wallet:get': { balance: string; balanceVersion: number; dailyClaimableAt: number };
  'wallet:claim': { balance: string; balanceVersion: number; granted: string };
  'profile:get': { playerId: PlayerId; nickname: string; locale: Locale; createdAt: number };
  'profile:update': { nickname: string; locale: Locale };
};
export type Reply<Name extends RequestName> = Replies[Name];

export type Ack<Data> =
  | { readonly ok: true; readonly data: Data }
  | {
      readonly ok: false;
      readonly code: ErrorCode;
      readonly message: string;
      readonly retryable: boolean;
      readonly retryAfterMs?: number;
      readonly path?: string;
      readonly outcome?: 'unknown';
      readonly data?: Readonly<Record<string, unknown>>;
    };

export type OddsView = {
  readonly raceId: RaceId;
  readonly version: number;
  readonly final: boolean;
  readonly totals: Totals;
  /** Selection key ("3") to odds per 1 point, one digit ("2.4"); place as a range. Absent: nobody backed it. */
  readonly win?: Readonly<Record<string, string>>;
  readonly place?: Readonly<Record<string, readonly [string, string]>>;
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

// Socket.IO's own typing of both directions.
export type ClientToServer = {
  [Name in RequestName]: (payload: z.input<(typeof REQUESTS)[Name]>, ack: (answer: Ack<Reply<Name>>) => void) => void;
};
export type ServerToClient = { [Name in ServerEventName]: (message: ServerEvents[Name]) => void };
export type ConnectRefusal = { readonly code: ConnectErrorCode; readonly message: string; readonly retryable: boolean };
