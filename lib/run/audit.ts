import type { LedgerAudit, Logger } from '../ports.ts';

const EVERY_MS = 600_000;

/** Looks for broken invariants of the ledger now and ten minutes after each look; each one found is an error in the log. */
export function startAudit(ledger: LedgerAudit, log: Logger) {
  let broken = 0;
  let completedAt = 0;
  let closed = false;
  let timer: NodeJS.Timeout | undefined;

  async function look(): Promise<void> {
    try {
      const rows = await ledger.audit();
      broken = rows.length;
      completedAt = Date.now();
      for (const row of rows) log.error({ ...row }, 'audit.broken');
      if (rows.length === 0) log.debug({}, 'audit.clean');
    } catch (error) {
      if (!closed) log.warn({ err: error }, 'audit.not_done');
    }
    if (closed) return;
    timer = setTimeout(() => void look(), EVERY_MS);
    timer.unref();
  }

  void look();
  return {
    /** Broken rows of the last look that was completed. */
    broken: (): number => broken,
    /** When that was, in seconds since 1970; 0 before the first. */
    completedAt: (): number => Math.floor(completedAt / 1_000),
    close(): void {
      closed = true;
      clearTimeout(timer);
      ledger.close();
    },
  };
}
