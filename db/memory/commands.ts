import type { CommandId, PlayerId, RoomId } from '../../lib/core/ids.ts';
import type { CommandMark } from '../../lib/ports.ts';

type Remembered = { readonly bodyHash: string; readonly result: string; readonly until: number };

/**
 * Results of commands, for their repeats: each for `keepMs`, together at most `max` (the oldest are forgotten first, which
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

  /** The remembered result; 'conflict' when the id was used for another body; null when it is not known. */
  find(
    roomId: RoomId,
    playerId: PlayerId,
    commandId: CommandId,
    bodyHash: string,
    now: number,
  ): string | 'conflict' | null {
    const found = this.#results.get(keyOf(roomId, playerId, commandId));
    if (found === undefined || found.until <= now) return null;
    return found.bodyHash === bodyHash ? found.result : 'conflict';
  }

  remember(roomId: RoomId, mark: CommandMark, now: number): void {
    const key = keyOf(roomId, mark.playerId, mark.commandId);
    this.#results.delete(key);
    this.#results.set(key, { bodyHash: mark.bodyHash, result: mark.result, until: now + this.#keepMs });
    this.#forget(now);
  }

  #forget(now: number): void {
    for (const [key, { until }] of this.#results) {
      if (until > now && this.#results.size <= this.#max) return;
      this.#results.delete(key);
    }
  }
}

function keyOf(roomId: RoomId, playerId: PlayerId, commandId: CommandId): string {
  return `${roomId}\n${playerId}\n${commandId}`;
}
