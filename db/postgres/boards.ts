import type { Pool } from 'pg';
import type { PlayerId } from '../../lib/core/ids.ts';
import type { BoardKey, BoardLine, BoardRecords } from '../../lib/ports.ts';
import { read } from './query.ts';

/** $1 scope, $2 span, $3 period, $4 metric. */
const RANKED = `select r.player_id, r.races, r.hits, v.value
  from board_row r
  cross join lateral (select board_value($4, r.races, r.hits, r.profit, r.best_dividend, r.best_streak) as value) as v
  where r.scope = $1 and r.span = $2 and r.period = $3 and v.value is not null`;

/** $5 and $6: value and player to begin behind (null: at the top), $7: how many. */
const LINES = `with ranked as (${RANKED})
  select case when $5::bigint is null then 0 else (select count(distinct b.value) from ranked b where b.value >= $5) end as rank,
    (select json_agg(json_build_object('playerId', l.player_id, 'nickname', coalesce(p.nickname, ''), 'value', l.value::text,
        'races', l.races, 'hits', l.hits) order by l.value desc, l.player_id)
      from (
        select * from ranked n where $5::bigint is null or n.value < $5 or (n.value = $5 and n.player_id > $6 collate "C")
        order by n.value desc, n.player_id limit $7
      ) as l
      left join player p on p.id = l.player_id) as lines`;

/** $5: the player, $6: how many lines on either side. */
const AROUND = `with ranked as (${RANKED}), mine as (select * from ranked where player_id = $5)
  select (select count(distinct b.value) + 1 from ranked b where b.value > mine.value) as rank,
    (select json_agg(json_build_object('playerId', l.player_id, 'nickname', coalesce(p.nickname, ''), 'value', l.value::text,
        'races', l.races, 'hits', l.hits) order by l.value desc, l.player_id)
      from (
        (select a.* from ranked a where a.value > mine.value or (a.value = mine.value and a.player_id < mine.player_id)
          order by a.value, a.player_id desc limit $6)
        union all
        (select b.* from ranked b where b.value < mine.value or (b.value = mine.value and b.player_id >= mine.player_id)
          order by b.value desc, b.player_id limit $6 + 1)
      ) as l
      left join player p on p.id = l.player_id) as lines
  from mine`;

const STATISTICS = `select coalesce(r.races, 0) as races, coalesce(r.hits, 0) as hits, coalesce(r.profit, 0) as profit,
    coalesce(r.best_dividend, 0) as best_dividend, coalesce(r.streak, 0) as streak, coalesce(r.best_streak, 0) as best_streak,
    coalesce(g.games, 0) as games, coalesce(g.caught, 0) as caught
  from (select $1::text collate "C" as id) as asked
  left join board_row r on r.scope = '' and r.span = 'all' and r.period = '' and r.player_id = asked.id
  left join player_game g on g.player_id = asked.id`;

/** Backwards from the balance of the wallet: what is older need not be read. */
const CURVE = `with wallet as (select id, balance from account where player_id = $1),
  entry as (
    select t.id, t.at, case when t.to_account = w.id then t.amount else -t.amount end as amount
    from transfer t cross join wallet w where t.player_id = $1
    order by t.id desc limit $2
  )
  select e.at, (w.balance - coalesce(sum(e.amount) over (order by e.id desc rows between unbounded preceding and 1 preceding), 0))::bigint as balance
  from entry e cross join wallet w
  order by e.id`;

type LineJson = Omit<BoardLine, 'value'> & { readonly value: string };
type LinesRow = { rank: bigint; lines: LineJson[] | null };
type StatisticsRow = {
  races: number;
  hits: number;
  profit: bigint;
  best_dividend: bigint;
  streak: number;
  best_streak: number;
  games: number;
  caught: number;
};

export function createBoardRecords(pool: Pool): BoardRecords {
  return {
    async lines(key, after, limit) {
      const [row] = await read<LinesRow>(pool, LINES, [
        ...values(key),
        after?.value ?? null,
        after?.playerId ?? null,
        limit,
      ]);
      return shown(row);
    },

    async around(key, playerId, beside) {
      const [row] = await read<LinesRow>(pool, AROUND, [...values(key), playerId, beside]);
      return row === undefined ? null : shown(row);
    },

    async statistics(playerId) {
      const [row] = await read<StatisticsRow>(pool, STATISTICS, [playerId]);
      if (row === undefined) throw new Error('no row of statistics');
      const { best_dividend: bestDividend, best_streak: bestStreak, ...rest } = row;
      return { ...rest, bestDividend, bestStreak };
    },

    async curve(playerId: PlayerId, limit: number) {
      const rows = await read<{ at: bigint; balance: bigint }>(pool, CURVE, [playerId, limit]);
      return rows.map(({ at, balance }) => ({ at: Number(at), balance }));
    },
  };
}

function values({ roomId, window, period, metric }: BoardKey): unknown[] {
  return [roomId ?? '', window, period, metric];
}

function shown(row: LinesRow | undefined) {
  return {
    rank: Number(row?.rank ?? 0n),
    lines: (row?.lines ?? []).map((line): BoardLine => ({ ...line, value: BigInt(line.value) })),
  };
}
