import { computed, signal } from '@preact/signals';
import { ask, command } from '../net/socket.ts';
import { storedSeat } from '../net/stored.ts';
import type {
  ChatMessage,
  Mine,
  OddsView,
  RaceId,
  RoomEvent,
  RoomEventsPacket,
  ServerEvents,
  SettledBet,
  Snapshot,
} from '../types.ts';
import { isStale, type RoomState, receive, withMembers, withReaction } from './feed.ts';
import { fetchChunks } from './frames.ts';
import { displayNames } from './names.ts';
import { mergeOdds } from './odds.ts';
import { go, putLobbyBelow, recordShown } from './route.ts';
import { ledgerAway } from './session.ts';

export const room = signal<RoomState | null>(null);
/** Why we are no longer in the room; shown in its place. */
export type Gone = { readonly cause: string; readonly reason?: string; readonly name?: string; readonly code?: string };
export const gone = signal<Gone | null>(null);
/** My bets, pick and vote in the room's race. */
export const mine = signal<({ readonly raceId: RaceId } & Mine) | null>(null);
export const odds = signal<OddsView | null>(null);
export const settledBets = signal<{ readonly raceId: RaceId; readonly bets: readonly SettledBet[] } | null>(null);
/** Messages before those of the room's state, oldest first; `more` while the server has older ones. */
export const olderChat = signal<{ readonly messages: readonly ChatMessage[]; readonly more: boolean }>({
  messages: [],
  more: true,
});
/** Typed and not answered yet: shown faded below the others. */
export const pendingChat = signal<readonly { readonly id: number; readonly text: string }[]>([]);
export const unread = signal(0);
export const chatVisible = signal(false);

export const race = computed(() => room.value?.race ?? null);
export const isHost = computed(() => room.value !== null && room.value.hostId === room.value.me.playerId);
export const names = computed(() => displayNames(room.value?.members ?? []));

/** A snapshot has up to 20 messages, of long ones fewer: with less than this there are none before. */
const FEWEST_OF_MANY = 6;
const SYNC_AGAIN_MS = 1_000;

let seat: string | null = null;
let inviteKey: string | undefined;
let syncing = false;
/** Packets that came while a join or a sync was under way. */
let early: RoomEventsPacket[] = [];
/** Odds that overtook the snapshot or event which tells of their race. */
let earlyOdds: OddsView | null = null;

export const inviteKeyOfRoom = (): string | undefined => inviteKey;

export function resumeAuth(): {
  resume?: { roomId: Snapshot['id']; epoch: Snapshot['epoch']; seq: number; seat?: string };
} {
  const now = room.value;
  const ticket = seat === null ? {} : { seat };
  if (now) return { resume: { roomId: now.id, epoch: now.epoch, seq: now.seq, ...ticket } };
  const stored = storedSeat.get();
  if (stored === null || location.pathname.toUpperCase() !== `/R/${stored.code}`) return {};
  // After a reload nothing of the room is known: an epoch that no log has asks for a snapshot.
  return {
    resume: { roomId: stored.roomId as Snapshot['id'], epoch: 'none' as Snapshot['epoch'], seq: 0, seat: stored.seat },
  };
}

/** Takes a snapshot as the whole truth about the room we are in. */
export function enterRoom(snapshot: Snapshot, ticket: string, key?: string): void {
  const held = room.value;
  seat = ticket;
  if (key !== undefined) inviteKey = key;
  else if (held?.id !== snapshot.id)
    inviteKey = storedSeat.get()?.roomId === snapshot.id ? storedSeat.get()?.inviteKey : undefined;
  storedSeat.set({
    roomId: snapshot.id,
    code: snapshot.code,
    seat: ticket,
    ...(inviteKey === undefined ? {} : { inviteKey }),
  });
  gone.value = null;
  if (held?.id !== snapshot.id) {
    olderChat.value = { messages: [], more: snapshot.chat.length >= FEWEST_OF_MANY };
    odds.value = null;
    settledBets.value = null;
    unread.value = 0;
  }
  ledgerAway.value = snapshot.degraded.ledger === true;
  if (!isStale(held, snapshot)) room.value = { ...snapshot, chat: mergeChat(held, snapshot) };
  const path = `/r/${snapshot.code}`;
  if (location.pathname !== path) go(path);
  else putLobbyBelow();
  const packets = early;
  early = [];
  for (const packet of packets) onRoomEvents(packet);
  takeEarlyOdds();
  // What is shown now, which is newer than a snapshot that came late.
  const now = race.value;
  if (now) void loadMine(now.id);
  else mine.value = null;
  if (now?.phase === 'running') void fetchChunks(now.id);
}

export function addMembers(roomId: Snapshot['id'], page: Snapshot['members']): void {
  if (room.value?.id === roomId) room.value = withMembers(room.value, page);
}

/** A snapshot has only the newest messages; what was on the screen before a reconnect stays there. */
function mergeChat(held: RoomState | null, snapshot: Snapshot): readonly ChatMessage[] {
  if (held?.id !== snapshot.id) return snapshot.chat;
  const known = new Set(snapshot.chat.map((message) => message.id));
  const first = snapshot.chat[0]?.at ?? Number.POSITIVE_INFINITY;
  return [...held.chat.filter((message) => !known.has(message.id) && message.at <= first), ...snapshot.chat];
}

export async function loadMine(raceId: RaceId): Promise<void> {
  const answer = await ask('bet:mine', { raceId });
  if (answer.ok && room.value?.race?.id === raceId) mine.value = { raceId, ...answer.data };
}

export function onRoomEvents(packet: RoomEventsPacket): void {
  const held = room.value;
  if (held === null || held.id !== packet.roomId || syncing) {
    early = [...early, packet].slice(-50);
    return;
  }
  const received = receive(held, packet);
  if (received.kind === 'gap') {
    early.push(packet);
    void sync(held);
    return;
  }
  room.value = received.room;
  for (const event of received.fresh) afterEvent(event);
}

async function sync(held: RoomState): Promise<void> {
  if (syncing) return;
  syncing = true;
  const answer = await ask('room:sync', { roomId: held.id, epoch: held.epoch, seq: held.seq });
  syncing = false;
  if (room.value?.id !== held.id) return;
  const packets = early.filter((packet) => packet.roomId === held.id);
  early = [];
  if (!answer.ok) {
    // After a lost line its resume brings what is missing; a room that refuses us is not ours any more.
    if (answer.retryable) setTimeout(() => void (room.value === held && sync(held)), SYNC_AGAIN_MS);
    else closeRoom({ cause: 'gone' });
    return;
  }
  if (!answer.data.recovered) {
    if (seat !== null) enterRoom(answer.data.room, seat);
  } else onRoomEvents({ roomId: held.id, epoch: held.epoch, fromSeq: 0, toSeq: 0, events: answer.data.events });
  for (const packet of packets) onRoomEvents(packet);
}

function afterEvent(event: RoomEvent): void {
  switch (event.type) {
    case 'race opened':
      mine.value = { raceId: event.race.id, bets: [] };
      odds.value = null;
      settledBets.value = null;
      takeEarlyOdds();
      return;
    case 'horse scratched':
      void loadMine(event.raceId);
      return;
    case 'race drawn':
      if (room.value?.race) void loadMine(room.value.race.id);
      return;
    case 'race settled':
    case 'race void':
    case 'race paid':
      void loadMine(event.raceId);
      return;
    case 'chat':
      if (!chatVisible.value && event.message.playerId !== room.value?.me.playerId) unread.value += 1;
      return;
    case 'reaction':
      olderChat.value = { ...olderChat.value, messages: withReaction(olderChat.value.messages, event) };
      return;
    default:
  }
}

export function onRoomLeft(message: ServerEvents['room:left']): void {
  const held = room.value;
  if (held === null || held.id !== message.roomId) return;
  closeRoom({ cause: message.cause, ...(message.reason === undefined ? {} : { reason: message.reason }) });
}

/** Out of the room; with `cause` the page says why in its place. */
export function closeRoom(why: Gone | null): void {
  const held = room.value;
  const stored = storedSeat.get();
  // A record lay over the room: it would hide why we are out. One that the address asked for has no room below it.
  if (held !== null) recordShown.value = null;
  room.value = null;
  mine.value = null;
  odds.value = null;
  seat = null;
  early = [];
  storedSeat.set(null);
  const code = held?.code ?? stored?.code;
  gone.value = why && { ...why, ...(held ? { name: held.name } : {}), ...(code === undefined ? {} : { code }) };
  if (why === null) go('/', 'replace');
}

export function onOdds(view: OddsView): void {
  if (room.value?.race?.id === view.raceId) odds.value = mergeOdds(odds.value, view);
  else earlyOdds = mergeOdds(earlyOdds, view);
}

function takeEarlyOdds(): void {
  const view = earlyOdds;
  if (view === null || view.raceId !== race.value?.id) return;
  earlyOdds = null;
  if (odds.value?.raceId !== view.raceId || odds.value.version < view.version) odds.value = view;
}

export function onBetSettled(message: ServerEvents['bet:settled']): void {
  // A horse was scratched: the rest of the bets goes on.
  if (race.value?.id === message.raceId && race.value.phase === 'open') void loadMine(message.raceId);
  else settledBets.value = message;
}

export async function loadOlderChat(): Promise<void> {
  const held = room.value;
  if (held === null) return;
  const first = olderChat.value.messages[0] ?? held.chat[0];
  const answer = await ask('chat:history', { roomId: held.id, limit: 30, ...(first ? { before: first.id } : {}) });
  if (!answer.ok || room.value?.id !== held.id) return;
  const known = new Set([...olderChat.value.messages, ...held.chat].map((message) => message.id));
  const added = answer.data.messages.filter((message) => !known.has(message.id));
  olderChat.value = { messages: [...added, ...olderChat.value.messages], more: answer.data.next !== undefined };
}

export async function leaveRoom(): Promise<void> {
  const held = room.value;
  closeRoom(null);
  if (held) await command('room:leave', { roomId: held.id });
}
