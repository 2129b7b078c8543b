-- What the audit finds at fault is frozen, that race or that wallet alone, until an operator has looked at it; and the rows of
-- the audit about wallets and about what is frozen.

-- For ever but for the lifting. Transfers are marked by their ids, drawn under the subject's lock: no clock decides what was
-- moved before and what after.
create table ledger_freeze (
  number bigint generated always as identity primary key,
  subject text not null check (subject in ('race', 'wallet')),
  -- a race or a player
  id text collate "C" not null,
  -- of the audit, by its key; 'by-hand': an operator's reason is in detail
  invariant text not null,
  detail text not null,
  at bigint not null,
  after_transfer bigint not null,
  lifted_at bigint,
  lifted_by text,
  until_transfer bigint,
  check ((lifted_at is null) = (lifted_by is null) and (lifted_at is null) = (until_transfer is null))
);
create unique index ledger_freeze_standing on ledger_freeze (subject, id) where lifted_at is null;
create index ledger_freeze_of on ledger_freeze (subject, id);
create trigger ledger_freeze_is_kept before delete or truncate on ledger_freeze
  for each statement execute function refuse_change();

create function ledger_freeze_guard() returns trigger
language plpgsql
as $$
begin
  if old.lifted_at is not null or new.lifted_at is null
    or (new.number, new.subject, new.id, new.invariant, new.detail, new.at, new.after_transfer)
      is distinct from (old.number, old.subject, old.id, old.invariant, old.detail, old.at, old.after_transfer)
  then
    raise exception 'freeze %: it can be lifted once and not be changed', old.number using errcode = 'restrict_violation';
  end if;
  return new;
end
$$;
create trigger ledger_freeze_is_guarded before update on ledger_freeze for each row execute function ledger_freeze_guard();

create function race_hold_guard() returns trigger
language plpgsql
as $$
begin
  if old.paid_at is not null or new.paid_at is null or (new.race_id, new.at) is distinct from (old.race_id, old.at) then
    raise exception 'race %: held payouts are made once', old.race_id using errcode = 'restrict_violation';
  end if;
  return new;
end
$$;
create trigger race_hold_is_guarded before update on race_hold for each row execute function race_hold_guard();
create trigger race_hold_is_kept before delete or truncate on race_hold
  for each statement execute function refuse_change();

-- The account that stands for a subject, locked: a race's (under the race's lock, which the caller holds) is its escrow.
create function ledger_subject_account(p_subject text, p_id text) returns bigint
language plpgsql volatile
as $$
declare
  v_account bigint;
begin
  if p_subject = 'race' then
    select a.id into v_account from account a where a.race_id = p_id for no key update;
  else
    select a.id into v_account from account a where a.player_id = p_id for no key update;
  end if;
  return v_account;
end
$$;

-- Freezes a race or a player's wallet. p_again: also if exactly this has been found before and an operator has lifted it.
-- Outcomes: frozen, already, lifted (see p_again), absent, busy.
create function ledger_freeze_subject(p_subject text, p_id text, p_invariant text, p_detail text, p_again boolean, p_wait_ms integer) returns text
language plpgsql volatile
as $$
declare
  v_account bigint;
begin
  perform assert_read_committed();
  -- Nothing is placed, paid or voided meanwhile: the race is settled with its payouts or without them, never by half.
  if p_subject = 'race' and not race_lock_exclusive(p_id, p_wait_ms) then
    return 'busy';
  end if;
  v_account := ledger_subject_account(p_subject, p_id);
  if v_account is null then
    return 'absent';
  end if;
  if exists (select from ledger_freeze f where f.subject = p_subject and f.id = p_id and f.lifted_at is null) then
    update account a set frozen = true where a.id = v_account and not a.frozen;
    return 'already';
  end if;
  if not p_again and exists (
    select from ledger_freeze f where f.subject = p_subject and f.id = p_id and f.invariant = p_invariant and f.detail = p_detail
  ) then
    return 'lifted';
  end if;
  insert into ledger_freeze (subject, id, invariant, detail, at, after_transfer)
  values (p_subject, p_id, p_invariant, p_detail, now_ms(), coalesce(pg_sequence_last_value('transfer_id_seq'), 0));
  update account a set frozen = true where a.id = v_account;
  return 'frozen';
end
$$;

-- Makes the payouts that wait for the race, if there are any: as the settlement would have, with its dividends, or every stake
-- back where the race is void. Counted for the boards now. False: nothing waits. The caller holds the race's lock.
create function race_pay_frozen(p_race text, p_now bigint, p_time_zone text) returns boolean
language plpgsql volatile
as $$
declare
  v_race race%rowtype;
begin
  if not exists (select from race_hold h where h.race_id = p_race and h.paid_at is null) then
    return false;
  end if;
  select * into strict v_race from race where id = p_race;
  perform race_pay_out(p_race, v_race.pool_results, p_now, p_time_zone);
  update race_hold set paid_at = p_now where race_id = p_race;
  perform room_add_fact(v_race.room_id, jsonb_build_object('type', 'race paid', 'raceId', p_race));
  return true;
end
$$;

-- Lifts a freeze; for a race that is over what waits is paid by the same call, or nothing is lifted (an error, where the payouts
-- do not agree with the bets). Outcomes: thawed, not-frozen, absent, busy.
create function ledger_thaw(
  p_subject text, p_id text, p_by text, p_time_zone text, p_wait_ms integer, out outcome text, out paid boolean)
language plpgsql volatile
as $$
declare
  v_now bigint;
  v_until bigint;
  v_account bigint;
begin
  perform assert_read_committed();
  paid := false;
  if p_subject = 'race' then
    if not race_lock_exclusive(p_id, p_wait_ms) then
      outcome := 'busy';
      return;
    end if;
    v_now := now_ms();
    v_until := coalesce(pg_sequence_last_value('transfer_id_seq'), 0);
    -- Wallets are locked before the escrow.
    paid := race_pay_frozen(p_id, v_now, p_time_zone);
  end if;
  v_account := ledger_subject_account(p_subject, p_id);
  if v_account is null then
    outcome := 'absent';
    return;
  end if;
  if p_subject = 'wallet' then
    v_now := now_ms();
    v_until := coalesce(pg_sequence_last_value('transfer_id_seq'), 0);
  end if;
  update ledger_freeze f set lifted_at = v_now, lifted_by = p_by, until_transfer = v_until
  where f.subject = p_subject and f.id = p_id and f.lifted_at is null;
  outcome := case when found or paid then 'thawed' else 'not-frozen' end;
  update account a set frozen = false where a.id = v_account and a.frozen;
end
$$;

-- ---- audit ----

-- As ledger_audit: a row for each broken invariant, none when all is well.
create view wallet_audit as
with
  counted as (
    select d.player_id, d.day, d.staked, d.daily_limit,
      coalesce(sum(t.amount) filter (where t.day = d.day and (t.at > c.at or d.day = c.day)), 0) as that_day, coalesce(sum(t.amount), 0) as around
    from player_day d
    left join (
      select c.player_id, min(c.at) as at, (select min(f.day) from player_day f where f.player_id = c.player_id) as day
      from player_limit_change c group by c.player_id
    ) as c on c.player_id = d.player_id
    left join transfer t on t.player_id = d.player_id and t.kind = 'stake' and t.day between d.day - 1 and d.day + 1
    group by d.player_id, d.day, d.staked, d.daily_limit
  )
select 'a grant goes to its player, a cut comes from its race' as invariant, t.race_id, t.player_id, format('transfer %s (%s) from account %s to %s', t.id, t.kind, t.from_account, t.to_account) as detail
from transfer t
left join account w on w.player_id = t.player_id
left join account e on e.race_id = t.race_id
where (t.kind in ('start', 'daily', 'relief') and t.to_account is distinct from w.id)
  or (t.kind in ('takeout', 'breakage') and t.from_account is distinct from e.id)

union all
select 'every claim has its grant and every grant its claim', null, coalesce(g.player_id, c.player_id), format('%s points at %s: %s claims, %s grants', coalesce(g.points, c.points), coalesce(g.at, c.at), coalesce(c.count, 0), coalesce(g.count, 0))
from (select player_id, at, amount as points, count(*) as count from transfer where kind in ('daily', 'relief') group by player_id, at, amount) as g
full join (select player_id, at, granted as points, count(*) as count from ledger_command where kind = 'claim' group by player_id, at, granted) as c
  on c.player_id = g.player_id and c.at = g.at and c.points = g.points
where c.count is distinct from g.count

union all
-- Bets are counted from the day of the first limit on. What was staked that day before is counted by the ledger's clock too, which
-- may part two days a moment before or after the instances' clocks did.
select 'an own limit counts the day''s stakes and holds', null, player_id, format('%s: counted %s, staked %s, limit %s', day, staked, that_day, daily_limit)
from counted where staked < that_day or staked > around or staked > daily_limit;

create view freeze_audit as
select 'what is frozen has a standing freeze' as invariant, coalesce(a.race_id, f.race_id) as race_id, coalesce(a.player_id, f.player_id) as player_id,
  format('account %s, freeze %s', a.id, f.number) as detail
from (select id, race_id, player_id, coalesce(race_id, player_id) as subject, kind from account where frozen) as a
full join (
  select number, id as subject, case subject when 'race' then 'escrow' else 'wallet' end as kind,
    case subject when 'race' then id end as race_id, case subject when 'wallet' then id end as player_id
  from ledger_freeze where lifted_at is null
) as f on f.subject = a.subject and f.kind = a.kind
where a.id is null or f.number is null

union all
select 'nothing is staked, claimed or paid while frozen', case f.subject when 'race' then f.id end, case f.subject when 'wallet' then f.id end,
  format('freeze %s, transfer %s (%s)', f.number, t.id, t.kind)
from ledger_freeze f
join transfer t on t.id > f.after_transfer and (f.until_transfer is null or t.id <= f.until_transfer)
  and case f.subject when 'race' then t.race_id = f.id else t.player_id = f.id and t.kind in ('stake', 'daily', 'relief') end

union all
select 'only a frozen race that is over keeps payouts waiting', h.race_id, null, format('%s, frozen: %s, paid at %s', r.phase, a.frozen, h.paid_at)
from race_hold h
join race r on r.id = h.race_id
join account a on a.race_id = h.race_id
where r.phase not in ('settled', 'void') or (h.paid_at is null and not a.frozen);
