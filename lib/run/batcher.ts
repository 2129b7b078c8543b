import type { RaceId } from '../core/ids.ts';
import { refuse } from '../errors.ts';
import type { BatchTotals, Ledger, LedgerItem, LedgerQueue, Logger } from '../ports.ts';
import { type AcceptedAnswer, Lane, type LaneOptions } from './batcher-lane.ts';

/** Two lanes keep PostgreSQL busy while one of them waits for the disk; more only wait for each other's escrows. */
const LANES = 2;
/** A slip is not held back longer than this to find company. */
const GATHER_MS = 5;
/** Larger batches gain little and make everybody in them wait. */
const BATCH_ITEMS = 200;

export type BatcherOptions = {
  readonly ledger: Ledger;
  readonly limits: { readonly ledgerQueue: number; readonly ledgerAnswerMs: number; readonly ledgerQueueMs: number };
  readonly log: Logger;
};

/**
 * What a batch added to each race's stakes. `reread`: races where an answer was lost on the way, so that something may have
 * been added without being told here; their stakes must be read again.
 */
export type AddedListener = (added: readonly BatchTotals[], reread: readonly RaceId[]) => void;

export type Batcher = LedgerQueue & {
  onAdded(listener: AddedListener): void;
  stats(): { readonly queued: number; readonly batches: number; readonly items: number; readonly down: boolean };
  /** Takes nothing new (DRAINING), finishes or answers what is there. Idempotent. */
  close(): Promise<void>;
};

/**
 * One per process, for all races. `submit` rejects with RefusedError only:
 * OVERLOADED: the queue is full, or the item waited in it for too long; BUSY: a lock was not to be had until then;
 * LEDGER_UNAVAILABLE: certainly not placed; with outcome 'unknown': sent and not answered in time. Such an item is sent
 * again until its fate is known, whoever asks for the same command meanwhile joins it.
 */
export function createBatcher({ ledger, limits, log }: BatcherOptions): Batcher {
  const listeners: AddedListener[] = [];
  const options: LaneOptions = {
    ledger,
    log,
    gatherMs: GATHER_MS,
    batchItems: BATCH_ITEMS,
    answerMs: limits.ledgerAnswerMs,
    queueMs: limits.ledgerQueueMs,
    onAdded: (added, reread) => {
      for (const listener of listeners) guard(() => listener(added, reread));
    },
  };
  const lanes = Array.from({ length: LANES }, () => new Lane(options));
  let closed: Promise<void> | undefined;

  function guard(work: () => void): void {
    try {
      work();
    } catch (error) {
      log.error({ err: error }, 'batcher.listener_failed');
    }
  }

  const queued = () => lanes.reduce((sum, lane) => sum + lane.size, 0);

  return {
    async submit(item: LedgerItem): Promise<AcceptedAnswer> {
      if (closed !== undefined) throw refuse('DRAINING');
      const lane = lanes[laneOf(item.playerId)];
      if (lane === undefined) throw refuse('INTERNAL');
      if (queued() >= limits.ledgerQueue) throw refuse('OVERLOADED', { retryAfterMs: limits.ledgerQueueMs });
      return lane.submit(item);
    },
    onAdded(listener) {
      listeners.push(listener);
    },
    stats: () => ({
      queued: queued(),
      batches: lanes.reduce((sum, lane) => sum + lane.batches, 0),
      items: lanes.reduce((sum, lane) => sum + lane.items, 0),
      down: lanes.some((lane) => lane.down),
    }),
    close() {
      closed ??= Promise.all(lanes.map((lane) => lane.close())).then(() => {});
      return closed;
    },
  };
}

/** FNV-1a. A player stays in one lane, so that two of their bets never meet each other's wallet lock. */
function laneOf(playerId: string): number {
  let hash = 0x811c9dc5;
  for (let index = 0; index < playerId.length; index += 1) {
    hash = Math.imul(hash ^ playerId.charCodeAt(index), 0x01000193);
  }
  return (hash >>> 0) % LANES;
}
