import type { Pool } from 'pg';
import type { BetId, PlayerId, RaceId } from '../../lib/core/ids.ts';
import type { Pool as BetPool } from '../../lib/core/pools.ts';
import type { PoolStake, RaceRecords } from '../../lib/ports.ts';
import type { MyBet, SettledBet } from '../../lib/protocol.ts';
import { read } from './query.ts';
import { type ReceiptRow, receiptOf } from './receipt-rows.ts';

/** $1: the race. */
export const STAKES = `select b.pool, b.selection, sum(b.stake)::bigint as stake, count(*) as count
  from bet b
  where b.race_id = $1 and not exists (select from race_scratch s where s.race_id = b.race_id and s.horse = any (b.selection))
  group by b.pool, b.selection
  order by b.pool, b.selection`;

/** Stakes by pool and selection, without those on scratched horses. */
export async function readStakes(pool: Pool, raceId: RaceId): Promise<PoolStake[]> {
  const rows = await read<{ pool: BetPool; selection: number[]; stake: bigint; count: bigint }>(pool, STAKES, [raceId]);
  return rows.map(({ pool: betPool, selection, stake, count }) => ({
    pool: betPool,
    selection,
    stake,
    count: Number(count),
  }));
}

const STAKED = `select coalesce((select max(t.batch) from race_batch t where t.race_id = $1), 0) as batch,
    (select coalesce(json_agg(json_build_object('pool', s.pool, 'selection', s.selection, 'stake', s.stake::text, 'count', s.count)), '[]')
      from (${STAKES}) as s) as stakes`;

/** A stake as JSON has it: points in decimal. */
export type StakeJson = Omit<PoolStake, 'stake'> & { readonly stake: string };

export function stakeOf(json: StakeJson): PoolStake {
  return { ...json, stake: BigInt(json.stake) };
}

/** The same and the race's last batch, by one statement: a batch is in both or in neither. */
export async function readStaked(pool: Pool, raceId: RaceId): ReturnType<RaceRecords['staked']> {
  const [row] = await read<{ batch: bigint; stakes: StakeJson[] }>(pool, STAKED, [raceId]);
  if (row === undefined) throw new Error('no row of stakes');
  return { batch: row.batch, stakes: row.stakes.map(stakeOf) };
}

const OUTCOMES = `select o.player_id, o.bet_id, o.outcome, o.returned, b.pool, b.selection, b.stake, a.balance, a.version
  from bet_outcome o
  join bet b on b.id = o.bet_id
  join account a on a.player_id = o.player_id
  where o.race_id = $1
  order by o.player_id, b.placed_at, b.id`;

type OutcomeRow = {
  player_id: PlayerId;
  bet_id: BetId;
  outcome: SettledBet['outcome'];
  returned: bigint;
  pool: BetPool;
  selection: number[];
  stake: bigint;
  balance: bigint;
  version: bigint;
};

/** One entry for each of the players who had a bet in the race. */
export async function readOutcomes(pool: Pool, raceId: RaceId): ReturnType<RaceRecords['outcomes']> {
  const rows = await read<OutcomeRow>(pool, OUTCOMES, [raceId]);
  const found = new Map<PlayerId, { bets: SettledBet[]; balance: bigint; balanceVersion: number }>();
  for (const row of rows) {
    const player = found.get(row.player_id) ?? { bets: [], balance: row.balance, balanceVersion: Number(row.version) };
    found.set(row.player_id, player);
    player.bets.push({
      betId: row.bet_id,
      pool: row.pool,
      selection: row.selection,
      stake: row.stake.toString(),
      outcome: row.outcome,
      returned: row.returned.toString(),
    });
  }
  return [...found].map(([playerId, outcome]) => ({ playerId, ...outcome }));
}

const MINE = `select b.id, b.pool, b.selection, b.stake, b.placed_at, o.outcome, o.returned,
    c.race_id, c.leaf, c.tag, c.nonce, c.command_id
  from bet b
  join ledger_command c on c.player_id = b.player_id and c.command_id = b.command_id
  left join bet_outcome o on o.bet_id = b.id
  where b.race_id = $1 and b.player_id = $2
  order by c.batch, c.ordinal`;

type MineRow = ReceiptRow & {
  id: BetId;
  pool: BetPool;
  selection: number[];
  stake: bigint;
  placed_at: bigint;
  outcome: SettledBet['outcome'] | null;
  returned: bigint | null;
};

/** A player's bets of one race with their receipts, oldest first. */
export async function readBetsOf(pool: Pool, raceId: RaceId, playerId: PlayerId): Promise<MyBet[]> {
  const rows = await read<MineRow>(pool, MINE, [raceId, playerId]);
  return rows.map((row) => ({
    betId: row.id,
    pool: row.pool,
    selection: row.selection,
    stake: row.stake.toString(),
    placedAt: Number(row.placed_at),
    ...(row.outcome !== null && { outcome: row.outcome }),
    ...(row.returned !== null && { returned: row.returned.toString() }),
    receipt: receiptOf(row),
  }));
}
