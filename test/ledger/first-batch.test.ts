import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createLedger } from '../../db/postgres/ledger.ts';
import { createRecords } from '../../db/postgres/records.ts';
import type { PlayerId } from '../../lib/core/ids.ts';
import { LEDGER_BEGIN_WITHIN_MS } from '../../lib/ports.ts';
import { bet, createStage, openRace, type Stage } from './stage.ts';

let stage: Stage;
beforeEach(async () => {
  stage = await createStage();
});
afterEach(() => stage.drop());

describe('a ledger that has just been opened', () => {
  it('[LG70] also its first batch never happens when PostgreSQL begins it late', async () => {
    const race = await openRace(stage);
    // Every call begins late, as on a server that was frozen after the call had reached it.
    await stage.query(`create or replace function assert_read_committed() returns void
      language plpgsql as $$ begin perform pg_sleep(${LEDGER_BEGIN_WITHIN_MS / 1_000 + 0.3}); end $$`);
    const ledger = createLedger(stage.pool, { startPoints: 10_000 });
    await expect(ledger.commitBatch([bet(race.id, 'a', 1, 100n)])).rejects.toMatchObject({ outcome: 'none' });
    expect(await stage.query('select from bet')).toEqual([]);
  });

  it('[LG71] questions and batches never wait for each other’s connections', async () => {
    const pool = stage.database.pool({ max: 1 });
    const ledgerPool = stage.database.pool({ max: 1 });
    const records = createRecords({
      pool,
      ledgerPool,
      seedWrapKey: new Uint8Array(32),
      timeZone: 'Asia/Seoul',
      limits: { startPoints: 10_000, newPlayersPerAddressAndDay: 10 },
    });
    const race = await openRace(stage);
    const commits = await ledgerPool.connect();
    try {
      expect(await records.ledger.wallet('a' as PlayerId)).toBeNull();
    } finally {
      commits.release();
    }
    const questions = await pool.connect();
    try {
      const { answers } = await records.ledger.commitBatch([bet(race.id, 'a', 1, 100n)]);
      expect(answers).toMatchObject([{ ok: true }]);
    } finally {
      questions.release();
    }
  });
});
