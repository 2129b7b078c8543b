import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createPool } from '../../db/postgres/connect.ts';
import { createLedger } from '../../db/postgres/ledger.ts';
import { RefusedError } from '../../lib/errors.ts';
import type { LedgerItem, Logger } from '../../lib/ports.ts';
import { type Batcher, createBatcher } from '../../lib/run/batcher.ts';
import { testPostgres } from '../helpers/postgres.ts';
import { until } from '../helpers/until.ts';
import { type PgProxy, startPgProxy } from './pg-proxy.ts';
import { bet, createStage, openRace, order, runRace, type Stage, settlementOf } from './stage.ts';

const LIMITS = { ledgerQueue: 20_000, ledgerAnswerMs: 300, ledgerQueueMs: 2_000 };
const START = 1_000_000n;
const log: Logger = { error: () => {}, warn: () => {}, info: () => {}, debug: () => {} };

let stage: Stage;
let proxy: PgProxy;
let pool: ReturnType<typeof createPool>;
let batcher: Batcher;

beforeEach(async () => {
  stage = await createStage({ startPoints: Number(START) });
  proxy = await startPgProxy(stage.database.target);
  pool = createPool(proxy.target, { applicationName: 'placing', max: 4 }, () => {});
  batcher = createBatcher({ ledger: createLedger(pool, { startPoints: Number(START) }), limits: LIMITS, log });
});
afterEach(async () => {
  proxy.heal();
  await batcher.close();
  await pool.end();
  await proxy.close();
  await stage.drop();
});

const outcome = (submitted: Promise<{ repeated: boolean }>): Promise<string> =>
  submitted.then(
    ({ repeated }) => (repeated ? 'repeat' : 'ok'),
    (error: unknown) =>
      error instanceof RefusedError
        ? `${error.refusal.code}${error.refusal.outcome === 'unknown' ? ' unknown' : ''}`
        : String(error),
  );
/** Repeats the same command, as a client does, until the answer is definite. */
const truth = (item: LedgerItem) =>
  until('a definite answer', async () => {
    const answer = await outcome(batcher.submit(item));
    return /^(LEDGER_UNAVAILABLE|BUSY|OVERLOADED)/.test(answer) ? null : answer;
  });
const bets = async () =>
  (await stage.query<{ id: string; command_id: string }>('select id, command_id from bet')).map(
    ({ command_id }) => command_id,
  );

describe('outages', () => {
  it('[LG39] an answer that is lost after the commit ends in the truth, with one bet', async () => {
    const race = await openRace(stage);
    expect(await outcome(batcher.submit(bet(race.id, 'a', 1, 100n)))).toBe('ok');
    proxy.holdAnswers();
    const item = bet(race.id, 'a', 1, 200n);
    const waiting = outcome(batcher.submit(item));
    await until('it is committed', async () => (await bets()).length === 2);
    proxy.cutClients();
    expect(await waiting).toBe('LEDGER_UNAVAILABLE unknown');
    proxy.heal();
    expect(await truth(item)).toBe('repeat');
    expect((await bets()).filter((command) => command === item.commandId)).toHaveLength(1);
    expect(await stage.balanceOf('a')).toBe(START - 300n);
    expect(await stage.audit()).toEqual([]);
  });

  it('[LG40] backends ended in the middle of a batch: what was acknowledged is in, nothing is in twice, every pending command ends in the truth', async () => {
    const race = await openRace(stage);
    const items = Array.from({ length: 600 }, (_, index) => bet(race.id, `k${index % 20}`, 1 + (index % 8), 100n));
    const answers = new Map<string, string>();
    let ended = 0;
    for (let from = 0; from < items.length; from += 30) {
      const answering = Promise.all(
        items.slice(from, from + 30).map(async (item) => {
          answers.set(item.commandId, await outcome(batcher.submit(item)));
        }),
      );
      if ((from / 30) % 2 === 0) {
        const killed = await until(
          'a batch is under way',
          async () => {
            const rows = await stage.query(
              "select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'placing' and state = 'active'",
            );
            return rows.length > 0 || answers.size >= from + 30 ? { count: rows.length } : null;
          },
          { everyMs: 1 },
        );
        ended += killed.count;
      }
      await answering;
    }
    expect(ended).toBeGreaterThan(0);
    const undecided = items.filter(({ commandId }) => answers.get(commandId)?.startsWith('LEDGER_UNAVAILABLE'));
    await Promise.all(undecided.map(async (item) => answers.set(item.commandId, await truth(item))));
    console.log(`${ended} backends ended, ${undecided.length} of ${items.length} answers were pending`);
    expect([...answers.values()].filter((answer) => answer !== 'ok' && answer !== 'repeat')).toEqual([]);
    expect((await bets()).sort()).toEqual(items.map(({ commandId }) => commandId as string).sort());
    expect(await stage.audit()).toEqual([]);
  });

  it('[LG41] a ledger that hangs is told within its time; play goes on after it and no lost attempt takes effect later', async () => {
    const race = await openRace(stage);
    expect(await outcome(batcher.submit(bet(race.id, 'a', 1, 100n)))).toBe('ok');
    proxy.holdRequests();
    const lost = bet(race.id, 'a', 1, 200n);
    const start = performance.now();
    expect(await outcome(batcher.submit(lost))).toBe('LEDGER_UNAVAILABLE unknown');
    const answeredMs = performance.now() - start;
    const refusedAt = performance.now();
    expect(await outcome(batcher.submit(bet(race.id, 'a', 1, 300n)))).toBe('LEDGER_UNAVAILABLE');
    expect(performance.now() - refusedAt).toBeLessThan(300);
    expect(answeredMs).toBeLessThan(3_000);
    proxy.heal();
    expect(await truth(lost)).toMatch(/ok|repeat/);
    expect(await stage.balanceOf('a')).toBe(START - 300n);
    expect(await stage.audit()).toEqual([]);
  });

  it('[LG42] an attempt that reaches the ledger too late never happens', async () => {
    const race = await openRace(stage);
    const ledger = createLedger(pool, { startPoints: Number(START) });
    await ledger.commitBatch([bet(race.id, 'a', 1, 100n)]);
    proxy.holdRequests();
    const attempt = ledger.commitBatch([bet(race.id, 'a', 1, 200n)]);
    const sentAt = performance.now();
    await until('it is too late', () => performance.now() > sentAt + 1_600);
    proxy.heal();
    await expect(attempt).rejects.toMatchObject({ name: 'UnavailableError', outcome: 'none' });
    expect(await bets()).toHaveLength(1);
    expect(await ledger.commitBatch([bet(race.id, 'a', 1, 300n)])).toMatchObject({ answers: [{ ok: true }] });
  });

  it('[LG43] PostgreSQL killed under load: no acknowledged bet is missing, none is there twice', async () => {
    const postgres = await testPostgres();
    const race = await openRace(stage);
    const direct = createBatcher({ ledger: stage.ledger, limits: LIMITS, log });
    const items: LedgerItem[] = [];
    const answers = new Map<string, string>();
    let over = false;
    const load = Array.from({ length: 8 }, async (_, worker) => {
      while (!over) {
        const item = bet(race.id, `w${worker}`, 1 + (items.length % 8), 100n);
        items.push(item);
        answers.set(item.commandId, await outcome(direct.submit(item)));
        // As over a network: a refusal at once must not keep this process from hearing anything else.
        await sleep(2);
      }
    });
    for (let kills = 1; kills <= 3; kills += 1) {
      const before = [...answers.values()].filter((answer) => answer === 'ok').length;
      await until(
        'bets are placed',
        () => [...answers.values()].filter((answer) => answer === 'ok').length > before + 50,
      );
      await postgres.stopHard();
      await postgres.untilAnswers();
    }
    over = true;
    await Promise.all(load);
    const acknowledged = items
      .filter(({ commandId }) => answers.get(commandId) === 'ok')
      .map(({ commandId }) => commandId);
    const told = new Map(answers);
    await Promise.all(
      items.map(async (item) => {
        if (told.get(item.commandId) === 'ok') return;
        const answer = await until('a definite answer', async () => {
          const now = await outcome(direct.submit(item));
          return now.startsWith('LEDGER_UNAVAILABLE') ? null : now;
        });
        told.set(item.commandId, answer);
      }),
    );
    const placed = await bets();
    expect(new Set(placed).size).toBe(placed.length);
    expect(acknowledged.filter((command) => !placed.includes(command))).toEqual([]);
    expect(placed.length).toBe(items.length);
    expect(await stage.audit()).toEqual([]);
    console.log(
      `${acknowledged.length} acknowledged at once, ${items.length - acknowledged.length} pending, over 3 kills`,
    );
    await direct.close();
  });

  it('[LG44] PostgreSQL killed in the middle of a settlement: nothing of it is there, and it is done once afterwards', async () => {
    const postgres = await testPostgres();
    const race = await openRace(stage);
    await stage.ledger.commitBatch([bet(race.id, 'a', 1, 1_000n), bet(race.id, 'b', 2, 3_000n)]);
    const finish = order([1, 1], [2, 2], [3, 3], [4, 4], [5, 5], [6, 6], [7, 7], [8, 8]);
    await runRace(stage, race.id, finish);
    const settlement = await settlementOf(stage, race, finish);
    const holder = await stage.pool.connect();
    await holder.query('set idle_in_transaction_session_timeout = 0');
    await holder.query('begin');
    await holder.query('select from account where race_id = $1 for update', [race.id]);
    const interrupted = stage.races.settle(race.id, settlement);
    interrupted.catch(() => {});
    await until(
      'the settlement waits for the escrow',
      async () =>
        (
          await stage.query(
            "select 1 from pg_stat_activity where wait_event_type = 'Lock' and query like '%race_settle%'",
          )
        ).length > 0,
    );
    await postgres.stopHard();
    holder.release(true);
    await expect(interrupted).rejects.toMatchObject({ outcome: 'unknown' });
    await postgres.untilAnswers();
    expect((await stage.races.get(race.id))?.row.phase).toBe('running');
    expect(await stage.balanceOf('a')).toBe(START - 1_000n);
    expect(await stage.audit()).toEqual([]);
    expect(await stage.races.settle(race.id, settlement)).toBe('moved');
    expect(await stage.races.settle(race.id, settlement)).toBe('already');
    expect(await stage.balanceOf('a')).toBe(START - 1_000n + 3_200n);
    expect(await stage.audit()).toEqual([]);
  });
});
