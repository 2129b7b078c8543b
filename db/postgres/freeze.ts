import type { Pool } from 'pg';
import type { FreezeMove, Freezing, ThawMove } from '../../lib/ports.ts';
import { isLockTimeout } from './failures.ts';
import { read, write } from './query.ts';

/** Longest wait for a race's exclusive lock: one batch that is being placed, with room for a slow disk. */
const WAIT_MS = 250;

const STANDING = `select count(*) filter (where subject = 'race')::integer as races, count(*) filter (where subject = 'wallet')::integer as wallets
  from ledger_freeze where lifted_at is null`;

/** Freezing and thawing of single races and wallets. `timeZone`: whose midnights part the boards that a late payout counts for. */
export function createFreezing(pool: Pool, { timeZone }: { readonly timeZone: string }): Freezing {
  /** The row that a function returned; null: a lock was not to be had in time, and nothing happened. */
  async function call<Row extends object>(text: string, values: readonly unknown[]): Promise<Row | null> {
    try {
      const [row] = await write<Row>(pool, text, values);
      if (row === undefined) throw new Error(`no row: ${text}`);
      return row;
    } catch (error) {
      if (isLockTimeout(error)) return null;
      throw error;
    }
  }

  return {
    async freeze({ kind, id }, invariant, detail, again) {
      const row = await call<{ outcome: FreezeMove }>(
        'select ledger_freeze_subject($1, $2, $3, $4, $5, $6) as outcome',
        [kind, id, invariant, detail, again, WAIT_MS],
      );
      return row?.outcome ?? 'busy';
    },

    async thaw({ kind, id }, by) {
      const row = await call<{ outcome: ThawMove; paid: boolean }>(
        'select outcome, paid from ledger_thaw($1, $2, $3, $4, $5)',
        [kind, id, by, timeZone, WAIT_MS],
      );
      return { move: row?.outcome ?? 'busy', paid: row?.paid ?? false };
    },

    async standing() {
      const [row] = await read<{ races: number; wallets: number }>(pool, STANDING, []);
      return row ?? { races: 0, wallets: 0 };
    },
  };
}
