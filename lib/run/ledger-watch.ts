import type { Logger } from '../ports.ts';
import { within } from '../service/within.ts';

export type LedgerWatchOptions = {
  /** Any question that PostgreSQL answers at once. */
  readonly ask: () => Promise<unknown>;
  readonly log: Logger;
  /** Called at every change. */
  readonly onChange: (away: boolean) => void;
};

const EVERY_MS = 1_000;
const ANSWER_MS = 900;
/** One late answer is a hiccup. */
const MISSES = 2;

/** Whether PostgreSQL answers, for readiness and for telling the players; no request waits for this. */
export function watchLedger({ ask, log, onChange }: LedgerWatchOptions) {
  let misses = 0;
  let away = false;
  let closed = false;

  async function look(): Promise<void> {
    const answered = await within(
      ask().then(() => true),
      ANSWER_MS,
    ).catch(() => false);
    if (closed) return;
    misses = answered ? 0 : misses + 1;
    const now = misses >= MISSES;
    if (now === away) return;
    away = now;
    if (away) log.warn({}, 'ledger.away');
    else log.info({}, 'ledger.back');
    onChange(away);
  }

  const timer = setInterval(() => void look(), EVERY_MS);
  timer.unref();
  return {
    away: (): boolean => away,
    close(): void {
      closed = true;
      clearInterval(timer);
    },
  };
}
