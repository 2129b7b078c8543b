/**
 * What services need of the outside, in the domain's words. Drivers implement these in `db/`; only `server.ts` knows which.
 * Every call may reject with an `UnavailableError` when the truth behind it cannot be reached within its deadline.
 * Times are server time in ms.
 */
import type { BetId, CommandId, Epoch, MessageId, PlayerId, RaceId, RoomId } from './core/ids.ts';
import type { Pool } from './core/pools.ts';
import type { RaceOutcome, RaceResult, RaceRow, RaceRules, Runner, Totals, VoidReason } from './core/race-state.ts';
import type { RoomDocument, RoomKind, RoomSettings } from './core/room-state.ts';
import type { Track } from './engine/index.ts';
import type { ErrorCode, Locale } from './errors.ts';
import type {
  ChatMessage,
  MyBet,
  RaceLine,
  Receipt,
  RoomCard,
  RoomEventBody,
  RoomEventType,
  ServerEventName,
  ServerEvents,
  SettledBet,
} from './protocol.ts';

/** `outcome: 'unknown'`: it was sent and not answered, so it may have happened. 'none': certainly not. */
export class UnavailableError extends Error {
  readonly outcome: 'none' | 'unknown';
  constructor(message: string, outcome: 'none' | 'unknown', options?: { cause?: unknown }) {
    super(message, options);
    this.name = 'UnavailableError';
    this.outcome = outcome;
  }
}

export type Logger = {
  error(facts: object, event: string): void;
  warn(facts: object, event: string): void;
  info(facts: object, event: string): void;
  debug(facts: object, event: string): void;
};

/** Server time: PostgreSQL's clock, carried forward by a monotonic one. */
export type ServerClock = { now(): number };

// ---- RoomStore ----

/** One entry of a room's log. `json` is the whole `RoomEvent`, made once and sent as it is. */
export type LogEntry = {
  readonly seq: number;
  readonly at: number;
  readonly type: RoomEventType;
  readonly json: string;
};

export type LogHead = { readonly epoch: Epoch; readonly seq: number };

export type CommandMark = {
  readonly playerId: PlayerId;
  readonly commandId: CommandId;
  /** Hash of the parsed body: the same id with another one is a conflict. */
  readonly bodyHash: string;
  /** What a repeat is answered with (small JSON). */
  readonly result: string;
};

export type RoomCommit = {
  readonly roomId: RoomId;
  /** Refused ('late') when the store's clock is past it, so that a command that timed out cannot happen afterwards. */
  readonly notAfter: number;
  /** Each (player, commandId) at most once in a commit. */
  readonly commands: readonly CommandMark[];
  /** The (epoch, version) that was decided on; null: the room must not exist yet. */
  readonly expect: { readonly epoch: Epoch; readonly version: number } | null;
  /** The highest (epoch, seq) the caller has seen: the store finds its own regression by it. */
  readonly known: LogHead | null;
  /** The new document, its `version` one above `expect`; null: unchanged (chat, reactions, presence), version not raised. Never without an event. */
  readonly document: RoomDocument | null;
  /** Room facts appended by this commit: `from` must equal the stored document's factVersion. */
  readonly facts: { readonly from: number; readonly to: number } | null;
  readonly events: readonly RoomEventBody[];
  /** The lobby's card after this commit; null removes it (unlisted, closed); undefined leaves it. */
  readonly card?: RoomCard | null;
};

export type RoomCommitResult =
  | {
      readonly kind: 'committed';
      readonly epoch: Epoch;
      readonly fromSeq: number;
      readonly toSeq: number;
      readonly at: number;
    }
  /** Nothing was written; drop these commands (answer them with `result`, or COMMAND_CONFLICT) and decide the others again. */
  | {
      readonly kind: 'repeated';
      readonly repeats: readonly { readonly index: number; readonly result: string | 'conflict' }[];
    }
  /** Somebody else was first; load and decide again. */
  | { readonly kind: 'conflict' }
  | { readonly kind: 'fact-gap'; readonly factVersion: number }
  | { readonly kind: 'late' }
  | { readonly kind: 'absent' }
  /** The archive lags too far behind (`UNARCHIVED_ENTRIES`). */
  | { readonly kind: 'overloaded' };

export type LoadedRoom = {
  readonly document: RoomDocument;
  readonly epoch: Epoch;
  readonly seq: number;
  /** Newest last; at most 50. */
  readonly chat: readonly ChatMessage[];
  /** Players with a living presence lease on any instance. */
  readonly present: readonly PlayerId[];
};

/** One commit as it reaches the instances; `version` and `factVersion` are the document's after it. */
export type Delivery = {
  readonly epoch: Epoch;
  readonly entries: readonly LogEntry[];
  readonly version: number;
  readonly factVersion: number;
};

export type LobbyQuery = {
  readonly search?: string;
  readonly kind?: RoomKind;
  readonly after?: string;
  readonly limit: number;
};

/**
 * The room log and the document beside it.
 * - `commit` is atomic: all of it or nothing, one order per room, seqs without gaps, a seq never twice in an epoch.
 * - A repeated (player, commandId) has one effect, for 10 minutes.
 * - `subscribe` resolves once confirmed; every entry committed afterwards reaches the listener, in order, at least once
 *   and possibly overlapping with a `load` made after it: the listener drops what it has.
 */
export interface RoomStore {
  load(roomId: RoomId): Promise<LoadedRoom | null>;
  commit(commit: RoomCommit): Promise<RoomCommitResult>;
  /** The answer remembered for a command, if any (10 minutes). */
  answered(
    roomId: RoomId,
    playerId: PlayerId,
    commandId: CommandId,
    bodyHash: string,
  ): Promise<string | 'conflict' | null>;
  /** Entries above (epoch, seq), complete up to the head; null when they cannot be given without a gap. */
  since(roomId: RoomId, epoch: Epoch, seq: number): Promise<readonly LogEntry[] | null>;
  subscribe(roomId: RoomId, listener: (delivery: Delivery) => void): Promise<{ close(): Promise<void> }>;
  heads(roomIds: readonly RoomId[]): Promise<ReadonlyMap<RoomId, LogHead>>;
  /** Puts a room back (restart, store lost): a new epoch, seq 0 and its chat. 'exists' when it is already there. */
  restore(document: RoomDocument, chat: readonly ChatMessage[], card: RoomCard | null): Promise<'restored' | 'exists'>;
  /** Gone for everybody at once; the archive is still given what it lacks, and a `restore` before that brings the room back as it was. */
  remove(roomId: RoomId): Promise<void>;

  /** Replaces this instance's lease for the room; an empty list gives it up. Leases end by themselves after `ttlMs`. */
  lease(roomId: RoomId, instanceId: string, players: readonly PlayerId[], ttlMs: number): Promise<void>;
  present(roomId: RoomId): Promise<readonly PlayerId[]>;

  list(
    query: LobbyQuery,
  ): Promise<{ readonly rooms: readonly RoomCard[]; readonly total: number; readonly next?: string }>;
  /** Every change of a lobby card, after the commit that made it. */
  watchCards(listener: (change: { readonly roomId: RoomId; readonly card: RoomCard | null }) => void): {
    close(): void;
  };

  /** Rooms with entries or documents the archive does not have yet. */
  dirty(limit: number): Promise<readonly RoomId[]>;
  /** What the archive must write for the room, from its own position on; null: the room is gone. */
  unarchived(
    roomId: RoomId,
  ): Promise<{ readonly document: RoomDocument; readonly head: LogHead; readonly entries: readonly LogEntry[] } | null>;
  /** The archive has everything up to `head`; entries behind it may be trimmed. */
  archived(roomId: RoomId, head: LogHead, version: number): Promise<void>;
  close(): Promise<void>;
}

// ---- PostgreSQL: rooms ----

export type RoomRow = {
  readonly id: RoomId;
  readonly code: string;
  readonly kind: RoomKind;
  readonly house: boolean;
  readonly locale: Locale;
  readonly name: string;
  readonly passwordHash: string | null;
  readonly settings: RoomSettings;
  readonly settingsVersion: number;
  readonly factVersion: number;
  readonly hostId: PlayerId | null;
  readonly createdBy: PlayerId | null;
  readonly createdAt: number;
  readonly expiresAt: number;
  readonly closedAt: number | null;
  readonly closeCause: 'closed' | 'expired' | null;
};

export type RoomFact = { readonly version: number; readonly event: RoomEventBody };

export type RoomPatch = {
  readonly name?: string;
  readonly passwordHash?: string | null;
  readonly settings?: RoomSettings;
  readonly expiresAt?: number;
};

/** Each change raises the room's factVersion and writes its event as a `room_fact` row in the same transaction. */
export interface RoomRecords {
  /** 'exists' answers a repeat of the same command with the row as it is; 'code-taken': try another code. */
  create(
    row: Omit<RoomRow, 'factVersion' | 'closedAt' | 'closeCause' | 'settingsVersion'>,
  ): Promise<{ kind: 'created' | 'exists'; row: RoomRow } | { kind: 'code-taken' }>;
  get(roomId: RoomId): Promise<RoomRow | null>;
  byCode(code: string): Promise<RoomRow | null>;
  /** Compare-and-set on settingsVersion. `event` gets the new version written into its `version`. */
  configure(
    roomId: RoomId,
    expectVersion: number,
    patch: RoomPatch,
    event: RoomEventBody,
  ): Promise<{ kind: 'changed'; version: number } | { kind: 'conflict'; version: number } | { kind: 'absent' }>;
  setHost(
    roomId: RoomId,
    expectHost: PlayerId | null,
    hostId: PlayerId | null,
    cause: 'handover' | 'left' | 'timeout' | 'joined',
  ): Promise<'changed' | 'conflict' | 'absent'>;
  /** Once; a second call answers 'already'. Refused 'racing' while a race is unfinished and the cause is 'expired'. */
  close(roomId: RoomId, cause: 'closed' | 'expired'): Promise<'closed' | 'already' | 'racing' | 'absent'>;
  living(): Promise<readonly RoomId[]>;
  livingCreatedBy(playerId: PlayerId): Promise<number>;
  facts(roomId: RoomId, above: number): Promise<readonly RoomFact[]>;
  /** Of these rooms the ones whose row has a higher factVersion. One set-based query. */
  behind(known: readonly { readonly roomId: RoomId; readonly factVersion: number }[]): Promise<readonly RoomId[]>;
}

// ---- PostgreSQL: archive of documents and chat ----

export interface ArchiveRecords {
  /** Writes messages and document together with the position, if the position is still `expect` ('conflict': another worker was there). */
  write(input: {
    readonly roomId: RoomId;
    readonly expect: LogHead | null;
    readonly head: LogHead;
    readonly document: RoomDocument;
    readonly messages: readonly ChatMessage[];
    readonly reactions: readonly {
      readonly messageId: MessageId;
      readonly emoji: string;
      readonly playerId: PlayerId;
      readonly on: boolean;
    }[];
  }): Promise<'written' | 'conflict'>;
  read(
    roomId: RoomId,
    lastMessages: number,
  ): Promise<{
    readonly position: LogHead;
    readonly document: RoomDocument;
    readonly messages: readonly ChatMessage[];
  } | null>;
  /** Newest first page before a message (exclusive), returned oldest first. */
  messages(
    roomId: RoomId,
    before: MessageId | null,
    limit: number,
  ): Promise<{ readonly messages: readonly ChatMessage[]; readonly next?: MessageId }>;
  has(roomId: RoomId, messageId: MessageId): Promise<boolean>;
}

// ---- PostgreSQL: players ----

export type PlayerRow = {
  readonly id: PlayerId;
  readonly nickname: string;
  readonly locale: Locale;
  readonly sessionNumber: number;
  readonly createdAt: number;
};

export interface PlayerRecords {
  /** Makes the player if absent (with the address's daily count deciding whether they start with points) and returns the row. */
  ensure(player: {
    readonly id: PlayerId;
    readonly nickname: string;
    readonly locale: Locale;
    readonly addressHash: string;
  }): Promise<PlayerRow>;
  get(playerId: PlayerId): Promise<PlayerRow | null>;
  update(
    playerId: PlayerId,
    patch: { readonly nickname?: string; readonly locale?: Locale },
  ): Promise<PlayerRow | null>;
  raiseSession(playerId: PlayerId): Promise<number>;
  /** Six digits, valid until `expiresAt`, redeemed at most once. */
  createLink(playerId: PlayerId, expiresAt: number): Promise<string>;
  redeemLink(code: string): Promise<PlayerId | null>;
}

// ---- PostgreSQL: races ----

export type NewRace = {
  readonly id: RaceId;
  readonly roomId: RoomId;
  readonly kind: RoomKind;
  /** One above the room's newest race, whose `recordHash` is `previousRecordHash` (null for the first): the field hash covers the number. */
  readonly number: number;
  readonly previousRecordHash: string | null;
  readonly track: Track;
  readonly rules: RaceRules;
  readonly field: readonly Runner[];
  readonly fieldHash: string;
  readonly simVersion: 1;
  readonly rulesVersion: number;
  readonly seedKeyId: string;
  readonly commitment: string;
  readonly participants: readonly PlayerId[] | null;
  readonly rerunOf: RaceId | null;
  readonly openedAt: number;
  readonly closesAt: number;
};

export type PickRow = { readonly playerId: PlayerId; readonly horse: number | null };
export type VoteRow = { readonly playerId: PlayerId; readonly place: number };
/** A pick without a horse, stored at the close: its leaf (kind 'drawn') and tag are made by whoever closes. Hex, 32 bytes each. */
export type DrawnPick = { readonly playerId: PlayerId; readonly leaf: string; readonly tag: string };
export type BatchRow = {
  readonly batch: string;
  readonly root: string;
  readonly count: number;
  readonly totals: Totals;
};

export type RaceDetails = {
  readonly row: RaceRow;
  readonly picks: readonly PickRow[];
  readonly votes: readonly VoteRow[];
  readonly result: RaceResult | null;
};

export type PoolStake = {
  readonly pool: Pool;
  readonly selection: readonly number[];
  readonly stake: bigint;
  readonly count: number;
};

export type PoolSettlement = {
  readonly pool: Pool;
  /** null: refunded whole. */
  readonly dividends: readonly { readonly selection: readonly number[]; readonly per100: bigint }[] | null;
  readonly gross: bigint;
  readonly paid: bigint;
  readonly takeout: bigint;
  readonly breakage: bigint;
};

/**
 * 'moved': this call did it. 'already': the phase is past it. 'early': the deadline (or the phase before) has not come.
 * 'late': the close is more than 60 s overdue, void it with 'late-close'. 'busy': a lock was not to be had.
 */
export type PhaseMove = 'moved' | 'already' | 'early' | 'late' | 'busy' | 'absent';

/**
 * Races by compare-and-set. Each moving call is one function call that takes the race's advisory lock first, checks phase
 * and the database's clock, and writes the room's fact in the same transaction. Safe to repeat from anywhere.
 */
export interface RaceRecords {
  /**
   * 'unfinished': the room has a race that is not over (its id is returned). 'stale': number or previous record are not the
   * next ones any more, read `latest` again. A repeat with the same race id answers 'opened'. Fact `race opened`.
   */
  open(
    race: NewRace,
    opened: (row: RaceRow) => RoomEventBody,
  ): Promise<
    | { kind: 'opened'; row: RaceRow }
    | { kind: 'unfinished'; raceId: RaceId }
    | { kind: 'stale' }
    | { kind: 'room-closed' }
  >;
  get(raceId: RaceId): Promise<RaceDetails | null>;
  /** The room's newest race. */
  latest(roomId: RoomId): Promise<RaceDetails | null>;
  history(
    roomId: RoomId,
    before: RaceId | null,
    limit: number,
  ): Promise<{ readonly races: readonly RaceLine[]; readonly next?: RaceId }>;
  /** Never later than it was; fact `race closing`. */
  bringForward(raceId: RaceId, closesAt: number): Promise<{ move: PhaseMove; closesAt: number }>;
  /** open → closed. Stores a pick without a horse for each of `drawnFor` who has none (as leaves), folds the batch roots. Fact `race closed`. */
  close(raceId: RaceId, drawnFor: readonly DrawnPick[]): Promise<PhaseMove>;
  /** closed (with betsRoot) → closed with outcome and startsAt = max(`startsAt`, now + `minLeadMs`). Fact `race drawn`. */
  draw(
    raceId: RaceId,
    outcome: RaceOutcome,
    startsAt: number,
    minLeadMs: number,
    runsForMs: number,
  ): Promise<PhaseMove>;
  /** closed → running at startsAt. Fact `race running`. */
  run(raceId: RaceId): Promise<PhaseMove>;
  /** running → settled at endsAt, with every payout, refund, takeout and breakage. Idempotent. Fact `race settled`. */
  settle(
    raceId: RaceId,
    settlement: {
      readonly result: RaceResult;
      readonly pools: readonly PoolSettlement[];
      readonly recordHash: string;
      readonly nextOpensAfterMs: number | null;
    },
  ): Promise<PhaseMove>;
  /** Any unfinished phase → void, every stake refunded. Fact `race void`. */
  voidRace(
    raceId: RaceId,
    reason: VoidReason,
    seed: string,
    recordHash: string,
    nextOpensAfterMs: number | null,
  ): Promise<PhaseMove>;
  /** Stakes by pool and selection, from the stored batches. */
  stakes(raceId: RaceId): Promise<readonly PoolStake[]>;
  batches(raceId: RaceId): Promise<readonly BatchRow[]>;
  /** Unfinished races whose next deadline is past, in random order, without locks. */
  overdue(limit: number): Promise<readonly { readonly raceId: RaceId; readonly roomId: RoomId }[]>;
  unfinished(): Promise<readonly { readonly raceId: RaceId; readonly roomId: RoomId }[]>;
  /** How these players came out of a race that is over. */
  outcomes(
    raceId: RaceId,
    players: readonly PlayerId[],
  ): Promise<
    readonly {
      readonly playerId: PlayerId;
      readonly bets: readonly SettledBet[];
      readonly balance: bigint;
      readonly balanceVersion: number;
    }[]
  >;
  mine(
    raceId: RaceId,
    playerId: PlayerId,
  ): Promise<{
    readonly bets: readonly MyBet[];
    readonly pick?: { readonly horse: number | null; readonly receipt?: Receipt };
    readonly vote?: { readonly place: number; readonly receipt?: Receipt };
  }>;
}

export type SeedKey = { readonly id: string /** 32 bytes */; readonly key: Uint8Array };
export interface SeedKeyRecords {
  /** The key new races use; made (encrypted with SEED_WRAP_KEY, hash published) when there is none. */
  current(): Promise<SeedKey>;
  get(id: string): Promise<SeedKey | null>;
  published(): Promise<
    readonly { readonly id: string; readonly hash: string; readonly createdAt: number; readonly key?: string }[]
  >;
}

// ---- PostgreSQL: ledger ----

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
    })
  | (RaceItem & { readonly kind: 'pick'; readonly horse: number })
  | (RaceItem & { readonly kind: 'pick-clear' })
  | (RaceItem & { readonly kind: 'vote'; readonly place: number })
  | (ItemBase & {
      readonly kind: 'claim';
      readonly claim: 'daily';
      readonly amount: bigint /** the day in the configured time zone, YYYY-MM-DD */;
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

/** A race's totals after a batch: odds are computed from these without asking again. */
export type BatchTotals = { readonly raceId: RaceId; readonly stakes: readonly PoolStake[] };

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
  wallet(
    playerId: PlayerId,
  ): Promise<{ readonly balance: bigint; readonly version: number; readonly lastDailyDay: string | null } | null>;
  /** Broken invariants, one row each; empty when all is well. */
  audit(): Promise<readonly { readonly invariant: string; readonly detail: string }[]>;
}

/** The batcher's face to the services. Rejects with RefusedError only. */
export interface LedgerQueue {
  submit(item: LedgerItem): Promise<Extract<LedgerAnswer, { ok: true }>>;
}

// ---- simulation ----

export type SimulationRequest = { readonly track: Track; readonly field: readonly Runner[]; readonly key: Uint8Array };
export interface Simulations {
  /** In the worker pool, or inline when the pool is gone. */
  simulate(request: SimulationRequest): Promise<import('./engine/index.ts').Simulation>;
  /** Wins by horse over `races` runs from a fixed seed, for the morning line. */
  monteCarlo(track: Track, field: readonly Runner[], races: number): Promise<readonly number[]>;
}

// ---- towards the players of this instance ----

/** Unnumbered messages. Fire and forget: a client that is not there gets nothing. */
export interface Push {
  /** false: the connection is gone. */
  connection<Name extends ServerEventName>(connectionId: string, event: Name, message: ServerEvents[Name]): boolean;
  /** To all connections of the player. */
  player<Name extends ServerEventName>(playerId: PlayerId, event: Name, message: ServerEvents[Name]): void;
  /** To all connections that are in the room here. */
  room<Name extends ServerEventName>(roomId: RoomId, event: Name, message: ServerEvents[Name]): void;
  /** The players with a connection in the room here. */
  playersIn(roomId: RoomId): readonly PlayerId[];
}

/**
 * Which connection is in which room, here. `attach` is synchronous: called in the tick in which a snapshot or the missing
 * events were taken from the delivered state, so nothing falls between the two.
 */
export interface RoomSeats {
  attach(connectionId: string, roomId: RoomId): void;
  detach(connectionId: string): void;
}
