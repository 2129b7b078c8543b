import type { Ledger, Logger } from '../ports.ts';

const EVERY_MS = 600_000;

/** Looks for broken invariants of the ledger now and every ten minutes; each one found is an error in the log. */
export function startAudit(ledger: Pick<Ledger, 'audit'>, log: Logger) {
  let broken = 0;

  async function look(): Promise<void> {
    try {
      const rows = await ledger.audit();
      broken = rows.length;
      for (const row of rows) log.error({ ...row }, 'audit.broken');
      if (rows.length === 0) log.debug({}, 'audit.clean');
    } catch (error) {
      log.warn({ err: error }, 'audit.not_done');
    }
  }

  const timer = setInterval(() => void look(), EVERY_MS);
  timer.unref();
  return {
    /** The first look; later ones come by themselves. Never rejects. */
    first: look(),
    /** Broken rows of the last look. */
    broken: (): number => broken,
    close: (): void => clearInterval(timer),
  };
}
