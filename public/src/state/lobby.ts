import { signal } from '@preact/signals';
import { ask } from '../net/socket.ts';
import type { Kind, ServerEvents } from '../types.ts';
import { type LobbyList, withUpdate } from './lobby-list.ts';

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
