/** The room log and the document beside it. */
import type { CommandId, Epoch, PlayerId, RoomId } from '../core/ids.ts';
import type { RoomDocument, RoomKind } from '../core/room-state.ts';
import type { ChatMessage, RoomCard, RoomEventBody, RoomEventType } from '../protocol.ts';

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
 * - A repeated (player, commandId) has one effect, for 10 minutes; in another room it is a conflict.
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
