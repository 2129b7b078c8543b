import type { PlayerId, RaceId } from '../../lib/core/ids.ts';
import type { LedgerAudit } from '../../lib/ports.ts';
import { INVARIANTS } from './audit-invariants.ts';
import { createClient, type PgTarget } from './connect.ts';

/** The views that together are the audit. Read by one statement, so from one snapshot: what is under way is in it whole or not at all. */
export const AUDIT_VIEWS = ['ledger_audit', 'wallet_audit', 'freeze_audit', 'board_audit'] as const;

const AUDIT = AUDIT_VIEWS.map((view) => `select invariant, race_id, player_id, detail from ${view}`).join(
  ' union all ',
);

/** It reads every transfer and bet there is. */
const AUDIT_TIMEOUT_MS = 600_000;

/** One core at most, sorts in memory; it takes no lock that placing or settling would wait for. */
const GENTLY = "set work_mem = '64MB'; set jit = off; set max_parallel_workers_per_gather = 0";

type Row = { invariant: string; race_id: RaceId | null; player_id: PlayerId | null; detail: string | null };

const KEYS: ReadonlyMap<string, string> = new Map(Object.entries(INVARIANTS).map(([key, says]) => [says, key]));

/** The audit on a connection of its own, there only while it runs: it takes as long as the ledger is large. */
export function createAudit(target: PgTarget): LedgerAudit {
  const running = new Set<ReturnType<typeof createClient>>();

  return {
    invariants: Object.entries(INVARIANTS).map(([key, says]) => ({ key, says })),

    async audit() {
      const client = createClient(target, { applicationName: 'paddock-audit', statementTimeoutMs: AUDIT_TIMEOUT_MS });
      running.add(client);
      try {
        await client.connect();
        await client.query(GENTLY);
        const { rows } = await client.query<Row>(AUDIT);
        return rows.map(({ invariant, race_id, player_id, detail }) => ({
          invariant: KEYS.get(invariant) ?? invariant,
          detail: [race_id && `race ${race_id}`, player_id && `player ${player_id}`, detail].filter(Boolean).join(': '),
          raceId: race_id,
          playerId: player_id,
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
