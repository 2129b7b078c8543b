-- A horse that is taken out of an open race: what goes back, what is cleared, what is told.

-- Gives the stakes of these open bets of the race back. As in race_pay_out wallets come last, the escrow after them.
create function race_refund(p_race text, p_bets text[], p_now bigint) returns void
language plpgsql volatile
as $$
declare
  v_escrow bigint;
  v_wallets bigint[];
  v_points bigint[];
begin
  select id into v_escrow from account where race_id = p_race;
  with resolved as (
    insert into bet_outcome (bet_id, race_id, player_id, outcome, returned, at)
    select b.id, p_race, b.player_id, 'refunded', b.stake, p_now
    from bet b
    where b.id = any (p_bets) and b.race_id = p_race and not exists (select from bet_outcome o where o.bet_id = b.id)
    returning bet_id, player_id, returned
  ), sent as (
    insert into transfer (from_account, to_account, amount, kind, at, player_id, race_id, bet_id, pool)
    select v_escrow, w.id, r.returned, 'refund', p_now, r.player_id, p_race, r.bet_id, b.pool
    from resolved r
    join bet b on b.id = r.bet_id
    join account w on w.player_id = r.player_id
    returning to_account, amount
  )
  select array_agg(due.to_account), array_agg(due.points) into v_wallets, v_points
  from (select sent.to_account, sum(sent.amount)::bigint as points from sent group by sent.to_account) as due;

  perform from account where id = any (v_wallets) order by id for no key update;
  update account a set balance = a.balance + w.points, version = a.version + 1
  from unnest(v_wallets, v_points) as w (id, points) where a.id = w.id;
  update account set balance = balance - (select coalesce(sum(points), 0)::bigint from unnest(v_points) as w (points)), version = version + 1
  where id = v_escrow;
end
$$;

-- The leaf of a pick that the server clears, as fairness/receipts.ts encodes it (kind 'pick-clear', no nonce).
create function pick_clear_leaf(p_race text, p_tag bytea, p_command text) returns bytea
language sql immutable
as $$
  select sha256('\x00'::bytea || string_agg(int4send(octet_length(part)) || part, ''::bytea order by n))
  from unnest(array[
    convert_to('paddock/leaf/v1', 'UTF8'), convert_to('pick-clear', 'UTF8'), convert_to(p_race, 'UTF8'), p_tag, convert_to(p_command, 'UTF8'), ''::bytea
  ]) with ordinality as parts (part, n)
$$;

-- Takes a horse out of an open race, not in the last p_guard_ms: a row for ever (hashed into K), every bet with it refunded at
-- once, every pick of it cleared as its player could have done. left_in: runners that are left.
-- Outcomes: moved, already (it is out), no-runner, late, frozen (what would go back has to wait), busy, absent.
create function race_scratch_horse(p_race text, p_horse integer, p_guard_ms bigint, p_wait_ms integer, out outcome text, out left_in integer)
language plpgsql volatile
as $$
declare
  v_race race%rowtype;
  v_now bigint;
  v_batch bigint;
  v_bets text[];
  v_unpicked text[];
begin
  perform assert_read_committed();
  if not race_lock_exclusive(p_race, p_wait_ms) then
    outcome := 'busy';
    return;
  end if;
  select * into v_race from race where id = p_race;
  v_now := now_ms();
  left_in := cardinality(v_race.runners) - (select count(*) from race_scratch s where s.race_id = p_race);
  if v_race.id is null then
    outcome := 'absent';
  elsif not p_horse = any (v_race.runners) then
    outcome := 'no-runner';
  elsif exists (select from race_scratch s where s.race_id = p_race and s.horse = p_horse) then
    outcome := 'already';
  elsif v_race.phase <> 'open' or v_now >= v_race.closes_at - p_guard_ms then
    outcome := 'late';
  elsif exists (select from account a where a.race_id = p_race and a.frozen) then
    outcome := 'frozen';
  end if;
  if outcome is not null then
    return;
  end if;

  insert into race_scratch (race_id, ordinal, horse, at)
  values (p_race, cardinality(v_race.runners) - left_in + 1, p_horse, v_now);
  left_in := left_in - 1;

  select array_agg(b.id) into v_bets
  from bet b
  where b.race_id = p_race and p_horse = any (b.selection) and not exists (select from bet_outcome o where o.bet_id = b.id);
  if v_bets is not null then
    perform race_refund(p_race, v_bets, v_now);
    -- Under the wallets' locks, which the refund holds until the end: what came back can be staked again.
    delete from race_stake t
    using (select player_id, sum(stake) as stake from bet where id = any (v_bets) group by player_id) as b
    where t.race_id = p_race and t.player_id = b.player_id and t.staked = b.stake;
    update race_stake t set staked = t.staked - b.stake
    from (select player_id, sum(stake)::bigint as stake from bet where id = any (v_bets) group by player_id) as b
    where t.race_id = p_race and t.player_id = b.player_id;
  end if;

  if exists (select from race_pick p where p.race_id = p_race and p.horse = p_horse) then
    v_batch := nextval('race_batch_id');
    insert into ledger_command (player_id, command_id, kind, body_hash, at, race_id, batch, ordinal, leaf, tag, nonce)
    select p.player_id, d.command, 'pick-clear', '', v_now, p_race, v_batch, row_number() over (order by p.player_id) - 1,
      pick_clear_leaf(p_race, c.tag, d.command), c.tag, ''
    from race_pick p
    join ledger_command c on c.race_id = p.race_id and c.batch = p.batch and c.ordinal = p.ordinal
    cross join (select format('scratched/%s/%s', p_race, p_horse) as command) as d
    where p.race_id = p_race and p.horse = p_horse;
    insert into race_batch (race_id, batch, root, count, totals, at)
    select p_race, v_batch, merkle_root(array_agg(c.leaf order by c.ordinal)), count(*), '{}', v_now
    from ledger_command c where c.race_id = p_race and c.batch = v_batch;
    delete from race_pick p where p.race_id = p_race and p.horse = p_horse;
    select array_agg(c.player_id order by c.ordinal) into v_unpicked from ledger_command c where c.race_id = p_race and c.batch = v_batch;
  end if;

  perform room_add_fact(v_race.room_id, jsonb_strip_nulls(jsonb_build_object(
    'type', 'horse scratched', 'raceId', p_race, 'number', p_horse, 'unpicked', to_jsonb(v_unpicked))));
  outcome := 'moved';
end
$$;
