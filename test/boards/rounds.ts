import type { RoomId } from '../../lib/core/ids.ts';
import { POOLS, type Pool } from '../../lib/core/pools.ts';
import type { Placing } from '../../lib/core/race-state.ts';
import type { LedgerItem, NewRace } from '../../lib/ports.ts';
import { until } from '../helpers/until.ts';
import { bet, code, openRace, runRace, type Stage, settlementOf } from '../ledger/stage.ts';
import type { Placed, Told } from './model.ts';

export const HORSES = 8;
const SIZES: Readonly<Record<Pool, number>> = {
  win: 1,
  place: 1,
  quinella: 2,
  exacta: 2,
  'quinella-place': 2,
  trio: 3,
  trifecta: 3,
};
const ORDERED: readonly Pool[] = ['exacta', 'trifecta'];

/** 0…n-1, from a seed. */
export function createChance(seed: number): (n: number) => number {
  let state = seed >>> 0;
  return (n) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * n);
  };
}

export const allPools = POOLS.map((pool) => ({ pool, rate: { num: 75, den: 100 } }));

/** Accepted bets of these players on the race, in few pools, so that some are thin and some are not. */
export async function placeSome(
  stage: Stage,
  race: NewRace,
  below: (n: number) => number,
  players: readonly string[],
): Promise<Placed[]> {
  const pools = POOLS.filter(() => below(3) === 0);
  const placed: Placed[] = Array.from({ length: below(40) }, () => {
    const pool = pools[below(pools.length)] ?? 'win';
    const horses = Array.from({ length: HORSES }, (_, index) => index + 1);
    const drawn = Array.from({ length: SIZES[pool] }, () => horses.splice(below(horses.length), 1)[0] ?? 1);
    return {
      player: players[below(players.length)] ?? '',
      pool,
      selection: ORDERED.includes(pool) ? drawn : drawn.sort((a, b) => a - b),
      stake: BigInt(1 + below(30)) * 100n,
    };
  });
  const items: LedgerItem[] = placed.map(({ player, pool, selection, stake }) =>
    bet(race.id, player, selection, stake, { pool: pool as Pool }),
  );
  const { answers } = await stage.ledger.commitBatch(items);
  if (answers.some((answer) => code(answer) !== 'ok')) throw new Error(answers.map(code).join(' '));
  return placed;
}

/** A finish with ties by chance, without the horses that are out. */
export function finishOf(below: (n: number) => number, scratched: readonly number[]): Placing[] {
  const times = Array.from({ length: HORSES }, (_, index) => ({ number: index + 1, time: below(9) })).filter(
    ({ number }) => !scratched.includes(number),
  );
  return times.map(({ number, time }) => ({
    number,
    finishMs: 20_000 + time,
    place: 1 + times.filter((other) => other.time < time).length,
  }));
}

export type Running = Omit<Told, 'periods'> & { readonly race: NewRace };

/** A race with bets, run to its end and not settled yet. */
export async function ranRace(
  stage: Stage,
  roomId: RoomId,
  below: (n: number) => number,
  players: readonly string[],
): Promise<Running> {
  const race = await openRace(stage, { runners: HORSES, roomId, rules: { pools: allPools }, closesInMs: 600_000 });
  const bets = await placeSome(stage, race, below, players);
  const scratched = below(4) === 0 ? [1 + below(HORSES)] : [];
  for (const horse of scratched) await stage.races.scratchHorse(race.id, horse, 0);
  const finish = finishOf(below, scratched);
  await runRace(stage, race.id, finish);
  return { race, bets, scratched, settlement: await settlementOf(stage, race, finish) };
}

/** The settlement, by several at once; gives how each fared. */
export function settleBy(stage: Stage, { race, settlement }: Running, times: number) {
  return Promise.all(
    Array.from({ length: times }, () =>
      until('settled', async () => {
        const move = await stage.races.settle(race.id, settlement);
        return move === 'busy' ? null : move;
      }),
    ),
  );
}

/** What the database holds, as the model names it. */
export async function boardsOf(stage: Stage) {
  const rows = await stage.query<{
    scope: string;
    span: string;
    period: string;
    player_id: string;
    races: number;
    hits: number;
    profit: bigint;
    best_dividend: bigint;
    streak: number;
    best_streak: number;
  }>('select * from board_row');
  return new Map(
    rows.map((row) => [
      [row.scope, row.span, row.period, row.player_id].join(' '),
      {
        races: row.races,
        hits: row.hits,
        profit: row.profit,
        bestDividend: row.best_dividend,
        streak: row.streak,
        bestStreak: row.best_streak,
      },
    ]),
  );
}

export async function ordinalsOf(stage: Stage): Promise<(player: string, raceId: string) => number> {
  const rows = await stage.query<{ player_id: string; race_id: string; ordinal: number }>(
    'select player_id, race_id, ordinal from player_race',
  );
  const known = new Map(rows.map((row) => [`${row.player_id} ${row.race_id}`, row.ordinal]));
  return (player, raceId) => known.get(`${player} ${raceId}`) ?? Number.NaN;
}

/** The periods of Seoul at this moment. */
export function periodsOf(at: number, timeZone: string): Told['periods'] {
  const day = new Intl.DateTimeFormat('sv-SE', { timeZone, dateStyle: 'short' }).format(at);
  const noon = new Date(`${day}T12:00:00Z`);
  const thursday = new Date(noon.getTime() + (3 - ((noon.getUTCDay() + 6) % 7)) * 86_400_000);
  const week = Math.floor((thursday.getTime() - Date.UTC(thursday.getUTCFullYear(), 0, 1)) / 604_800_000) + 1;
  return [
    ['day', day],
    ['week', `${thursday.getUTCFullYear()}-W${String(week).padStart(2, '0')}`],
    ['season', `${day.slice(0, 4)}-Q${Math.floor(noon.getUTCMonth() / 3) + 1}`],
    ['all', ''],
  ];
}

export const boardAudit = (stage: Stage) => stage.query('select * from board_audit');
