-- A race's way from open to its end. Each function takes the race's lock first, in a statement of its own, then looks at
-- phase and clock, then writes all of it with the room's fact. Outcomes: moved, already, early, late, busy, absent.

-- p_race: the row as JSON with race's column names, without what is set on the way.
-- Outcomes: opened (also a repeat), unfinished (the room's unfinished race in "other"), stale (number or previous record are
-- not the next ones), room-closed.
create function race_open(p_race jsonb, p_event jsonb, out outcome text, out other text)
language plpgsql volatile
as $$
declare
  v_new race%rowtype := jsonb_populate_record(null::race, p_race);
  v_room room%rowtype;
  v_last race%rowtype;
begin
  perform assert_read_committed();
  select * into v_room from room where id = v_new.room_id for no key update;
  if exists (select from race where id = v_new.id) then
    outcome := 'opened';
    return;
  end if;
  if v_room.id is null or v_room.closed_at is not null then
    outcome := 'room-closed';
    return;
  end if;
  select * into v_last from race where room_id = v_new.room_id order by number desc limit 1;
  if v_last.phase in ('open', 'closed', 'running') then
    outcome := 'unfinished';
    other := v_last.id;
    return;
  end if;
  if v_new.number <> coalesce(v_last.number, 0) + 1 or v_new.previous_record_hash is distinct from v_last.record_hash then
    outcome := 'stale';
    return;
  end if;
  insert into race (
    id, room_id, kind, number, track, rules, field, field_hash, sim_version, rules_version, seed_key_id, commitment, previous_record_hash,
    participants, rerun_of, opened_at, closes_at, pools, runners, max_stake, exclusive, place_vote)
  values (
    v_new.id, v_new.room_id, v_new.kind, v_new.number, v_new.track, v_new.rules, v_new.field, v_new.field_hash, v_new.sim_version, v_new.rules_version,
    v_new.seed_key_id, v_new.commitment, v_new.previous_record_hash, v_new.participants, v_new.rerun_of, v_new.opened_at, v_new.closes_at,
    array(select pool ->> 'pool' from jsonb_array_elements(v_new.rules -> 'pools') as each (pool)),
    array(select (runner ->> 'number')::smallint from jsonb_array_elements(v_new.field) as each (runner)),
    (v_new.rules ->> 'maxStakePerRace')::bigint,
    (v_new.rules ->> 'exclusivePicks')::boolean,
    (v_new.rules ->> 'placeVote')::boolean);
  insert into account (kind, race_id) values ('escrow', v_new.id);
  perform room_add_fact(v_new.room_id, p_event);
  outcome := 'opened';
end
$$;

-- What a host's command to start was answered that found a race under way: its repeats are answered the same for ever.
create table race_start (
  -- the id the race would have got that the command would have opened
  id text collate "C" primary key,
  race_id text collate "C" not null references race (id),
  closes_at bigint not null
);
create trigger race_start_is_kept before update or delete or truncate on race_start
  for each statement execute function refuse_change();

-- Sets closes_at to p_closes_at (not before now) if that is nearer. p_start: the host's command that asked, null for none; one
-- that has been answered before gets that answer as 'already'.
create function race_bring_forward(
  p_race text, p_closes_at bigint, p_start text, p_wait_ms integer, out outcome text, out closes_at bigint)
language plpgsql volatile
as $$
declare
  v_race race%rowtype;
  v_now bigint;
begin
  perform assert_read_committed();
  if not race_lock_exclusive(p_race, p_wait_ms) then
    outcome := 'busy';
    return;
  end if;
  select s.closes_at into closes_at from race_start s where s.id = p_start;
  if found then
    outcome := 'already';
    return;
  end if;
  select * into v_race from race where id = p_race;
  v_now := now_ms();
  closes_at := v_race.closes_at;
  if v_race.id is null then
    outcome := 'absent';
    return;
  elsif v_race.phase <> 'open' or v_now >= v_race.closes_at or greatest(p_closes_at, v_now + 1) >= v_race.closes_at then
    outcome := 'already';
  else
    -- Not this millisecond: what was taken in it was taken while the race was open.
    closes_at := greatest(p_closes_at, v_now + 1);
    update race set closes_at = race_bring_forward.closes_at where id = p_race;
    perform room_add_fact(v_race.room_id, jsonb_build_object('type', 'race closing', 'raceId', p_race, 'closesAt', closes_at));
    outcome := 'moved';
  end if;
  if p_start is not null then
    insert into race_start values (p_start, p_race, race_bring_forward.closes_at);
  end if;
end
$$;

-- p_drawn: [{ playerId, tag, leaf }] (hex), the players who get a horse drawn if they have none. 'late': more than p_late_ms
-- past closes_at; nothing is done, the race must be voided.
create function race_close(p_race text, p_drawn jsonb, p_late_ms bigint, p_wait_ms integer) returns text
language plpgsql volatile
as $$
declare
  v_race race%rowtype;
  v_now bigint;
  v_batch bigint;
  v_root bytea;
  v_totals jsonb;
begin
  perform assert_read_committed();
  if not race_lock_exclusive(p_race, p_wait_ms) then
    return 'busy';
  end if;
  select * into v_race from race where id = p_race;
  v_now := now_ms();
  if v_race.id is null then
    return 'absent';
  elsif v_race.phase <> 'open' then
    return 'already';
  elsif v_now < v_race.closes_at then
    return 'early';
  elsif v_now > v_race.closes_at + p_late_ms then
    return 'late';
  end if;

  if v_race.kind = 'pick' and jsonb_array_length(p_drawn) > 0 then
    v_batch := nextval('race_batch_id');
    insert into ledger_command (player_id, command_id, kind, body_hash, at, race_id, batch, ordinal, leaf, tag, nonce)
    select d."playerId", 'drawn/' || p_race, 'drawn', '', v_now, p_race, v_batch, row_number() over (order by d."playerId" collate "C") - 1,
      decode(d.leaf, 'hex'), decode(d.tag, 'hex'), ''
    from (
      select distinct on (g."playerId") g."playerId", g.tag, g.leaf
      from jsonb_to_recordset(p_drawn) as g ("playerId" text, tag text, leaf text)
      order by g."playerId"
    ) as d
    where (v_race.participants is null or d."playerId" = any (v_race.participants))
      and not exists (select from race_pick p where p.race_id = p_race and p.player_id = d."playerId");
    insert into race_pick (race_id, player_id, horse, exclusive, batch, ordinal)
    select p_race, c.player_id, null, v_race.exclusive, c.batch, c.ordinal
    from ledger_command c where c.race_id = p_race and c.batch = v_batch;
    insert into race_batch (race_id, batch, root, count, totals, at)
    select p_race, v_batch, merkle_root(array_agg(c.leaf order by c.ordinal)), count(*), '{}', v_now
    from ledger_command c where c.race_id = p_race and c.batch = v_batch
    having count(*) > 0;
  end if;

  v_root := fold_batch_roots(p_race);
  v_totals := race_totals(p_race);
  update race set phase = 'closed', closed_at = v_now, bets_root = encode(v_root, 'hex'), totals = v_totals where id = p_race;
  perform room_add_fact(v_race.room_id, jsonb_build_object(
    'type', 'race closed', 'raceId', p_race, 'betsRoot', encode(v_root, 'hex'), 'totals', v_totals));
  return 'moved';
end
$$;

-- Stores what was computed from row, picks and bets root, and fixes the start.
create function race_draw(p_race text, p_outcome jsonb, p_starts_at bigint, p_lead_ms bigint, p_runs_ms bigint, p_wait_ms integer) returns text
language plpgsql volatile
as $$
declare
  v_race race%rowtype;
  v_starts_at bigint;
begin
  perform assert_read_committed();
  if not race_lock_exclusive(p_race, p_wait_ms) then
    return 'busy';
  end if;
  select * into v_race from race where id = p_race;
  if v_race.id is null then
    return 'absent';
  elsif v_race.phase = 'open' then
    return 'early';
  elsif v_race.phase <> 'closed' or v_race.outcome is not null then
    return 'already';
  end if;
  v_starts_at := greatest(p_starts_at, now_ms() + p_lead_ms);
  update race set outcome = p_outcome, starts_at = v_starts_at, ends_at = v_starts_at + p_runs_ms where id = p_race;
  perform room_add_fact(v_race.room_id, jsonb_strip_nulls(jsonb_build_object(
    'type', 'race drawn', 'raceId', p_race, 'picks', p_outcome -> 'picks', 'place', p_outcome -> 'place', 'startsAt', v_starts_at)));
  return 'moved';
end
$$;

create function race_run(p_race text, p_wait_ms integer) returns text
language plpgsql volatile
as $$
declare
  v_race race%rowtype;
begin
  perform assert_read_committed();
  if not race_lock_exclusive(p_race, p_wait_ms) then
    return 'busy';
  end if;
  select * into v_race from race where id = p_race;
  if v_race.id is null then
    return 'absent';
  elsif v_race.phase not in ('open', 'closed') then
    return 'already';
  elsif v_race.phase = 'open' or v_race.starts_at is null or now_ms() < v_race.starts_at then
    return 'early';
  end if;
  update race set phase = 'running' where id = p_race;
  perform room_add_fact(v_race.room_id, jsonb_build_object(
    'type', 'race running', 'raceId', p_race, 'startsAt', v_race.starts_at, 'endsAt', v_race.ends_at));
  return 'moved';
end
$$;

-- Judges what is still open of the race's bets and writes outcomes and transfers; no account is touched. Told by wallet: what is
-- due; by player and pool, without what is refunded: stakes, payments, the highest dividend paid (0: none).
-- Plans are made while nothing is known of this race's bets: without nested loops, which take seconds where the guess is low.
create function race_resolve(
  p_race text, p_pools jsonb, p_now bigint, p_escrow bigint, out wallets bigint[], out points bigint[], out sent bigint,
  out players text[], out pools text[], out staked bigint[], out paid bigint[], out best bigint[]
)
language plpgsql volatile
set work_mem = '64MB'
set enable_nestloop = off
set enable_mergejoin = off
set jit = off
as $$
declare
  v_scratched constant smallint[] := array(select horse from race_scratch where race_id = p_race);
  v_resolved constant boolean := exists (select from bet_outcome where race_id = p_race);
begin
  -- In one statement: what is resolved here is what is paid and counted here.
  with pool as (
    select each.pool ->> 'pool' as name, jsonb_typeof(each.pool -> 'dividends') is distinct from 'array' as refunded, each.pool -> 'dividends' as dividends
    from jsonb_array_elements(p_pools) as each (pool)
  ), dividend as materialized (
    select p.name as pool, array(select jsonb_array_elements_text(won -> 'selection')::smallint) as selection, (won ->> 'per100')::bigint as per100
    from pool p cross join lateral jsonb_array_elements(case when p.refunded then '[]' else p.dividends end) as won
  ), judged as materialized (
    select b.id, b.player_id, b.pool, b.stake, d.per100,
      case when p_pools is null or p.refunded or b.selection && v_scratched then 'refunded' when d.per100 is not null then 'paid' else 'lost' end as outcome
    from bet b
    left join pool p on p.name = b.pool
    left join dividend d on d.pool = b.pool and d.selection = b.selection
    where b.race_id = p_race and not (v_resolved and exists (select from bet_outcome o where o.bet_id = b.id))
  ), back as materialized (
    select j.id, j.player_id, j.pool, j.outcome, case j.outcome when 'paid' then j.stake / 100 * j.per100 else j.stake end as points
    from judged j where j.outcome <> 'lost'
  ), resolved as (
    insert into bet_outcome (bet_id, race_id, player_id, outcome, returned, at)
    select j.id, p_race, j.player_id, j.outcome, case j.outcome when 'refunded' then j.stake when 'paid' then j.stake / 100 * j.per100 else 0 end, p_now
    from judged j
  ), wallet as materialized (
    select a.player_id, a.id from account a where a.player_id = any (array(select distinct player_id from back))
  ), moved as (
    insert into transfer (from_account, to_account, amount, kind, at, player_id, race_id, bet_id, pool)
    select p_escrow, w.id, b.points, case b.outcome when 'paid' then 'payout' else 'refund' end, p_now, b.player_id, p_race, b.id, b.pool
    from back b join wallet w on w.player_id = b.player_id
    returning to_account, amount
  ), due as (
    select m.to_account as wallet, sum(m.amount)::bigint as points from moved m group by m.to_account
  ), entry as (
    select j.player_id, j.pool, sum(j.stake)::bigint as staked, coalesce(sum(j.stake / 100 * j.per100) filter (where j.outcome = 'paid'), 0)::bigint as paid,
      coalesce(max(j.per100) filter (where j.outcome = 'paid'), 0) as best
    from judged j where j.outcome <> 'refunded' group by j.player_id, j.pool
  )
  select d.wallets, d.points, d.sent, e.players, e.pools, e.staked, e.paid, e.best
  into wallets, points, sent, players, pools, staked, paid, best
  from (select array_agg(o.wallet) as wallets, array_agg(o.points) as points, coalesce(sum(o.points), 0)::bigint as sent from due o) as d,
    (select array_agg(n.player_id) as players, array_agg(n.pool) as pools, array_agg(n.staked) as staked, array_agg(n.paid) as paid, array_agg(n.best) as best from entry n) as e;
end
$$;

-- Pays out what is still open of the race's bets and counts it for the boards. p_pools: [{ pool, dividends: [{ selection, per100 }]
-- | null, gross, paid, takeout, breakage }], null dividends: refunded whole; p_pools null: every stake goes back, nothing counts.
-- Bets, transfers and boards are written first; wallets, which other races need, are locked for the last updates only.
create function race_pay_out(p_race text, p_pools jsonb, p_now bigint, p_time_zone text) returns void
language plpgsql volatile
as $$
declare
  v_escrow bigint;
  v_left bigint;
  v_takeout bigint;
  v_breakage bigint;
  v_pool record;
  v_done record;
begin
  select id into v_escrow from account where race_id = p_race;
  select * into v_done from race_resolve(p_race, p_pools, p_now, v_escrow);

  -- The figures that were computed outside must be those of the bets, to the point.
  for v_pool in
    select g.pool, g.refunded, g.gross, g.paid, g.takeout, g.breakage, coalesce(s.gross, 0) as bets_gross, coalesce(s.paid, 0) as bets_paid
    from (
      select pool ->> 'pool' as pool, jsonb_typeof(pool -> 'dividends') is distinct from 'array' as refunded,
        (pool ->> 'gross')::bigint as gross, (pool ->> 'paid')::bigint as paid,
        (pool ->> 'takeout')::bigint as takeout, (pool ->> 'breakage')::bigint as breakage
      from jsonb_array_elements(p_pools) as each (pool)
    ) as g
    full join (
      select e.pool, sum(e.staked) as gross, sum(e.paid) as paid from unnest(v_done.pools, v_done.staked, v_done.paid) as e (pool, staked, paid) group by e.pool
    ) as s on s.pool = g.pool
    where p_pools is not null
  loop
    if v_pool.pool is null
      or (not v_pool.refunded and (v_pool.gross <> v_pool.bets_gross or v_pool.paid <> v_pool.bets_paid
        or v_pool.gross <> v_pool.paid + v_pool.takeout + v_pool.breakage or v_pool.takeout < 0 or v_pool.breakage < 0))
      or (v_pool.refunded and (v_pool.takeout <> 0 or v_pool.breakage <> 0))
    then
      raise exception 'race %: the settlement of pool % does not agree with its bets: %', p_race, v_pool.pool, to_jsonb(v_pool)
        using errcode = 'data_exception';
    end if;
  end loop;

  insert into transfer (from_account, to_account, amount, kind, at, race_id, pool)
  select v_escrow, c.account, c.amount, c.kind, p_now, p_race, c.pool
  from (
    select pool ->> 'pool' as pool, 2 as account, 'takeout' as kind, (pool ->> 'takeout')::bigint as amount from jsonb_array_elements(p_pools) as each (pool)
    union all
    select pool ->> 'pool', 3, 'breakage', (pool ->> 'breakage')::bigint from jsonb_array_elements(p_pools) as each (pool)
  ) as c
  where c.amount > 0;

  if p_pools is not null and v_done.players is not null then
    perform board_count(p_race, p_now, p_time_zone, v_done.players, v_done.pools, v_done.staked, v_done.paid, v_done.best);
  end if;

  perform from account where id = any (v_done.wallets) order by id for no key update;
  update account a set balance = a.balance + w.points, version = a.version + 1
  from unnest(v_done.wallets, v_done.points) as w (id, points) where a.id = w.id;

  select coalesce(sum((pool ->> 'takeout')::bigint), 0)::bigint, coalesce(sum((pool ->> 'breakage')::bigint), 0)::bigint
  into v_takeout, v_breakage from jsonb_array_elements(p_pools) as each (pool);
  update account set balance = balance - v_takeout - v_breakage - v_done.sent, version = version + 1
  where id = v_escrow returning balance into v_left;
  if v_left <> 0 then
    raise exception 'race %: % points would stay in escrow', p_race, v_left using errcode = 'data_exception';
  end if;
  if v_takeout > 0 then
    update account set balance = balance + v_takeout where id = 2;
  end if;
  if v_breakage > 0 then
    update account set balance = balance + v_breakage where id = 3;
  end if;
end
$$;

-- Races that ended while they were frozen: stakes stay in escrow until the race is thawed (ledger_thaw).
create table race_hold (
  race_id text collate "C" primary key references race (id),
  at bigint not null,
  paid_at bigint
);

-- Pays out, unless the race is frozen: then it is over like any other and its payouts wait. Whether they do.
create function race_pay_or_hold(p_race text, p_pools jsonb, p_now bigint, p_time_zone text) returns boolean
language plpgsql volatile
as $$
begin
  -- Whoever freezes a race holds its lock, as the caller does.
  if exists (select from account a where a.race_id = p_race and a.frozen) and exists (select from bet b where b.race_id = p_race) then
    insert into race_hold (race_id, at) values (p_race, p_now);
    return true;
  end if;
  perform race_pay_out(p_race, p_pools, p_now, p_time_zone);
  return false;
end
$$;

-- p_next_ms: how long after now the room's next race opens; null: not by itself. p_time_zone: whose midnights part the boards' periods.
create function race_settle(
  p_race text, p_result jsonb, p_pools jsonb, p_seed text, p_record_hash text, p_next_ms bigint, p_wait_ms integer, p_time_zone text) returns text
language plpgsql volatile
as $$
declare
  v_race race%rowtype;
  v_now bigint;
  v_held boolean;
begin
  perform assert_read_committed();
  if not race_lock_exclusive(p_race, p_wait_ms) then
    return 'busy';
  end if;
  select * into v_race from race where id = p_race;
  v_now := now_ms();
  if v_race.id is null then
    return 'absent';
  elsif v_race.phase in ('settled', 'void') then
    return 'already';
  elsif v_race.phase <> 'running' or v_now < v_race.ends_at then
    return 'early';
  end if;
  if v_race.kind = 'pick' then
    perform board_count_game(v_race.outcome, p_result);
  end if;
  v_held := race_pay_or_hold(p_race, p_pools, v_now, p_time_zone);
  update race set phase = 'settled', result = p_result, pool_results = p_pools, seed = p_seed, record_hash = p_record_hash, ended_at = v_now
  where id = p_race;
  perform room_add_fact(v_race.room_id, jsonb_build_object('type', 'race settled', 'raceId', p_race, 'result', p_result)
    || case when v_held then '{"payoutsHeld": true}' else '{}'::jsonb end
    || case when p_next_ms is null then '{}' else jsonb_build_object('nextOpensAt', v_now + p_next_ms) end);
  return 'moved';
end
$$;

-- Everything that can still change in the record of a race that is not over, in one word.
create function race_seen(p_race text) returns text
language sql stable
as $$
  select concat_ws('/', r.phase, r.bets_root,
    (select max(t.batch) from race_batch t where t.race_id = p_race),
    (select count(*) from race_scratch s where s.race_id = p_race))
  from race r where r.id = p_race
$$;

-- From any phase before the end. p_seen: race_seen of what p_record_hash was made from, 'early' if it changed since. 'late-close' holds only for a race that is still open p_late_ms after its close.
create function race_void(p_race text, p_reason text, p_seed text, p_record_hash text, p_next_ms bigint, p_late_ms bigint, p_wait_ms integer, p_seen text default null)
returns text
language plpgsql volatile
as $$
declare
  v_race race%rowtype;
  v_now bigint;
  v_held boolean;
begin
  perform assert_read_committed();
  if not race_lock_exclusive(p_race, p_wait_ms) then
    return 'busy';
  end if;
  select * into v_race from race where id = p_race;
  v_now := now_ms();
  if v_race.id is null then
    return 'absent';
  elsif v_race.phase in ('settled', 'void') or (p_reason = 'late-close' and v_race.phase <> 'open') then
    return 'already';
  elsif p_reason = 'late-close' and v_now <= v_race.closes_at + p_late_ms then
    return 'early';
  elsif p_seen is not null and p_seen <> race_seen(p_race) then
    return 'early';
  end if;
  v_held := race_pay_or_hold(p_race, null, v_now, null);
  update race set phase = 'void', void_reason = p_reason, seed = p_seed, record_hash = p_record_hash, ended_at = v_now,
    closed_at = coalesce(closed_at, v_now), totals = coalesce(totals, race_totals(p_race))
  where id = p_race;
  perform room_add_fact(v_race.room_id, jsonb_build_object('type', 'race void', 'raceId', p_race, 'reason', p_reason, 'seed', p_seed)
    || case when v_held then '{"payoutsHeld": true}' else '{}'::jsonb end
    || case when p_next_ms is null then '{}' else jsonb_build_object('nextOpensAt', v_now + p_next_ms) end);
  return 'moved';
end
$$;
