import { readFileSync } from 'node:fs';
import type { Pool } from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { leafHash, merkleRoot, type RecordBatch, toHex, utf8 } from '../../lib/fairness/index.ts';
import { createTestDatabase, type TestDatabase } from '../helpers/postgres.ts';

type Golden = {
  trees: { leafHashes: string[]; root: string }[];
  folds: { batches: RecordBatch[]; encodedTotals: string[]; betsRoot: string }[];
};
const golden = JSON.parse(readFileSync(new URL('../golden/merkle.json', import.meta.url), 'utf8')) as Golden;

let database: TestDatabase;
let pool: Pool;

beforeAll(async () => {
  database = await createTestDatabase();
  pool = database.pool();
});
afterAll(() => database.drop());

async function hexOf(sql: string, values: unknown[]): Promise<string | undefined> {
  const { rows } = await pool.query<{ hex: string }>(`select encode(${sql}, 'hex') as hex`, values);
  return rows[0]?.hex;
}

const rootInSql = (hashes: readonly string[]) =>
  hexOf('merkle_root($1::bytea[])', [hashes.map((hash) => Buffer.from(hash, 'hex'))]);

describe('PostgreSQL', () => {
  test('[FR2] makes the trees of the committed vectors, and of every size up to 40', async () => {
    for (const tree of golden.trees) expect(await rootInSql(tree.leafHashes)).toBe(tree.root);
    for (let count = 1; count <= 40; count += 1) {
      const hashes = Array.from({ length: count }, (_, index) => leafHash(utf8(`sql ${index}`)));
      expect(await rootInSql(hashes.map(toHex)), `${count} leaves`).toBe(toHex(merkleRoot(hashes)));
    }
  });

  test('[FR4] writes totals and folds batches as the committed vectors say, whatever the order they were stored in', async () => {
    for (const [index, fold] of golden.folds.entries()) {
      for (const [at, batch] of fold.batches.entries()) {
        expect(await hexOf('encode_totals($1::jsonb)', [JSON.stringify(batch.totals)])).toBe(fold.encodedTotals[at]);
      }
      for (const { batch, root, count, totals } of [...fold.batches].reverse()) {
        await pool.query(
          'insert into race_batch (race_id, batch, root, count, totals, at) values ($1, $2, $3, $4, $5, 0)',
          [`fold ${index}`, batch, Buffer.from(root, 'hex'), count, JSON.stringify(totals)],
        );
      }
      expect(await hexOf('fold_batch_roots($1)', [`fold ${index}`]), `${index} batches`).toBe(fold.betsRoot);
    }
  });
});
