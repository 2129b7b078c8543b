/**
 * The wire contract: the only place where requests and events are named. A strict schema per request;
 * reply and event types stand beside them. Points are decimal strings, times integer milliseconds of server time.
 * docs/protocol.md is generated from this file.
 */
import { z } from 'zod';
import { METRICS, WINDOWS } from './core/boards.ts';
import type { CommandId, Epoch, MessageId, PlayerId, RaceId, RoomId } from './core/ids.ts';
import { POOLS } from './core/pools.ts';
import type { ConnectErrorCode, ErrorCode } from './errors.ts';
import type { ServerEventName, ServerEvents } from './protocol/events.ts';
import type { Replies } from './protocol/replies.ts';

export type * from './protocol/boards.ts';
export type * from './protocol/events.ts';
export type * from './protocol/replies.ts';
export type * from './protocol/views.ts';
export type * from './protocol/wallet.ts';

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
const pool = z.enum(POOLS);
const selection = z.array(z.int().min(1).max(12)).min(1).max(3);
/** Whole points; whether it is a whole number of units is a rule, not a shape. */
const stake = z.string().regex(/^[1-9][0-9]{0,17}$/);
/** Whole points, none too. */
const points = z.string().regex(/^(?:0|[1-9][0-9]{0,17})$/);
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
  pools: z.array(pool).min(1).max(POOLS.length),
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
  'bet:history': z.strictObject({
    before: z
      .string()
      .regex(/^[0-9]{1,18}$/)
      .optional(),
  }),

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
  'wallet:history': z.strictObject({
    before: z
      .string()
      .regex(/^[0-9]{1,18}\.[0-9]{1,18}\.[0-9]{1,18}$/)
      .optional(),
  }),
  'wallet:claim': z.strictObject({ commandId, kind: z.enum(['daily', 'relief']) }),

  'board:get': z.strictObject({
    metric: z.enum(METRICS),
    window: z.enum(WINDOWS),
    period: z
      .string()
      .regex(/^(?:\d{4}-(?:\d{2}-\d{2}|W\d{2}|Q[1-4]))?$/)
      .optional(),
    roomId: roomId.optional(),
    after: z
      .string()
      .regex(/^-?[0-9]{1,18}\.[\x21-\x7e]{1,64}$/)
      .optional(),
  }),

  'profile:get': z.strictObject({ playerId: playerId.optional() }),
  'profile:update': z.strictObject({
    commandId,
    nickname: nickname.optional(),
    locale: locale.optional(),
    limits: z
      .strictObject({ dailyStake: points.nullable().optional(), coolOffHours: z.int().min(1).max(720).optional() })
      .optional(),
  }),
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

// Socket.IO's own typing of both directions.
export type ClientToServer = {
  [Name in RequestName]: (payload: z.input<(typeof REQUESTS)[Name]>, ack: (answer: Ack<Reply<Name>>) => void) => void;
};
export type ServerToClient = { [Name in ServerEventName]: (message: ServerEvents[Name]) => void };
export type ConnectRefusal = { readonly code: ConnectErrorCode; readonly message: string; readonly retryable: boolean };
