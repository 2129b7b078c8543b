import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Pool } from '../../lib/core/pools.ts';
import type { LedgerAnswer, LedgerItem } from '../../lib/ports.ts';
import {
  bet,
  claim,
  code,
  createStage,
  DAY,
  openRace,
  order,
  player,
  relief,
  runRace,
  type Stage,
  settlementOf,
} from './stage.ts';

let stage: Stage;
beforeAll(async () => {
  stage = await createStage();
});
afterAll(async () => {
  expect(await stage.audit()).toEqual([]);
  await stage.drop();
});

const place = async (...items: LedgerItem[]): Promise<readonly LedgerAnswer[]> =>
  (await stage.ledger.commitBatch(items)).answers;
const codes = async (...items: LedgerItem[]) => (await place(...items)).map(code);
const granted = (answer: LedgerAnswer | undefined) => (answer?.ok === true ? answer.granted : undefined);

/** As player_set_limits leaves it. */
async function limit(name: string, daily: number | null, coolOffUntil = 0): Promise<void> {
  await stage.query('insert into player_limit (player_id, daily_stake, cool_off_until) values ($1, $2, $3)', [
    name,
    daily,
    coolOffUntil,
  ]);
  await stage.query('update account set limited = true where player_id = $1', [name]);
}

const ALL: readonly [Pool, number][] = [
  ['win', 1],
  ['place', 1],
  ['quinella', 2],
  ['exacta', 2],
  ['quinella-place', 2],
  ['trio', 3],
  ['trifecta', 3],
];

describe('selections', () => {
  it('[BT38] the ledger takes as many different runners as the pool has, and nothing else', async () => {
    const rate = { num: 80, den: 100 };
    const { id } = await openRace(stage, { rules: { pools: ALL.map(([pool]) => ({ pool, rate })) } });
    for (const [pool, size] of ALL) {
      const horses = [3, 1, 8].slice(0, size);
      const wrong = [[], [...horses, 2], horses.slice(1), [...horses.slice(1), 9], [...horses.slice(1), 0]];
      if (size > 1)
        wrong.push(
          horses.map(() => 3),
          [1, 1, 2].slice(0, size),
        );
      expect(await codes(bet(id, 'b38', horses, 100n, { pool })), pool).toEqual(['ok']);
      for (const selection of wrong)
        expect(await codes(bet(id, 'b38', selection, 100n, { pool })), `${pool} ${selection}`).toEqual([
          'SELECTION_INVALID',
        ]);
    }
    expect(await codes(bet(id, 'b38', 1, 100n, { pool: 'tierce' as Pool }))).toEqual(['SELECTION_INVALID']);
  });
});

describe('relief', () => {
  it('[LG75] relief fills balance and open stakes up to its points, once in its time, from no more than is missing', async () => {
    const race = await openRace(stage);
    // 10,000 to begin with: nothing is missing, whether in the wallet or staked.
    expect(await codes(relief('r1'))).toEqual(['LIMIT_REACHED']);
    expect(await codes(bet(race.id, 'r1', 1, 9_900n), relief('r1'))).toEqual(['ok', 'LIMIT_REACHED']);
    expect(await codes(relief('r1'))).toEqual(['LIMIT_REACHED']);

    await runRace(stage, race.id, order([2, 1], [1, 2], [3, 3], [4, 4], [5, 5], [6, 6], [7, 7], [8, 8]));
    await place(bet((await openRace(stage)).id, 'other', 1, 100n));
    await stage.races.settle(race.id, await settlementOf(stage, race, order([2, 1], [1, 2])));
    // Nobody backed the winner: all of it came back.
    expect(await stage.balanceOf('r1')).toBe(10_000n);

    const lost = await openRace(stage);
    await place(bet(lost.id, 'r1', 1, 9_900n), bet(lost.id, 'r2', 2, 9_200n));
    await runRace(stage, lost.id, order([2, 1], [1, 2], [3, 3]));
    await stage.races.settle(lost.id, await settlementOf(stage, lost, order([2, 1], [1, 2], [3, 3])));
    expect(await stage.balanceOf('r1')).toBe(100n);
    const next = await openRace(stage);
    const asked = relief('r1');
    const [staked, first, second] = await place(bet(next.id, 'r1', 1, 100n), asked, relief('r1'));
    expect([code(staked), code(first), code(second)]).toEqual(['ok', 'ok', 'LIMIT_REACHED']);
    expect(granted(first)).toBe(900n);
    expect(await stage.balanceOf('r1')).toBe(900n);
    // A repeat answers as the first time; another one waits for its time.
    const [again] = await place(asked);
    expect([code(again), granted(again)]).toEqual(['repeat', 900n]);
    await place(bet(next.id, 'r1', 1, 500n));
    expect(await codes(relief('r1'))).toEqual(['LIMIT_REACHED']);
    expect(await codes(relief('r1', 1_500n, 0))).toEqual(['ok']);
    expect(await stage.balanceOf('r1')).toBe(900n);
  });

  it('[LG75] forty at once on two connections give it once', async () => {
    await stage.query(
      "insert into player (id, nickname, locale, created_at, starts_at_zero) values ('r3', 'r', 'ko', 0, true)",
    );
    const all: string[] = [];
    await Promise.all(
      Array.from({ length: 40 }, async () => {
        const item = relief('r3');
        let told = 'again';
        while (told === 'again') [told = 'none'] = await codes(item);
        all.push(told);
      }),
    );
    expect(all.filter((told) => told === 'ok')).toHaveLength(1);
    expect(all.filter((told) => told === 'LIMIT_REACHED')).toHaveLength(39);
    expect(await stage.balanceOf('r3')).toBe(1_000n);
  });
});

describe('limits of one’s own', () => {
  it('[LG76] what a player stakes on a day keeps the own limit, whatever the race, in one batch or many', async () => {
    const [one, two] = [await openRace(stage), await openRace(stage)];
    await place(claim('l1', '2026-11-19'));
    await limit('l1', 1_000);
    expect(
      await codes(
        bet(one.id, 'l1', 1, 600n),
        bet(two.id, 'l1', 1, 500n),
        bet(two.id, 'l1', 1, 400n),
        bet(one.id, 'l1', 2, 100n),
      ),
    ).toEqual(['ok', 'LIMIT_REACHED', 'ok', 'LIMIT_REACHED']);
    expect(await codes(bet(one.id, 'l1', 1, 100n))).toEqual(['LIMIT_REACHED']);
    // The next day counts anew.
    expect(await codes(bet(one.id, 'l1', 1, 1_000n, { day: '2026-11-21' }))).toEqual(['ok']);
    expect(
      await stage.query("select day::text, staked::text from player_day where player_id = 'l1' order by day"),
    ).toEqual([
      { day: DAY, staked: '1000' },
      { day: '2026-11-21', staked: '1000' },
    ]);
  });

  it('[LG157] bets of before and after midnight in one batch each keep the limit of their day', async () => {
    const race = await openRace(stage);
    await place(claim('mid', '2026-11-19'));
    await limit('mid', 1_000);
    const after = bet(race.id, 'mid', 2, 1_000n, { day: '2026-11-21' });
    expect(await codes(bet(race.id, 'mid', 1, 1_000n), after, bet(race.id, 'mid', 3, 100n))).toEqual([
      'ok',
      'again',
      'LIMIT_REACHED',
    ]);
    expect(await codes(after, bet(race.id, 'mid', 3, 100n, { day: '2026-11-21' }))).toEqual(['ok', 'LIMIT_REACHED']);
  });

  it('[LG76] a limit that begins tomorrow does not hold today', async () => {
    const race = await openRace(stage);
    await place(claim('l2', '2026-11-19'));
    await limit('l2', 300);
    await stage.query(
      "update player_limit set next_daily_stake = null, next_from = '2026-11-21' where player_id = 'l2'",
    );
    expect(await codes(bet(race.id, 'l2', 1, 400n), bet(race.id, 'l2', 1, 300n))).toEqual(['LIMIT_REACHED', 'ok']);
    expect(await codes(bet(race.id, 'l2', 1, 4_000n, { day: '2026-11-21' }))).toEqual(['ok']);
  });

  it('[LG76] many small bets on several connections keep the own limit and the race’s cap to the point', async () => {
    const race = await openRace(stage, { rules: { maxStakePerRace: 3_000 } });
    await place(claim('l3', '2026-11-19'), claim('l4', '2026-11-19'));
    await limit('l3', 2_000);
    const told = new Map<string, number>();
    await Promise.all(
      Array.from({ length: 60 }, async (_, index) => {
        const name = index % 2 ? 'l3' : 'l4';
        const item = bet(race.id, name, 1 + (index % 8), 200n);
        let answer = 'again';
        while (answer === 'again') [answer = 'none'] = await codes(item);
        told.set(`${name} ${answer}`, (told.get(`${name} ${answer}`) ?? 0) + 1);
      }),
    );
    expect(Object.fromEntries(told)).toEqual({
      'l3 ok': 10,
      'l3 LIMIT_REACHED': 20,
      'l4 ok': 15,
      'l4 LIMIT_REACHED': 15,
    });
  });

  it('[LG77] during a cool-off no bet is taken, and everything else is', async () => {
    const race = await openRace(stage);
    await place(claim('c1', '2026-11-19'));
    await limit('c1', null, Date.now() + 60_000);
    expect(await codes(bet(race.id, 'c1', 1, 100n), claim('c1', DAY), bet(race.id, 'c2', 1, 100n))).toEqual([
      'COOL_OFF',
      'ok',
      'ok',
    ]);
    await stage.query("update player_limit set cool_off_until = 1 where player_id = 'c1'");
    expect(await codes(bet(race.id, 'c1', 1, 100n))).toEqual(['ok']);
  });
});

describe('what is frozen', () => {
  it('[LG78] a frozen wallet neither stakes nor claims, a frozen race takes no bets, and nobody else notices', async () => {
    const [one, two] = [await openRace(stage), await openRace(stage)];
    const first = bet(one.id, 'f1', 1, 100n);
    await place(first, bet(one.id, 'f2', 1, 100n));
    await stage.query("update account set frozen = true where player_id = 'f1'");
    await stage.query('update account set frozen = true where race_id = $1', [two.id]);
    expect(
      await codes(
        bet(one.id, 'f1', 1, 100n),
        claim('f1', DAY),
        relief('f1'),
        bet(two.id, 'f2', 1, 100n),
        bet(one.id, 'f2', 1, 100n),
        claim('f2', DAY),
      ),
    ).toEqual(['FROZEN', 'FROZEN', 'FROZEN', 'FROZEN', 'ok', 'ok']);
    // What was accepted is answered as the first time.
    expect(await codes(first)).toEqual(['repeat']);
    expect(await stage.balanceOf('f1')).toBe(9_900n);
    await stage.query('update account set frozen = false where frozen');
    expect(await codes(bet(two.id, 'f1', 1, 100n))).toEqual(['ok']);
  });
});

describe('repeats', () => {
  it('[LG79] a refused bet of a player does not block the next smaller one, nor the other players of its batch', async () => {
    const race = await openRace(stage);
    const answers = await place(
      bet(race.id, 's1', 1, 6_000n),
      bet(race.id, 's2', 1, 100n),
      bet(race.id, 's1', 1, 6_000n),
      bet(race.id, 's1', 2, 4_000n),
      bet(race.id, 's1', 3, 100n),
      bet(race.id, 's2', 2, 100n),
    );
    expect(answers.map(code)).toEqual(['ok', 'ok', 'INSUFFICIENT_POINTS', 'ok', 'INSUFFICIENT_POINTS', 'ok']);
    expect(answers.map((answer) => (answer.ok === true ? answer.balance : null))).toEqual([
      4_000n,
      9_900n,
      null,
      0n,
      null,
      9_800n,
    ]);
    expect(await stage.balanceOf(player('s1'))).toBe(0n);
  });
});
