-- Placing: one call for many bets, picks, votes and claims of many races and players.

-- Columns of the items, in the order of arrival; p_players and p_races are distinct and ascending (collate "C"), p_of_player and
-- p_of_race point into them (from 1; no race: null). p_horses: smallint[] as text. p_amounts: claims, what is granted a day or,
-- for relief, up to what it fills; p_every: how long after one relief the next is had, ms. p_days: the day of bets and claims.
-- Returns for each item, in order: a code ('ok', 'repeat', 'again' or a refusal) and the balance and version after it, what a claim
-- granted; for repeats also what they were answered the first time. 'again': a lock was not to be had at once.
-- batch_id: of what was accepted. A race's ids grow in the order of its commits: they are drawn under its escrow's lock.
-- p_not_after: by this server's clock; a call that holds its locks only later ends with an error. So an attempt whose answer
-- was lost is either in by then, or still holds its wallets (and others are told 'again'), or never happens.
-- Judged and written set by set. Where a player's items compete (too few points, a cap, an own limit, a claim, an exclusive
-- horse), that player's are decided one after the other: a refused bet must not block the next smaller one.
-- Every table is reached by its index, whatever the planner thinks of its size: a plan made while it was empty would read all of it.
create function ledger_commit_batch(
  p_players text[], p_races text[], p_of_player integer[], p_of_race integer[], p_kinds text[], p_commands text[], p_bodies bytea[],
  p_leaves bytea[], p_tags bytea[], p_nonces bytea[], p_bets text[], p_pools text[], p_horses text[], p_stakes bigint[],
  p_numbers smallint[], p_claims text[], p_amounts bigint[], p_every bigint[], p_days date[], p_start_points bigint, p_not_after bigint,
  out at bigint, out codes json, out balances json, out versions json, out grants json, out repeats json, out batch_id bigint
)
language plpgsql volatile
set lock_timeout = '1s'
set enable_seqscan = off
set enable_hashjoin = off
set enable_mergejoin = off
set plan_cache_mode = force_generic_plan
as $$
declare
  v_now bigint;
  v_batch bigint;
  v_granted bigint := 0;
  v_claimed bigint := 0;
  v_row record;
  v_at integer;
  v_race integer;
  v_amount bigint;
  -- by item
  v_codes text[];
  v_slow boolean[];
  v_after bigint[];
  v_changes bigint[];
  v_grants bigint[] := array_fill(null::bigint, array[cardinality(p_kinds)]);
  v_repeats json;
  -- by player
  v_wallets bigint[];
  v_points bigint[];
  v_versions bigint[];
  v_frozen boolean[];
  v_limited boolean[];
  v_found text[];
  v_spent bigint[];
  v_limits bigint[];
  v_today bigint[];
  v_days date[] := array_fill(null::date, array[cardinality(p_players)]);
  v_cool_off bigint[];
  -- by race
  v_locked boolean[];
  v_open boolean[];
  v_closed_to_bets boolean[];
  v_escrows bigint[];
  v_scratches boolean;
  -- what items decided one after the other have taken: "race/player" → points, exclusive "race/horse" → player and "race/player" → horse
  v_staked jsonb := '{}';
  v_taken jsonb := '{}';
  v_held jsonb := '{}';
  v_had text[] := '{}';
  v_key text;
  v_horse text;
begin
  perform assert_read_committed();
  if cardinality(p_kinds) = 0 then
    return;
  end if;

  -- The races' locks, shared, before anything of a race is read.
  select array_agg(pg_try_advisory_xact_lock_shared(race_lock_key(r.id)) order by r.n) into v_locked
  from unnest(p_races) with ordinality as r (id, n);

  -- Wallets: all that nobody else holds; who has none gets one first.
  for v_try in 1..2 loop
    select array_agg(w.id), array_agg(w.player_id), array_agg(w.balance), array_agg(w.version), array_agg(w.frozen), array_agg(w.limited)
    into v_wallets, v_found, v_points, v_versions, v_frozen, v_limited
    from (
      select a.id, a.player_id, a.balance, a.version, a.frozen, a.limited from account a
      where a.player_id = any (p_players) order by a.player_id
      for no key update skip locked
    ) as w;
    exit when v_found = p_players or v_try = 2
      or not exists (select from unnest(p_players) as p (id) where not exists (select from account a where a.player_id = p.id));
    v_granted := ledger_make_wallets(p_players, p_start_points);
  end loop;
  if v_found is distinct from p_players then
    select array_agg(v_wallets[f.at] order by p.n), array_agg(v_points[f.at] order by p.n), array_agg(v_versions[f.at] order by p.n),
      array_agg(v_frozen[f.at] order by p.n), array_agg(v_limited[f.at] order by p.n)
    into v_wallets, v_points, v_versions, v_frozen, v_limited
    from unnest(p_players) with ordinality as p (id, n)
    cross join lateral (select array_position(v_found, p.id) as at) as f;
  end if;

  -- The clock is read under the locks: whoever closes waits for us, so nothing commits behind a close.
  v_now := now_ms();
  at := v_now;
  if v_now > p_not_after then
    raise exception 'begun too late' using errcode = 'query_canceled';
  end if;
  select array_agg(coalesce(q.is_open, false) order by r.n) into v_open
  from unnest(p_races, v_locked) with ordinality as r (id, locked, n)
  left join lateral (
    select q.phase = 'open' and v_now < q.closes_at as is_open from race q where r.locked and q.id = r.id limit 1
  ) as q on true;
  v_scratches := exists (select from race_scratch x where x.race_id = any (p_races));
  -- A race is frozen in its escrow.
  select array_agg(e.id order by r.n), array_agg(coalesce(e.frozen, false) order by r.n) into v_escrows, v_closed_to_bets
  from unnest(p_races) with ordinality as r (id, n)
  left join (
    select a.id, a.race_id, a.frozen from account a
    where a.race_id = any (select o.id from unnest(p_races, v_open) as o (id, is_open) where o.is_open)
    order by a.id
    for no key update
  ) as e on e.race_id = r.id;

  -- What each item is by itself, and the running sums of those that would be in. Repeats are answered from their rows whatever
  -- is locked, open or closed.
  with item as materialized (
    select i.n, i.of_player, i.of_race, i.kind, i.command, i.body, i.bet, i.pool, i.horses::smallint[] as horses, i.stake, i.number, i.amount, i.day,
      p_players[i.of_player] as player, p_races[i.of_race] as race,
      row_number() over (partition by i.of_player, i.command order by i.n) > 1 as earlier
    from unnest(p_of_player, p_of_race, p_kinds, p_commands, p_bodies, p_bets, p_pools, p_horses, p_stakes, p_numbers, p_amounts, p_days)
      with ordinality as i (of_player, of_race, kind, command, body, bet, pool, horses, stake, number, amount, day, n)
  ), judged as materialized (
    select i.n, i.of_player, i.of_race, i.kind, i.stake, q.max_stake, coalesce(s.staked, 0) as staked,
      i.kind = 'claim' or v_limited[i.of_player] or (q.exclusive and i.kind in ('pick', 'pick-clear')) as slow,
      case when c.command_id is not null and c.body_hash = i.body and c.kind = i.kind then
        json_build_object('n', i.n, 'race', c.race_id, 'leaf', encode(c.leaf, 'hex'), 'tag', encode(c.tag, 'hex'), 'nonce', encode(c.nonce, 'hex'),
          'bet', c.bet_id, 'number', c.number, 'granted', c.granted::text, 'balance', c.balance_after::text, 'version', c.balance_version)
      end as repeat,
      case
        when c.command_id is not null then case when c.body_hash = i.body and c.kind = i.kind then 'repeat' else 'COMMAND_CONFLICT' end
        when i.earlier then 'again'
        when i.of_race is not null and not v_locked[i.of_race] then 'again'
        when v_wallets[i.of_player] is null then 'again'
        when i.kind = 'claim' then case when v_frozen[i.of_player] then 'FROZEN' else 'ok' end
        when q.id is null then 'NOT_FOUND'
        when not v_open[i.of_race] then 'PHASE_CLOSED'
        when i.kind = 'bet' and (v_frozen[i.of_player] or v_closed_to_bets[i.of_race]) then 'FROZEN'
        when not i.player = any (coalesce(q.participants, array[i.player])) then 'NOT_READY'
        when i.kind = 'bet' then case
          when not i.pool = any (q.pools) or cardinality(i.horses) is distinct from pool_size(i.pool) or not i.horses <@ q.runners
            or (cardinality(i.horses) > 1 and (select count(distinct h) from unnest(i.horses) as h) < cardinality(i.horses))
            or (v_scratches and exists (select from race_scratch x where x.race_id = i.race and x.horse = any (i.horses))) then 'SELECTION_INVALID'
          when i.stake <= 0 or i.stake % 100 <> 0 then 'STAKE_INVALID'
          else 'ok' end
        when q.kind <> 'pick' then 'SELECTION_INVALID'
        when i.kind = 'pick' then case
          when i.number is null or not i.number = any (q.runners) or (v_scratches and exists (select from race_scratch x where x.race_id = i.race and x.horse = i.number)) then 'SELECTION_INVALID'
          else 'ok' end
        when i.kind = 'vote' then case
          when not q.place_vote then 'FORBIDDEN'
          when i.number is null or i.number < 1 or i.number > cardinality(q.runners) then 'SELECTION_INVALID'
          else 'ok' end
        when i.kind = 'pick-clear' then 'ok'
        else 'BAD_REQUEST' end as code
    from item as i
    left join lateral (
      select k.command_id, k.kind, k.body_hash, k.race_id, k.leaf, k.tag, k.nonce, k.bet_id, k.number, k.granted, k.balance_after, k.balance_version
      from ledger_command k where k.player_id = i.player and k.command_id = i.command limit 1
    ) as c on true
    left join lateral (
      select r.id, r.kind, r.pools, r.runners, r.participants, r.place_vote, r.exclusive, r.max_stake from race r where r.id = i.race limit 1
    ) as q on true
    left join lateral (
      select t.staked from race_stake t where i.kind = 'bet' and t.race_id = i.race and t.player_id = i.player limit 1
    ) as s on true
  ), summed as (
    select j.n, j.of_player, j.code, j.repeat, j.kind = 'bet' and j.code = 'ok' as bets, j.slow, j.max_stake, j.staked,
      sum(j.stake) filter (where j.kind = 'bet' and j.code = 'ok') over (partition by j.of_player order by j.n) as spent,
      count(*) filter (where j.kind = 'bet' and j.code = 'ok') over (partition by j.of_player order by j.n) as bets_so_far,
      sum(j.stake) filter (where j.kind = 'bet' and j.code = 'ok') over (partition by j.of_player, j.of_race order by j.n) as on_race
    from judged as j
  ), settled as (
    select s.n, s.of_player, s.code, s.repeat, s.spent, s.bets_so_far,
      s.code = 'ok' and bool_or(s.code = 'ok' and (s.slow or (s.bets and (s.spent > v_points[s.of_player] or s.on_race > s.max_stake - s.staked))))
        over (partition by s.of_player) as slow
    from summed as s
  )
  select array_agg(t.code order by t.n), array_agg(t.slow order by t.n),
    array_agg(case when t.code = 'ok' and not t.slow then (v_points[t.of_player] - coalesce(t.spent, 0))::bigint end order by t.n),
    array_agg(case when t.code = 'ok' and not t.slow then v_versions[t.of_player] + t.bets_so_far end order by t.n),
    json_agg(t.repeat) filter (where t.repeat is not null)
  into v_codes, v_slow, v_after, v_changes, v_repeats
  from settled as t;

  -- Those who compete for points, caps, limits, horses: in order of arrival.
  if true = any (v_slow) then
    v_spent := array_fill(0::bigint, array[cardinality(p_players)]);
    v_limits := array_fill(null::bigint, array[cardinality(p_players)]);
    v_today := v_limits;
    v_cool_off := v_limits;
    for v_n in 1..cardinality(v_codes) loop
      continue when not v_slow[v_n];
      v_at := p_of_player[v_n];
      v_race := p_of_race[v_n];
      v_key := p_races[v_race] || '/' || p_players[v_at];

      if p_kinds[v_n] = 'bet' then
        if v_limited[v_at] and v_cool_off[v_at] is null then
          select case when l.next_from <= p_days[v_n] then l.next_daily_stake else l.daily_stake end as daily, l.cool_off_until, coalesce(d.staked, 0) as staked
          into v_row
          from player_limit l left join player_day d on d.player_id = l.player_id and d.day = p_days[v_n]
          where l.player_id = p_players[v_at];
          v_limits[v_at] := v_row.daily;
          v_today[v_at] := coalesce(v_row.staked, 0);
          v_cool_off[v_at] := coalesce(v_row.cool_off_until, 0);
          v_days[v_at] := p_days[v_n];
        elsif v_days[v_at] <> p_days[v_n] then
          -- Midnight lies between them; the other day has a limit and a count of its own.
          v_codes[v_n] := 'again';
          continue;
        end if;
        if not v_staked ? v_key then
          select r.max_stake - coalesce(s.staked, 0) as free into v_row
          from race r left join race_stake s on s.race_id = r.id and s.player_id = p_players[v_at] where r.id = p_races[v_race];
          v_staked := v_staked || jsonb_build_object(v_key, v_row.free);
        end if;
        v_codes[v_n] := case
          when v_cool_off[v_at] > v_now then 'COOL_OFF'
          when p_stakes[v_n] > (v_staked ->> v_key)::bigint or p_stakes[v_n] > v_limits[v_at] - v_today[v_at] then 'LIMIT_REACHED'
          when p_stakes[v_n] > v_points[v_at] then 'INSUFFICIENT_POINTS'
          else 'ok' end;
        continue when v_codes[v_n] <> 'ok';
        v_staked := v_staked || jsonb_build_object(v_key, (v_staked ->> v_key)::bigint - p_stakes[v_n]);
        v_today[v_at] := v_today[v_at] + p_stakes[v_n];
        v_spent[v_at] := v_spent[v_at] + p_stakes[v_n];
        v_points[v_at] := v_points[v_at] - p_stakes[v_n];
        v_versions[v_at] := v_versions[v_at] + 1;

      elsif p_kinds[v_n] = 'claim' then
        v_key := p_players[v_at] || '/' || p_claims[v_n] || '/' || p_days[v_n];
        v_amount := p_amounts[v_n];
        if v_key = any (v_had) then
          v_amount := 0;
        elsif p_claims[v_n] = 'daily' then
          if exists (select from transfer t where t.kind = 'daily' and t.player_id = p_players[v_at] and t.day = p_days[v_n]) then
            v_amount := 0;
          end if;
        elsif exists (select from transfer t where t.kind = 'relief' and t.player_id = p_players[v_at] and t.at > v_now - p_every[v_n]) then
          v_amount := 0;
        else
          v_amount := v_amount - v_points[v_at] - v_spent[v_at] - ledger_open_stakes(p_players[v_at]);
        end if;
        if v_amount <= 0 then
          v_codes[v_n] := 'LIMIT_REACHED';
          continue;
        end if;
        v_had := array_append(v_had, v_key);
        v_grants[v_n] := v_amount;
        v_claimed := v_claimed + v_amount;
        v_points[v_at] := v_points[v_at] + v_amount;
        v_versions[v_at] := v_versions[v_at] + 1;

      elsif p_kinds[v_n] in ('pick', 'pick-clear') and (select r.exclusive from race r where r.id = p_races[v_race]) then
        if not v_held ? p_races[v_race] then
          -- Read under the escrow's lock, which every placing for this race holds.
          select v_taken || coalesce(jsonb_object_agg(p_races[v_race] || '/' || p.horse, p.player_id) filter (where p.horse is not null), '{}'),
            v_held || jsonb_build_object(p_races[v_race], true) || coalesce(jsonb_object_agg(p_races[v_race] || '/' || p.player_id, p.horse), '{}')
          into v_taken, v_held
          from race_pick p where p.race_id = p_races[v_race];
        end if;
        if p_kinds[v_n] = 'pick' then
          v_horse := p_races[v_race] || '/' || p_numbers[v_n];
          if coalesce(v_taken ->> v_horse, p_players[v_at]) <> p_players[v_at] then
            v_codes[v_n] := 'HORSE_TAKEN';
            continue;
          end if;
          v_taken := v_taken - (p_races[v_race] || '/' || coalesce(v_held ->> v_key, '')) || jsonb_build_object(v_horse, p_players[v_at]);
          v_held := v_held || jsonb_build_object(v_key, p_numbers[v_n]);
        else
          v_taken := v_taken - (p_races[v_race] || '/' || coalesce(v_held ->> v_key, ''));
          v_held := v_held - v_key;
        end if;
      end if;
      v_after[v_n] := v_points[v_at];
      v_changes[v_n] := v_versions[v_at];
    end loop;
  end if;

  codes := to_json(v_codes);
  repeats := coalesce(v_repeats, '[]');
  if not 'ok' = any (v_codes) then
    update account set balance = balance - v_granted where id = 1 and v_granted > 0;
    return;
  end if;
  balances := to_json(v_after);
  versions := to_json(v_changes);
  grants := to_json(v_grants);

  v_batch := nextval('race_batch_id');
  batch_id := v_batch;
  with accepted as materialized (
    select i.n, i.of_player, i.of_race, i.kind, p_players[i.of_player] as player, p_races[i.of_race] as race, v_wallets[i.of_player] as wallet, v_escrows[i.of_race] as escrow,
      i.command, i.body, i.leaf, i.tag, i.nonce, i.bet, i.pool, i.horses::smallint[] as horses, i.stake, i.number, i.claim, i.day, i.granted, i.balance, i.version,
      case when i.of_race is not null then row_number() over (partition by i.of_race order by i.n) - 1 end as ordinal
    from unnest(p_of_player, p_of_race, p_kinds, p_commands, p_bodies, p_leaves, p_tags, p_nonces, p_bets, p_pools, p_horses, p_stakes, p_numbers, p_claims, p_days,
        v_grants, v_after, v_changes, v_codes)
      with ordinality as i (of_player, of_race, kind, command, body, leaf, tag, nonce, bet, pool, horses, stake, number, claim, day, granted, balance, version, code, n)
    where i.code = 'ok'
  ), commands as (
    insert into ledger_command (player_id, command_id, kind, body_hash, at, race_id, batch, ordinal, leaf, tag, nonce, bet_id, number, granted, balance_after, balance_version)
    select i.player, i.command, i.kind, i.body, v_now, i.race, case when i.of_race is not null then v_batch end, i.ordinal, i.leaf, i.tag, i.nonce, i.bet, i.number, i.granted, i.balance, i.version
    from accepted as i
  ), bets as (
    insert into bet (id, race_id, player_id, command_id, pool, selection, stake, placed_at)
    select i.bet, i.race, i.player, i.command, i.pool, i.horses, i.stake, v_now
    from accepted as i where i.kind = 'bet'
  ), stakes as (
    insert into transfer (from_account, to_account, amount, kind, at, player_id, race_id, bet_id, pool, day)
    select i.wallet, i.escrow, i.stake, 'stake', v_now, i.player, i.race, i.bet, i.pool, i.day
    from accepted as i where i.kind = 'bet' order by i.n
  ), grants as (
    insert into transfer (from_account, to_account, amount, kind, at, player_id, day)
    select 1, i.wallet, i.granted, i.claim, v_now, i.player, case i.claim when 'daily' then i.day end
    from accepted as i where i.kind = 'claim'
  ), caps as (
    insert into race_stake as s (race_id, player_id, staked, max_stake)
    select i.race, i.player, sum(i.stake)::bigint, (select r.max_stake from race r where r.id = i.race)
    from accepted as i where i.kind = 'bet' group by i.race, i.player
    on conflict (race_id, player_id) do update set staked = s.staked + excluded.staked
  ), days as (
    insert into player_day as d (player_id, day, staked, daily_limit)
    select i.player, i.day, sum(i.stake)::bigint, v_limits[i.of_player]
    from accepted as i where i.kind = 'bet' and v_limited[i.of_player] group by i.player, i.day, i.of_player
    on conflict (player_id, day) do update set staked = d.staked + excluded.staked, daily_limit = excluded.daily_limit
  ), trees as (
    insert into race_batch (race_id, batch, root, count, totals, at)
    select l.race, v_batch, merkle_root(l.leaves), cardinality(l.leaves), coalesce(t.totals, '{}'), v_now
    from (
      select i.of_race, i.race, array_agg(i.leaf order by i.ordinal) as leaves from accepted as i where i.of_race is not null group by i.of_race, i.race
    ) as l
    left join (
      select p.of_race, jsonb_object_agg(p.pool, jsonb_build_object('gross', p.gross::text, 'count', p.count)) as totals
      from (
        select i.of_race, i.pool, sum(i.stake) as gross, count(*) as count from accepted as i where i.kind = 'bet' group by i.of_race, i.pool
      ) as p group by p.of_race
    ) as t on t.of_race = l.of_race
  ), wallets as (
    update account a set balance = w.balance, version = w.version
    from (
      select distinct on (i.of_player) i.wallet, i.balance, i.version from accepted as i where i.kind in ('bet', 'claim') order by i.of_player, i.n desc
    ) as w
    where a.id = w.wallet
  )
  update account a set balance = a.balance + e.stakes, version = a.version + 1
  from (select i.escrow, sum(i.stake)::bigint as stakes from accepted as i where i.kind = 'bet' group by i.escrow) as e
  where a.id = e.escrow;

  if p_kinds && array['pick', 'pick-clear', 'vote'] then
    perform ledger_write_choices(p_races, v_batch);
  end if;
  -- Issuance is locked last of all.
  if v_granted + v_claimed > 0 then
    update account set balance = balance - v_granted - v_claimed where id = 1;
  end if;
end
$$;

-- Points of a player that wait in races: what relief does not top up.
create function ledger_open_stakes(p_player text) returns bigint
language sql stable
as $$
  select coalesce(sum(b.stake), 0)::bigint
  from (
    select r.id from race r where r.phase in ('open', 'closed', 'running')
    union
    select a.race_id from account a where a.frozen and a.kind = 'escrow'
  ) as r
  join bet b on b.race_id = r.id and b.player_id = p_player
  where not exists (select from bet_outcome o where o.bet_id = b.id)
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

-- The last pick, clear or vote of each (race, player) in this batch becomes the standing one.
create function ledger_write_choices(p_races text[], p_batch bigint) returns void
language plpgsql volatile
as $$
begin
  -- All out before the new ones come in: two players may swap horses within one batch.
  delete from race_pick p using ledger_command c
  where c.race_id = any (p_races) and c.batch = p_batch and c.kind in ('pick', 'pick-clear') and p.race_id = c.race_id and p.player_id = c.player_id;
  insert into race_pick (race_id, player_id, horse, exclusive, batch, ordinal)
  select l.race_id, l.player_id, l.number, (select r.exclusive from race r where r.id = l.race_id), p_batch, l.ordinal
  from (
    select distinct on (c.race_id, c.player_id) c.race_id, c.player_id, c.kind, c.number, c.ordinal
    from ledger_command c where c.race_id = any (p_races) and c.batch = p_batch and c.kind in ('pick', 'pick-clear')
    order by c.race_id, c.player_id, c.ordinal desc
  ) as l
  where l.kind = 'pick';

  insert into race_vote as v (race_id, player_id, place, batch, ordinal)
  select distinct on (c.race_id, c.player_id) c.race_id, c.player_id, c.number, p_batch, c.ordinal
  from ledger_command c where c.race_id = any (p_races) and c.batch = p_batch and c.kind = 'vote'
  order by c.race_id, c.player_id, c.ordinal desc
  on conflict (race_id, player_id) do update set place = excluded.place, batch = excluded.batch, ordinal = excluded.ordinal;
end
$$;
