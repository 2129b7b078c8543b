-- A wallet's own view of the ledger, and the limits that players set themselves.

-- Statement and bet history, newest first.
create index transfer_by_player on transfer (player_id, id) where player_id is not null;

-- Every accepted change of limits, with the limits after it: what a repeat is answered from for ever.
create table player_limit_change (
  player_id text collate "C" not null,
  command_id text collate "C" not null,
  body_hash bytea not null,
  at bigint not null,
  daily_stake bigint,
  next_daily_stake bigint,
  next_from date,
  cool_off_until bigint not null,
  -- on the day of the change
  staked bigint not null,
  primary key (player_id, command_id)
);
create trigger player_limit_change_is_kept before update or delete or truncate on player_limit_change
  for each statement execute function refuse_change();

-- Changes a player's own limits under the wallet's lock, which every bet of theirs needs too: no bet is judged by the old ones after
-- this has returned. p_sets_daily: p_daily (null: none) becomes the daily stake limit, at once where it is lower, from p_next_day on
-- where it is higher. p_cool_off_ms (null: none): no bets for so long from now; an earlier, longer one stays.
-- p_day, p_day_from: today and when it began; what was staked since counts towards the limit.
-- outcome: 'set', 'repeat' (limits are those of the first time) or 'conflict'. limits: points as text.
create function player_set_limits(
  p_player text, p_command text, p_body bytea, p_sets_daily boolean, p_daily bigint, p_cool_off_ms bigint,
  p_day date, p_day_from bigint, p_next_day date, p_start_points bigint, out outcome text, out limits json
)
language plpgsql volatile
as $$
declare
  v_now bigint;
  v_granted bigint := 0;
  v_wallet bigint;
  v_limit player_limit%rowtype;
  v_change player_limit_change%rowtype;
  v_stake record;
  v_staked bigint;
begin
  perform assert_read_committed();
  if not exists (select from account a where a.player_id = p_player) then
    -- Whoever is making it holds this until it is there.
    perform pg_advisory_xact_lock(race_lock_key('wallet/' || p_player));
    v_granted := ledger_make_wallets(array[p_player], p_start_points);
  end if;
  select a.id into strict v_wallet from account a where a.player_id = p_player for no key update;
  v_now := now_ms();

  select * into v_change from player_limit_change c where c.player_id = p_player and c.command_id = p_command;
  if found then
    outcome := case when v_change.body_hash = p_body then 'repeat' else 'conflict' end;
  else
    select * into v_limit from player_limit l where l.player_id = p_player;
    v_limit.cool_off_until := greatest(v_limit.cool_off_until, v_now + p_cool_off_ms, 0);
    if v_limit.next_from <= p_day then
      v_limit.daily_stake := v_limit.next_daily_stake;
      v_limit.next_daily_stake := null;
      v_limit.next_from := null;
    end if;
    if p_sets_daily then
      if p_daily > v_limit.daily_stake or (p_daily is null and v_limit.daily_stake is not null) then
        v_limit.next_daily_stake := p_daily;
        v_limit.next_from := p_next_day;
      else
        v_limit.daily_stake := p_daily;
        v_limit.next_daily_stake := null;
        v_limit.next_from := null;
      end if;
    end if;
    insert into player_limit (player_id, daily_stake, next_daily_stake, next_from, cool_off_until)
    values (p_player, v_limit.daily_stake, v_limit.next_daily_stake, v_limit.next_from, v_limit.cool_off_until)
    on conflict (player_id) do update set daily_stake = excluded.daily_stake, next_daily_stake = excluded.next_daily_stake,
      next_from = excluded.next_from, cool_off_until = excluded.cool_off_until;

    -- Stakes get their ids under the wallet's lock: a player's are in the order of their times.
    v_staked := 0;
    for v_stake in select t.at, t.amount, t.day from transfer t where t.player_id = p_player and t.kind = 'stake' order by t.id desc loop
      exit when v_stake.at < p_day_from - 172800000;
      -- Also by the clock of an instance whose day began earlier, by a moment or by another time zone.
      if v_stake.at >= p_day_from or v_stake.day = p_day then
        v_staked := v_staked + v_stake.amount;
      end if;
    end loop;
    -- A bet that was counted for today by an instance whose day began a moment earlier stays counted.
    select greatest(v_staked, max(d.staked)) into v_staked from player_day d where d.player_id = p_player and d.day = p_day;
    -- More may have been staked than is allowed from now on.
    insert into player_day (player_id, day, staked, daily_limit)
    values (p_player, p_day, v_staked, case when v_limit.daily_stake < v_staked then v_staked else v_limit.daily_stake end)
    on conflict (player_id, day) do update set staked = excluded.staked, daily_limit = excluded.daily_limit;
    update account a set limited = true where a.id = v_wallet and not a.limited;

    insert into player_limit_change (player_id, command_id, body_hash, at, daily_stake, next_daily_stake, next_from, cool_off_until, staked)
    values (p_player, p_command, p_body, v_now, v_limit.daily_stake, v_limit.next_daily_stake, v_limit.next_from, v_limit.cool_off_until, v_staked)
    returning * into v_change;
    outcome := 'set';
  end if;
  limits := json_build_object('dailyStake', v_change.daily_stake::text, 'nextDailyStake', v_change.next_daily_stake::text,
    'nextFrom', v_change.next_from::text, 'coolOffUntil', v_change.cool_off_until, 'staked', v_change.staked::text);
  -- Issuance is locked last of all.
  update account set balance = balance - v_granted where id = 1 and v_granted > 0;
end
$$;
