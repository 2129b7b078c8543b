import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { RoomId } from '../../lib/core/ids.ts';
import { until } from '../helpers/until.ts';
import {
  bet,
  closeRace,
  createStage,
  openRace,
  order,
  pick,
  runRace,
  type Stage,
  settlementOf,
} from '../ledger/stage.ts';
import { recomputed, type Told } from './model.ts';
import {
  boardAudit,
  boardsOf,
  createChance,
  ordinalsOf,
  periodsOf,
  type Running,
  ranRace,
  settleBy,
} from './rounds.ts';

const TIME_ZONE = 'Asia/Seoul';
const FINISH = order([1, 1], [2, 2], [3, 3], [4, 4], [5, 5], [6, 6], [7, 7], [8, 8]);
const PLAYERS = Array.from({ length: 14 }, (_, index) => `p${String(index).padStart(2, '0')}`);

let stage: Stage;
beforeAll(async () => {
  stage = await createStage({ startPoints: 100_000_000, max: 20 });
});
afterAll(async () => {
  expect(await stage.audit()).toEqual([]);
  expect(await boardAudit(stage)).toEqual([]);
  await stage.drop();
});

async function periodOfRace(raceId: string): Promise<Told['periods']> {
  const [row] = await stage.query<{ at: bigint }>('select ended_at as at from race where id = $1', [raceId]);
  return periodsOf(Number(row?.at ?? 0n), TIME_ZONE);
}

const standing = async (name: string, roomId = '') =>
  (await boardsOf(stage)).get([roomId, 'all', '', name].join(' ')) ?? null;

describe('boards after settlements', () => {
  it('[BD4] after mixed rounds with ties, voids, scratches, refunds and thin pools all boards equal a recomputation from bets and dividends', async () => {
    const seed = Number(process.env['SEED'] ?? Math.floor(Math.random() * 2 ** 31));
    console.log(`seed ${seed}`);
    const below = createChance(seed);
    const rooms: RoomId[] = [await stage.room(), await stage.room(), await stage.room()];
    const told: Told[] = [];
    const rounds: Told[][] = [];
    for (let round = 0; round < 25; round += 1) {
      const ran: Running[] = [];
      for (const roomId of rooms.filter(() => below(3) > 0)) ran.push(await ranRace(stage, roomId, below, PLAYERS));
      const kept = ran.filter(() => below(6) > 0);
      const moves = await Promise.all([
        ...kept.map((one) => settleBy(stage, one, 4)),
        ...ran
          .filter((one) => !kept.includes(one))
          .map((one) =>
            until('voided', async () => {
              const move = await stage.races.voidRace(one.race.id, 'admin', 'cd', 'ab'.repeat(32), null);
              return move === 'busy' ? null : [move, 'already', 'already', 'already'];
            }),
          ),
      ]);
      for (const four of moves)
        expect([...four].sort(), `seed ${seed} round ${round}`).toEqual(['already', 'already', 'already', 'moved']);
      const now = await Promise.all(kept.map(async (one) => ({ ...one, periods: await periodOfRace(one.race.id) })));
      told.push(...now);
      rounds.push(now);
      // Whatever repeats it later finds it done.
      for (const one of kept.slice(0, 1)) expect(await stage.races.settle(one.race.id, one.settlement)).toBe('already');
    }
    const ordinalOf = await ordinalsOf(stage);
    const wanted = recomputed(told, ordinalOf);
    expect(wanted.size, `seed ${seed}`).toBeGreaterThan(50);
    expect([...wanted.keys()].filter((key) => !Number.isFinite(wanted.get(key)?.races))).toEqual([]);
    expect(new Map([...(await boardsOf(stage))].sort()), `seed ${seed}`).toEqual(new Map([...wanted].sort()));
    // Rounds that followed each other are counted in that order.
    for (const player of PLAYERS) {
      const ordinals = rounds.map((round) =>
        round.map(({ race }) => ordinalOf(player, race.id)).filter(Number.isFinite),
      );
      const firsts = ordinals
        .filter((own) => own.length > 0)
        .map((own) => [Math.min(...own), Math.max(...own)] as const);
      for (const [index, [least]] of firsts.entries()) {
        if (index > 0) expect(least, `seed ${seed} ${player}`).toBe((firsts[index - 1]?.[1] ?? 0) + 1);
      }
    }
    expect(await boardAudit(stage), `seed ${seed}`).toEqual([]);
  });

  it('[BD5] a pool of two bettors does not count, one of three does; what went back and what was granted never do', async () => {
    const roomId = await stage.room();
    const thin = await openRace(stage, { roomId });
    await stage.ledger.commitBatch([
      bet(thin.id, 't1', 1, 1_000n),
      bet(thin.id, 't2', 2, 1_000n),
      bet(thin.id, 't1', 2, 500n, { pool: 'place' }),
      bet(thin.id, 't2', 4, 500n, { pool: 'place' }),
      bet(thin.id, 't3', 5, 500n, { pool: 'place' }),
    ]);
    await runRace(stage, thin.id, FINISH);
    await stage.races.settle(thin.id, await settlementOf(stage, thin, FINISH));
    // The place pool alone: 1,500 at 80 %, all on the one horse of t1.
    expect(await standing('t1', roomId)).toMatchObject({ races: 1, hits: 1, profit: 700n, bestDividend: 240n });
    expect(await standing('t2', roomId)).toMatchObject({ races: 1, hits: 0, profit: -500n, bestDividend: 0n });

    // A pool that goes back whole: nobody had the winner.
    const back = await openRace(stage, { roomId });
    await stage.ledger.commitBatch(['t1', 't2', 't3'].map((name) => bet(back.id, name, 6, 1_000n)));
    await runRace(stage, back.id, FINISH);
    await stage.races.settle(back.id, await settlementOf(stage, back, FINISH));
    const gone = await openRace(stage, { roomId });
    await stage.ledger.commitBatch(['t1', 't2', 't3'].map((name) => bet(gone.id, name, 1, 1_000n)));
    await closeRace(stage, gone.id);
    await stage.races.voidRace(gone.id, 'admin', 'cd', 'ab', null);
    expect(await standing('t1', roomId)).toMatchObject({ races: 1, profit: 700n });
    expect(await stage.query('select * from race_period where race_id = any ($1)', [[back.id, gone.id]])).toEqual([]);
  });

  it('[BD6] hits in a row are counted over races that count, and the longest row is kept', async () => {
    const roomId = await stage.room();
    for (const [index, horse] of [1, 1, 1, 2, 1, 1].entries()) {
      const race = await openRace(stage, { roomId });
      await stage.ledger.commitBatch([
        bet(race.id, 'streaky', horse, 100n),
        bet(race.id, 'other-1', 1, 100n),
        bet(race.id, 'other-2', 3, 100n),
      ]);
      await runRace(stage, race.id, FINISH);
      await stage.races.settle(race.id, await settlementOf(stage, race, FINISH));
      expect(await standing('streaky', roomId)).toMatchObject({
        races: index + 1,
        streak: [1, 2, 3, 0, 1, 2][index],
        bestStreak: [1, 2, 3, 3, 3, 3][index],
      });
    }
  });

  it('[BD7] pick rooms count games and times caught, once, and nothing where the race was void', async () => {
    const race = await openRace(stage, { kind: 'pick' });
    await stage.ledger.commitBatch([pick(race.id, 'g1', 1), pick(race.id, 'g2', 2), pick(race.id, 'g3', 2)]);
    await closeRace(stage, race.id);
    const picks = ['g1', 'g2', 'g3'].map((playerId, index) => ({ playerId, horse: index === 0 ? 1 : 2 }));
    const outcome = { order: FINISH, durationMs: 0, picks, place: { drawn: 2, votes: [] }, caught: ['g2', 'g3'] };
    await stage.races.draw(race.id, outcome as never, 0, 0, 0);
    await until('running', async () => (await stage.races.run(race.id)) === 'moved');
    const result = { order: FINISH, caught: ['g2', 'g3'], seed: 'cd'.repeat(32) };
    const settlement = { result, pools: [], recordHash: 'ab', nextOpensAfterMs: null } as never;
    await stage.races.settle(race.id, settlement);
    expect(await stage.races.settle(race.id, settlement)).toBe('already');
    const gone = await openRace(stage, { kind: 'pick' });
    await stage.ledger.commitBatch([pick(gone.id, 'g1', 1)]);
    await closeRace(stage, gone.id);
    await stage.races.voidRace(gone.id, 'admin', 'cd', 'ab', null);
    expect(await stage.query('select player_id, games, caught from player_game order by player_id')).toEqual([
      { player_id: 'g1', games: 1, caught: 0 },
      { player_id: 'g2', games: 1, caught: 1 },
      { player_id: 'g3', games: 1, caught: 1 },
    ]);
    expect(await boardAudit(stage)).toEqual([]);
  });
});

describe('the audit of boards', () => {
  const FAULTS: [string, string][] = [
    [
      'board rows equal a recomputation',
      "update board_row set profit = profit + 1 where player_id = 't1' and span = 'day'",
    ],
    ['board rows equal a recomputation', "update board_row set streak = 0 where player_id = 'streaky' and scope <> ''"],
    [
      'board rows equal a recomputation',
      "delete from board_row where player_id = 't1' and span = 'season' and scope = ''",
    ],
    ['board rows equal a recomputation', "insert into board_row values ('', 'all', '', 'nobody', 1, 0, 5, 0, 0, 0)"],
    [
      'what a race was to a player follows from its bets',
      "update player_race set returned = returned + 10 where player_id = 't1'",
    ],
    ['what a race was to a player follows from its bets', "delete from player_race where player_id = 't1'"],
    [
      "a player's races are numbered without gaps",
      "update player_race set ordinal = ordinal + 1 where player_id = 'streaky'",
    ],
    ['a race belongs to the periods of its settlement', 'update race_period set at = at + 86400000'],
    ["games and times caught equal the pick rooms' races", "update player_game set caught = 0 where player_id = 'g2'"],
    ["games and times caught equal the pick rooms' races", "delete from player_game where player_id = 'g1'"],
  ];

  it.each(FAULTS)('[BD8] the audit finds it when this is broken: %s (%s)', async (invariant, statement) => {
    const client = await stage.pool.connect();
    try {
      await client.query('begin');
      await client.query('set local session_replication_role = replica');
      expect((await client.query(statement)).rowCount).toBeGreaterThan(0);
      const { rows } = await client.query<{ invariant: string }>('select invariant from board_audit');
      expect(rows.map((row) => row.invariant)).toContain(invariant);
    } finally {
      await client.query('rollback');
      client.release();
    }
  });

  it('[BD8] every invariant of the boards has a fault that breaks it', async () => {
    const [view] = await stage.query<{ text: string }>("select pg_get_viewdef('board_audit'::regclass) as text");
    const named = [...(view?.text ?? '').matchAll(/SELECT '((?:[^']|'')+)'::text/g)].map(([, name]) =>
      name?.replaceAll("''", "'"),
    );
    expect([...new Set(named)].sort()).toEqual([...new Set(FAULTS.map(([name]) => name))].sort());
  });

  it('[BD8] races and their facts for boards refuse to be changed or removed', async () => {
    for (const statement of [
      'update player_race set returned = 1',
      'delete from player_race',
      'truncate player_race',
      'update race_period set day = day',
      'delete from race_period',
    ])
      await expect(stage.pool.query(statement)).rejects.toThrow('refused');
  });
});
