import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { settleBets } from '../../lib/core/bets.ts';
import {
  DEFAULT_RATES,
  POOLS,
  type Pool,
  placesPaid,
  poolStands,
  SHAPES,
  winningCombinations,
} from '../../lib/core/pools.ts';
import type { Placing, RaceRules } from '../../lib/core/race-state.ts';
import { leafHashOf, merkleRoot, toHex } from '../../lib/fairness/index.ts';
import type { LedgerItem, NewRace } from '../../lib/ports.ts';
import { integers } from '../core/random.ts';
import {
  bet,
  clear,
  code,
  createStage,
  field,
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
  stage = await createStage({ startPoints: 1_000_000_000 });
});
afterAll(async () => {
  expect(await stage.audit()).toEqual([]);
  await stage.drop();
});

/** Only where no time passes between: closes are brought forward by the tests. */
const NO_GUARD = 0;

const allPools = (runners: number): Partial<RaceRules> => ({
  pools: POOLS.filter((pool) => poolStands(pool, runners)).map((pool) => ({ pool, rate: DEFAULT_RATES[pool] })),
  placesPaid: placesPaid(runners),
});
const openAll = (runners = 8): Promise<NewRace> => openRace(stage, { runners, rules: allPools(runners) });

async function place(...items: LedgerItem[]): Promise<string[]> {
  const { answers } = await stage.ledger.commitBatch(items);
  return answers.map(code);
}

/** As the server settles: by the row that is stored. */
async function settle(race: NewRace, finish: Placing[]): Promise<void> {
  const row = (await stage.races.get(race.id))?.row;
  if (row === undefined) throw new Error('no race');
  const { dividends, refunded, pools } = settleBets(row, await stage.races.stakes(race.id), finish);
  const result = { order: finish, dividends, ...(refunded.length > 0 && { refunded }), seed: 'cd'.repeat(32) };
  const settlement = { ...(await settlementOf(stage, race, finish)), result, pools };
  expect(await stage.races.settle(race.id, settlement)).toBe('moved');
}

const betsOf = async (race: NewRace, name: string) =>
  (await stage.races.mine(race.id, player(name))).bets.map(({ pool, selection, outcome, returned }) =>
    [pool, selection.join('-'), outcome ?? 'open', returned ?? ''].join(' '),
  );
const staked = async (race: NewRace, name: string) =>
  (
    await stage.query<{ staked: bigint }>('select staked from race_stake where race_id = $1 and player_id = $2', [
      race.id,
      player(name),
    ])
  )[0]?.staked;

const FINISH = order([1, 1], [2, 2], [3, 3], [4, 4], [5, 5], [6, 6], [7, 7], [8, 8]);

describe('all seven pools', () => {
  it('[LG80] are placed, settled and paid to the point, each from its own stakes', async () => {
    const race = await openAll();
    const before = await stage.balanceOf('ann');
    expect(before).toBeUndefined();
    expect(
      await place(
        bet(race.id, 'ann', 1, 1_000n),
        bet(race.id, 'ann', 2, 1_000n, { pool: 'place' }),
        bet(race.id, 'ann', [1, 2], 1_000n, { pool: 'quinella' }),
        bet(race.id, 'ann', [1, 2], 1_000n, { pool: 'exacta' }),
        bet(race.id, 'ann', [2, 3], 1_000n, { pool: 'quinella-place' }),
        bet(race.id, 'ann', [1, 2, 3], 1_000n, { pool: 'trio' }),
        bet(race.id, 'ann', [1, 2, 3], 1_000n, { pool: 'trifecta' }),
        bet(race.id, 'ben', 8, 4_000n),
        bet(race.id, 'ben', 8, 4_000n, { pool: 'place' }),
        bet(race.id, 'ben', [7, 8], 4_000n, { pool: 'quinella' }),
        bet(race.id, 'ben', [2, 1], 4_000n, { pool: 'exacta' }),
        bet(race.id, 'ben', [7, 8], 4_000n, { pool: 'quinella-place' }),
        bet(race.id, 'ben', [6, 7, 8], 4_000n, { pool: 'trio' }),
        bet(race.id, 'ben', [1, 3, 2], 4_000n, { pool: 'trifecta' }),
      ),
    ).toEqual(Array(14).fill('ok'));
    await runRace(stage, race.id, FINISH);
    await settle(race, FINISH);
    // One unit in five of each pool: 5 × R, down to tens.
    expect(await betsOf(race, 'ann')).toEqual([
      'win 1 paid 4000',
      'place 2 paid 4000',
      'quinella 1-2 paid 3800',
      'exacta 1-2 paid 3700',
      'quinella-place 2-3 paid 3800',
      'trio 1-2-3 paid 3700',
      'trifecta 1-2-3 paid 3600',
    ]);
    expect((await betsOf(race, 'ben')).every((line) => line.endsWith(' lost 0'))).toBe(true);
  });

  it('[LG81] random races of all pools with dead heats and scratches leave the ledger sound, dividends recomputed in SQL', async () => {
    const random = integers();
    const { below, shuffle } = random;
    console.log(`pools in SQL: seed ${random.seed}`);
    const seen = { tied: 0, scratched: 0, dividends: 0, refunded: 0 };
    for (let round = 0; round < 40; round += 1) {
      const runners = 4 + below(9);
      const race = await openAll(runners);
      const horses = field(runners).map(({ number }) => number);
      const wanted = Array.from({ length: 30 + below(90) }, () => {
        const { pool } = race.rules.pools[below(race.rules.pools.length)] ?? { pool: 'win' as Pool };
        const { size, ordered } = SHAPES[pool];
        // Most bets are on few horses, so that there are winners in the large pools, too.
        const selection = shuffle(below(3) === 0 ? horses : horses.slice(0, Math.max(size, 4))).slice(0, size);
        const horsesOf = ordered ? selection : selection.sort((a, b) => a - b);
        return bet(race.id, `r${below(12)}`, horsesOf, BigInt(1 + below(5_000)) * 100n, { pool });
      });
      await place(...wanted);
      const scratches = below(3) === 0 ? 1 + below(2) : 0;
      for (const horse of shuffle(horses).slice(0, scratches))
        expect((await stage.races.scratchHorse(race.id, horse, NO_GUARD)).move).toBe('moved');
      const { row } = (await stage.races.get(race.id)) ?? {};
      const left = horses.filter((horse) => !row?.scratched.includes(horse));
      const tied = below(2) === 0;
      const times = shuffle(left.map((_, index) => index)).map((time) =>
        tied ? Math.floor(time / (1 + below(4))) : time,
      );
      const finish: Placing[] = left
        .map((number, index) => {
          const own = times[index] ?? 0;
          return { number, finishMs: own * 100, place: 1 + times.filter((other) => other < own).length };
        })
        .sort((a, b) => a.finishMs - b.finishMs);
      await runRace(stage, race.id, finish);
      await settle(race, finish);
      const result = (await stage.races.get(race.id))?.result;
      seen.tied += new Set(times).size < times.length ? 1 : 0;
      seen.scratched += scratches > 0 ? 1 : 0;
      seen.dividends += result?.dividends?.length ?? 0;
      seen.refunded += result?.refunded?.length ?? 0;
    }
    console.log(`pools in SQL: ${JSON.stringify(seen)}`);
    expect(await stage.audit(), `seed ${random.seed}`).toEqual([]);
    expect(Math.min(seen.tied, seen.scratched, seen.refunded)).toBeGreaterThan(3);
    expect(seen.dividends).toBeGreaterThan(100);
  });

  it('[LG82] SQL knows the winners of every pool and every shape of finish as the rules do', async () => {
    const random = integers();
    const { below, shuffle } = random;
    for (let run = 0; run < 120; run += 1) {
      const horses = [1, 2, 3, 4, 5, 6, 7].slice(0, 3 + below(5));
      const places = shuffle(horses).map(() => 1 + below(horses.length));
      const finish = horses.map((number, index) => ({ number, place: places[index] ?? 1 }));
      for (const pool of POOLS) {
        const { size, ordered } = SHAPES[pool];
        const grow = (head: number[]): number[][] =>
          head.length === size
            ? [head]
            : horses
                .filter((horse) => !head.includes(horse) && (ordered || horse > (head.at(-1) ?? 0)))
                .flatMap((horse) => grow([...head, horse]));
        const rows = await stage.query<{ key: string }>(
          `select array_to_string(s.selection, '-') as key
           from (select translate(each::text, '[]', '{}')::smallint[] as selection from jsonb_array_elements($1::jsonb) as each) as s
           where selection_wins($2, s.selection, $3::smallint[], $4::integer[], 2)`,
          [JSON.stringify(grow([])), pool, horses, places],
        );
        const won = winningCombinations(pool, finish, 2).map((selection) => selection.join('-'));
        expect(rows.map(({ key }) => key).sort(), `seed ${random.seed}, ${pool}, ${JSON.stringify(finish)}`).toEqual(
          won.sort(),
        );
      }
    }
  });
});

describe('a scratch', () => {
  it('[LG83] refunds every bet with the horse at once, in every pool, and frees the cap', async () => {
    const race = await openRace(stage, { runners: 8, rules: { ...allPools(8), maxStakePerRace: 5_000 } });
    await place(
      bet(race.id, 'cho', 4, 1_000n),
      bet(race.id, 'cho', [4, 5], 1_500n, { pool: 'quinella' }),
      bet(race.id, 'cho', [1, 2, 4], 500n, { pool: 'trifecta' }),
      bet(race.id, 'cho', 1, 2_000n, { pool: 'place' }),
      bet(race.id, 'dan', 4, 700n, { pool: 'place' }),
    );
    const [cho, dan] = [await stage.balanceOf('cho'), await stage.balanceOf('dan')];
    expect(await stage.races.scratchHorse(race.id, 4, NO_GUARD)).toEqual({ move: 'moved', left: 7 });
    expect(await stage.balanceOf('cho')).toBe((cho ?? 0n) + 3_000n);
    expect(await stage.balanceOf('dan')).toBe((dan ?? 0n) + 700n);
    expect(await betsOf(race, 'cho')).toEqual([
      'win 4 refunded 1000',
      'quinella 4-5 refunded 1500',
      'trifecta 1-2-4 refunded 500',
      'place 1 open ',
    ]);
    expect([await staked(race, 'cho'), await staked(race, 'dan')]).toEqual([2_000n, undefined]);
    expect(await place(bet(race.id, 'cho', 2, 3_000n), bet(race.id, 'cho', 2, 100n))).toEqual(['ok', 'LIMIT_REACHED']);
    // What stands is what is left, while open, at the close and for ever.
    const totals = { win: { gross: '3000', count: 1 }, place: { gross: '2000', count: 1 } };
    expect((await stage.races.get(race.id))?.row).toMatchObject({ scratched: [4], totals });
    expect((await stage.races.stakes(race.id)).map(({ pool, selection }) => `${pool} ${selection}`)).toEqual([
      'place 1',
      'win 2',
    ]);
    expect(await stage.audit()).toEqual([]);
    const finish = FINISH.filter(({ number }) => number !== 4);
    await runRace(stage, race.id, finish);
    await settle(race, finish);
    expect((await stage.races.get(race.id))?.row.totals).toEqual(totals);
    expect((await betsOf(race, 'cho')).at(0)).toBe('win 4 refunded 1000');
    expect(await stage.audit()).toEqual([]);
  });

  it('[LG84] is once and for ever, of a runner, in open only, and not in the last seconds', async () => {
    const race = await openAll();
    const scratch = (horse: number, guardMs = NO_GUARD) => stage.races.scratchHorse(race.id, horse, guardMs);
    expect(await scratch(9)).toEqual({ move: 'no-runner', left: 8 });
    expect((await scratch(3, 120_000)).move).toBe('late');
    const moves = await Promise.all([3, 3, 3, 3].map((horse) => scratch(horse)));
    expect(moves.map(({ move }) => move).sort()).toEqual(['already', 'already', 'already', 'moved']);
    expect(await scratch(5)).toEqual({ move: 'moved', left: 6 });
    expect((await stage.races.get(race.id))?.row.scratched).toEqual([3, 5]);
    const facts = await stage.query<{ event: object }>(
      `select event from room_fact where room_id = $1 and event ->> 'type' = 'horse scratched' order by version`,
      [race.roomId],
    );
    expect(facts.map(({ event }) => event)).toEqual(
      [3, 5].map((number) => ({ type: 'horse scratched', raceId: race.id, number })),
    );
    for (const horses of [
      [3, 1],
      [1, 5],
    ])
      expect(await place(bet(race.id, 'eva', horses, 100n, { pool: 'exacta' }))).toEqual(['SELECTION_INVALID']);
    await runRace(
      stage,
      race.id,
      FINISH.filter(({ number }) => number !== 3 && number !== 5),
    );
    expect(await scratch(1)).toMatchObject({ move: 'late' });
    expect(await scratch(3)).toMatchObject({ move: 'already' });
    expect((await stage.races.scratchHorse('none' as NewRace['id'], 1, NO_GUARD)).move).toBe('absent');
    await expect(stage.query('delete from race_scratch where race_id = $1', [race.id])).rejects.toThrow();
  });

  it('[LG85] gives a pool back whole that has too few runners afterwards, the others pay', async () => {
    const race = await openAll(6);
    await place(
      bet(race.id, 'fin', 1, 1_000n),
      bet(race.id, 'fin', [1, 2, 3], 1_000n, { pool: 'trio' }),
      bet(race.id, 'gus', [4, 5], 500n, { pool: 'exacta' }),
      bet(race.id, 'gus', [2, 1, 3], 1_000n, { pool: 'trifecta' }),
    );
    await stage.races.scratchHorse(race.id, 6, NO_GUARD);
    const finish = FINISH.slice(0, 5);
    await runRace(stage, race.id, finish);
    await settle(race, finish);
    expect(await betsOf(race, 'fin')).toEqual(['win 1 paid 1000', 'trio 1-2-3 refunded 1000']);
    expect(await betsOf(race, 'gus')).toEqual(['exacta 4-5 refunded 500', 'trifecta 2-1-3 refunded 1000']);
    expect((await stage.races.get(race.id))?.result?.refunded).toEqual(['exacta', 'trio', 'trifecta']);
  });

  it('[LG86] clears picks of the horse as their players could have, with a leaf for each', async () => {
    const race = await openRace(stage, { kind: 'pick', rules: { exclusivePicks: false, pools: [] } });
    await place(pick(race.id, 'hal', 4), pick(race.id, 'ida', 2), pick(race.id, 'jon', 4), vote(race.id, 'hal', 1));
    await place(clear(race.id, 'jon'), pick(race.id, 'kim', 4));
    expect((await stage.races.scratchHorse(race.id, 4, NO_GUARD)).move).toBe('moved');
    const details = await stage.races.get(race.id);
    expect(details?.picks).toEqual([{ playerId: 'ida', horse: 2 }]);
    expect(details?.votes).toEqual([{ playerId: 'hal', place: 1 }]);
    const [fact] = await stage.query<{ event: object }>(
      `select event from room_fact where room_id = $1 order by version desc limit 1`,
      [race.roomId],
    );
    expect(fact?.event).toMatchObject({ type: 'horse scratched', number: 4, unpicked: ['hal', 'kim'] });
    const leaves = ['hal', 'kim'].map((name) => {
      const { tag } = pick(race.id, name, 4) as { tag: string };
      const commandId = `scratched/${race.id}/4`;
      return leafHashOf(race.id, { kind: 'pick-clear', tag, commandId, nonce: '' });
    });
    expect((await stage.races.batches(race.id)).at(-1)).toMatchObject({ root: toHex(merkleRoot(leaves)), count: 2 });
    expect(await place(pick(race.id, 'hal', 4), pick(race.id, 'hal', 5))).toEqual(['SELECTION_INVALID', 'ok']);
    expect(await stage.audit()).toEqual([]);
  });

  it('[LG87] and many bets at the same moment: each is in and refunded, or refused', async () => {
    for (let round = 0; round < 6; round += 1) {
      const race = await openAll();
      const batches = Array.from({ length: 12 }, (_, batch) =>
        stage.ledger.commitBatch(
          Array.from({ length: 10 }, (_, index) =>
            bet(race.id, `s${batch}`, 1 + (index % 2), 100n, { pool: index < 5 ? 'win' : 'place' }),
          ),
        ),
      );
      const scratches = [1, 2].map((horse) => stage.races.scratchHorse(race.id, horse, NO_GUARD));
      const [answers, moves] = await Promise.all([Promise.all(batches), Promise.all(scratches)]);
      for (const [index, { move }] of moves.entries())
        if (move === 'busy') expect((await stage.races.scratchHorse(race.id, index + 1, NO_GUARD)).move).toBe('moved');
      const told = answers.flatMap((batch) => batch.answers.map(code));
      expect(new Set(told.filter((one) => !['ok', 'again', 'SELECTION_INVALID'].includes(one)))).toEqual(new Set());
      const [counted] = await stage.query<{ bets: bigint; refunded: bigint; escrow: bigint }>(
        `select (select count(*) from bet where race_id = $1) as bets,
           (select count(*) from bet_outcome where race_id = $1 and outcome = 'refunded') as refunded,
           (select balance from account where race_id = $1) as escrow`,
        [race.id],
      );
      const placed = BigInt(told.filter((one) => one === 'ok').length);
      expect(counted).toEqual({ bets: placed, refunded: placed, escrow: 0n });
    }
    expect(await stage.audit()).toEqual([]);
  });
});

describe('a void by admins', () => {
  it('[LG88] is not made from a record that says less than the race: a bet since then asks for another look', async () => {
    const race = await openAll();
    await place(bet(race.id, 'leo', 1, 500n));
    const seen = (await stage.races.record(race.id))?.seen ?? '';
    await place(bet(race.id, 'leo', 2, 500n));
    const voidIt = (word: string) => stage.races.voidRace(race.id, 'admin', 'cd', 'record', null, word);
    expect(await voidIt(seen)).toBe('early');
    expect((await stage.races.get(race.id))?.row.phase).toBe('open');
    const now = (await stage.races.record(race.id))?.seen ?? '';
    expect(now).not.toBe(seen);
    expect(await voidIt(now)).toBe('moved');
    expect(await betsOf(race, 'leo')).toEqual(['win 1 refunded 500', 'win 2 refunded 500']);
  });
});
