import type { LedgerAudit } from '../../lib/ports.ts';
import { createClient, type PgTarget } from './connect.ts';

const AUDIT = 'select invariant, race_id, player_id, detail from ledger_audit';

/** It reads every transfer and bet there is. */
const AUDIT_TIMEOUT_MS = 600_000;

type Row = { invariant: string; race_id: string | null; player_id: string | null; detail: string | null };

/** The audit on a connection of its own, there only while it runs: it takes as long as the ledger is large. */
export function createAudit(target: PgTarget): LedgerAudit {
  const running = new Set<ReturnType<typeof createClient>>();

  return {
    async audit() {
      const client = createClient(target, { applicationName: 'paddock-audit', statementTimeoutMs: AUDIT_TIMEOUT_MS });
      running.add(client);
      try {
        await client.connect();
        const { rows } = await client.query<Row>(AUDIT);
        return rows.map(({ invariant, race_id, player_id, detail }) => ({
          invariant,
          detail: [race_id && `race ${race_id}`, player_id && `player ${player_id}`, detail].filter(Boolean).join(': '),
        }));
      } finally {
        running.delete(client);
        await client.end().catch(() => {});
      }
    },

    close(): void {
      for (const client of running) void client.end().catch(() => {});
    },
  };
}
