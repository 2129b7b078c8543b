import type { Pool } from 'pg';
import type { Epoch, MessageId, PlayerId } from '../../lib/core/ids.ts';
import type { RoomDocument } from '../../lib/core/room-state.ts';
import type { ArchiveRecords } from '../../lib/ports.ts';
import type { ChatMessage, Reaction } from '../../lib/protocol.ts';
import { jsonb, read, write } from './query.ts';

type MessageRow = {
  id: MessageId;
  player_id: PlayerId;
  nickname: string;
  text: string;
  at: bigint;
  reply_to: MessageId | null;
  mentions: PlayerId[] | null;
  reactions: Reaction[] | null;
};

/** Newest first. $1 room, $2 limit, $3 a message that all of the page are older than, or null. */
const PAGE = `select m.id, m.player_id, m.nickname, m.text, m.at, m.reply_to, m.mentions, r.reactions
  from (
    select id, ordinal, player_id, nickname, text, at, reply_to, mentions
    from chat_message
    where room_id = $1
      and ($3::text is null or ordinal < coalesce(
        (select ordinal from chat_message where id = $3 and room_id = $1), 9223372036854775807))
    order by ordinal desc
    limit $2
  ) m
  left join lateral (
    select jsonb_agg(jsonb_build_object('emoji', emoji, 'playerIds', player_ids) order by first) as reactions
    from (
      select emoji, jsonb_agg(player_id order by ordinal) as player_ids, min(ordinal) as first
      from chat_reaction
      where message_id = m.id
      group by emoji
    ) by_emoji
  ) r on true
  order by m.ordinal desc`;

/** Archived documents, messages and reactions, written together with the position in the room's log. */
export function createArchiveRecords(pool: Pool): ArchiveRecords {
  async function newest(roomId: string, limit: number, before: MessageId | null): Promise<ChatMessage[]> {
    const rows = await read<MessageRow>(pool, PAGE, [roomId, limit, before]);
    return rows.map(chatMessage).reverse();
  }

  return {
    async write({ roomId, expect, head, document, messages, reactions }) {
      // One player's last word on a message and emoji is what stands.
      const last = new Map(
        reactions.map((change) => [`${change.messageId}\n${change.emoji}\n${change.playerId}`, change]),
      );
      const [row] = await write<{ outcome: 'written' | 'conflict' }>(
        pool,
        'select room_archive_write($1, $2, $3, $4, $5, $6::jsonb, $7::jsonb, $8::jsonb) as outcome',
        [
          roomId,
          expect?.epoch ?? null,
          expect?.seq ?? null,
          head.epoch,
          head.seq,
          jsonb(document),
          jsonb(messages),
          jsonb([...last.values()]),
        ],
      );
      return row?.outcome ?? 'conflict';
    },

    async read(roomId, lastMessages) {
      const [row] = await read<{ epoch: Epoch; seq: bigint; document: RoomDocument }>(
        pool,
        'select epoch, seq, document from room_archive where room_id = $1',
        [roomId],
      );
      if (row === undefined) return null;
      const messages = lastMessages === 0 ? [] : await newest(roomId, lastMessages, null);
      return { position: { epoch: row.epoch, seq: Number(row.seq) }, document: row.document, messages };
    },

    async messages(roomId, before, limit) {
      const found = await newest(roomId, limit + 1, before);
      const messages = found.slice(-limit);
      const oldest = messages[0];
      return found.length > limit && oldest !== undefined ? { messages, next: oldest.id } : { messages };
    },

    async has(roomId, messageId) {
      const rows = await read(pool, 'select 1 from chat_message where id = $1 and room_id = $2', [messageId, roomId]);
      return rows.length > 0;
    },
  };
}

function chatMessage(row: MessageRow): ChatMessage {
  return {
    id: row.id,
    playerId: row.player_id,
    nickname: row.nickname,
    text: row.text,
    at: Number(row.at),
    ...(row.reply_to === null ? {} : { replyTo: row.reply_to }),
    ...(row.mentions === null ? {} : { mentions: row.mentions }),
    ...(row.reactions === null ? {} : { reactions: row.reactions }),
  };
}
