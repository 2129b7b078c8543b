import type { Pool } from 'pg';
import { read } from './query.ts';

/** PostgreSQL's clock, ms. */
export async function readServerTime(pool: Pool): Promise<number> {
  const [row] = await read<{ now: bigint }>(pool, 'select now_ms() as now', []);
  if (row === undefined) throw new Error('now_ms() gave no row');
  return Number(row.now);
}
