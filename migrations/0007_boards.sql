-- What players made of their races: kept by the transaction that settles, and never computed again but by the audit.
-- A race counts for a player who had a stake in a pool with three bettors or more; what went back does not count.

-- The periods a settled race belongs to, decided by the moment of its settlement in the time zone of that moment.
create table race_period (
  race_id text collate "C" primary key,
  at bigint not null,
  -- '2026-11-20', '2026-W47' (ISO weeks), '2026-Q4'
  day text collate "C" not null,
  week text collate "C" not null,
  season text collate "C" not null
);
create trigger race_period_is_kept before update or delete or truncate on race_period
  for each statement execute function refuse_change();

-- What one race was to one player. Streaks go by ordinal: 1, 2, 3 … over all races that count for the player, in the order
-- in which their settlements got hold of the player's row of all time.
create table player_race (
  player_id text collate "C" not null,
  race_id text collate "C" not null,
  ordinal integer not null,
  staked bigint not null check (staked > 0),
  returned bigint not null check (returned >= 0),
  -- the highest dividend per 100 that the player was paid; 0: nothing was paid
  best_dividend bigint not null,
  primary key (player_id, race_id),
  check ((returned > 0) = (best_dividend > 0))
);
create trigger player_race_is_kept before update or delete or truncate on player_race
  for each statement execute function refuse_change();

create table board_row (
  -- '' everywhere, else a room
  scope text collate "C" not null,
  span text collate "C" not null check (span in ('day', 'week', 'season', 'all')),
  -- as in race_period; '' for all time
  period text collate "C" not null,
  player_id text collate "C" not null,
  races integer not null,
  hits integer not null,
  profit bigint not null,
  best_dividend bigint not null,
  -- races with a hit in a row: up to the last one, and the most there were
  streak integer not null,
  best_streak integer not null,
  primary key (scope, span, period, player_id),
  check (hits between 0 and races and streak <= best_streak and best_streak <= hits)
) with (fillfactor = 60);

-- Pick rooms have no points: races somebody had a horse in, and how often that one was caught.
create table player_game (
  player_id text collate "C" primary key,
  games integer not null,
  caught integer not null check (caught between 0 and games)
) with (fillfactor = 70);

-- Stakes and payments of a settled race by player and pool, without what was refunded, as arrays of one length.
-- Locks rows of players in the order of their ids, and before any wallet: whoever bets elsewhere does not wait for it.
create function board_count(
  p_race text, p_now bigint, p_time_zone text, p_players text[], p_pools text[], p_staked bigint[], p_paid bigint[], p_best bigint[]) returns void
language plpgsql volatile
set enable_nestloop = off
set enable_mergejoin = off
set jit = off
as $$
declare
  v_local constant timestamp := to_timestamp(p_now / 1000.0) at time zone p_time_zone;
  v_day constant text := to_char(v_local, 'YYYY-MM-DD');
  v_week constant text := to_char(v_local, 'IYYY-"W"IW');
  v_season constant text := to_char(v_local, 'YYYY-"Q"Q');
  v_room text;
  v_players text[];
  v_staked bigint[];
  v_returned bigint[];
  v_best bigint[];
begin
  select room_id into v_room from race where id = p_race;
  insert into race_period (race_id, at, day, week, season) values (p_race, p_now, v_day, v_week, v_season);

  with entry as materialized (
    select e.player, e.pool, e.staked, e.paid, e.best from unnest(p_players, p_pools, p_staked, p_paid, p_best) as e (player, pool, staked, paid, best)
  ), mine as (
    select e.player, sum(e.staked)::bigint as staked, sum(e.paid)::bigint as returned, max(e.best) as best
    from entry e
    where e.pool in (select pool from entry group by pool having count(distinct player) >= 3)
    group by e.player
  )
  select array_agg(m.player), array_agg(m.staked), array_agg(m.returned), array_agg(m.best) into v_players, v_staked, v_returned, v_best
  from (select player, staked, returned, best from mine order by player collate "C") as m;
  if v_players is null then
    return;
  end if;

  -- All time first: its rows are what settlements that share a player take turns by.
  with counted as (
    insert into board_row as r (scope, span, period, player_id, races, hits, profit, best_dividend, streak, best_streak)
    select '', 'all', '', m.player, 1, (m.best > 0)::integer, m.returned - m.staked, m.best, (m.best > 0)::integer, (m.best > 0)::integer
    from unnest(v_players, v_staked, v_returned, v_best) as m (player, staked, returned, best)
    on conflict (scope, span, period, player_id) do update set
      races = r.races + 1, hits = r.hits + excluded.hits, profit = r.profit + excluded.profit,
      best_dividend = greatest(r.best_dividend, excluded.best_dividend),
      streak = case when excluded.hits = 1 then r.streak + 1 else 0 end,
      best_streak = case when excluded.hits = 1 then greatest(r.best_streak, r.streak + 1) else r.best_streak end
    returning player_id, races
  )
  insert into player_race (player_id, race_id, ordinal, staked, returned, best_dividend)
  select m.player, p_race, c.races, m.staked, m.returned, m.best
  from unnest(v_players, v_staked, v_returned, v_best) as m (player, staked, returned, best)
  join counted c on c.player_id = m.player;

  insert into board_row as r (scope, span, period, player_id, races, hits, profit, best_dividend, streak, best_streak)
  select b.scope, b.span, b.period, m.player, 1, (m.best > 0)::integer, m.returned - m.staked, m.best, (m.best > 0)::integer, (m.best > 0)::integer
  from (
    values ('', 'season', v_season), ('', 'week', v_week), ('', 'day', v_day),
      (v_room, 'all', ''), (v_room, 'season', v_season), (v_room, 'week', v_week), (v_room, 'day', v_day)
  ) as b (scope, span, period)
  cross join lateral unnest(v_players, v_staked, v_returned, v_best) as m (player, staked, returned, best)
  on conflict (scope, span, period, player_id) do update set
    races = r.races + 1, hits = r.hits + excluded.hits, profit = r.profit + excluded.profit,
    best_dividend = greatest(r.best_dividend, excluded.best_dividend),
    streak = case when excluded.hits = 1 then r.streak + 1 else 0 end,
    best_streak = case when excluded.hits = 1 then greatest(r.best_streak, r.streak + 1) else r.best_streak end;
end
$$;

-- Everybody who had a horse in a settled race of a pick room.
create function board_count_game(p_outcome jsonb, p_result jsonb) returns void
language sql volatile
as $$
  insert into player_game as g (player_id, games, caught)
  select pick ->> 'playerId', 1, (coalesce(p_result -> 'caught', '[]') ? (pick ->> 'playerId'))::integer
  from jsonb_array_elements(p_outcome -> 'picks') as each (pick)
  order by pick ->> 'playerId' collate "C"
  on conflict (player_id) do update set games = g.games + 1, caught = g.caught + excluded.caught
$$;

-- ---- reading ----

-- Lower bound of the Wilson score interval, z = 1.96; the formula and its source are in lib/core/boards.ts.
create function wilson_lower(p_hits integer, p_races integer) returns double precision
language sql immutable parallel safe
as $$
  select (p_hits + 1.9208::double precision - 1.96::double precision
      * sqrt(p_hits::double precision * (p_races - p_hits) / p_races + 0.9604::double precision)) / (p_races + 3.8416::double precision)
$$;

-- What a board is ranked by, higher is better; null: not on this board. Hit rates in millionths, of 20 races at least.
create function board_value(p_metric text, p_races integer, p_hits integer, p_profit bigint, p_best_dividend bigint, p_best_streak integer) returns bigint
language sql immutable parallel safe
as $$
  select case p_metric
    when 'profit' then p_profit
    when 'races' then p_races::bigint
    when 'best-dividend' then case when p_best_dividend > 0 then p_best_dividend end
    when 'streak' then case when p_best_streak > 0 then p_best_streak::bigint end
    when 'hit-rate' then case when p_races >= 20 then round(1000000 * wilson_lower(p_hits, p_races))::bigint end
  end
$$;

-- ---- audit ----

-- As ledger_audit: a row for each broken invariant, none when all is well.
create view board_audit as
with
  entry as (
    select b.race_id, b.player_id, b.pool, sum(b.stake)::bigint as staked, sum(o.returned)::bigint as returned,
      coalesce(max(o.returned / (b.stake / 100)) filter (where o.outcome = 'paid'), 0) as best
    from bet b join bet_outcome o on o.bet_id = b.id join race r on r.id = b.race_id
    where r.phase = 'settled' and o.outcome <> 'refunded'
    group by b.race_id, b.player_id, b.pool
  ),
  counted as (
    select e.race_id, e.player_id, sum(e.staked)::bigint as staked, sum(e.returned)::bigint as returned, max(e.best) as best_dividend
    from (select *, count(*) over (partition by race_id, pool) as bettors from entry) as e
    where e.bettors >= 3
    group by e.race_id, e.player_id
  ),
  ranged as (
    select s.scope, s.span, s.period, p.player_id, p.ordinal, p.returned - p.staked as profit, p.best_dividend, p.best_dividend > 0 as hit
    from player_race p
    join race r on r.id = p.race_id
    join race_period k on k.race_id = p.race_id
    cross join lateral (
      select w.scope, t.span, t.period
      from (values (''), (r.room_id)) as w (scope)
      cross join (values ('day', k.day), ('week', k.week), ('season', k.season), ('all', '')) as t (span, period)
    ) as s
  ),
  run as (
    select scope, span, period, player_id, profit, best_dividend, hit, ordinal,
      count(*) filter (where not hit) over (partition by scope, span, period, player_id order by ordinal) as misses
    from ranged
  ),
  streaks as (
    select scope, span, period, player_id, misses, count(*) as races, count(*) filter (where hit) as hits, sum(profit) as profit, max(best_dividend) as best_dividend
    from run group by scope, span, period, player_id, misses
  ),
  board as (
    select s.scope, s.span, s.period, s.player_id, sum(s.races) as races, sum(s.hits) as hits, sum(s.profit) as profit, max(s.best_dividend) as best_dividend,
      (array_agg(s.hits order by s.misses desc))[1] as streak, max(s.hits) as best_streak
    from streaks s group by s.scope, s.span, s.period, s.player_id
  )

select 'what a race was to a player follows from its bets' as invariant, coalesce(c.race_id, p.race_id) as race_id, coalesce(c.player_id, p.player_id) as player_id,
  format('staked %s, returned %s, best %s; kept %s, %s, %s', c.staked, c.returned, c.best_dividend, p.staked, p.returned, p.best_dividend) as detail
from counted c full join player_race p on p.race_id = c.race_id and p.player_id = c.player_id
where (c.staked, c.returned, c.best_dividend) is distinct from (p.staked, p.returned, p.best_dividend)

union all
select 'a player''s races are numbered without gaps', null, player_id, format('%s races, numbered %s to %s', count(*), min(ordinal), max(ordinal))
from player_race group by player_id
having count(distinct ordinal) <> count(*) or min(ordinal) <> 1 or max(ordinal) <> count(*)

union all
select 'board rows equal a recomputation', null, coalesce(b.player_id, r.player_id),
  format('%s %s %s: %s; kept %s', coalesce(b.scope, r.scope), coalesce(b.span, r.span), coalesce(b.period, r.period),
    (b.races, b.hits, b.profit, b.best_dividend, b.streak, b.best_streak), (r.races, r.hits, r.profit, r.best_dividend, r.streak, r.best_streak))
from board b
full join board_row r on r.scope = b.scope and r.span = b.span and r.period = b.period and r.player_id = b.player_id
where (b.races, b.hits, b.profit, b.best_dividend, b.streak, b.best_streak) is distinct from (r.races, r.hits, r.profit, r.best_dividend, r.streak, r.best_streak)

union all
select 'a race belongs to the periods of its settlement', coalesce(k.race_id, s.race_id), null, format('counted at %s, settled at %s', k.at, s.at)
from race_period k
full join (
  select o.race_id, max(o.at) as at from bet_outcome o join race r on r.id = o.race_id where r.phase = 'settled' and o.outcome <> 'refunded' group by o.race_id
) as s on s.race_id = k.race_id
where k.race_id is null or s.at <> k.at

union all
select 'games and times caught equal the pick rooms'' races', null, coalesce(c.player_id, g.player_id), format('%s of %s; kept %s of %s', c.caught, c.games, g.caught, g.games)
from (
  select pick ->> 'playerId' as player_id, count(*) as games, count(*) filter (where coalesce(r.result -> 'caught', '[]') ? (pick ->> 'playerId')) as caught
  from race r, jsonb_array_elements(r.outcome -> 'picks') as each (pick)
  where r.kind = 'pick' and r.phase = 'settled' group by pick ->> 'playerId'
) as c
full join player_game g on g.player_id = c.player_id
where (c.games, c.caught) is distinct from (g.games, g.caught);
