import type { Pool } from 'pg';
import { LEDGER_BEGIN_WITHIN_MS, type Ledger } from '../../lib/ports.ts';
import { addedStakes, type BatchRow, COMMIT_BATCH, decodeAnswers, encodeItems } from './batch.ts';
import { read, write } from './query.ts';
import { readServerTime } from './server-time.ts';

/** Only a quick answer says what the server's clock shows now. */
const QUICK_MS = 200;

/** A player without a wallet yet has a row here only where it is known that the wallet will start empty. */
const WALLET = `select coalesce(a.balance, 0) as balance, coalesce(a.version, 0) as version
  from (select $1::text as id) as asked
  left join account a on a.player_id = asked.id
  left join player p on p.id = asked.id
  where a.player_id is not null or p.starts_at_zero`;

export type LedgerOptions = {
  /** points of a new wallet, unless the player's row says 0 */
  readonly startPoints: number;
  /** For questions; the commits' own unless told. A queue of reads in front of the commits would hold up every bet. */
  readonly readPool?: Pool;
};

/**
 * Points in PostgreSQL. One call is one transaction with its own short lock timeout, so nothing is held across a round
 * trip. An error that is no UnavailableError means that some item of the batch cannot be: nothing of it was written.
 */
export function createLedger(pool: Pool, { startPoints, readPool = pool }: LedgerOptions): Ledger {
  /** The server's clock minus our monotonic one, ms; null: to be measured. */
  let offsetMs: number | null = null;

  /** Never too high, however slow the answer: what is sent next begins in time or not at all. */
  async function measure(): Promise<number> {
    const at = await readServerTime(pool);
    return at - performance.now();
  }

  return {
    async commitBatch(items) {
      if (items.length === 0) return { answers: [], added: [] };
      offsetMs ??= await measure();
      const sentAt = performance.now();
      const notAfter = Math.ceil(sentAt + offsetMs) + LEDGER_BEGIN_WITHIN_MS;
      const [row] = await write<BatchRow>(pool, COMMIT_BATCH, [...encodeItems(items), startPoints, notAfter]).catch(
        (error: unknown) => {
          // Too low after a slow answer or a step of the server's clock, it would let nothing begin any more.
          offsetMs = null;
          throw error;
        },
      );
      if (row === undefined) throw new Error('ledger_commit_batch returned nothing');
      if (performance.now() - sentAt < QUICK_MS) offsetMs = Number(row.at) - sentAt;
      const answers = decodeAnswers(items, row);
      return { answers, added: row.batch_id === null ? [] : addedStakes(items, answers, row.batch_id) };
    },

    async wallet(playerId) {
      const [row] = await read<{ balance: bigint; version: bigint }>(readPool, WALLET, [playerId]);
      if (row === undefined) return null;
      return { balance: row.balance, version: Number(row.version) };
    },
  };
}
