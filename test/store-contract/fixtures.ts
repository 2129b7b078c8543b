import { randomUUID } from 'node:crypto';
import type { CommandId, Epoch, MessageId, PlayerId, RoomId } from '../../lib/core/ids.ts';
import { DEFAULT_SETTINGS } from '../../lib/core/room-settings.ts';
import type { RoomDocument } from '../../lib/core/room-state.ts';
import type {
  CommandMark,
  Delivery,
  LoadedRoom,
  LogEntry,
  RoomCommit,
  RoomCommitResult,
  RoomStore,
} from '../../lib/ports.ts';
import type { ChatMessage, RoomCard, RoomEvent, RoomEventBody } from '../../lib/protocol.ts';

export const newRoomId = () => `room-${randomUUID()}` as RoomId;
export const player = (name: string) => name as PlayerId;

export function documentOf(roomId: RoomId, patch: Partial<RoomDocument> = {}): RoomDocument {
  return {
    id: roomId,
    code: 'ABCDEF',
    kind: 'bet',
    house: false,
    locale: 'ko',
    createdAt: 1_000,
    version: 1,
    factVersion: 0,
    name: 'a room',
    hasPassword: false,
    settings: DEFAULT_SETTINGS.bet,
    settingsVersion: 1,
    hostId: null,
    expiresAt: 9_000_000,
    members: [],
    kickedAt: {},
    race: null,
    closed: null,
    ...patch,
  };
}

export function cardFor(roomId: RoomId, patch: Partial<RoomCard> = {}): RoomCard {
  return {
    id: roomId,
    code: 'ABCDEF',
    name: 'a room',
    kind: 'bet',
    players: 0,
    capacity: 50,
    spectators: 0,
    phase: 'idle',
    hasPassword: false,
    mode: 'manual',
    locale: 'ko',
    ...patch,
  };
}

export function message(text: string, patch: Partial<ChatMessage> = {}): ChatMessage {
  return { id: `m-${randomUUID()}` as MessageId, playerId: player('p1'), nickname: 'P1', text, at: 1, ...patch };
}
export const chat = (text: string): RoomEventBody => ({ type: 'chat', message: message(text) });
export const joined = (name: string): RoomEventBody => ({
  type: 'member joined',
  member: { id: player(name), nickname: name, role: 'player', connected: true, joinedAt: 1 },
});

export function mark(name: string, bodyHash = 'body', result = '{}'): CommandMark {
  return { playerId: player(name), commandId: randomUUID() as string as CommandId, bodyHash, result };
}

type Draft = Partial<Omit<RoomCommit, 'roomId' | 'events'>> & { readonly events?: readonly RoomEventBody[] };

/** A commit decided on what was loaded, without a new document unless given one. */
export function commitOn(room: LoadedRoom, draft: Draft = {}): RoomCommit {
  return {
    roomId: room.document.id,
    notAfter: Number.MAX_SAFE_INTEGER,
    commands: [],
    expect: { epoch: room.epoch, version: room.document.version },
    known: { epoch: room.epoch, seq: room.seq },
    document: null,
    facts: null,
    events: [],
    ...draft,
  };
}

/** The next version of a loaded document. */
export function changed(room: LoadedRoom, patch: Partial<RoomDocument> = {}): RoomDocument {
  return { ...room.document, ...patch, version: room.document.version + 1 };
}

export function firstCommit(document: RoomDocument, draft: Draft = {}): RoomCommit {
  return {
    roomId: document.id,
    notAfter: Number.MAX_SAFE_INTEGER,
    commands: [],
    expect: null,
    known: null,
    document,
    facts: null,
    events: [],
    ...draft,
  };
}

export async function loaded(store: RoomStore, roomId: RoomId): Promise<LoadedRoom> {
  const room = await store.load(roomId);
  if (room === null) throw new Error(`room ${roomId} is absent`);
  return room;
}

export async function mustCommit(
  store: RoomStore,
  commit: RoomCommit,
): Promise<Extract<RoomCommitResult, { kind: 'committed' }>> {
  const result = await store.commit(commit);
  if (result.kind !== 'committed') throw new Error(`not committed: ${JSON.stringify(result)}`);
  return result;
}

/** Creates a room with `count` messages in it. */
export async function roomWith(
  store: RoomStore,
  count: number,
  patch: Partial<RoomDocument> = {},
): Promise<LoadedRoom> {
  const roomId = newRoomId();
  await mustCommit(store, firstCommit(documentOf(roomId, patch)));
  if (count > 0) {
    const events = Array.from({ length: count }, (_, index) => chat(`text ${index + 1}`));
    await mustCommit(store, commitOn(await loaded(store, roomId), { events }));
  }
  return loaded(store, roomId);
}

export const eventOf = (entry: LogEntry) => JSON.parse(entry.json) as RoomEvent;

/** A member's view of a room as an instance keeps it: subscribe, buffer, load, drop what the load has, follow. */
export type Follower = {
  readonly epoch: () => Epoch;
  /** the seq of the load, and everything that followed */
  readonly from: number;
  readonly seen: readonly LogEntry[];
  /** what could not be right: gaps and orders that went back */
  readonly faults: readonly string[];
  close(): Promise<void>;
};

export async function follow(store: RoomStore, roomId: RoomId): Promise<Follower> {
  const early: Delivery[] = [];
  const seen: LogEntry[] = [];
  const faults: string[] = [];
  let head: { epoch: Epoch; seq: number } | null = null;
  let lastRaw = 0;
  const receive = (delivery: Delivery): void => {
    if (head === null) {
      early.push(delivery);
      return;
    }
    for (const entry of delivery.entries) {
      if (delivery.epoch !== head.epoch) faults.push(`epoch ${delivery.epoch}`);
      if (entry.seq < lastRaw) faults.push(`${entry.seq} after ${lastRaw}`);
      lastRaw = entry.seq;
      if (entry.seq <= head.seq) continue;
      if (entry.seq !== head.seq + 1) faults.push(`gap from ${head.seq} to ${entry.seq}`);
      head = { epoch: head.epoch, seq: entry.seq };
      seen.push(entry);
    }
  };
  const subscription = await store.subscribe(roomId, receive);
  const room = await loaded(store, roomId);
  head = { epoch: room.epoch, seq: room.seq };
  for (const delivery of early) receive(delivery);
  return { epoch: () => room.epoch, from: room.seq, seen, faults, close: () => subscription.close() };
}
