import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createAudit } from '../../db/postgres/audit.ts';
import { createFreezing } from '../../db/postgres/freeze.ts';
import type { Broken, Freezing, NewRace, Subject } from '../../lib/ports.ts';
import { startAudit } from '../../lib/run/audit.ts';
import { createFreezer } from '../../lib/service/freezer.ts';
import { until } from '../helpers/until.ts';
import { createTestLog } from '../races/arena.ts';
import {
  bet,
  claim,
  closeRace,
  code,
  createStage,
  DAY,
  openRace,
  order,
  player,
  runRace,
  type Stage,
  settlementOf,
} from './stage.ts';

let stage: Stage;
let freezing: Freezing;
beforeAll(async () => {
  stage = await createStage();
  freezing = createFreezing(stage.pool, { timeZone: 'Asia/Seoul' });
});
afterAll(async () => {
  expect(await stage.audit()).toEqual([]);
  await stage.drop();
});

const FINISH = order([1, 1], [2, 2], [3, 3], [4, 4], [5, 5], [6, 6], [7, 7], [8, 8]);
const START = 10_000n;

const race = ({ id }: NewRace): Subject => ({ kind: 'race', id });
const wallet = (name: string): Subject => ({ kind: 'wallet', id: player(name) });
const freeze = (subject: Subject, detail = 'a test') => freezing.freeze(subject, 'by-hand', detail, true);
const thaw = (subject: Subject) => freezing.thaw(subject, 'tester');
const quiet = () => createFreezer({ freezing, log: { error: () => {} } });

async function place(...items: Parameters<Stage['ledger']['commitBatch']>[0]): Promise<string[]> {
  return (await stage.ledger.commitBatch(items)).answers.map(code);
}

/** A race with three bettors, horse 1 backed by the first, run to its end but not settled. */
async function runWithBets(names: readonly [string, string, string], frozen: boolean): Promise<NewRace> {
  const opened = await openRace(stage);
  expect(
    await place(
      bet(opened.id, names[0], 1, 1_000n),
      bet(opened.id, names[1], 2, 2_000n),
      bet(opened.id, names[2], 3, 1_000n),
    ),
  ).toEqual(['ok', 'ok', 'ok']);
  if (frozen) expect(await freeze(race(opened))).toBe('frozen');
  await runRace(stage, opened.id, FINISH);
  return opened;
}

const factsOf = (opened: NewRace) =>
  stage.query<{ event: { type: string; payoutsHeld?: boolean } }>(
    'select event from room_fact where room_id = $1 order by version',
    [opened.roomId],
  );
const balances = (names: readonly string[]) => Promise.all(names.map((name) => stage.balanceOf(name)));

describe('a frozen race', () => {
  it('[LG141] is settled like any other, shown and followed by the next one, while its payouts wait and the ledger is sound', async () => {
    const names = ['s1', 's2', 's3'] as const;
    const opened = await runWithBets(names, true);
    const settlement = await settlementOf(stage, opened, FINISH);
    expect(await stage.races.settle(opened.id, settlement)).toBe('moved');
    expect(await stage.races.settle(opened.id, settlement)).toBe('already');
    expect(await stage.races.get(opened.id)).toMatchObject({
      row: { phase: 'settled', payoutsHeld: true, seed: 'cd'.repeat(32) },
      result: { order: FINISH, dividends: [{ pool: 'win', selection: [1], per100: '320' }] },
    });
    expect((await factsOf(opened)).at(-1)?.event).toMatchObject({ type: 'race settled', payoutsHeld: true });
    expect(await balances(names)).toEqual([START - 1_000n, START - 2_000n, START - 1_000n]);
    expect(await stage.races.outcomes(opened.id)).toEqual([]);
    expect(await stage.query('select balance from account where race_id = $1', [opened.id])).toEqual([
      { balance: 4_000n },
    ]);
    expect(await stage.audit()).toEqual([]);
    const next = await openRace(stage, { roomId: opened.roomId });
    expect(await place(bet(next.id, 's1', 1, 100n))).toEqual(['ok']);
    await stage.races.voidRace(next.id, 'admin', 'cd', 'ab', null);

    const thaws = await Promise.all(Array.from({ length: 4 }, () => quiet().thaw(race(opened), 'tester')));
    expect(thaws.filter(({ paid }) => paid)).toEqual([{ move: 'thawed', paid: true }]);
    expect(await thaw(race(opened))).toEqual({ move: 'not-frozen', paid: false });
    expect(await balances(names)).toEqual([START - 1_000n + 3_200n, START - 2_000n, START - 1_000n]);
    expect((await stage.races.outcomes(opened.id)).flatMap(({ bets }) => bets.map(({ outcome }) => outcome))).toEqual([
      'paid',
      'lost',
      'lost',
    ]);
    expect((await factsOf(opened)).filter(({ event }) => event.type === 'race paid')).toHaveLength(1);
    expect((await stage.races.get(opened.id))?.row.payoutsHeld).toBe(false);
    expect(
      await stage.query("select profit from board_row where player_id = 's1' and scope = '' and span = 'all'"),
    ).toEqual([{ profit: 2_200n }]);
    expect(await stage.audit()).toEqual([]);
  });

  it('[LG142] is void like any other from whatever phase, and its refunds wait', async () => {
    for (const phase of ['open', 'closed', 'running']) {
      const name = `v-${phase}`;
      const opened = await openRace(stage);
      await place(bet(opened.id, name, 1, 700n));
      await freeze(race(opened));
      if (phase === 'closed') await closeRace(stage, opened.id);
      if (phase === 'running') await runRace(stage, opened.id, FINISH);
      expect(await stage.races.voidRace(opened.id, 'admin', 'cd', 'ab', null)).toBe('moved');
      expect((await factsOf(opened)).at(-1)?.event).toMatchObject({ type: 'race void', payoutsHeld: true });
      expect(await stage.balanceOf(name)).toBe(START - 700n);
      expect(await stage.audit()).toEqual([]);
      expect(await thaw(race(opened))).toEqual({ move: 'thawed', paid: true });
      expect(await stage.balanceOf(name)).toBe(START);
      expect(await stage.audit()).toEqual([]);
    }
  });

  it('[LG143] that is thawed before its end goes on as if nothing had been; one frozen after its end was paid keeps what it paid', async () => {
    const opened = await openRace(stage);
    await freeze(race(opened));
    expect(await place(bet(opened.id, 't1', 1, 100n))).toEqual(['FROZEN']);
    expect(await thaw(race(opened))).toEqual({ move: 'thawed', paid: false });
    expect(await place(bet(opened.id, 't1', 1, 100n))).toEqual(['ok']);
    await runRace(stage, opened.id, FINISH);
    await stage.races.settle(opened.id, await settlementOf(stage, opened, FINISH));
    expect(await stage.balanceOf('t1')).toBe(START);
    expect(await freeze(race(opened))).toBe('frozen');
    expect(await stage.audit()).toEqual([]);
    expect(await thaw(race(opened))).toEqual({ move: 'thawed', paid: false });
    expect(await stage.balanceOf('t1')).toBe(START);
  });

  it('[LG144] takes no scratch, since what that gives back would have to wait', async () => {
    const opened = await openRace(stage);
    await place(bet(opened.id, 'x1', 1, 100n));
    await freeze(race(opened));
    expect(await stage.races.scratchHorse(opened.id, 1, 0)).toEqual({ move: 'frozen', left: 8 });
    await thaw(race(opened));
    expect(await stage.races.scratchHorse(opened.id, 1, 0)).toEqual({ move: 'moved', left: 7 });
    expect(await stage.races.scratchHorse(opened.id, 1, 0)).toEqual({ move: 'already', left: 7 });
  });

  it('[LG145] is frozen whole or not at all, whoever settles, voids, places or thaws at that moment', async () => {
    for (let round = 0; round < 12; round += 1) {
      const names = [`c${round}a`, `c${round}b`, `c${round}c`] as const;
      const opened = await runWithBets(names, false);
      const settlement = await settlementOf(stage, opened, FINISH);
      const ending =
        round % 3 === 0
          ? () => stage.races.voidRace(opened.id, 'admin', 'cd', 'ab', null)
          : () => stage.races.settle(opened.id, settlement);
      const moves = [
        () => until('over', async () => ['moved', 'already'].includes(await ending())),
        () => quiet().freeze(race(opened), 'at the same time'),
      ];
      await Promise.all([
        ...(round % 4 < 2 ? moves : moves.toReversed()).map((move) => move()),
        ...(round % 2 === 0 ? [quiet().thaw(race(opened), 'tester')] : []),
        place(claim(names[0], DAY)),
      ]);
      const [hold] = await stage.query<{ paid_at: bigint | null }>('select paid_at from race_hold where race_id = $1', [
        opened.id,
      ]);
      const outcomes = await stage.races.outcomes(opened.id);
      expect(outcomes.length, `round ${round}`).toBe(hold !== undefined && hold.paid_at === null ? 0 : 3);
      expect(await stage.audit()).toEqual([]);
      await quiet().thaw(race(opened), 'tester');
      expect(await stage.races.outcomes(opened.id)).toHaveLength(3);
    }
    expect(await stage.audit()).toEqual([]);
  });

  it('[LG146] whose payouts do not agree with its bets is not thawed, and nothing of it is paid', async () => {
    const names = ['w1', 'w2', 'w3'] as const;
    const opened = await runWithBets(names, true);
    await stage.races.settle(opened.id, await settlementOf(stage, opened, FINISH));
    const [kept] = await stage.query<{ pools: unknown }>('select pool_results as pools from race where id = $1', [
      opened.id,
    ]);
    const put = async (pools: unknown) => {
      await stage.query('alter table race disable trigger race_is_guarded');
      await stage.query('update race set pool_results = $2 where id = $1', [opened.id, JSON.stringify(pools)]);
      await stage.query('alter table race enable trigger race_is_guarded');
    };
    await put((kept?.pools as object[]).map((pool) => ({ ...pool, takeout: '799' })));
    await expect(thaw(race(opened))).rejects.toThrow('does not agree');
    expect(await balances(names)).toEqual([START - 1_000n, START - 2_000n, START - 1_000n]);
    expect(await freezing.standing()).toEqual({ races: 1, wallets: 0 });
    await put(kept?.pools);
    expect(await thaw(race(opened))).toEqual({ move: 'thawed', paid: true });
  });
});

describe('a freeze', () => {
  it('[LG147] is there once, is lifted once and is kept for ever, and one of nobody is refused', async () => {
    await place(claim('o1', DAY));
    expect(await Promise.all([1, 2, 3].map(() => quiet().freeze(wallet('o1'), 'why')))).toEqual(
      expect.arrayContaining(['frozen', 'already', 'already']),
    );
    expect(await freezing.standing()).toEqual({ races: 0, wallets: 1 });
    await expect(stage.query("update ledger_freeze set detail = 'x' where id = 'o1'")).rejects.toThrow('lifted once');
    await expect(stage.query('delete from ledger_freeze')).rejects.toThrow('for ever');
    expect(await thaw(wallet('o1'))).toEqual({ move: 'thawed', paid: false });
    await expect(
      stage.query("update ledger_freeze set lifted_at = null, lifted_by = null, until_transfer = null where id = 'o1'"),
    ).rejects.toThrow('lifted once');
    expect(await stage.query("select detail, lifted_by from ledger_freeze where id = 'o1'")).toEqual([
      { detail: 'why', lifted_by: 'tester' },
    ]);
    expect(await freeze(wallet('nobody'))).toBe('absent');
    expect(await freeze({ kind: 'race', id: 'none' as NewRace['id'] })).toBe('absent');
    expect(await thaw(wallet('nobody'))).toEqual({ move: 'absent', paid: false });
  });

  it('[LG148] of a wallet stops its stakes and claims and nothing else: what it has won comes in', async () => {
    const names = ['p1', 'p2', 'p3'] as const;
    const opened = await runWithBets(names, false);
    await freeze(wallet('p1'));
    await stage.races.settle(opened.id, await settlementOf(stage, opened, FINISH));
    expect(await stage.balanceOf('p1')).toBe(START - 1_000n + 3_200n);
    const next = await openRace(stage);
    expect(await place(bet(next.id, 'p1', 1, 100n), claim('p1', DAY), bet(next.id, 'p2', 1, 100n))).toEqual([
      'FROZEN',
      'FROZEN',
      'ok',
    ]);
    expect(await stage.audit()).toEqual([]);
    await thaw(wallet('p1'));
    expect(await place(bet(next.id, 'p1', 1, 100n))).toEqual(['ok']);
  });
});

describe('the audit', () => {
  const looking = () => {
    const { log, lines } = createTestLog();
    const audit = startAudit({ ledger: createAudit(stage.database.target), freezing, log });
    return { audit, lines, of: (name: string) => lines.filter(({ event }) => event === name) };
  };

  it('[LG149] freezes exactly the races and wallets that a fault names, tells it by log and metric, and play goes on', async () => {
    const [one, two] = [await openRace(stage), await openRace(stage)];
    await place(bet(one.id, 'h1', 1, 100n), bet(two.id, 'h2', 1, 100n));
    await stage.query("update account set balance = balance + 5 where player_id = 'h1'");
    await stage.query('update account set balance = balance - 5 where race_id = $1', [one.id]);
    const { audit, of } = looking();
    await until('it has acted', () => audit.standing()['wallet'] === 1);
    audit.close();
    expect(audit.standing()).toEqual({ race: 1, wallet: 1 });
    expect(audit.broken()).toMatchObject({
      'balance-equals-transfers': 2,
      'escrow-equals-open-stakes': 1,
      'balances-sum-to-zero': 0,
      'boards-recompute': 0,
    });
    expect(of('audit.froze')).toHaveLength(2);
    expect(of('audit.broken')).toHaveLength(3);
    expect(
      await place(
        bet(two.id, 'h1', 1, 100n),
        bet(one.id, 'h2', 1, 100n),
        bet(two.id, 'h2', 1, 100n),
        bet(two.id, 'h3', 1, 100n),
      ),
    ).toEqual(['FROZEN', 'FROZEN', 'ok', 'ok']);

    await stage.query("update account set balance = balance - 5 where player_id = 'h1'");
    await stage.query('update account set balance = balance + 5 where race_id = $1', [one.id]);
    const again = looking();
    await until('it has looked', () => again.audit.completedAt() > 0 && again.audit.standing()['wallet'] === 1);
    again.audit.close();
    // What is put right stays frozen until somebody says so.
    expect(Object.values(again.audit.broken()).every((rows) => rows === 0)).toBe(true);
    await Promise.all([thaw(race(one)), thaw(wallet('h1'))]);
    expect(await place(bet(one.id, 'h1', 1, 100n))).toEqual(['ok']);
  });

  it('[LG150] leaves alone what an operator has lifted, until it is another fault; and never freezes a crowd for one fault', async () => {
    await place(claim('k1', DAY), claim('k2', DAY));
    const fault = (detail: string): Broken => ({
      invariant: 'boards-recompute',
      detail,
      raceId: null,
      playerId: player('k1'),
    });
    expect(await quiet().freezeNamed([fault('a'), fault('b')])).toEqual([wallet('k1')]);
    await thaw(wallet('k1'));
    expect(await quiet().freezeNamed([fault('a')])).toEqual([]);
    expect(await quiet().freezeNamed([fault('c')])).toEqual([wallet('k1')]);
    await thaw(wallet('k1'));

    const { log, lines } = createTestLog();
    const crowd = Array.from({ length: 101 }, (_, n) => ({
      ...fault('crowd'),
      playerId: player(n === 0 ? 'k2' : `m${n}`),
    }));
    expect(await createFreezer({ freezing, log }).freezeNamed(crowd)).toEqual([]);
    expect(lines.map(({ event }) => event)).toEqual(['audit.too_many_to_freeze']);
    expect(await freezing.standing()).toEqual({ races: 0, wallets: 0 });
  });
});
