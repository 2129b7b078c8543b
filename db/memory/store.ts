import { ulid } from 'ulid';
import { applyToChat, CHAT_TAIL } from '../../lib/core/chat.ts';
import type { CommandId, Epoch, PlayerId, RoomId } from '../../lib/core/ids.ts';
import type { RoomDocument } from '../../lib/core/room-state.ts';
import {
  type Delivery,
  type LoadedRoom,
  type LobbyQuery,
  type LogEntry,
  type Logger,
  type LogHead,
  type RoomCommit,
  type RoomCommitResult,
  type RoomStore,
  type ServerClock,
  UnavailableError,
} from '../../lib/ports.ts';
import type { ChatMessage, RoomCard } from '../../lib/protocol.ts';
import { CommandMemory } from './commands.ts';
import { Listeners } from './listeners.ts';
import { LobbyIndex } from './lobby.ts';
import { RoomLog } from './log.ts';
import { PresenceLeases } from './presence.ts';

export type MemoryStoreOptions = {
  readonly clock: ServerClock;
  readonly log: Logger;
  /** entries of a room that the archive may lack before chat is refused */
  readonly unarchivedEntries: number;
  /** how long results of commands are remembered; 10 minutes unless told */
  readonly rememberMs?: number;
  /** how many of them at most, of all rooms together */
  readonly rememberAtMost?: number;
};

type Room = { document: RoomDocument; chat: readonly ChatMessage[]; readonly log: RoomLog };
type CardChange = { readonly roomId: RoomId; readonly card: RoomCard | null };

const REMEMBER_MS = 600_000;
const REMEMBER_AT_MOST = 300_000;
const CARDS = 'cards';

/**
 * The rooms of one process. No call waits for anything between reading and writing, which makes each of them atomic; one
 * store may serve several parts of the process that think of themselves as instances. Listeners are called after the
 * call that caused it.
 */
export class MemoryRoomStore implements RoomStore {
  readonly #options: MemoryStoreOptions;
  readonly #rooms = new Map<RoomId, Room>();
  /** Removed while the archive still lacked something of them; seen by nobody but the archive. */
  readonly #leaving = new Map<RoomId, Room>();
  readonly #dirty = new Set<RoomId>();
  readonly #commands: CommandMemory;
  readonly #presence = new PresenceLeases();
  readonly #lobby = new LobbyIndex();
  readonly #subscribers: Listeners<RoomId, Delivery>;
  readonly #cardWatchers: Listeners<typeof CARDS, CardChange>;
  #closed = false;

  constructor(options: MemoryStoreOptions) {
    this.#options = options;
    this.#commands = new CommandMemory(options.rememberMs ?? REMEMBER_MS, options.rememberAtMost ?? REMEMBER_AT_MOST);
    const onError = (error: unknown): void => options.log.error({ err: error }, 'store.listener_failed');
    this.#subscribers = new Listeners(onError);
    this.#cardWatchers = new Listeners(onError);
  }

  async load(roomId: RoomId): Promise<LoadedRoom | null> {
    this.#open();
    const room = this.#rooms.get(roomId);
    if (room === undefined) return null;
    const { document, chat, log } = room;
    return { document, chat, epoch: log.epoch, seq: log.seq, present: this.#presence.present(roomId, this.#now()) };
  }

  async commit(commit: RoomCommit): Promise<RoomCommitResult> {
    this.#open();
    requireWellFormed(commit);
    const now = this.#now();
    if (now > commit.notAfter) return { kind: 'late' };
    const repeats = this.#repeats(commit, now);
    if (repeats.length > 0) return { kind: 'repeated', repeats };

    const room = this.#rooms.get(commit.roomId);
    const refused = refusal(commit, room, this.#leaving.has(commit.roomId), this.#options.unarchivedEntries);
    if (refused !== null) return refused;

    const written = room ?? this.#create(commit);
    if (commit.document !== null) written.document = commit.document;
    const entries = written.log.append(commit.events, now);
    for (const event of commit.events) written.chat = applyToChat(written.chat, event);
    for (const mark of commit.commands) this.#commands.remember(commit.roomId, mark, now);
    if (entries.length > 0 || commit.document !== null) this.#dirty.add(commit.roomId);
    if (commit.card !== undefined) this.#setCard(commit.roomId, commit.card);
    if (entries.length > 0) this.#deliver(commit.roomId, written, entries);
    const toSeq = written.log.seq;
    return {
      kind: 'committed',
      epoch: written.log.epoch,
      fromSeq: toSeq - entries.length + 1,
      toSeq,
      at: entries[0]?.at ?? now,
    };
  }

  async answered(
    roomId: RoomId,
    playerId: PlayerId,
    commandId: CommandId,
    bodyHash: string,
  ): Promise<string | 'conflict' | null> {
    this.#open();
    return this.#commands.find(roomId, playerId, commandId, bodyHash, this.#now());
  }

  async since(roomId: RoomId, epoch: Epoch, seq: number): Promise<readonly LogEntry[] | null> {
    this.#open();
    const log = this.#rooms.get(roomId)?.log;
    return log === undefined || log.epoch !== epoch ? null : log.since(seq);
  }

  async subscribe(roomId: RoomId, listener: (delivery: Delivery) => void): Promise<{ close(): Promise<void> }> {
    this.#open();
    const end = this.#subscribers.add(roomId, listener);
    return {
      close: async () => {
        end();
      },
    };
  }

  async heads(roomIds: readonly RoomId[]): Promise<ReadonlyMap<RoomId, LogHead>> {
    this.#open();
    const heads = new Map<RoomId, LogHead>();
    for (const roomId of roomIds) {
      const room = this.#rooms.get(roomId);
      if (room !== undefined) heads.set(roomId, headOf(room));
    }
    return heads;
  }

  /** A room that left before the archive had all of it is still whole here: it comes back as it was ('exists'). */
  async restore(
    document: RoomDocument,
    chat: readonly ChatMessage[],
    card: RoomCard | null,
  ): Promise<'restored' | 'exists'> {
    this.#open();
    if (this.#rooms.has(document.id)) return 'exists';
    const leaving = this.#leaving.get(document.id);
    this.#leaving.delete(document.id);
    this.#rooms.set(document.id, leaving ?? { document, chat: chat.slice(-CHAT_TAIL), log: newLog() });
    this.#setCard(document.id, card);
    return leaving === undefined ? 'restored' : 'exists';
  }

  async remove(roomId: RoomId): Promise<void> {
    this.#open();
    const room = this.#rooms.get(roomId);
    if (room === undefined) return;
    this.#rooms.delete(roomId);
    if (this.#dirty.has(roomId)) this.#leaving.set(roomId, room);
    this.#presence.remove(roomId);
    this.#setCard(roomId, null);
  }

  async lease(roomId: RoomId, instanceId: string, players: readonly PlayerId[], ttlMs: number): Promise<void> {
    this.#open();
    const now = this.#now();
    this.#presence.lease(roomId, instanceId, players, now + ttlMs, now);
  }

  async present(roomId: RoomId): Promise<readonly PlayerId[]> {
    this.#open();
    return this.#presence.present(roomId, this.#now());
  }

  async list(
    query: LobbyQuery,
  ): Promise<{ readonly rooms: readonly RoomCard[]; readonly total: number; readonly next?: string }> {
    this.#open();
    return this.#lobby.list(query);
  }

  watchCards(listener: (change: CardChange) => void): { close(): void } {
    this.#open();
    return { close: this.#cardWatchers.add(CARDS, listener) };
  }

  async dirty(limit: number): Promise<readonly RoomId[]> {
    this.#open();
    const rooms: RoomId[] = [];
    for (const roomId of this.#dirty) {
      if (rooms.length >= limit) break;
      rooms.push(roomId);
    }
    return rooms;
  }

  async unarchived(roomId: RoomId): Promise<{
    readonly document: RoomDocument;
    readonly head: LogHead;
    readonly entries: readonly LogEntry[];
  } | null> {
    this.#open();
    const room = this.#rooms.get(roomId) ?? this.#leaving.get(roomId);
    return room === undefined ? null : { document: room.document, head: headOf(room), entries: room.log.unarchived() };
  }

  async archived(roomId: RoomId, head: LogHead, version: number): Promise<void> {
    this.#open();
    const room = this.#rooms.get(roomId) ?? this.#leaving.get(roomId);
    if (room === undefined) {
      this.#dirty.delete(roomId);
      return;
    }
    if (head.epoch !== room.log.epoch) return;
    room.log.archived(head.seq);
    // What came meanwhile puts the room behind those that wait, so that one busy room does not hold the others up.
    this.#dirty.delete(roomId);
    if (room.log.unarchivedCount > 0 || room.document.version !== version) this.#dirty.add(roomId);
    else this.#leaving.delete(roomId);
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#subscribers.clear();
    this.#cardWatchers.clear();
  }

  #now(): number {
    return this.#options.clock.now();
  }

  #open(): void {
    if (this.#closed) throw new UnavailableError('the room store is closed', 'none');
  }

  #deliver(roomId: RoomId, room: Room, entries: readonly LogEntry[]): void {
    const { version, factVersion } = room.document;
    this.#subscribers.tell(roomId, { epoch: room.log.epoch, entries, version, factVersion });
  }

  #create(commit: RoomCommit): Room {
    if (commit.document === null) throw new Error(`the first commit of room ${commit.roomId} has no document`);
    const room: Room = { document: commit.document, chat: [], log: newLog() };
    this.#rooms.set(commit.roomId, room);
    return room;
  }

  #repeats(commit: RoomCommit, now: number): { index: number; result: string | 'conflict' }[] {
    return commit.commands.flatMap((mark, index) => {
      const result = this.#commands.find(commit.roomId, mark.playerId, mark.commandId, mark.bodyHash, now);
      return result === null ? [] : [{ index, result }];
    });
  }

  #setCard(roomId: RoomId, card: RoomCard | null): void {
    if (this.#lobby.set(roomId, card)) this.#cardWatchers.tell(CARDS, { roomId, card });
  }
}

/** What stands in the way of the commit, in the order that the port promises; null: nothing. */
function refusal(
  commit: RoomCommit,
  room: Room | undefined,
  leaving: boolean,
  unarchivedEntries: number,
): RoomCommitResult | null {
  const { expect, known, facts, events } = commit;
  if (expect === null) return room !== undefined || leaving ? { kind: 'conflict' } : null;
  if (room === undefined) return { kind: 'absent' };
  const { log, document } = room;
  if (expect.epoch !== log.epoch || expect.version !== document.version) return { kind: 'conflict' };
  // This memory cannot go back behind what it told; a caller that knows more has it from somewhere else.
  if (known !== null && known.epoch === log.epoch && known.seq > log.seq) return { kind: 'conflict' };
  if (facts !== null && facts.from !== document.factVersion)
    return { kind: 'fact-gap', factVersion: document.factVersion };
  const talk = events.length > 0 && events.every(({ type }) => type === 'chat' || type === 'reaction');
  return talk && log.unarchivedCount >= unarchivedEntries ? { kind: 'overloaded' } : null;
}

/** Mistakes of the caller that would break the log for good, told at once instead of later. */
function requireWellFormed(commit: RoomCommit): void {
  const { document, expect, facts, commands, roomId } = commit;
  const ids = new Set(commands.map(({ playerId, commandId }) => `${playerId}\n${commandId}`));
  if (ids.size < commands.length) throw new Error(`a commit of room ${roomId} carries one command twice`);
  if (document !== null && expect !== null && commit.events.length === 0) {
    throw new Error(`a commit of room ${roomId} writes a document without an event that tells of it`);
  }
  if (document !== null && document.id !== roomId)
    throw new Error(`a commit of room ${roomId} carries another's document`);
  if (document !== null && expect !== null && document.version !== expect.version + 1) {
    throw new Error(`a commit of room ${roomId} raises version ${expect.version} to ${document.version}`);
  }
  if (facts !== null && document?.factVersion !== facts.to) {
    throw new Error(
      `a commit of room ${roomId} appends facts up to ${facts.to} with a document at ${document?.factVersion}`,
    );
  }
}

function newLog(): RoomLog {
  return new RoomLog(ulid() as Epoch);
}

function headOf(room: Room): LogHead {
  return { epoch: room.log.epoch, seq: room.log.seq };
}
