import { signal } from '@preact/signals';
import type { ErrorCode } from '../../../lib/errors.ts';
import { t } from '../i18n/index.ts';
import { ask, command } from '../net/socket.ts';
import { storedSeat } from '../net/stored.ts';
import type { Kind, Payload, Role, RoomCard } from '../types.ts';
import { closeRoom, enterRoom, gone, room } from './room.ts';
import { go, route } from './route.ts';
import { toast, toastRefusal } from './toasts.ts';

/** The way into a room: its card, and what stands in the way. */
export type Entry = {
  readonly code: string;
  readonly key?: string;
  readonly card: RoomCard | null;
  readonly refused: ErrorCode | null;
  readonly canSpectate: boolean;
  readonly busy: boolean;
};

export const entry = signal<Entry | null>(null);

/** After `session:ready`, and whenever the address names a room we are not in. */
export async function lookUp(code: string, key?: string): Promise<void> {
  if (entry.value?.code === code && entry.value.refused === null) return;
  entry.value = {
    code,
    ...(key === undefined ? {} : { key }),
    card: null,
    refused: null,
    canSpectate: false,
    busy: true,
  };
  const answer = await ask('room:find', { code });
  if (entry.value?.code !== code) return;
  entry.value = answer.ok
    ? { ...entry.value, card: answer.data, busy: false }
    : { ...entry.value, refused: answer.code, busy: false };
}

/** From the lobby's list: straight in, unless something must be asked first. */
export async function enterByCard(card: RoomCard): Promise<void> {
  const full = card.players >= card.capacity;
  entry.value = { code: card.code, card, refused: null, canSpectate: full, busy: false };
  if (!card.hasPassword && !full) await join('player');
}

export async function join(as: Role, password?: string): Promise<void> {
  const now = entry.value;
  if (now?.card == null) return;
  entry.value = { ...now, busy: true, refused: null };
  const answer = await command('room:join', {
    roomId: now.card.id,
    as,
    ...(password ? { password } : {}),
    ...(now.key === undefined ? {} : { key: now.key }),
  });
  if (entry.value?.code !== now.code) {
    if (answer.ok) void command('room:leave', { roomId: answer.data.room.id });
    return;
  }
  if (answer.ok) {
    entry.value = null;
    enterRoom(answer.data.room, answer.data.seat);
    return;
  }
  const canSpectate = answer.code === 'ROOM_FULL' && answer.data?.['canSpectate'] === true;
  entry.value = { ...now, busy: false, refused: answer.code, canSpectate };
}

export async function createRoom(wanted: Omit<Payload<'room:create'>, 'commandId'> & { kind: Kind }): Promise<boolean> {
  const answer = await command('room:create', wanted);
  if (!answer.ok) {
    toastRefusal(answer);
    return false;
  }
  entry.value = null;
  enterRoom(answer.data.room, answer.data.seat, answer.data.inviteKey);
  return true;
}

/** What follows `session:ready`: the room we resumed comes by itself; else the address says where to go. */
export function followAddress(resumed: boolean, left: { readonly cause: string } | undefined): void {
  const now = route.value;
  if (resumed) return;
  const held = room.value;
  const stored = storedSeat.get();
  // A tab that was in a room and was sent to the link of another goes where the link leads: its old seat runs out.
  const sentElsewhere = held === null && now.page === 'room' && stored !== null && stored.code !== now.code;
  if (sentElsewhere) storedSeat.set(null);
  else if (held !== null || stored !== null) {
    const cause = left?.cause ?? 'timeout';
    const code = held?.code ?? stored?.code;
    closeRoom(cause === 'timeout' || cause === 'left' ? null : { cause });
    if (gone.value !== null) return;
    if (held !== null) toast(t('gone.timeout'));
    if (code !== undefined && (held !== null || now.page === 'room')) {
      go(`/r/${code}`, 'replace');
      void lookUp(code, now.page === 'room' && now.code === code ? now.key : undefined);
      return;
    }
  }
  if (now.page === 'room') void lookUp(now.code, now.key);
}
