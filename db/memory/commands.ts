import type { CommandId, PlayerId, RoomId } from '../../lib/core/ids.ts';
import type { CommandMark } from '../../lib/ports.ts';

type Remembered = {
  readonly roomId: RoomId;
  readonly bodyHash: string;
  readonly result: string;
  readonly until: number;
};

/**
 * Results of commands, for their repeats. An id is its player's in all rooms, since what it makes (a message) is named after it.
 * Each is kept for `keepMs`, together at most `max` (the oldest are forgotten first, which
 * a repeat within its time then notices; the maximum is for memory, not for daily use).
 */
export class CommandMemory {
  readonly #keepMs: number;
  readonly #max: number;
  /** In the order in which they end. */
  readonly #results = new Map<string, Remembered>();

  constructor(keepMs: number, max: number) {
    this.#keepMs = keepMs;
    this.#max = max;
  }

  get size(): number {
    return this.#results.size;
  }

  /** The remembered result; 'conflict' when the id was used for another body or in another room; null when it is not known. */
  find(
    roomId: RoomId,
    playerId: PlayerId,
    commandId: CommandId,
    bodyHash: string,
    now: number,
  ): string | 'conflict' | null {
    const found = this.#results.get(keyOf(playerId, commandId));
    if (found === undefined || found.until <= now) return null;
    return found.roomId === roomId && found.bodyHash === bodyHash ? found.result : 'conflict';
  }

  remember(roomId: RoomId, mark: CommandMark, now: number): void {
    const key = keyOf(mark.playerId, mark.commandId);
    const { bodyHash, result } = mark;
    this.#results.delete(key);
    this.#results.set(key, { roomId, bodyHash, result, until: now + this.#keepMs });
    this.#forget(now);
  }

  #forget(now: number): void {
    for (const [key, { until }] of this.#results) {
      if (until > now && this.#results.size <= this.#max) return;
      this.#results.delete(key);
    }
  }
}

function keyOf(playerId: PlayerId, commandId: CommandId): string {
  return `${playerId}\n${commandId}`;
}
