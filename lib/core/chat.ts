import type { Refusal } from '../errors.ts';
import type { ChatMessage, Reaction, RoomEventBody } from '../protocol.ts';
import type { MessageId, PlayerId } from './ids.ts';
import { memberOf } from './room.ts';
import type { RoomDocument } from './room-state.ts';
import { characters, cleanLine } from './text.ts';

/** How many messages an instance keeps of a room beside its document. */
export const CHAT_TAIL = 50;
const REACTORS = 500;

export type ChatRoom = { readonly document: RoomDocument; readonly chat: readonly ChatMessage[] };
type Draft = {
  readonly id: MessageId;
  readonly playerId: PlayerId;
  readonly text: string;
  readonly replyTo?: MessageId | undefined;
  readonly mentions?: readonly PlayerId[] | undefined;
};
type Decision = { readonly events: readonly RoomEventBody[] } | { readonly error: Refusal };

/** A message into the room: members only (spectators too), cleaned, within its length, and not faster than slow mode allows. */
export function decideChat(
  room: ChatRoom,
  draft: Draft,
  now: number,
  rules: { readonly chatCharacters: number },
): Decision {
  const { document } = room;
  if (document.closed !== null) return { error: { code: 'ROOM_CLOSED' } };
  const member = memberOf(document, draft.playerId);
  if (!member) return { error: { code: 'NOT_MEMBER' } };
  const text = cleanLine(draft.text);
  if (text === '' || characters(text) > rules.chatCharacters) return { error: { code: 'BAD_REQUEST', path: 'text' } };
  // The store forgets commands when a crash takes its memory; the message that one made tells that it was done.
  const said = room.chat.find((message) => message.id === draft.id);
  if (said !== undefined) return said.text === text ? { events: [] } : { error: { code: 'COMMAND_CONFLICT' } };
  const waitMs = slowModeWait(room, draft.playerId, now);
  if (waitMs > 0) return { error: { code: 'SLOW_MODE', retryAfterMs: waitMs } };
  const mentions = [...new Set(draft.mentions ?? [])].filter((id) => memberOf(document, id) !== undefined);
  const message: ChatMessage = {
    id: draft.id,
    playerId: member.id,
    nickname: member.nickname,
    text,
    at: now,
    ...(draft.replyTo === undefined ? {} : { replyTo: draft.replyTo }),
    ...(mentions.length === 0 ? {} : { mentions }),
  };
  return { events: [{ type: 'chat', message }] };
}

/** The host is not slowed. Looks at the tail only: with 50 messages since one's last there is nothing to slow. */
function slowModeWait(room: ChatRoom, playerId: PlayerId, now: number): number {
  const { slowModeSeconds } = room.document.settings;
  if (slowModeSeconds === 0 || room.document.hostId === playerId) return 0;
  const last = room.chat.findLast((message) => message.playerId === playerId);
  return last === undefined ? 0 : last.at + slowModeSeconds * 1_000 - now;
}

export function decideReaction(
  room: ChatRoom,
  command: { readonly playerId: PlayerId; readonly messageId: MessageId; readonly emoji: string; readonly on: boolean },
): Decision {
  if (room.document.closed !== null) return { error: { code: 'ROOM_CLOSED' } };
  if (!memberOf(room.document, command.playerId)) return { error: { code: 'NOT_MEMBER' } };
  const known = room.chat.find((message) => message.id === command.messageId);
  const reaction = known?.reactions?.find((one) => one.emoji === command.emoji);
  const has = reaction?.playerIds.includes(command.playerId) ?? false;
  if (known && has === command.on) return { events: [] };
  if (command.on && (reaction?.playerIds.length ?? 0) >= REACTORS) return { error: { code: 'LIMIT_REACHED' } };
  return { events: [{ type: 'reaction', ...command }] };
}

/** The tail after an event; the same array when the event does not touch it. */
export function applyToChat(chat: readonly ChatMessage[], event: RoomEventBody): readonly ChatMessage[] {
  if (event.type === 'chat') return [...chat, event.message].slice(-CHAT_TAIL);
  if (event.type === 'reaction') {
    return chat.map((message) => (message.id === event.messageId ? withReaction(message, event) : message));
  }
  return chat;
}

/** A message with one player's reaction set or taken back; emojis stand in the order in which they first came. */
export function withReaction(
  message: ChatMessage,
  change: { readonly emoji: string; readonly playerId: PlayerId; readonly on: boolean },
): ChatMessage {
  const before = message.reactions ?? [];
  const found = before.find((reaction) => reaction.emoji === change.emoji);
  const others = (found?.playerIds ?? []).filter((id) => id !== change.playerId);
  const next: Reaction = { emoji: change.emoji, playerIds: change.on ? [...others, change.playerId] : others };
  const list = found ? before.map((reaction) => (reaction === found ? next : reaction)) : [...before, next];
  const reactions = list.filter((reaction) => reaction.playerIds.length > 0);
  const { reactions: _, ...plain } = message;
  return reactions.length === 0 ? plain : { ...plain, reactions };
}
