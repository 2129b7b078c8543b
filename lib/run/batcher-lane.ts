import { setTimeout as sleep } from 'node:timers/promises';
import type { RaceId } from '../core/ids.ts';
import { type RefusedError, refuse } from '../errors.ts';
import {
  type BatchTotals,
  LEDGER_BEGIN_WITHIN_MS,
  type Ledger,
  type LedgerAnswer,
  type LedgerItem,
  type Logger,
  UnavailableError,
} from '../ports.ts';

export type AcceptedAnswer = Extract<LedgerAnswer, { ok: true }>;

export type LaneOptions = {
  readonly ledger: Ledger;
  readonly log: Logger;
  readonly gatherMs: number;
  readonly batchItems: number;
  readonly answerMs: number;
  readonly queueMs: number;
  readonly onAdded: (added: readonly BatchTotals[], reread: readonly RaceId[]) => void;
};

type Waiter = { readonly resolve: (answer: AcceptedAnswer) => void; readonly reject: (error: RefusedError) => void };

/** One command until its fate is known. Nobody may be waiting any more: `waiters` is empty once all were answered. */
type Entry = {
  readonly item: LedgerItem;
  readonly key: string;
  readonly dueAt: number;
  place: 'queue' | 'batch' | 'again';
  /** An attempt is under way now. */
  sent: boolean;
  /** A lock was not to be had. */
  turnedAway: boolean;
  waiters: Waiter[];
  /** Until then an earlier attempt, whose answer was lost, may still take effect: a refusal is no answer before. */
  openUntil: number;
};

/** Clocks and the way to the server: added to how long a lost attempt is reckoned with. */
const MARGIN_MS = 500;
/** How often a lost attempt is looked for. */
const LOST_AGAIN_MS = 100;
const RETRY_MS = 50;
const LONGEST_RETRY_MS = 1_000;
const AGAIN_MS = 10;

/**
 * A queue of commands, sent batch after batch, one at a time. Times are `performance.now()`. An entry is in exactly one
 * place: the queue, the batch, or `again` (waiting for its next turn); `live` has all whose fate is not known.
 */
export class Lane {
  readonly #options: LaneOptions;
  readonly #live = new Map<string, Entry>();
  #queue: Entry[] = [];
  readonly #again = new Set<NodeJS.Timeout>();
  #gathering: NodeJS.Timeout | undefined;
  #pumping: Promise<void> | undefined;
  #closing: AbortController | undefined;
  /** The batch under way was not answered in time. */
  down = false;
  batches = 0;
  items = 0;

  constructor(options: LaneOptions) {
    this.#options = options;
  }

  get size(): number {
    return this.#live.size;
  }

  submit(item: LedgerItem): Promise<AcceptedAnswer> {
    // Another body under the id is the ledger's to judge: either of the two may be the one that was accepted long ago.
    const key = `${item.playerId} ${item.commandId} ${item.bodyHash}`;
    const known = this.#live.get(key);
    if (known !== undefined) return this.#join(known);
    if (this.down) return Promise.reject(refuse('LEDGER_UNAVAILABLE', { retryAfterMs: LONGEST_RETRY_MS }));
    return new Promise((resolve, reject) => {
      const dueAt = performance.now() + this.#options.queueMs;
      const entry: Entry = {
        item,
        key,
        dueAt,
        place: 'queue',
        sent: false,
        turnedAway: false,
        waiters: [{ resolve, reject }],
        openUntil: 0,
      };
      this.#live.set(key, entry);
      this.#queue.push(entry);
      this.#wake();
    });
  }

  /** The same command twice at a time: one effect, one answer. */
  #join(entry: Entry): Promise<AcceptedAnswer> {
    if (this.down) return Promise.reject(unknown());
    return new Promise((resolve, reject) => {
      const waiter = { resolve, reject };
      entry.waiters.push(waiter);
      const late = setTimeout(
        () => {
          if (!entry.waiters.includes(waiter)) return;
          entry.waiters = entry.waiters.filter((other) => other !== waiter);
          reject(unknown());
        },
        this.#options.answerMs + (entry.openUntil > 0 ? 0 : this.#options.queueMs),
      );
      late.unref();
    });
  }

  #wake(): void {
    if (this.#pumping !== undefined) return;
    if (this.#queue.length >= this.#options.batchItems || this.#closing !== undefined) return this.#start();
    this.#gathering ??= setTimeout(() => this.#start(), this.#options.gatherMs);
  }

  #start(): void {
    clearTimeout(this.#gathering);
    this.#gathering = undefined;
    if (this.#pumping !== undefined) return;
    this.#pumping = this.#pump()
      .catch((error: unknown) => this.#options.log.error({ err: error }, 'batcher.lane_failed'))
      .finally(() => {
        this.#pumping = undefined;
        if (this.#queue.length > 0) this.#wake();
      });
  }

  async #pump(): Promise<void> {
    while (this.#queue.length > 0) {
      const entries = this.#queue.splice(0, this.#options.batchItems).filter((entry) => this.#inTime(entry));
      for (const entry of entries) entry.place = 'batch';
      if (entries.length > 0) await this.#send(entries);
    }
  }

  #inTime(entry: Entry): boolean {
    if (performance.now() <= entry.dueAt || entry.openUntil > 0) return true;
    const code = entry.turnedAway ? 'BUSY' : 'OVERLOADED';
    this.#reject(entry, refuse(code, { retryAfterMs: this.#options.queueMs }));
    return false;
  }

  /** Until the fate of all of them is known, or certainly nothing happened and nobody waits. */
  async #send(batch: readonly Entry[]): Promise<void> {
    let late = false;
    const overdue = setTimeout(() => {
      late = true;
      this.down = true;
      this.#options.log.warn({ items: batch.length }, 'ledger.unanswered');
      for (const entry of batch) {
        if (entry.place === 'batch') this.#giveUp(entry);
      }
      for (const entry of this.#queue.splice(0)) {
        this.#giveUp(entry);
        if (this.#live.has(entry.key)) this.#later(entry);
      }
    }, this.#options.answerMs);

    try {
      for (let pauseMs = RETRY_MS; ; pauseMs = Math.min(pauseMs * 2, LONGEST_RETRY_MS)) {
        const entries = batch.filter((entry) => entry.place === 'batch' && this.#live.get(entry.key) === entry);
        if (entries.length === 0) return;
        const failure = await this.#commit(entries, performance.now());
        if (failure === null) return;
        const ended = this.#closing?.signal.aborted === true;
        for (const entry of entries) {
          if (ended || (late && entry.openUntil === 0))
            this.#reject(entry, entry.openUntil > 0 ? unknown() : unavailable());
        }
        await this.#pause(pauseMs * (0.5 + Math.random()));
      }
    } finally {
      clearTimeout(overdue);
      this.down = false;
    }
  }

  /** Answers who waits. What may have happened stays `live` until its fate is known. */
  #giveUp(entry: Entry): void {
    if (!entry.sent && entry.openUntil === 0) return this.#reject(entry, unavailable());
    for (const waiter of entry.waiters.splice(0)) waiter.reject(unknown());
  }

  /** Null when all were answered or queued again; else why nothing is known of any. */
  async #commit(entries: readonly Entry[], sentAt: number): Promise<UnavailableError | null> {
    for (const entry of entries) entry.sent = true;
    try {
      const { answers, added } = await this.#options.ledger.commitBatch(entries.map((entry) => entry.item));
      this.batches += 1;
      this.items += entries.length;
      const reread = entries
        .filter((entry) => entry.openUntil > 0)
        .flatMap(({ item }) => (item.kind === 'bet' ? [item.raceId] : []));
      for (const entry of entries) entry.sent = false;
      entries.forEach((entry, index) => this.#settle(entry, answers[index], sentAt));
      if (added.length > 0 || reread.length > 0) this.#options.onAdded(added, [...new Set(reread)]);
      return null;
    } catch (error) {
      for (const entry of entries) entry.sent = false;
      if (!(error instanceof UnavailableError)) return this.#bisect(entries, sentAt, error);
      if (error.outcome === 'unknown') {
        for (const entry of entries) entry.openUntil = performance.now() + LEDGER_BEGIN_WITHIN_MS + MARGIN_MS;
      }
      return error;
    }
  }

  /** Some item is impossible, and nothing was written: halves, until it stands alone. */
  async #bisect(entries: readonly Entry[], sentAt: number, cause: unknown): Promise<UnavailableError | null> {
    const [first] = entries;
    if (first === undefined) return null;
    if (entries.length === 1) {
      this.#options.log.error(
        { err: cause, kind: first.item.kind, commandId: first.item.commandId },
        'ledger.impossible_item',
      );
      this.#reject(first, refuse('INTERNAL', {}, cause));
      return null;
    }
    const middle = Math.ceil(entries.length / 2);
    const before = await this.#commit(entries.slice(0, middle), sentAt);
    const after = await this.#commit(entries.slice(middle), performance.now());
    return before ?? after;
  }

  #settle(entry: Entry, answer: LedgerAnswer | undefined, sentAt: number): void {
    if (this.#live.get(entry.key) !== entry) return;
    if (answer === undefined) return this.#reject(entry, refuse('INTERNAL'));
    if (answer.ok === true) {
      this.#live.delete(entry.key);
      for (const waiter of entry.waiters.splice(0)) waiter.resolve(answer);
      return;
    }
    if (answer.ok === false && sentAt > entry.openUntil) return this.#reject(entry, refuse(answer.code));
    entry.turnedAway = true;
    this.#later(entry);
  }

  #later(entry: Entry): void {
    entry.place = 'again';
    const afterMs = (entry.openUntil > 0 ? LOST_AGAIN_MS : AGAIN_MS) * (0.5 + Math.random());
    const timer = setTimeout(() => {
      this.#again.delete(timer);
      entry.place = 'queue';
      this.#queue.push(entry);
      this.#wake();
    }, afterMs);
    this.#again.add(timer);
  }

  #reject(entry: Entry, error: RefusedError): void {
    this.#live.delete(entry.key);
    for (const waiter of entry.waiters.splice(0)) waiter.reject(error);
  }

  async #pause(ms: number): Promise<void> {
    await sleep(ms, undefined, this.#closing && { signal: this.#closing.signal }).catch(() => {});
  }

  /** Sends what is queued; after the queue's deadline answers the rest. */
  async close(): Promise<void> {
    this.#closing ??= new AbortController();
    const closing = this.#closing;
    const end = setTimeout(() => closing.abort(), this.#options.queueMs);
    this.#start();
    const aborted = new Promise<void>((resolve) => closing.signal.addEventListener('abort', () => resolve()));
    while (this.#live.size > 0 && !closing.signal.aborted) {
      await Promise.race([aborted, sleep(AGAIN_MS)]);
      this.#start();
    }
    clearTimeout(end);
    closing.abort();
    for (const timer of this.#again) clearTimeout(timer);
    for (const entry of [...this.#live.values()]) {
      this.#reject(entry, entry.sent || entry.openUntil > 0 ? unknown() : refuse('DRAINING'));
    }
    this.#queue = [];
  }
}

function unknown(): RefusedError {
  return refuse('LEDGER_UNAVAILABLE', { outcome: 'unknown', retryAfterMs: LONGEST_RETRY_MS });
}

function unavailable(): RefusedError {
  return refuse('LEDGER_UNAVAILABLE', { retryAfterMs: LONGEST_RETRY_MS });
}
