import { decideChat, decideReaction, withReaction } from '../core/chat.ts';
import type { MessageId, RoomId } from '../core/ids.ts';
import { memberOf } from '../core/room.ts';
import { refuse } from '../errors.ts';
import type { ArchiveRecords, RoomStore, ServerClock } from '../ports.ts';
import type { ChatMessage, Payload, Reply, RoomEvent } from '../protocol.ts';
import type { Caller } from './caller.ts';
import { commandMark } from './command-mark.ts';
import type { RoomState } from './room-access.ts';
import type { RoomCommands } from './room-commands.ts';
import type { RoomFeeds } from './room-feeds.ts';
import { messageIdOf } from './room-secrets.ts';
import { createSaidBefore } from './said-before.ts';

export type ChatDeps = {
  readonly feeds: RoomFeeds;
  readonly commands: RoomCommands;
  readonly store: Pick<RoomStore, 'unarchived' | 'answered'>;
  readonly archive: Pick<ArchiveRecords, 'messages' | 'has'>;
  readonly clock: ServerClock;
  readonly limits: { readonly chatCharacters: number };
};

const PAGE = 30;

export function createChat(deps: ChatDeps) {
  const { feeds, commands, store, archive } = deps;
  const saidBefore = createSaidBefore(deps);

  function memberState(caller: Caller, roomId: RoomId): RoomState {
    const state = feeds.state(roomId);
    if (state === null || memberOf(state.document, caller.playerId) === undefined) throw refuse('NOT_MEMBER');
    return state;
  }

  /** Messages in a hurry: gone from the tail already, and not in the archive yet. Oldest first, all before the tail. */
  async function betweenArchiveAnd(tail: readonly ChatMessage[], roomId: RoomId): Promise<readonly ChatMessage[]> {
    const pending = await store.unarchived(roomId);
    const messages = new Map<MessageId, ChatMessage>();
    for (const { type, json } of pending?.entries ?? []) {
      if (type !== 'chat' && type !== 'reaction') continue;
      const event = JSON.parse(json) as RoomEvent;
      if (event.type === 'chat') messages.set(event.message.id, event.message);
      const reacted = event.type === 'reaction' ? messages.get(event.messageId) : undefined;
      if (event.type === 'reaction' && reacted) messages.set(reacted.id, withReaction(reacted, event));
    }
    const all = [...messages.values()];
    const tailBegins = all.findIndex((message) => message.id === tail[0]?.id);
    return all.slice(0, Math.max(0, tailBegins));
  }

  /** In what the room still holds, on its way into the archive, or there. */
  async function mustExist(state: RoomState, messageId: MessageId, path: string): Promise<void> {
    const isIt = ({ id }: ChatMessage): boolean => id === messageId;
    if (state.chat.some(isIt)) return;
    const roomId = state.document.id;
    if ((await betweenArchiveAnd(state.chat, roomId)).some(isIt)) return;
    if (!(await archive.has(roomId, messageId))) throw refuse('NOT_FOUND', { path });
  }

  return {
    async send(caller: Caller, payload: Payload<'chat:send'>): Promise<Reply<'chat:send'>> {
      const state = memberState(caller, payload.roomId);
      if (payload.replyTo !== undefined) await mustExist(state, payload.replyTo, 'replyTo');
      const messageId = messageIdOf(caller.playerId, payload.commandId);
      const mark = commandMark('chat:send', caller.playerId, payload);
      if (await saidBefore(state, caller.playerId, messageId)) {
        const known = await store.answered(payload.roomId, mark.playerId, mark.commandId, mark.bodyHash);
        if (known === 'conflict') throw refuse('COMMAND_CONFLICT');
        return { messageId };
      }
      const draft = {
        id: messageId,
        playerId: caller.playerId,
        text: payload.text,
        replyTo: payload.replyTo,
        mentions: payload.mentions,
      };
      await commands.submit(payload.roomId, {
        mark,
        decide: (room, now) => decideChat(room, draft, now, deps.limits),
      });
      return { messageId };
    },

    async react(caller: Caller, payload: Payload<'chat:react'>): Promise<Reply<'chat:react'>> {
      await mustExist(memberState(caller, payload.roomId), payload.messageId, 'messageId');
      const { messageId, emoji, on } = payload;
      await commands.submit(payload.roomId, {
        mark: commandMark('chat:react', caller.playerId, payload),
        decide: (room) => decideReaction(room, { playerId: caller.playerId, messageId, emoji, on }),
      });
      return {};
    },

    /** The page before `before` (or the newest), oldest first: from what the room holds, then from the archive. */
    async history(caller: Caller, payload: Payload<'chat:history'>): Promise<Reply<'chat:history'>> {
      const { chat: tail } = memberState(caller, payload.roomId);
      const limit = payload.limit ?? PAGE;
      const end = (chat: readonly ChatMessage[]): number =>
        payload.before === undefined ? chat.length : chat.findIndex((message) => message.id === payload.before);
      const chat = end(tail) >= limit ? tail : [...(await betweenArchiveAnd(tail, payload.roomId)), ...tail];
      const at = end(chat);
      const held = at > 0 ? chat.slice(Math.max(0, at - limit), at) : [];
      const oldest = held[0]?.id ?? payload.before ?? null;
      const page =
        held.length === limit
          ? { messages: [], next: oldest ?? undefined }
          : await archive.messages(payload.roomId, oldest, limit - held.length);
      const messages: readonly ChatMessage[] = [...page.messages, ...held];
      const next = page.next;
      return { messages, ...(next === undefined ? {} : { next }) };
    },
  };
}
export type Chat = ReturnType<typeof createChat>;
