/** Documents and chat in PostgreSQL, written behind. */
import type { MessageId, PlayerId, RoomId } from '../core/ids.ts';
import type { RoomDocument } from '../core/room-state.ts';
import type { ChatMessage } from '../protocol.ts';
import type { LogHead } from './room-store.ts';

export interface ArchiveRecords {
  /** Writes messages and document together with the position, if the position is still `expect` ('conflict': another worker was there). */
  write(input: {
    readonly roomId: RoomId;
    readonly expect: LogHead | null;
    readonly head: LogHead;
    readonly document: RoomDocument;
    readonly messages: readonly ChatMessage[];
    readonly reactions: readonly {
      readonly messageId: MessageId;
      readonly emoji: string;
      readonly playerId: PlayerId;
      readonly on: boolean;
    }[];
  }): Promise<'written' | 'conflict'>;
  read(
    roomId: RoomId,
    lastMessages: number,
  ): Promise<{
    readonly position: LogHead;
    readonly document: RoomDocument;
    readonly messages: readonly ChatMessage[];
  } | null>;
  /** Newest first page before a message (exclusive), returned oldest first. */
  messages(
    roomId: RoomId,
    before: MessageId | null,
    limit: number,
  ): Promise<{ readonly messages: readonly ChatMessage[]; readonly next?: MessageId }>;
  has(roomId: RoomId, messageId: MessageId): Promise<boolean>;
}
