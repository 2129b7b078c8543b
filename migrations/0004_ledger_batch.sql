-- Placing: one call for many bets, picks, votes and claims of many races and players.

create type ledger_item as (
  n integer,
  kind text,
  player text,
  command text,
  body bytea,
  race text,
  leaf bytea,
  tag bytea,
  nonce bytea,
  bet text,
  pool text,
  horses smallint[],
  stake bigint,
  -- the horse of a pick, the place of a vote
  number smallint,
  amount bigint,
  day date,
  -- filled in while judging
  wallet bigint,
  escrow bigint,
  ordinal integer,
  balance bigint,
  version bigint,
  cap bigint
);

-- p_items: JSON array of objects with ledger_item's fields (body, leaf, tag, nonce in hex), in the order of arrival.
-- Returns for each item, in order: a code ('ok', 'repeat', 'again' or a refusal) and the balance and version after it;
-- for repeats also what they were answered the first time. 'again': a lock was not to be had at once.
-- batch_id: of what was accepted. A race's ids grow in the order of its commits: they are drawn under its escrow's lock.
-- p_not_after: by this server's clock; a call that holds its locks only later ends with an error. So an attempt whose answer
-- was lost is either in by then, or still holds its wallets (and others are told 'again'), or never happens.
-- Decided one after the other in memory (a refused bet must not block the next smaller one), written set by set.
-- The planner is held to index lookups and to one plan: one made while a table was empty would read all of it later.
create function ledger_commit_batch(
  p_items json, p_start_points bigint, p_not_after bigint,
  out at bigint, out codes json, out balances json, out versions json, out repeats json, out batch_id bigint
)
language plpgsql volatile
set lock_timeout = '1s'
set enable_seqscan = off
set enable_hashjoin = off
set enable_mergejoin = off
set plan_cache_mode = force_generic_plan
as $$
declare
  v_items ledger_item[];
  v_item ledger_item;
  v_accepted ledger_item[] := '{}';
  v_count integer;
  v_now bigint;
  v_batch bigint;
  v_granted bigint := 0;
  v_row record;
  v_at integer;
  -- by item
  v_code text[];
  v_balance text[];
  v_version text[];
  v_of_player integer[];
  v_of_race integer[];
  v_of_pair integer[];
  v_duplicate boolean[];
  v_repeats json[] := '{}';
  -- by player, ascending
  v_players text[];
  v_wallets bigint[];
  v_points bigint[];
  v_changes bigint[];
  v_changed boolean[];
  -- by race, ascending
  v_races text[];
  v_locked boolean[];
  v_open boolean[];
  v_exclusive boolean[];
  v_escrows bigint[];
  v_leaves integer[];
  -- by (race, player)
  v_staked bigint[];
  v_caps bigint[];
  -- exclusive races: "race/horse" → player, and "race/player" → horse
  v_taken jsonb := '{}';
  v_held jsonb := '{}';
  v_claimed text[] := '{}';
  v_key text;
  v_horse text;
begin
  perform assert_read_committed();

  select
    array_agg(row(g.n, g.kind, g.player, g.command, decode(g.body, 'hex'), g.race, decode(g.leaf, 'hex'), decode(g.tag, 'hex'), decode(g.nonce, 'hex'),
      g.bet, g.pool, g.horses, g.stake, g.number, g.amount, g.day, null, null, null, null, null, null)::ledger_item order by g.n),
    array_agg(g.of_player order by g.n),
    array_agg(g.of_race order by g.n),
    array_agg(g.of_pair order by g.n),
    array_agg(g.earlier > 1 order by g.n),
    count(*)
  into v_items, v_of_player, v_of_race, v_of_pair, v_duplicate, v_count
  from (
    select r.*,
      dense_rank() over (order by r.player collate "C") as of_player,
      dense_rank() over (order by r.race collate "C") as of_race,
      dense_rank() over (order by r.race collate "C", r.player collate "C") as of_pair,
      row_number() over (partition by r.player, r.command order by r.n) as earlier
    from rows from (json_to_recordset(p_items) as (
      kind text, player text, command text, body text, race text, leaf text, tag text, nonce text,
      bet text, pool text, horses smallint[], stake bigint, number smallint, amount bigint, day date
    )) with ordinality as r (kind, player, command, body, race, leaf, tag, nonce, bet, pool, horses, stake, number, amount, day, n)
  ) as g;
  if v_count = 0 then
    return;
  end if;
  select array_agg(distinct i.player collate "C" order by i.player collate "C"), array_agg(distinct i.race collate "C" order by i.race collate "C")
  into v_players, v_races
  from unnest(v_items) as i;

  v_wallets := array_fill(null::bigint, array[cardinality(v_players)]);
  v_points := v_wallets;
  v_changes := v_wallets;
  v_changed := array_fill(false, array[cardinality(v_players)]);
  v_open := array_fill(false, array[cardinality(v_races)]);
  v_balance := array_fill(null::text, array[v_count]);
  v_version := v_balance;

  -- The races' locks, shared, before anything of a race is read. (A null race sorts last, as in dense_rank.)
  for v_at in 1..cardinality(v_races) loop
    v_locked[v_at] := v_races[v_at] is not null and pg_try_advisory_xact_lock_shared(race_lock_key(v_races[v_at]));
  end loop;

  -- Wallets: who has none gets one, then all that nobody else holds.
  if exists (select from unnest(v_players) as p (id) where not exists (select from account a where a.player_id = p.id)) then
    v_granted := ledger_make_wallets(v_players, p_start_points);
  end if;
  v_at := 1;
  for v_row in
    select a.id, a.player_id, a.balance, a.version from account a
    where a.player_id = any (v_players) order by a.player_id
    for no key update skip locked
  loop
    while v_players[v_at] <> v_row.player_id loop
      v_at := v_at + 1;
    end loop;
    v_wallets[v_at] := v_row.id;
    v_points[v_at] := v_row.balance;
    v_changes[v_at] := v_row.version;
  end loop;

  -- The clock is read under the locks: whoever closes waits for us, so nothing commits behind a close.
  v_now := now_ms();
  at := v_now;
  if v_now > p_not_after then
    raise exception 'begun too late' using errcode = 'query_canceled';
  end if;
  for v_at in 1..cardinality(v_races) loop
    continue when not v_locked[v_at];
    select r.phase = 'open' and v_now < r.closes_at as is_open, r.exclusive into v_row from race r where r.id = v_races[v_at];
    v_open[v_at] := coalesce(v_row.is_open, false);
    v_exclusive[v_at] := v_row.exclusive;
    v_leaves[v_at] := 0;
  end loop;
  for v_row in
    select a.id, array_position(v_races, a.race_id) as of_race from account a
    where a.race_id = any (select r.id from unnest(v_races, v_open) as r (id, is_open) where r.is_open)
    order by a.id
    for no key update
  loop
    v_escrows[v_row.of_race] := v_row.id;
  end loop;

  -- What each item is by itself. Repeats are answered from their rows whatever is locked, open or closed.
  select
    array_agg(case
      when c.command_id is not null then case when c.body_hash = i.body and c.kind = i.kind then 'repeat' else 'COMMAND_CONFLICT' end
      when v_duplicate[i.n] then 'again'
      when i.race is not null and not v_locked[v_of_race[i.n]] then 'again'
      when v_wallets[v_of_player[i.n]] is null then 'again'
      when i.kind = 'claim' then case
        when i.amount <= 0 or exists (select from transfer t where t.kind = 'daily' and t.player_id = i.player and t.day = i.day) then 'LIMIT_REACHED'
        else 'ok' end
      when r.id is null then 'NOT_FOUND'
      when not v_open[v_of_race[i.n]] then 'PHASE_CLOSED'
      when not i.player = any (coalesce(r.participants, array[i.player])) then 'NOT_READY'
      when i.kind = 'bet' then case
        when not i.pool = any (r.pools) or cardinality(i.horses) <> 1 or not i.horses <@ r.runners
          or exists (select from race_scratch s where s.race_id = i.race and s.horse = any (i.horses)) then 'SELECTION_INVALID'
        when i.stake <= 0 or i.stake % 100 <> 0 then 'STAKE_INVALID'
        else 'ok' end
      when r.kind <> 'pick' then 'SELECTION_INVALID'
      when i.kind = 'pick' then case
        when i.number is null or not i.number = any (r.runners) or exists (select from race_scratch s where s.race_id = i.race and s.horse = i.number) then 'SELECTION_INVALID'
        else 'ok' end
      when i.kind = 'vote' then case
        when not r.place_vote then 'FORBIDDEN'
        when i.number is null or i.number < 1 or i.number > cardinality(r.runners) then 'SELECTION_INVALID'
        else 'ok' end
      when i.kind = 'pick-clear' then 'ok'
      else 'BAD_REQUEST' end order by i.n),
    array_agg(json_build_object('n', i.n, 'race', c.race_id, 'leaf', encode(c.leaf, 'hex'), 'tag', encode(c.tag, 'hex'), 'nonce', encode(c.nonce, 'hex'),
      'bet', c.bet_id, 'number', c.number, 'granted', c.granted::text, 'balance', c.balance_after::text, 'version', c.balance_version)
      order by i.n) filter (where c.command_id is not null and c.body_hash = i.body and c.kind = i.kind)
  into v_code, v_repeats
  from unnest(v_items) as i
  left join lateral (
    select k.command_id, k.kind, k.body_hash, k.race_id, k.leaf, k.tag, k.nonce, k.bet_id, k.number, k.granted, k.balance_after, k.balance_version
    from ledger_command k where k.player_id = i.player and k.command_id = i.command limit 1
  ) as c on true
  left join lateral (
    select q.id, q.kind, q.pools, q.runners, q.participants, q.place_vote from race q where q.id = i.race limit 1
  ) as r on true;

  -- What they compete for: points, caps, horses. In order of arrival.
  for v_n in 1..v_count loop
    continue when v_code[v_n] <> 'ok';
    v_item := v_items[v_n];
    v_at := v_of_player[v_n];
    v_item.wallet := v_wallets[v_at];

    if v_item.kind = 'bet' then
      if v_caps[v_of_pair[v_n]] is null then
        select r.max_stake, coalesce(s.staked, 0) as staked into v_row
        from race r left join race_stake s on s.race_id = r.id and s.player_id = v_item.player
        where r.id = v_item.race;
        v_caps[v_of_pair[v_n]] := v_row.max_stake;
        v_staked[v_of_pair[v_n]] := v_row.staked;
      end if;
      if v_item.stake > v_caps[v_of_pair[v_n]] - v_staked[v_of_pair[v_n]] then
        v_code[v_n] := 'LIMIT_REACHED';
        continue;
      end if;
      if v_item.stake > v_points[v_at] then
        v_code[v_n] := 'INSUFFICIENT_POINTS';
        continue;
      end if;
      v_item.cap := v_caps[v_of_pair[v_n]];
      v_staked[v_of_pair[v_n]] := v_staked[v_of_pair[v_n]] + v_item.stake;
      v_points[v_at] := v_points[v_at] - v_item.stake;
      v_changes[v_at] := v_changes[v_at] + 1;
      v_changed[v_at] := true;

    elsif v_item.kind = 'claim' then
      v_key := v_item.player || '/' || v_item.day;
      if v_key = any (v_claimed) then
        v_code[v_n] := 'LIMIT_REACHED';
        continue;
      end if;
      v_claimed := array_append(v_claimed, v_key);
      v_points[v_at] := v_points[v_at] + v_item.amount;
      v_changes[v_at] := v_changes[v_at] + 1;
      v_changed[v_at] := true;

    elsif v_exclusive[v_of_race[v_n]] and v_item.kind in ('pick', 'pick-clear') then
      if not v_held ? v_item.race then
        -- Read under the escrow's lock, which every placing for this race holds.
        select v_taken || coalesce(jsonb_object_agg(v_item.race || '/' || p.horse, p.player_id) filter (where p.horse is not null), '{}'),
          v_held || jsonb_build_object(v_item.race, true) || coalesce(jsonb_object_agg(v_item.race || '/' || p.player_id, p.horse), '{}')
        into v_taken, v_held
        from race_pick p where p.race_id = v_item.race;
      end if;
      v_key := v_item.race || '/' || v_item.player;
      if v_item.kind = 'pick' then
        v_horse := v_item.race || '/' || v_item.number;
        if coalesce(v_taken ->> v_horse, v_item.player) <> v_item.player then
          v_code[v_n] := 'HORSE_TAKEN';
          continue;
        end if;
        v_taken := v_taken - (v_item.race || '/' || coalesce(v_held ->> v_key, '')) || jsonb_build_object(v_horse, v_item.player);
        v_held := v_held || jsonb_build_object(v_key, v_item.number);
      else
        v_taken := v_taken - (v_item.race || '/' || coalesce(v_held ->> v_key, ''));
        v_held := v_held - v_key;
      end if;
    end if;

    if v_item.race is not null then
      v_item.escrow := v_escrows[v_of_race[v_n]];
      v_item.ordinal := v_leaves[v_of_race[v_n]];
      v_leaves[v_of_race[v_n]] := v_item.ordinal + 1;
    end if;
    v_item.balance := v_points[v_at];
    v_item.version := v_changes[v_at];
    v_balance[v_n] := v_item.balance::text;
    v_version[v_n] := v_item.version::text;
    v_accepted := array_append(v_accepted, v_item);
  end loop;

  codes := to_json(v_code);
  repeats := to_json(v_repeats);
  if cardinality(v_accepted) = 0 then
    update account set balance = balance - v_granted where id = 1 and v_granted > 0;
    return;
  end if;
  balances := to_json(v_balance);
  versions := to_json(v_version);

  v_batch := nextval('race_batch_id');
  batch_id := v_batch;
  insert into ledger_command (player_id, command_id, kind, body_hash, at, race_id, batch, ordinal, leaf, tag, nonce, bet_id, number, granted, balance_after, balance_version)
  select i.player, i.command, i.kind, i.body, v_now, i.race, case when i.race is not null then v_batch end, i.ordinal, i.leaf, i.tag, i.nonce, i.bet, i.number, i.amount, i.balance, i.version
  from unnest(v_accepted) as i;

  perform ledger_write_bets(v_accepted, v_now);
  if cardinality(v_claimed) > 0 then
    insert into transfer (from_account, to_account, amount, kind, at, player_id, day)
    select 1, i.wallet, i.amount, 'daily', v_now, i.player, i.day
    from unnest(v_accepted) as i where i.kind = 'claim';
  end if;
  perform ledger_write_choices(v_accepted, v_batch);

  insert into race_batch (race_id, batch, root, count, totals, at)
  select l.race, v_batch, merkle_root(l.leaves), cardinality(l.leaves), coalesce(t.totals, '{}'), v_now
  from (
    select i.race, array_agg(i.leaf order by i.ordinal) as leaves from unnest(v_accepted) as i where i.race is not null group by i.race
  ) as l
  left join lateral (
    select jsonb_object_agg(p.pool, jsonb_build_object('gross', p.gross::text, 'count', p.count)) as totals
    from (
      select i.pool, sum(i.stake) as gross, count(*) as count from unnest(v_accepted) as i where i.race = l.race and i.kind = 'bet' group by i.pool
    ) as p
  ) as t on true;

  update account a set balance = w.balance, version = w.version
  from unnest(v_wallets, v_points, v_changes, v_changed) as w (id, balance, version, changed)
  where w.changed and a.id = w.id;
  update account a set balance = a.balance + e.stakes, version = a.version + 1
  from (select i.escrow, sum(i.stake)::bigint as stakes from unnest(v_accepted) as i where i.kind = 'bet' group by i.escrow) as e
  where a.id = e.escrow;
  -- Issuance is locked last of all.
  if cardinality(v_claimed) > 0 then
    v_granted := v_granted + (select sum(i.amount)::bigint from unnest(v_accepted) as i where i.kind = 'claim');
  end if;
  if v_granted > 0 then
    update account set balance = balance - v_granted where id = 1;
  end if;
end
$$;

-- A wallet with the start grant for each player who has none and whom nobody else is making one for at this moment (a unique
-- index would wait for them; without a wallet the caller tells 'again'). Returns the points granted, which the caller takes from issuance
-- when it has all its other locks.
create function ledger_make_wallets(p_players text[], p_start_points bigint) returns bigint
language plpgsql volatile
as $$
declare
  v_granted bigint;
begin
  with made as (
    insert into account (kind, player_id, balance, version)
    select 'wallet', p.id, s.points, case when s.points > 0 then 1 else 0 end
    from unnest(p_players) as p (id)
    left join lateral (
      select case when coalesce((select y.starts_at_zero from player y where y.id = p.id), false) then 0 else p_start_points end as points
    ) as s on true
    where not exists (select from account a where a.player_id = p.id)
      and pg_try_advisory_xact_lock(race_lock_key('wallet/' || p.id))
    on conflict (player_id) do nothing
    returning id, player_id, balance
  ), granted as (
    insert into transfer (from_account, to_account, amount, kind, at, player_id)
    select 1, made.id, made.balance, 'start', now_ms(), made.player_id from made where made.balance > 0
    returning amount
  )
  select coalesce(sum(amount), 0)::bigint into v_granted from granted;
  return v_granted;
end
$$;

create function ledger_write_bets(p_items ledger_item[], p_now bigint) returns void
language plpgsql volatile
as $$
begin
  insert into bet (id, race_id, player_id, command_id, pool, selection, stake, placed_at)
  select i.bet, i.race, i.player, i.command, i.pool, i.horses, i.stake, p_now
  from unnest(p_items) as i where i.kind = 'bet';
  if not found then
    return;
  end if;
  insert into transfer (from_account, to_account, amount, kind, at, player_id, race_id, bet_id, pool)
  select i.wallet, i.escrow, i.stake, 'stake', p_now, i.player, i.race, i.bet, i.pool
  from unnest(p_items) as i where i.kind = 'bet';
  insert into race_stake as s (race_id, player_id, staked, max_stake)
  select i.race, i.player, sum(i.stake)::bigint, min(i.cap)
  from unnest(p_items) as i where i.kind = 'bet' group by i.race, i.player
  on conflict (race_id, player_id) do update set staked = s.staked + excluded.staked;
end
$$;

-- The last pick, clear or vote of each (race, player) becomes the standing one.
create function ledger_write_choices(p_items ledger_item[], p_batch bigint) returns void
language plpgsql volatile
as $$
begin
  if not exists (select from unnest(p_items) as i where i.kind in ('pick', 'pick-clear', 'vote')) then
    return;
  end if;
  -- All out before the new ones come in: two players may swap horses within one batch.
  delete from race_pick p using unnest(p_items) as i
  where i.kind in ('pick', 'pick-clear') and p.race_id = i.race and p.player_id = i.player;
  insert into race_pick (race_id, player_id, horse, exclusive, batch, ordinal)
  select l.race, l.player, l.number, (select r.exclusive from race r where r.id = l.race), p_batch, l.ordinal
  from (
    select distinct on (i.race, i.player) i.race, i.player, i.kind, i.number, i.ordinal
    from unnest(p_items) as i where i.kind in ('pick', 'pick-clear')
    order by i.race, i.player, i.ordinal desc
  ) as l
  where l.kind = 'pick';

  insert into race_vote as v (race_id, player_id, place, batch, ordinal)
  select distinct on (i.race, i.player) i.race, i.player, i.number, p_batch, i.ordinal
  from unnest(p_items) as i where i.kind = 'vote'
  order by i.race, i.player, i.ordinal desc
  on conflict (race_id, player_id) do update set place = excluded.place, batch = excluded.batch, ordinal = excluded.ordinal;
end
$$;
