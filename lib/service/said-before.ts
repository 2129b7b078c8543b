import type { MessageId, PlayerId } from '../core/ids.ts';
import { type ArchiveRecords, type ServerClock, UnavailableError } from '../ports.ts';
import type { RoomState } from './room-access.ts';

export type SaidBeforeDeps = {
  readonly archive: Pick<ArchiveRecords, 'has'>;
  readonly clock: ServerClock;
};

/** Clients give a command up after five minutes. */
const REPEATED_WITHIN_MS = 600_000;

/**
 * Whether a message that the room does not hold any more was said in an earlier life of the process, whose memory of commands is
 * gone: the archive is asked, in the first minutes and about rooms from before alone. A player's questions are answered in their order, which is that of what they
 * say. With PostgreSQL away nothing was said: talk goes on.
 */
export function createSaidBefore({ archive, clock }: SaidBeforeDeps) {
  const bornAt = performance.now();
  const last = new Map<PlayerId, Promise<boolean>>();

  async function ask(state: RoomState, messageId: MessageId): Promise<boolean> {
    try {
      return await archive.has(state.document.id, messageId);
    } catch (error) {
      if (error instanceof UnavailableError) return false;
      throw error;
    }
  }

  return async function saidBefore(state: RoomState, playerId: PlayerId, messageId: MessageId): Promise<boolean> {
    const ageMs = performance.now() - bornAt;
    if (ageMs > REPEATED_WITHIN_MS || state.document.createdAt >= clock.now() - ageMs) return false;
    if (state.chat.some(({ id }) => id === messageId)) return false;
    const before = last.get(playerId)?.catch(() => false) ?? Promise.resolve(false);
    const answer = before.then(() => ask(state, messageId));
    last.set(playerId, answer);
    try {
      return await answer;
    } finally {
      if (last.get(playerId) === answer) last.delete(playerId);
    }
  };
}
