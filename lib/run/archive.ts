import { LRUCache } from 'lru-cache';
import type { RoomId } from '../core/ids.ts';
import {
  type ArchiveRecords,
  type LogEntry,
  type Logger,
  type LogHead,
  type RoomStore,
  UnavailableError,
} from '../ports.ts';
import type { ChatMessage, RoomEvent } from '../protocol.ts';

export type ArchiveWorkerOptions = {
  readonly store: Pick<RoomStore, 'dirty' | 'unarchived' | 'archived'>;
  readonly archive: Pick<ArchiveRecords, 'write' | 'read'>;
  readonly log: Logger;
  /** False while this process may not write, because it lost the lock that says the rooms in its memory are the ones. */
  readonly mayWrite: () => boolean;
  /** between two passes; 400 ms unless told: with the pass itself an event is archived within a second */
  readonly everyMs?: number;
};

export type ArchiveWorker = {
  /** Writes until nothing waits (true) or the deadline is over (false). */
  flush(deadlineMs: number): Promise<boolean>;
  /** Everything that is older than this is archived; 0 while the worker keeps up. For a gauge. */
  lagMs(): number;
  /** No write begins afterwards; resolves when the one under way has ended. */
  close(): Promise<void>;
};

const EVERY_MS = 400;
const ROOMS_A_PASS = 5_000;
/** One room a connection; more would take them from those who wait for an answer. */
const ROOMS_AT_ONCE = 3;
/** Log entries of one call, so that no call comes near its deadline however far the archive lagged. */
const ENTRIES_AT_ONCE = 2_000;
const BACKOFF_MS = { first: 200, most: 5_000 } as const;
/** A room that cannot be written for a reason of its own is tried again after this; the others go on. */
const BROKEN_ROOM_MS = 30_000;
const CONFLICTS_AT_ONCE = 5;

type PassResult = 'done' | 'behind' | 'away';

/**
 * Write-behind from the room store to PostgreSQL. Position and messages are one compare-and-set, so several workers, a
 * worker that died half-way and a write without an answer all end in each message written once, in the log's order.
 */
export function createArchiveWorker(options: ArchiveWorkerOptions): ArchiveWorker {
  const { store, archive, log } = options;
  const everyMs = options.everyMs ?? EVERY_MS;
  /** What PostgreSQL has for sure; what is not here is asked for. */
  const positions = new LRUCache<RoomId, { readonly head: LogHead | null }>({ max: 20_000 });
  const broken = new LRUCache<RoomId, true>({ max: 20_000, ttl: BROKEN_ROOM_MS });
  let passing: Promise<PassResult> | null = null;
  let last: PassResult = 'done';
  let cleanSince = performance.now();
  let backoffMs = 0;
  let timer: NodeJS.Timeout | undefined;
  let closed = false;

  /** Writes what waits at this moment. Never rejects. */
  function pass(): Promise<PassResult> {
    passing ??= writeAll()
      .catch((error: unknown): PassResult => {
        log.error({ err: error }, 'archive.pass_failed');
        return 'away';
      })
      .then((result) => {
        passing = null;
        last = result;
        return result;
      });
    return passing;
  }

  async function writeAll(): Promise<PassResult> {
    const startedAt = performance.now();
    const waiting = [...(await store.dirty(ROOMS_A_PASS))];
    let result: PassResult = waiting.length < ROOMS_A_PASS ? 'done' : 'behind';
    const next = async (): Promise<void> => {
      for (let roomId = waiting.shift(); roomId !== undefined && result !== 'away'; roomId = waiting.shift()) {
        if (closed || !options.mayWrite()) result = 'away';
        else if (broken.has(roomId)) result = 'behind';
        else {
          const outcome = await tryRoom(roomId);
          // What another room has met meanwhile stays the worst of the pass.
          if (outcome === 'away' || (outcome === 'behind' && (result as PassResult) !== 'away')) result = outcome;
        }
      }
    };
    await Promise.all(Array.from({ length: ROOMS_AT_ONCE }, next));
    if (result === 'done') cleanSince = startedAt;
    return result;
  }

  async function tryRoom(roomId: RoomId): Promise<PassResult> {
    try {
      return (await writeRoom(roomId)) ? 'done' : 'behind';
    } catch (error) {
      // It may have been written: only PostgreSQL knows.
      positions.delete(roomId);
      if (error instanceof UnavailableError) {
        if (last !== 'away') log.warn({ err: error, roomId }, 'archive.away');
        return 'away';
      }
      broken.set(roomId, true);
      log.error({ err: error, roomId }, 'archive.room_failed');
      return 'behind';
    }
  }

  /** True when everything that waited when it was called is written. */
  async function writeRoom(roomId: RoomId): Promise<boolean> {
    for (let conflicts = 0; conflicts < CONFLICTS_AT_ONCE; ) {
      const pending = await store.unarchived(roomId);
      if (pending === null) {
        positions.delete(roomId);
        return true;
      }
      const { document, head } = pending;
      const expect = await positionOf(roomId);
      const from = expect !== null && expect.epoch === head.epoch ? expect.seq : 0;
      const unwritten = pending.entries.filter(({ seq }) => seq > from);
      const entries = unwritten.slice(0, ENTRIES_AT_ONCE);
      const whole = entries.length === unwritten.length;
      const reached = whole ? head : { epoch: head.epoch, seq: entries.at(-1)?.seq ?? head.seq };
      if (closed || !options.mayWrite()) return false;
      const outcome = await archive.write({ roomId, expect, head: reached, document, ...talkOf(entries) });
      if (outcome === 'conflict') {
        positions.delete(roomId);
        conflicts += 1;
        continue;
      }
      positions.set(roomId, { head: reached });
      await store.archived(roomId, reached, document.version);
      if (whole) return true;
    }
    return false;
  }

  async function positionOf(roomId: RoomId): Promise<LogHead | null> {
    const known = positions.get(roomId);
    if (known !== undefined) return known.head;
    return (await archive.read(roomId, 0))?.position ?? null;
  }

  function schedule(): void {
    if (closed) return;
    backoffMs = last === 'away' ? Math.min(BACKOFF_MS.most, Math.max(BACKOFF_MS.first, backoffMs * 2)) : 0;
    // Jitter: several instances must not all come back in the same moment.
    const pauseMs = backoffMs === 0 ? everyMs : backoffMs * (0.5 + Math.random() / 2);
    timer = setTimeout(() => void pass().then(schedule), pauseMs);
    timer.unref();
  }

  schedule();
  return {
    async flush(deadlineMs) {
      const end = performance.now() + deadlineMs;
      while (performance.now() < end) {
        await within(pass(), end - performance.now());
        if ((await store.dirty(1)).length === 0) return true;
        if (last !== 'done') await within(new Promise(() => {}), Math.min(50, end - performance.now()));
      }
      return false;
    },
    lagMs: () => (last === 'done' && passing === null ? 0 : Math.round(performance.now() - cleanSince)),
    async close() {
      closed = true;
      clearTimeout(timer);
      await passing;
    },
  };
}

/** The messages and changes of reactions among entries, in their order. */
function talkOf(entries: readonly LogEntry[]) {
  const messages: ChatMessage[] = [];
  const reactions: Extract<RoomEvent, { type: 'reaction' }>[] = [];
  for (const { type, json } of entries) {
    if (type !== 'chat' && type !== 'reaction') continue;
    const event = JSON.parse(json) as RoomEvent;
    if (event.type === 'chat') messages.push(event.message);
    if (event.type === 'reaction') reactions.push(event);
  }
  return { messages, reactions };
}

/** Waits for the promise, but not longer. */
async function within(promise: Promise<unknown>, ms: number): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  await Promise.race([
    promise,
    new Promise<void>((resolve) => {
      timer = setTimeout(resolve, Math.max(0, ms));
    }),
  ]);
  clearTimeout(timer);
}
