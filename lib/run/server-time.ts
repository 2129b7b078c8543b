import type { Logger, ServerClock } from '../ports.ts';

export type ServerTimeOptions = {
  /** PostgreSQL's clock, ms. May reject while it is away. */
  readonly ask: () => Promise<number>;
  readonly log: Logger;
  /** ms that only ever grow; `performance.now` unless told */
  readonly monotonic?: () => number;
  /** between two looks at PostgreSQL's clock; 10 s unless told */
  readonly everyMs?: number;
  /** questions of one look, of which the fastest counts; 8 unless told */
  readonly samples?: number;
};

export type ServerTime = ServerClock & {
  /** False until PostgreSQL's clock has been seen once; from then on the offset is kept through outages. */
  ready(): boolean;
  /** One look now. Rejects when PostgreSQL does not answer. A call during another one waits for that one. */
  sync(): Promise<void>;
  close(): void;
};

/** Where server time stood at a moment of the monotonic clock. */
type Anchor = { readonly monotonic: number; readonly server: number };

/** While server time is found to be behind what was told, it goes on at this rate until it is right again. */
const HELD_BACK_RATE = 0.5;
const UNKNOWN_RETRY_MS = 500;

/**
 * Server time in whole ms: PostgreSQL's clock, carried forward by a monotonic one. Found ahead it is set at once; found
 * behind it runs at half speed until it is right, so that it neither goes back nor stands still. `now` throws before the
 * first look has succeeded.
 */
export function createServerTime(options: ServerTimeOptions): ServerTime {
  const monotonic = options.monotonic ?? (() => performance.now());
  const everyMs = options.everyMs ?? 10_000;
  const samples = options.samples ?? 8;
  let truth: Anchor | null = null;
  /** What has been told last: never gone behind. */
  let told: Anchor | null = null;
  let timer: NodeJS.Timeout | undefined;
  let looking: Promise<void> | null = null;
  let closed = false;

  function now(): number {
    if (truth === null) throw new Error('server time is not known yet');
    const at = monotonic();
    const right = truth.server + (at - truth.monotonic);
    const least = told === null ? right : told.server + (at - told.monotonic) * HELD_BACK_RATE;
    told = { monotonic: at, server: Math.max(right, least) };
    return Math.floor(told.server);
  }

  async function look(): Promise<void> {
    let best: { readonly tripMs: number; readonly anchor: Anchor } | null = null;
    for (let sample = 0; sample < samples && !closed; sample += 1) {
      const asked = monotonic();
      const server = await options.ask();
      const answered = monotonic();
      const tripMs = answered - asked;
      if (best === null || tripMs < best.tripMs)
        best = { tripMs, anchor: { monotonic: answered, server: server + tripMs / 2 } };
    }
    if (best !== null && !closed) truth = best.anchor;
  }

  function sync(): Promise<void> {
    looking ??= look().finally(() => {
      looking = null;
    });
    return looking;
  }

  function schedule(ms: number): void {
    if (closed) return;
    timer = setTimeout(() => {
      sync()
        .catch((error: unknown) => options.log.warn({ err: error }, 'server_time.not_seen'))
        .finally(() => schedule(truth === null ? UNKNOWN_RETRY_MS : everyMs));
    }, ms);
    timer.unref();
  }

  schedule(0);
  return {
    now,
    ready: () => truth !== null,
    sync,
    close: () => {
      closed = true;
      clearTimeout(timer);
    },
  };
}
