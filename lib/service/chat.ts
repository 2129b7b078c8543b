import { decideChat, decideReaction } from '../core/chat.ts';
import type { MessageId, RoomId } from '../core/ids.ts';
import { memberOf } from '../core/room.ts';
import { refuse } from '../errors.ts';
import type { ArchiveRecords } from '../ports.ts';
import type { ChatMessage, Payload, Reply } from '../protocol.ts';
import type { Caller } from './caller.ts';
import { commandMark } from './command-mark.ts';
import type { RoomState } from './room-access.ts';
import type { RoomCommands } from './room-commands.ts';
import type { RoomFeeds } from './room-feeds.ts';
import { messageIdOf } from './room-secrets.ts';

export type ChatDeps = {
  readonly feeds: RoomFeeds;
  readonly commands: RoomCommands;
  readonly archive: Pick<ArchiveRecords, 'messages' | 'has'>;
  readonly limits: { readonly chatCharacters: number };
};

const PAGE = 30;

export function createChat(deps: ChatDeps) {
  const { feeds, commands, archive } = deps;

  function memberState(caller: Caller, roomId: RoomId): RoomState {
    const state = feeds.state(roomId);
    if (state === null || memberOf(state.document, caller.playerId) === undefined) throw refuse('NOT_MEMBER');
    return state;
  }

  /** In what the room still holds, or in the archive. */
  async function mustExist(state: RoomState, messageId: MessageId, path: string): Promise<void> {
    if (state.chat.some((message) => message.id === messageId)) return;
    if (!(await archive.has(state.document.id, messageId))) throw refuse('NOT_FOUND', { path });
  }

  return {
    async send(caller: Caller, payload: Payload<'chat:send'>): Promise<Reply<'chat:send'>> {
      const state = memberState(caller, payload.roomId);
      if (payload.replyTo !== undefined) await mustExist(state, payload.replyTo, 'replyTo');
      const messageId = messageIdOf(caller.playerId, payload.commandId);
      const draft = {
        id: messageId,
        playerId: caller.playerId,
        text: payload.text,
        replyTo: payload.replyTo,
        mentions: payload.mentions,
      };
      await commands.submit(payload.roomId, {
        mark: commandMark('chat:send', caller.playerId, payload),
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
      const { chat } = memberState(caller, payload.roomId);
      const limit = payload.limit ?? PAGE;
      const at =
        payload.before === undefined ? chat.length : chat.findIndex((message) => message.id === payload.before);
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
