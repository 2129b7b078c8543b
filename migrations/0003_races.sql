-- Races, their bets, picks and votes, and the roots over what was accepted.

create table race (
  id text collate "C" primary key,
  room_id text not null references room (id),
  kind text not null check (kind in ('pick', 'bet')),
  -- 1, 2, 3 … within the room
  number integer not null,
  phase text not null default 'open' check (phase in ('open', 'closed', 'running', 'settled', 'void')),

  -- Fixed at opening.
  track text not null,
  rules jsonb not null,
  field jsonb not null,
  field_hash text not null,
  sim_version integer not null,
  rules_version integer not null,
  seed_key_id text not null references seed_key (id),
  commitment text not null,
  previous_record_hash text,
  participants text[],
  rerun_of text references race (id),
  opened_at bigint not null,
  -- What the rules and the field say, in the form that placing reads.
  pools text[] not null,
  runners smallint[] not null,
  max_stake bigint not null,
  exclusive boolean not null,
  place_vote boolean not null,

  -- May come nearer while open, never go back.
  closes_at bigint not null,

  -- Set once, on the way.
  closed_at bigint,
  totals jsonb,
  bets_root text,
  outcome jsonb,
  starts_at bigint,
  ends_at bigint,
  ended_at bigint,
  result jsonb,
  pool_results jsonb,
  seed text,
  void_reason text,
  record_hash text,

  unique (room_id, number),
  check (phase in ('open', 'void') or (closed_at is not null and bets_root is not null and totals is not null)),
  check (phase not in ('running', 'settled') or (outcome is not null and starts_at is not null and ends_at is not null)),
  check ((phase = 'settled') = (result is not null)),
  check ((phase = 'void') = (void_reason is not null)),
  check ((phase in ('settled', 'void')) = (ended_at is not null)),
  check ((ended_at is not null) = (seed is not null and record_hash is not null))
);
create unique index race_one_unfinished on race (room_id) where phase in ('open', 'closed', 'running');
create index race_unfinished on race (phase) where phase in ('open', 'closed', 'running');

create function race_guard() returns trigger
language plpgsql
as $$
declare
  v_order constant text[] := array['open', 'closed', 'running', 'settled', 'void'];
begin
  if (new.id, new.room_id, new.kind, new.number, new.track, new.rules, new.field, new.field_hash, new.sim_version, new.rules_version, new.seed_key_id,
      new.commitment, new.previous_record_hash, new.participants, new.rerun_of, new.opened_at, new.pools, new.runners, new.max_stake, new.exclusive, new.place_vote)
    is distinct from
     (old.id, old.room_id, old.kind, old.number, old.track, old.rules, old.field, old.field_hash, old.sim_version, old.rules_version, old.seed_key_id,
      old.commitment, old.previous_record_hash, old.participants, old.rerun_of, old.opened_at, old.pools, old.runners, old.max_stake, old.exclusive, old.place_vote)
  then
    raise exception 'race %: what is fixed at opening cannot change', old.id using errcode = 'restrict_violation';
  end if;
  if old.phase in ('settled', 'void') then
    raise exception 'race % is over and cannot change', old.id using errcode = 'restrict_violation';
  end if;
  if array_position(v_order, new.phase) < array_position(v_order, old.phase) then
    raise exception 'race % cannot go from % back to %', old.id, old.phase, new.phase using errcode = 'restrict_violation';
  end if;
  if new.closes_at > old.closes_at or (new.closes_at <> old.closes_at and old.phase <> 'open') then
    raise exception 'race %: the close comes nearer while open or not at all', old.id using errcode = 'restrict_violation';
  end if;
  if (old.closed_at is not null and new.closed_at is distinct from old.closed_at)
    or (old.totals is not null and new.totals is distinct from old.totals)
    or (old.bets_root is not null and new.bets_root is distinct from old.bets_root)
    or (old.outcome is not null and new.outcome is distinct from old.outcome)
    or (old.starts_at is not null and new.starts_at is distinct from old.starts_at)
    or (old.ends_at is not null and new.ends_at is distinct from old.ends_at)
  then
    raise exception 'race %: what was set on the way cannot change', old.id using errcode = 'restrict_violation';
  end if;
  return new;
end
$$;
create trigger race_is_guarded before update on race for each row execute function race_guard();
create trigger race_is_kept before delete or truncate on race for each statement execute function refuse_change();

-- Horses taken out while open, in their order; hashed into K.
create table race_scratch (
  race_id text collate "C" not null references race (id),
  ordinal integer not null,
  horse smallint not null,
  at bigint not null,
  primary key (race_id, ordinal),
  unique (race_id, horse)
);
create trigger race_scratch_is_kept before update or delete or truncate on race_scratch
  for each statement execute function refuse_change();

-- The tables below are written by functions that hold the race's lock and have read its row: no foreign keys to pay for.

-- An accepted bet. What became of it is a row of bet_outcome.
create table bet (
  id text collate "C" primary key,
  race_id text collate "C" not null,
  player_id text collate "C" not null,
  command_id text collate "C" not null,
  pool text not null,
  selection smallint[] not null,
  stake bigint not null check (stake > 0 and stake % 100 = 0),
  placed_at bigint not null
);
create index bet_by_race on bet (race_id, player_id);
create trigger bet_is_kept before update or delete or truncate on bet
  for each statement execute function refuse_change();

create table bet_outcome (
  bet_id text collate "C" primary key,
  race_id text collate "C" not null,
  player_id text collate "C" not null,
  outcome text not null check (outcome in ('paid', 'lost', 'refunded')),
  returned bigint not null check ((outcome = 'lost' and returned = 0) or (outcome <> 'lost' and returned > 0)),
  at bigint not null
);
create index bet_outcome_by_race on bet_outcome (race_id, player_id);
create trigger bet_outcome_is_kept before update or delete or truncate on bet_outcome
  for each statement execute function refuse_change();

-- What a player has staked on a race, over all pools; changed under the player's wallet lock.
create table race_stake (
  race_id text collate "C" not null,
  player_id text collate "C" not null,
  staked bigint not null,
  max_stake bigint not null,
  primary key (race_id, player_id),
  constraint race_stake_cap check (staked > 0 and staked <= max_stake)
) with (fillfactor = 70);

-- Picks and votes that stand now; the rows they come from are in ledger_command. A horse of null is drawn from K.
create table race_pick (
  race_id text collate "C" not null,
  player_id text collate "C" not null,
  horse smallint,
  exclusive boolean not null,
  batch bigint not null,
  ordinal integer not null,
  primary key (race_id, player_id)
);
create unique index race_pick_exclusive on race_pick (race_id, horse) where exclusive;

create table race_vote (
  race_id text collate "C" not null,
  player_id text collate "C" not null,
  place smallint not null,
  batch bigint not null,
  ordinal integer not null,
  primary key (race_id, player_id)
);

-- Ids are drawn under the wallet locks of their items, so one player's commands are in the order of (batch, ordinal).
create sequence race_batch_id;

-- The Merkle root over the leaves that one call accepted for one race.
create table race_batch (
  race_id text collate "C" not null,
  batch bigint not null,
  root bytea not null check (octet_length(root) = 32),
  count integer not null check (count > 0),
  -- { pool: { gross: points in decimal, count } }
  totals jsonb not null,
  at bigint not null,
  primary key (race_id, batch)
);
create trigger race_batch_is_kept before update or delete or truncate on race_batch
  for each statement execute function refuse_change();

-- Horses in a selection of this pool; null: no such pool. (Not strict: a strict function of this shape is not inlined, and is
-- then the most expensive part of a batch.)
create function pool_size(p_pool text) returns integer
language sql immutable parallel safe
as $$ select case when p_pool in ('win', 'place') then 1 when p_pool in ('quinella', 'exacta', 'quinella-place') then 2 when p_pool in ('trio', 'trifecta') then 3 end $$;

-- ---- locks ----

create function race_lock_key(p_race text) returns bigint
language sql immutable strict parallel safe
as $$ select ('x' || encode(substr(sha256(convert_to(p_race, 'UTF8')), 1, 8), 'hex'))::bit(64)::bigint $$;

-- The exclusive lock of whoever moves a race: at once, or after waiting for what is being placed. While one waits, further
-- placing is turned away (it only tries), so the wait is one batch long. False: not to be had within p_wait_ms.
create function race_lock_exclusive(p_race text, p_wait_ms integer) returns boolean
language plpgsql volatile
as $$
begin
  if pg_try_advisory_xact_lock(race_lock_key(p_race)) then
    return true;
  end if;
  if p_wait_ms <= 0 then
    return false;
  end if;
  perform set_config('lock_timeout', p_wait_ms || 'ms', true);
  perform pg_advisory_xact_lock(race_lock_key(p_race));
  perform set_config('lock_timeout', '2s', true);
  return true;
exception when lock_not_available then
  return false;
end
$$;

-- ---- trees; the layout is described in lib/fairness/merkle.ts ----

create function merkle_root(p_leaves bytea[]) returns bytea
language plpgsql immutable
as $$
declare
  v_level bytea[] := p_leaves;
  v_above bytea[];
  v_count integer := coalesce(cardinality(p_leaves), 0);
  v_at integer;
begin
  if v_count = 0 then
    return sha256('');
  end if;
  while v_count > 1 loop
    v_above := '{}';
    v_at := 1;
    while v_at < v_count loop
      v_above := array_append(v_above, sha256('\x01'::bytea || v_level[v_at] || v_level[v_at + 1]));
      v_at := v_at + 2;
    end loop;
    if v_at = v_count then
      v_above := array_append(v_above, v_level[v_count]);
    end if;
    v_level := v_above;
    v_count := cardinality(v_level);
  end loop;
  return v_level[1];
end
$$;

create function encode_totals(p_totals jsonb) returns bytea
language sql immutable
as $$
  select coalesce(string_agg(
    int4send(octet_length(convert_to(pool, 'UTF8'))) || convert_to(pool, 'UTF8')
      || int8send((total ->> 'gross')::bigint) || int4send((total ->> 'count')::integer),
    ''::bytea order by pool collate "C"), '')
  from jsonb_each(p_totals) as each (pool, total)
$$;

create function fold_batch_roots(p_race text) returns bytea
language sql stable
as $$
  select merkle_root(array_agg(
    sha256('\x02'::bytea || int8send(batch) || root || int4send(count) || encode_totals(totals)) order by batch))
  from race_batch where race_id = p_race
$$;

-- Sum over the race's batches without what a scratch gave back: { pool: { gross, count } }, pools without a bet left out.
create function race_totals(p_race text) returns jsonb
language sql stable
as $$
  select coalesce(jsonb_object_agg(pool, jsonb_build_object('gross', gross::text, 'count', count)), '{}')
  from (
    select pool, sum(gross)::bigint as gross, sum(count)::integer as count
    from (
      select pool, (total ->> 'gross')::bigint as gross, (total ->> 'count')::integer as count
      from race_batch, jsonb_each(totals) as each (pool, total)
      where race_id = p_race
      union all
      select b.pool, -b.stake, -1
      from bet b
      where exists (select from race_scratch s where s.race_id = p_race)
        and b.race_id = p_race and b.selection && array(select s.horse from race_scratch s where s.race_id = p_race)
    ) as line
    group by pool
  ) as summed
  where count > 0
$$;
