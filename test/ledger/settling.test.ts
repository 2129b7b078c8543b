import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Placing } from '../../lib/core/race-state.ts';
import { foldBatchRoots, fromHex, merkleRoot, parseBatch, toHex } from '../../lib/fairness/index.ts';
import type { LedgerItem, NewRace } from '../../lib/ports.ts';
import { until } from '../helpers/until.ts';
import {
  bet,
  closeRace,
  code,
  createStage,
  drawn,
  openRace,
  order,
  pick,
  player,
  runRace,
  type Stage,
  settlementOf,
  vote,
} from './stage.ts';

let stage: Stage;
beforeAll(async () => {
  stage = await createStage({ startPoints: 100_000_000 });
});
afterAll(async () => {
  expect(await stage.audit()).toEqual([]);
  await stage.drop();
});

const FINISH = order([1, 1], [2, 2], [3, 3], [4, 4], [5, 5], [6, 6], [7, 7], [8, 8]);

/** Bets by [player, horse, stake], the race run to `finish` and settled; the dividends by horse. */
async function settled(
  race: NewRace,
  bets: [string, number, bigint][],
  finish: Placing[],
  pool: 'win' | 'place' = 'win',
) {
  const { answers } = await stage.ledger.commitBatch(
    bets.map(([name, horse, stake]) => bet(race.id, name, horse, stake, { pool })),
  );
  expect(answers.map(code)).toEqual(bets.map(() => 'ok'));
  await runRace(stage, race.id, finish);
  expect(await stage.races.settle(race.id, await settlementOf(stage, race, finish))).toBe('moved');
  const details = await stage.races.get(race.id);
  return Object.fromEntries((details?.result?.dividends ?? []).map(({ selection, per100 }) => [selection[0], per100]));
}

describe('settlement', () => {
  it('[LG7] the win pool of 9,000,000 with 5,000,000 on the winner pays 140 and books takeout and breakage to the point', async () => {
    const race = await openRace(stage);
    const before = await stage.query<{ kind: string; balance: bigint }>(
      "select kind, balance from account where kind in ('takeout', 'breakage')",
    );
    expect(
      await settled(
        race,
        [
          ['s1', 1, 5_000_000n],
          ['s2', 2, 4_000_000n],
        ],
        FINISH,
      ),
    ).toEqual({ 1: '140' });
    expect(await stage.balanceOf('s1')).toBe(100_000_000n - 5_000_000n + 7_000_000n);
    expect(await stage.balanceOf('s2')).toBe(96_000_000n);
    const after = await stage.query<{ kind: string; balance: bigint }>(
      "select kind, balance from account where kind in ('takeout', 'breakage')",
    );
    const gained = Object.fromEntries(
      after.map(({ kind, balance }) => [kind, balance - (before.find((row) => row.kind === kind)?.balance ?? 0n)]),
    );
    expect(gained).toEqual({ takeout: 1_800_000n, breakage: 200_000n });
    expect(await stage.query('select balance from account where race_id = $1', [race.id])).toEqual([{ balance: 0n }]);
  });

  it('[LG8] the worked examples of break, place, dead heat and all on the winner hold through SQL to the point', async () => {
    expect(
      await settled(
        await openRace(stage),
        [
          ['e1', 1, 3_000_000n],
          ['e2', 2, 7_000_000n],
        ],
        FINISH,
      ),
    ).toEqual({ 1: '260' });
    const place: [string, number, bigint][] = [
      ['p1', 1, 100_000n],
      ['p2', 2, 80_000n],
      ['p3', 3, 20_000n],
      ['p4', 4, 800_000n],
    ];
    expect(await settled(await openRace(stage), place, FINISH, 'place')).toEqual({ 1: '290', 2: '340', 3: '1140' });
    const deadHeat = order([1, 1], [2, 1], [3, 3], [4, 4], [5, 5], [6, 6], [7, 7], [8, 8]);
    expect(
      await settled(
        await openRace(stage),
        [
          ['d1', 1, 200_000n],
          ['d2', 2, 100_000n],
          ['d3', 3, 700_000n],
        ],
        deadHeat,
      ),
    ).toEqual({ 1: '220', 2: '360' });
    expect(await settled(await openRace(stage), [['w1', 1, 12_300n]], FINISH)).toEqual({ 1: '100' });
    expect(await stage.balanceOf('w1')).toBe(100_000_000n);
  });

  it('[LG9] a pool without a backed winner goes back in full and nothing is taken', async () => {
    const race = await openRace(stage);
    expect(
      await settled(
        race,
        [
          ['n1', 5, 500n],
          ['n2', 6, 700n],
        ],
        FINISH,
      ),
    ).toEqual({});
    expect([await stage.balanceOf('n1'), await stage.balanceOf('n2')]).toEqual([100_000_000n, 100_000_000n]);
    expect(await stage.races.outcomes(race.id)).toMatchObject([
      {
        playerId: 'n1',
        balance: 100_000_000n,
        balanceVersion: 3,
        bets: [{ outcome: 'refunded', returned: '500', stake: '500' }],
      },
      { playerId: 'n2', bets: [{ outcome: 'refunded', returned: '700', stake: '700' }] },
    ]);
    expect(
      await stage.query("select kind from transfer where race_id = $1 and kind in ('takeout', 'breakage')", [race.id]),
    ).toEqual([]);
  });

  it('[LG10] of four settlements at once exactly one pays; later ones change nothing', async () => {
    const race = await openRace(stage);
    await stage.ledger.commitBatch([bet(race.id, 'f1', 1, 1_000n), bet(race.id, 'f2', 2, 3_000n)]);
    await runRace(stage, race.id, FINISH);
    const settlement = await settlementOf(stage, race, FINISH);
    const moves = await Promise.all(Array.from({ length: 4 }, () => stage.races.settle(race.id, settlement)));
    expect(moves.sort()).toEqual(['already', 'already', 'already', 'moved']);
    expect(await stage.races.settle(race.id, settlement)).toBe('already');
    expect(await stage.races.voidRace(race.id, 'admin', 'cd', 'ab', null)).toBe('already');
    expect(await stage.balanceOf('f1')).toBe(100_000_000n - 1_000n + 3_200n);
    expect(
      await stage.query(
        "select type from (select event ->> 'type' as type from room_fact where room_id = $1) f where type = 'race settled'",
        [race.roomId],
      ),
    ).toHaveLength(1);
  });

  it('[LG11] a settlement whose figures are not those of the bets is refused whole', async () => {
    const race = await openRace(stage);
    await stage.ledger.commitBatch([bet(race.id, 'g1', 1, 1_000n), bet(race.id, 'g2', 2, 3_000n)]);
    await runRace(stage, race.id, FINISH);
    const right = await settlementOf(stage, race, FINISH);
    const [win, place] = right.pools;
    if (win === undefined || place === undefined) throw new Error('pools');
    const wrong = [
      { ...win, paid: win.paid + 100n },
      { ...win, takeout: win.takeout + 1n },
      { ...win, takeout: win.takeout + 1n, breakage: win.breakage - 1n - win.breakage },
      { ...win, dividends: [{ selection: [1], per100: 330n }] },
      { ...win, gross: win.gross + 100n, takeout: win.takeout + 100n },
      { ...win, dividends: null },
      {
        ...win,
        dividends: [{ selection: [1], per100: 100_000n }],
        paid: 1_000_000n,
        takeout: 0n,
        breakage: 4_000n - 1_000_000n,
      },
    ];
    for (const pool of wrong)
      await expect(stage.races.settle(race.id, { ...right, pools: [pool, place] })).rejects.toThrow(/agree|escrow/);
    await expect(stage.races.settle(race.id, { ...right, pools: [place] })).rejects.toThrow('agree');
    expect(await stage.audit()).toEqual([]);
    expect(await stage.races.settle(race.id, right)).toBe('moved');
  });

  it('[LG12] voiding refunds every stake from any phase, once, and no settlement follows', async () => {
    for (const phase of ['open', 'closed', 'running']) {
      const race = await openRace(stage);
      const name = `v-${phase}`;
      await stage.ledger.commitBatch([bet(race.id, name, 1, 1_000n), bet(race.id, name, 2, 500n, { pool: 'place' })]);
      if (phase === 'closed') await closeRace(stage, race.id);
      if (phase === 'running') await runRace(stage, race.id, FINISH);
      const moves = await Promise.all([1, 2, 3].map(() => stage.races.voidRace(race.id, 'admin', 'cd', 'ab', 5_000)));
      expect(moves.sort()).toEqual(['already', 'already', 'moved']);
      expect(await stage.balanceOf(name)).toBe(100_000_000n);
      const details = await stage.races.get(race.id);
      expect(details?.row).toMatchObject({
        phase: 'void',
        voidReason: 'admin',
        seed: 'cd',
        recordHash: 'ab',
        totals: { win: { gross: '1000', count: 1 }, place: { gross: '500', count: 1 } },
      });
      expect(
        (await stage.races.mine(race.id, player(name))).bets.map(({ outcome, returned }) => [outcome, returned]),
      ).toEqual([
        ['refunded', '1000'],
        ['refunded', '500'],
      ]);
      expect(await stage.ledger.commitBatch([bet(race.id, name, 1, 100n)])).toMatchObject({
        answers: [{ code: 'PHASE_CLOSED' }],
      });
    }
  });

  it('[LG13] many random races leave the ledger sound', async () => {
    const seed = Number(process.env['SEED'] ?? Math.floor(Math.random() * 2 ** 31));
    console.log(`seed ${seed}`);
    let state = seed;
    const below = (n: number) => {
      state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
      return (state >>> 8) % n;
    };
    for (let round = 0; round < 25; round += 1) {
      const race = await openRace(stage);
      const bets = Array.from({ length: below(60) }, () =>
        bet(race.id, `r${below(12)}`, 1 + below(8), BigInt(1 + below(5_000)) * 100n, {
          pool: below(2) ? 'win' : 'place',
        }),
      );
      await stage.ledger.commitBatch(bets);
      const places = Array.from({ length: 8 }, () => 1 + below(5));
      const finish: Placing[] = places.map((own, index) => ({
        number: index + 1,
        finishMs: own * 100,
        place: 1 + places.filter((other) => other < own).length,
      }));
      await runRace(stage, race.id, finish);
      const move =
        below(6) === 0
          ? stage.races.voidRace(race.id, 'admin', 'cd', 'ab'.repeat(32), null)
          : stage.races.settle(race.id, await settlementOf(stage, race, finish));
      expect(await move, `seed ${seed} round ${round}`).toBe('moved');
    }
    expect(await stage.audit(), `seed ${seed}`).toEqual([]);
  });
});

describe('roots', () => {
  it('[LG14] batch roots and bets root are those of lib/fairness over the accepted leaves, whatever the number of leaves', async () => {
    for (const count of [0, 1, 2, 3, 7, 33]) {
      const race = await openRace(stage);
      const batches: LedgerItem[][] = [];
      for (let left = count; left > 0; left -= 7) {
        const items = Array.from({ length: Math.min(7, left) }, (_, index) =>
          bet(race.id, `m${index}`, 1 + (index % 8), 100n, { pool: index % 2 ? 'win' : 'place' }),
        );
        batches.push(items);
        await stage.ledger.commitBatch([...items, bet(race.id, 'm0', 99, 100n)]);
      }
      await closeRace(stage, race.id);
      const stored = await stage.races.batches(race.id);
      expect(stored.map(({ root }) => root)).toEqual(
        batches.map((items) => toHex(merkleRoot(items.map((item) => fromHex((item as { leaf: string }).leaf))))),
      );
      expect((await stage.races.get(race.id))?.row.betsRoot).toBe(toHex(foldBatchRoots(stored.map(parseBatch))));
    }
  });

  it('[LG15] the close adds a leaf and a pick without a horse for each ready player without a pick, and for nobody else', async () => {
    const race = await openRace(stage, { kind: 'pick' });
    await stage.ledger.commitBatch([pick(race.id, 'has', 3), vote(race.id, 'votes', 2)]);
    await stage.races.bringForward(race.id, 0);
    const waiting = ['z', 'has', 'votes', 'a', 'a'].map((name) => drawn(race.id, name));
    await until('closed', async () => (await stage.races.close(race.id, waiting)) === 'moved');
    const details = await stage.races.get(race.id);
    expect(details?.picks).toEqual([
      { playerId: 'has', horse: 3 },
      { playerId: 'a', horse: null },
      { playerId: 'votes', horse: null },
      { playerId: 'z', horse: null },
    ]);
    const [, last] = await stage.races.batches(race.id);
    const leaves = ['a', 'votes', 'z'].map((name) => fromHex(drawn(race.id, name).leaf));
    expect(last).toMatchObject({ root: toHex(merkleRoot(leaves)), count: 3, totals: {} });
    expect((await stage.races.mine(race.id, player('z'))).pick).toEqual({ horse: null });
    expect(await stage.audit()).toEqual([]);
  });
});

describe('speed', () => {
  it('[LG16] a settlement of 20,000 bets of 1,000 players is done within seconds', async () => {
    const race = await openRace(stage);
    for (let from = 0; from < 20_000; from += 1_000) {
      const items = Array.from({ length: 1_000 }, (_, index) =>
        bet(race.id, `many-${index}`, 1 + ((from + index * 7) % 8), 100n, { pool: index % 2 ? 'win' : 'place' }),
      );
      await stage.ledger.commitBatch(items);
    }
    await runRace(stage, race.id, FINISH);
    const settlement = await settlementOf(stage, race, FINISH);
    const start = performance.now();
    expect(await stage.races.settle(race.id, settlement)).toBe('moved');
    const ms = performance.now() - start;
    console.log(`settled 20,000 bets in ${Math.round(ms)} ms`);
    expect(ms).toBeLessThan(4_000);
  });
});
