import type { Pool, PoolClient, QueryResultRow } from 'pg';
import { failureOf, type Stage } from './failures.ts';

/** Rows of a statement without effects. Rejects with UnavailableError ('none') when they cannot be had in time. */
export function read<Row extends QueryResultRow>(pool: Pool, text: string, values: readonly unknown[]): Promise<Row[]> {
  return run<Row>(pool, text, values, 'reading');
}

/**
 * Rows of one statement with effects, which is its own transaction: all of it or nothing. Rejects with UnavailableError,
 * 'unknown' when it was sent and not answered.
 */
export function write<Row extends QueryResultRow>(
  pool: Pool,
  text: string,
  values: readonly unknown[],
): Promise<Row[]> {
  return run<Row>(pool, text, values, 'writing');
}

async function run<Row extends QueryResultRow>(
  pool: Pool,
  text: string,
  values: readonly unknown[],
  stage: Stage,
): Promise<Row[]> {
  const client = await connect(pool);
  let broken: Error | undefined;
  try {
    return (await client.query<Row>(text, [...values])).rows;
  } catch (error) {
    const failure = failureOf(error, stage);
    // After a fault of the connection it is closed, not reused: an answer may still be on its way.
    if (failure !== error) broken = error instanceof Error ? error : new Error(String(error));
    throw failure;
  } finally {
    client.release(broken);
  }
}

async function connect(pool: Pool): Promise<PoolClient> {
  try {
    return await pool.connect();
  } catch (error) {
    throw failureOf(error, 'connecting');
  }
}

/** JSON as jsonb takes it: PostgreSQL knows neither U+0000 nor half of a surrogate pair, so both are left out. */
export function jsonb(value: unknown): string {
  const json = JSON.stringify(value);
  if (!/\\u(0000|d[89a-f])/i.test(json)) return json;
  return JSON.stringify(value, (_key, item: unknown) =>
    typeof item === 'string' ? item.replace(/[\0\p{Cs}]/gu, '') : item,
  );
}
