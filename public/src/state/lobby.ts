import { signal } from '@preact/signals';
import { ask } from '../net/socket.ts';
import type { Kind, RoomCard, ServerEvents } from '../types.ts';

export type LobbyList = { readonly version: number; readonly rooms: readonly RoomCard[]; readonly total: number; readonly next?: string };

export const lobby = signal<LobbyList | null>(null);
export const search = signal('');
export const kindShown = signal<Kind | null>(null);
let watching = false;

/** Starts (again) to watch with the search and kind of now. */
export async function watchLobby(): Promise<void> {
  watching = true;
  const wanted = {
    ...(search.value.trim() === '' ? {} : { search: search.value.trim().slice(0, 30) }),
    ...(kindShown.value === null ? {} : { kind: kindShown.value }),
  };
  const answer = await ask('lobby:watch', wanted);
  if (answer.ok && watching) lobby.value = answer.data;
}

export async function moreRooms(): Promise<void> {
  const now = lobby.value;
  if (!now?.next) return;
  const answer = await ask('lobby:watch', {
    after: now.next,
    ...(search.value.trim() === '' ? {} : { search: search.value.trim() }),
    ...(kindShown.value === null ? {} : { kind: kindShown.value }),
  });
  if (!answer.ok) return;
  const known = new Set(now.rooms.map((card) => card.id));
  lobby.value = { ...answer.data, rooms: [...now.rooms, ...answer.data.rooms.filter((card) => !known.has(card.id))] };
}

export function unwatchLobby(): void {
  if (!watching) return;
  watching = false;
  void ask('lobby:unwatch', {});
}

export function onLobbyUpdate(update: ServerEvents['lobby:update']): void {
  if (lobby.value !== null) lobby.value = withUpdate(lobby.value, update, kindShown.value, search.value);
}

/** Cards that changed stay where they are; new ones that fit the filter go to the top. */
export function withUpdate(list: LobbyList, update: ServerEvents['lobby:update'], kind: Kind | null, wanted: string): LobbyList {
  if (update.version < list.version) return list;
  const removed = new Set<string>(update.removed);
  const changed = new Map(update.upserted.map((card) => [card.id, card]));
  const kept = list.rooms.filter((card) => !removed.has(card.id)).map((card) => changed.get(card.id) ?? card);
  const known = new Set(kept.map((card) => card.id));
  const needle = wanted.trim().toLowerCase();
  const added = update.upserted.filter(
    (card) =>
      !known.has(card.id) &&
      (kind === null || card.kind === kind) &&
      (needle === '' || card.name.toLowerCase().includes(needle) || card.code.toLowerCase().includes(needle)),
  );
  return { ...list, version: update.version, rooms: [...added, ...kept], total: update.total };
}
