import type { Epoch } from '../../lib/core/ids.ts';
import type { LogEntry, RoomCommit } from '../../lib/ports.ts';

/** Entries that stay for `since` even when the archive has them. */
const KEPT = 500;
/** Trimmed in steps, so that not every call moves the rest. */
const TRIM_STEP = 256;

/** One life of a room's log: seqs from 1 on, without gaps. What the archive does not have is never trimmed. */
export class RoomLog {
  readonly epoch: Epoch;
  #seq = 0;
  #archivedSeq = 0;
  #lastAt = 0;
  /** Contiguous; the last one is the head. */
  readonly #entries: LogEntry[] = [];

  constructor(epoch: Epoch) {
    this.epoch = epoch;
  }

  get seq(): number {
    return this.#seq;
  }

  get unarchivedCount(): number {
    return this.#seq - this.#archivedSeq;
  }

  /** Appends under the next seqs. Times within a log never go back. */
  append(events: RoomCommit['events'], now: number): readonly LogEntry[] {
    this.#lastAt = Math.max(this.#lastAt, now);
    const at = this.#lastAt;
    const added = events.map((event): LogEntry => {
      this.#seq += 1;
      return { seq: this.#seq, at, type: event.type, json: JSON.stringify({ seq: this.#seq, at, ...event }) };
    });
    this.#entries.push(...added);
    return added;
  }

  /** Everything above `seq`; null when it has been trimmed, or `seq` is above the head. */
  since(seq: number): readonly LogEntry[] | null {
    const trimmed = this.#seq - this.#entries.length;
    if (seq > this.#seq || seq < trimmed) return null;
    return this.#entries.slice(seq - trimmed);
  }

  unarchived(): readonly LogEntry[] {
    return this.since(this.#archivedSeq) ?? [];
  }

  /** The archive has everything up to `seq`. An older position than before changes nothing. */
  archived(seq: number): void {
    this.#archivedSeq = Math.max(this.#archivedSeq, Math.min(seq, this.#seq));
    const trimmed = this.#seq - this.#entries.length;
    const droppable = Math.min(this.#archivedSeq, this.#seq - KEPT) - trimmed;
    if (droppable >= TRIM_STEP) this.#entries.splice(0, droppable);
  }
}
