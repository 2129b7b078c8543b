import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { COMMIT_BATCH, encodeItems } from '../../db/postgres/batch.ts';
import { createLedger } from '../../db/postgres/ledger.ts';
import { createRaceRecords } from '../../db/postgres/races.ts';
import { foldBatchRoots, parseBatch, toHex } from '../../lib/fairness/index.ts';
import type { PhaseMove } from '../../lib/ports.ts';
import { until } from '../helpers/until.ts';
import { bet, code, createStage, openRace, type Stage } from './stage.ts';

let stage: Stage;
beforeAll(async () => {
  stage = await createStage({ startPoints: 1_000_000_000 });
});
afterAll(async () => {
  expect(await stage.audit()).toEqual([]);
  await stage.drop();
});

const deadlocks = async () => {
  await stage.query('select pg_stat_clear_snapshot()');
  return (
    (
      await stage.query<{ deadlocks: bigint }>(
        'select deadlocks from pg_stat_database where datname = current_database()',
      )
    )[0]?.deadlocks ?? -1n
  );
};

describe('closing barrier', () => {
  it('[LG17] six placing at once against one close: what is in at the close is what was acknowledged, and nothing comes after', async () => {
    const placers = Array.from({ length: 6 }, () =>
      createLedger(stage.database.pool({ max: 1 }), { startPoints: 1_000_000_000 }),
    );
    const race = await openRace(stage, { closesInMs: 500 });
    let closed = false;
    const acknowledged: string[] = [];
    const refusals = new Set<string>();
    const work = placers.map(async (ledger, placer) => {
      for (let round = 0; !closed || round < 3; round += 1) {
        const items = Array.from({ length: 5 }, (_, index) =>
          bet(race.id, `c${placer}-${index}`, 1 + (round % 8), 100n),
        );
        const { answers } = await ledger.commitBatch(items);
        answers.forEach((answer, index) => {
          if (answer.ok === true) acknowledged.push((items[index] as { betId: string }).betId);
          else refusals.add(code(answer));
        });
      }
    });
    await until('the race is closed', async () => (await stage.races.close(race.id, [])) === 'moved', { everyMs: 5 });
    const atClose = (await stage.query<{ id: string }>('select id from bet where race_id = $1', [race.id])).map(
      ({ id }) => id,
    );
    const row = (await stage.races.get(race.id))?.row;
    const fact = await stage.query<{ event: { totals: unknown; betsRoot: string } }>(
      "select event from room_fact where room_id = $1 and event ->> 'type' = 'race closed'",
      [race.roomId],
    );
    closed = true;
    await Promise.all(work);

    const after = await stage.query<{ id: string; placed_at: bigint }>(
      'select id, placed_at from bet where race_id = $1',
      [race.id],
    );
    expect(after.map(({ id }) => id).sort()).toEqual(atClose.sort());
    expect([...acknowledged].sort()).toEqual(atClose);
    expect(acknowledged.length).toBeGreaterThan(20);
    expect(
      after.every(
        ({ placed_at }) => Number(placed_at) < (row?.closesAt ?? 0) && Number(placed_at) <= (row?.closedAt ?? 0),
      ),
    ).toBe(true);
    expect([...refusals].every((refusal) => refusal === 'again' || refusal === 'PHASE_CLOSED')).toBe(true);
    const batches = await stage.races.batches(race.id);
    expect(row?.betsRoot).toBe(toHex(foldBatchRoots(batches.map(parseBatch))));
    expect(row?.totals).toEqual({ win: { gross: String(acknowledged.length * 100), count: acknowledged.length } });
    expect(fact[0]?.event).toMatchObject({ betsRoot: row?.betsRoot, totals: row?.totals });
  });

  it('[LG18] a close waits for the batch that is being placed and turns further ones away', async () => {
    const race = await openRace(stage, { closesInMs: 300 });
    const item = bet(race.id, 'other', 1, 100n);
    // Both have their wallets, so that the two meet at the race alone.
    await stage.ledger.commitBatch([bet(race.id, 'held', 1, 100n), bet(race.id, 'other', 1, 100n)]);
    const client = await stage.pool.connect();
    try {
      await client.query('set idle_in_transaction_session_timeout = 0');
      await client.query('begin');
      const held = await client.query(COMMIT_BATCH, [
        ...encodeItems([bet(race.id, 'held', 1, 100n)]),
        1_000_000_000,
        null,
      ]);
      expect(held.rows[0].codes).toEqual(['ok']);
      expect(await stage.races.close(race.id, [])).toBe('busy');
      let move: PhaseMove | undefined;
      const closing = until(
        'the close',
        async () => {
          move = await stage.races.close(race.id, []);
          return move === 'moved';
        },
        { everyMs: 1 },
      );
      await until(
        'the closer waits',
        async () =>
          (await stage.query("select 1 from pg_locks where locktype = 'advisory' and not granted")).length > 0,
        { everyMs: 1 },
      );
      expect(code((await stage.ledger.commitBatch([item])).answers[0])).toBe('again');
      await client.query('commit');
      await closing;
    } finally {
      client.release(true);
    }
    expect((await stage.races.get(race.id))?.row.totals).toEqual({ win: { gross: '300', count: 3 } });
    expect(code((await stage.ledger.commitBatch([item])).answers[0])).toBe('PHASE_CLOSED');
  });

  it('[LG19] busy closes by three instances over many races while players bet: no deadlock, each race closed once and soon', async () => {
    const before = await deadlocks();
    const instances = Array.from({ length: 3 }, () => {
      const pool = stage.database.pool({ max: 3 });
      return { ledger: createLedger(pool, { startPoints: 1_000_000_000 }), races: createRaceRecords(pool) };
    });
    const races = await Promise.all(
      Array.from({ length: 30 }, (_, index) => openRace(stage, { closesInMs: 300 + index * 25 })),
    );
    const moves: PhaseMove[] = [];
    let over = false;
    const placing = instances.map(async ({ ledger }, instance) => {
      for (let round = 0; !over; round += 1) {
        // All instances bet for the same players on the same races, in different orders.
        const items = Array.from({ length: 40 }, (_, index) => {
          const at = (index * (instance + 1) + round) % 30;
          return bet(races[at]?.id ?? races[0]!.id, `busy-${(index * (instance + 3)) % 15}`, 1 + (index % 8), 100n);
        });
        await ledger.commitBatch(items);
      }
    });
    const sweeping = instances.map(async (instance) => {
      while (!over) {
        for (const { raceId } of await instance.races.overdue(50)) moves.push(await instance.races.close(raceId, []));
      }
    });
    await until(
      'all are closed',
      async () =>
        (await stage.races.unfinished()).length === 0 ||
        (await stage.query("select 1 from race where phase = 'open'")).length === 0,
    );
    over = true;
    await Promise.all([...placing, ...sweeping]);
    expect(moves.filter((move) => move === 'moved')).toHaveLength(30);
    const [late] = await stage.query<{ worst: bigint }>(
      'select max(closed_at - closes_at) as worst from race where id = any ($1)',
      [races.map(({ id }) => id)],
    );
    console.log(
      `worst close ${late?.worst} ms after its time, ${moves.filter((move) => move === 'busy').length} of ${moves.length} calls found it busy`,
    );
    expect(Number(late?.worst)).toBeLessThan(10_000);
    expect(await deadlocks()).toBe(before);
  });
});
