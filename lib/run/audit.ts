import type { Broken, Freezing, LedgerAudit, Logger } from '../ports.ts';
import { createFreezer } from '../service/freezer.ts';

const EVERY_MS = 600_000;
/** A large ledger is looked at less often: nineteen parts of the time belong to play alone. */
const ONE_PART_IN = 20;
/** The least time between two looks when somebody asks for one. */
const SOON_MS = 10_000;
/** Rows of one look that go to the log, one by one. */
const ROWS_LOGGED = 100;

export type AuditDeps = { readonly ledger: LedgerAudit; readonly freezing: Freezing; readonly log: Logger };

/**
 * Looks for broken invariants of the ledger now and ten minutes after each look, or later where a look takes long. What it finds is an error in the log; the
 * races and wallets that it names are frozen, and nothing else is.
 */
export function startAudit({ ledger, freezing, log }: AuditDeps) {
  const freezer = createFreezer({ freezing, log });
  const clean = Object.fromEntries(ledger.invariants.map(({ key }) => [key, 0]));
  let broken: Readonly<Record<string, number>> = clean;
  let standing: Readonly<Record<string, number>> = { race: 0, wallet: 0 };
  let completedAt = 0;
  let tookMs = 0;
  let closed = false;
  let looking = false;
  let endedAt = Number.NEGATIVE_INFINITY;
  let timer: NodeJS.Timeout | undefined;

  async function look(): Promise<void> {
    looking = true;
    try {
      const from = performance.now();
      const rows = await ledger.audit();
      tookMs = performance.now() - from;
      broken = counted(rows, clean);
      completedAt = Date.now();
      tell(rows);
      if (!closed) await act(rows);
    } catch (error) {
      if (!closed) log.warn({ err: error }, 'audit.not_done');
    }
    looking = false;
    endedAt = performance.now();
    if (closed) return;
    timer = setTimeout(() => void look(), Math.max(EVERY_MS, tookMs * (ONE_PART_IN - 1)));
    timer.unref();
  }

  function tell(rows: readonly Broken[]): void {
    for (const row of rows.slice(0, ROWS_LOGGED)) log.error({ ...row }, 'audit.broken');
    if (rows.length > ROWS_LOGGED) log.error({ rows: rows.length }, 'audit.broken_more');
    if (rows.length === 0) log.debug({ tookMs: Math.round(tookMs) }, 'audit.clean');
  }

  async function act(rows: readonly Broken[]): Promise<void> {
    try {
      await freezer.freezeNamed(rows);
      const { races, wallets } = await freezing.standing();
      standing = { race: races, wallet: wallets };
    } catch (error) {
      if (!closed) log.warn({ err: error }, 'audit.not_frozen');
    }
  }

  void look();
  return {
    /** Looks now, unless it is looking or has just looked: for who found something wrong that a freeze would end. */
    soon(): void {
      if (closed || looking || performance.now() - endedAt < Math.max(SOON_MS, tookMs * (ONE_PART_IN - 1))) return;
      clearTimeout(timer);
      void look();
    },
    /** Broken rows of the last look that was completed, by invariant: 0 for those that hold. */
    broken: () => broken,
    /** Races and wallets that were frozen after that look. */
    standing: () => standing,
    /** When that was, in seconds since 1970; 0 before the first. */
    completedAt: (): number => Math.floor(completedAt / 1_000),
    /** How long it took. */
    tookSeconds: (): number => tookMs / 1_000,
    close(): void {
      closed = true;
      clearTimeout(timer);
      ledger.close();
    },
  };
}

function counted(rows: readonly Broken[], clean: Readonly<Record<string, number>>): Record<string, number> {
  const counts = { ...clean };
  for (const { invariant } of rows) counts[invariant] = (counts[invariant] ?? 0) + 1;
  return counts;
}
