-- Whether nobody outside the set finished ahead of a member of it: some strict order begins with these horses.
create function leads_the_field(p_set smallint[], p_numbers smallint[], p_places integer[]) returns boolean
language sql immutable
as $$
  select p_set <@ p_numbers and not exists (
    select from unnest(p_numbers, p_places) as member (number, place)
    join unnest(p_numbers, p_places) as ahead (number, place) on ahead.place < member.place
    where member.number = any (p_set) and not ahead.number = any (p_set))
$$;

-- Whether the selection wins in some strict order that agrees with the finish: p_numbers and p_places are horses and their places,
-- dead heats share one; p_paid: places that the place pool pays. The rules of core/pools.ts said a second time.
create function selection_wins(p_pool text, p_selection smallint[], p_numbers smallint[], p_places integer[], p_paid integer) returns boolean
language sql immutable
as $$
  select case
    when p_pool = 'place' then exists (
      select from unnest(p_numbers, p_places) as own (number, place)
      where own.number = p_selection[1] and (select count(*) from unnest(p_places) as ahead (place) where ahead.place < own.place) < p_paid)
    -- The first i horses lead the field, for every i.
    when p_pool in ('win', 'exacta', 'trifecta') then not exists (
      select from generate_subscripts(p_selection, 1) as i where not leads_the_field(p_selection[1:i], p_numbers, p_places))
    when p_pool in ('quinella', 'trio') then leads_the_field(p_selection, p_numbers, p_places)
    when p_pool = 'quinella-place' then exists (
      select from unnest(p_numbers) as third (number)
      where (not third.number = any (p_selection) or cardinality(p_numbers) < 3)
        and leads_the_field(p_selection || third.number, p_numbers, p_places))
  end
$$;

-- One row for each broken invariant; none when all is well. Reads everything: for the start, a slow timer and the command.
-- race_id, player_id: whom a freeze would concern; null: the ledger as a whole.
create view ledger_audit as
with
  entry as (
    select from_account as account, -amount as amount from transfer
    union all
    select to_account, amount from transfer
  ),
  summed as (select account, sum(amount) as amount from entry group by account),
  stake as (select bet_id, count(*) as count, sum(amount) as amount, min(player_id) as player_id, min(race_id) as race_id, min(from_account) as source, min(to_account) as target
    from transfer where kind = 'stake' group by bet_id),
  returned as (select bet_id, count(*) as count, sum(amount) as amount, min(kind) as kind, min(player_id) as player_id, min(from_account) as source, min(to_account) as target
    from transfer where kind in ('payout', 'refund') group by bet_id),
  -- Those whose payouts wait for a thaw have not come to their end.
  ended as (
    select r.id, r.phase, r.pool_results, r.result, r.rules, r.closed_at from race r
    where r.phase in ('settled', 'void') and not exists (select from race_hold h where h.race_id = r.id and h.paid_at is null)
  ),
  -- What the bets of a pool say, without those that went back.
  booked as (
    select b.race_id, b.pool, sum(b.stake) as staked, sum(b.stake) filter (where o.outcome is distinct from 'refunded') as gross,
      coalesce(sum(o.returned) filter (where o.outcome = 'paid'), 0) as paid, coalesce(sum(o.returned) filter (where o.outcome = 'refunded'), 0) as refunded
    from bet b left join bet_outcome o on o.bet_id = b.id group by b.race_id, b.pool
  ),
  cut as (
    select race_id, pool, coalesce(sum(amount) filter (where kind = 'takeout'), 0) as takeout, coalesce(sum(amount) filter (where kind = 'breakage'), 0) as breakage
    from transfer where kind in ('takeout', 'breakage') group by race_id, pool
  ),
  -- The dividends once more, from the bets and the order, as core/dividend.ts has the formula.
  rate as (
    select r.id as race_id, each.pool ->> 'pool' as pool, (each.pool -> 'rate' ->> 'num')::numeric as num, (each.pool -> 'rate' ->> 'den')::numeric as den,
      (r.rules ->> 'placesPaid')::integer as places
    from ended r, jsonb_array_elements(r.rules -> 'pools') as each (pool) where r.phase = 'settled'
  ),
  finish as (
    select r.id as race_id, array_agg((each.horse ->> 'number')::smallint order by each.n) as numbers, array_agg((each.horse ->> 'place')::integer order by each.n) as places
    from ended r, jsonb_array_elements(r.result -> 'order') with ordinality as each (horse, n) where r.phase = 'settled' group by r.id
  ),
  winner as (
    select s.race_id, s.pool, s.selection, s.stake
    from (
      select b.race_id, b.pool, b.selection, sum(b.stake)::numeric as stake
      from bet b join bet_outcome o on o.bet_id = b.id and o.outcome <> 'refunded' group by b.race_id, b.pool, b.selection
    ) as s
    join rate t on t.race_id = s.race_id and t.pool = s.pool
    join finish f on f.race_id = s.race_id
    where selection_wins(s.pool, s.selection, f.numbers, f.places, t.places)
  ),
  pot as (select w.race_id, w.pool, count(*)::numeric as winners, k.gross - sum(w.stake) as rest
    from winner w join booked k on k.race_id = w.race_id and k.pool = w.pool group by w.race_id, w.pool, k.gross),
  due as (
    select w.race_id, w.pool, w.selection,
      greatest(100, div(div((w.stake * p.winners + p.rest) * t.num * 100, p.winners * t.den * w.stake), 10) * 10) as per100
    from winner w join pot p on p.race_id = w.race_id and p.pool = w.pool join rate t on t.race_id = w.race_id and t.pool = w.pool
  ),
  told as (
    select r.id as race_id, each.dividend ->> 'pool' as pool,
      array(select jsonb_array_elements_text(each.dividend -> 'selection')::smallint) as selection, (each.dividend ->> 'per100')::numeric as per100
    from ended r, jsonb_array_elements(r.result -> 'dividends') as each (dividend) where r.phase = 'settled'
  ),
  leaves as (
    select c.race_id, c.batch, count(*) as count, array_agg(c.leaf order by c.ordinal) as leaves
    from ledger_command c where c.race_id is not null group by c.race_id, c.batch
  )

select 'sum of all balances is 0' as invariant, null::text as race_id, null::text as player_id, format('the sum is %s', sum(balance)) as detail
from account having sum(balance) <> 0

union all
select 'supply equals what was issued', null, null, format('supply %s, issued %s, issuance %s', supply, issued, issuance)
from (
  select (select sum(balance) from account where kind <> 'issuance') as supply, (select balance from account where id = 1) as issuance,
    (select coalesce(sum(case when from_account = 1 then amount else -amount end), 0) from transfer where 1 in (from_account, to_account)) as issued
) as totals where supply is distinct from issued or supply is distinct from -issuance

union all
select 'every balance equals its transfers', a.race_id, a.player_id, format('account %s (%s): balance %s, transfers %s', coalesce(a.id, s.account), a.kind, a.balance, s.amount)
from account a full join summed s on s.account = a.id
where coalesce(a.balance, 0) <> coalesce(s.amount, 0) or a.id is null

union all
select 'no balance is negative but issuance', race_id, player_id, format('account %s: %s', id, balance)
from account where kind <> 'issuance' and balance < 0

union all
select 'escrow equals open stakes', r.id, null, format('%s: escrow %s, open stakes %s', r.phase, a.balance, coalesce(s.open, 0))
from race r
left join account a on a.race_id = r.id
left join (
  select b.race_id, sum(b.stake) as open from bet b where not exists (select from bet_outcome o where o.bet_id = b.id) group by b.race_id
) as s on s.race_id = r.id
where a.balance is distinct from coalesce(s.open, 0) or (a.balance <> 0 and exists (select from ended x where x.id = r.id))

union all
select 'each bet has exactly one stake', coalesce(b.race_id, s.race_id), coalesce(b.player_id, s.player_id), format('bet %s: %s transfers of %s for a stake of %s', coalesce(b.id, s.bet_id), coalesce(s.count, 0), s.amount, b.stake)
from bet b
full join stake s on s.bet_id = b.id
left join account w on w.player_id = b.player_id
left join account e on e.race_id = b.race_id
where s.count is distinct from 1 or s.amount is distinct from b.stake or s.player_id is distinct from b.player_id or s.race_id is distinct from b.race_id
  or s.source is distinct from w.id or s.target is distinct from e.id

union all
select 'each bet is an accepted command', coalesce(b.race_id, c.race_id), coalesce(b.player_id, c.player_id), format('bet %s, command %s', b.id, c.command_id)
from bet b
full join (select bet_id, race_id, player_id, command_id from ledger_command where kind = 'bet') as c on c.bet_id = b.id
where b.id is null or c.bet_id is null or c.race_id <> b.race_id or c.player_id <> b.player_id or c.command_id <> b.command_id

union all
select 'a bet of a race that is over has one outcome', b.race_id, b.player_id, format('bet %s has none', b.id)
from bet b join ended r on r.id = b.race_id
where not exists (select from bet_outcome o where o.bet_id = b.id)

union all
select 'an outcome has exactly its payout or refund', coalesce(o.race_id, b.race_id), coalesce(o.player_id, t.player_id), format('bet %s: %s of %s, transfers: %s of %s', coalesce(o.bet_id, t.bet_id), o.outcome, o.returned, coalesce(t.count, 0), t.amount)
from bet_outcome o
full join returned t on t.bet_id = o.bet_id
left join bet b on b.id = coalesce(o.bet_id, t.bet_id)
left join account w on w.player_id = b.player_id
left join account e on e.race_id = b.race_id
where b.id is null or o.bet_id is null
  or coalesce(t.count, 0) <> case when o.returned > 0 then 1 else 0 end
  or coalesce(t.amount, 0) <> o.returned
  or (t.count > 0 and (t.kind <> case o.outcome when 'paid' then 'payout' else 'refund' end or t.source is distinct from e.id or t.target is distinct from w.id))
  or (o.outcome = 'refunded' and o.returned <> b.stake)

union all
select 'gross = paid + takeout + breakage', k.race_id, null, format('pool %s: gross %s, paid %s, takeout %s, breakage %s', k.pool, k.gross, k.paid, c.takeout, c.breakage)
from booked k join ended r on r.id = k.race_id left join cut c on c.race_id = k.race_id and c.pool = k.pool
where coalesce(k.gross, 0) <> k.paid + coalesce(c.takeout, 0) + coalesce(c.breakage, 0)

union all
select 'a pool pays no more than it took', k.race_id, null, format('pool %s: gross %s, paid %s, refunded %s of %s', k.pool, k.gross, k.paid, k.refunded, k.staked)
from booked k where k.paid > coalesce(k.gross, 0) or k.paid + k.refunded > k.staked

union all
select 'nothing is taken from a pool without bets', c.race_id, null, format('pool %s: takeout %s, breakage %s', c.pool, c.takeout, c.breakage)
from cut c left join booked k on k.race_id = c.race_id and k.pool = c.pool where k.gross is null

union all
select 'takeout is the share the rules keep, breakage the rest', k.race_id, null, format('pool %s: gross %s, paid %s, takeout %s, rate %s/%s', k.pool, k.gross, k.paid, c.takeout, t.num, t.den)
from booked k
join rate t on t.race_id = k.race_id and t.pool = k.pool
left join cut c on c.race_id = k.race_id and c.pool = k.pool
where k.gross is not null and coalesce(c.takeout, 0) <> least(div(k.gross * (t.den - t.num), t.den), k.gross - k.paid)

union all
select 'a race''s pool results are what was booked', coalesce(p.race_id, k.race_id), null,
  format('pool %s: stored %s, booked %s of %s, takeout %s, breakage %s', coalesce(p.pool, k.pool), p.stored, k.paid, k.gross, k.takeout, k.breakage)
from (
  select r.id as race_id, each.stored ->> 'pool' as pool, each.stored, (each.stored ->> 'paid')::numeric as paid, (each.stored ->> 'takeout')::numeric as takeout,
    (each.stored ->> 'breakage')::numeric as breakage, case when each.stored ->> 'dividends' is null then 0 else (each.stored ->> 'gross')::numeric end as gross
  from ended r, jsonb_array_elements(r.pool_results) as each (stored) where r.phase = 'settled'
) as p
full join (
  select b.race_id, b.pool, coalesce(b.gross, 0) as gross, b.paid, coalesce(c.takeout, 0) as takeout, coalesce(c.breakage, 0) as breakage
  from booked b join ended r on r.id = b.race_id and r.phase = 'settled' left join cut c on c.race_id = b.race_id and c.pool = b.pool
) as k on k.race_id = p.race_id and k.pool = p.pool
where p.race_id is null or (p.gross, p.paid, p.takeout, p.breakage) is distinct from (coalesce(k.gross, 0), coalesce(k.paid, 0), coalesce(k.takeout, 0), coalesce(k.breakage, 0))

union all
select 'nothing is placed after the close', c.race_id, c.player_id, format('%s %s at %s, closed at %s', c.kind, c.command_id, c.at, r.closed_at)
from ledger_command c join race r on r.id = c.race_id
where c.at > r.closed_at or (c.kind <> 'drawn' and c.at >= r.closes_at and r.closed_at is not null)

union all
select 'settling again gives the same dividends', coalesce(d.race_id, t.race_id), null, format('pool %s, selection %s: told %s, computed %s', coalesce(d.pool, t.pool), coalesce(d.selection, t.selection), t.per100, d.per100)
from due d full join told t on t.race_id = d.race_id and t.pool = d.pool and t.selection = d.selection
where d.per100 is distinct from t.per100

union all
select 'a player''s stakes on a race equal the counter and keep the cap', coalesce(s.race_id, b.race_id), coalesce(s.player_id, b.player_id), format('counted %s, bets %s, cap %s', s.staked, b.staked, s.max_stake)
from race_stake s full join (
  select b.race_id, b.player_id, sum(b.stake) as staked from bet b
  where not exists (select from race_scratch x where x.race_id = b.race_id and x.horse = any (b.selection)) group by b.race_id, b.player_id
) as b on b.race_id = s.race_id and b.player_id = s.player_id
where s.staked is distinct from b.staked or s.staked > s.max_stake

union all
select 'a batch holds exactly its leaves', coalesce(h.race_id, l.race_id), null, format('batch %s: %s leaves, %s stored', coalesce(h.batch, l.batch), h.count, l.count)
from race_batch h full join leaves l on l.race_id = h.race_id and l.batch = h.batch
where h.count is distinct from l.count or h.root is distinct from merkle_root(l.leaves)

union all
select 'the bets root folds the batches, the totals sum them', r.id, null, format('root %s, totals %s, batches %s', r.bets_root, r.totals, t.totals)
from race r
left join lateral (select race_totals(r.id) as totals) as t on true
where (r.bets_root is not null and r.bets_root <> encode(fold_batch_roots(r.id), 'hex'))
  or (r.totals is not null and r.totals <> t.totals)
  or t.totals <> (
    select coalesce(jsonb_object_agg(b.pool, jsonb_build_object('gross', b.gross::text, 'count', b.count)), '{}')
    from (
      select pool, sum(stake)::bigint as gross, count(*) as count from bet
      where race_id = r.id and not exists (select from race_scratch x where x.race_id = r.id and x.horse = any (selection)) group by pool
    ) as b)

union all
select 'a standing pick or vote is the player''s last', coalesce(s.race_id, c.race_id), null, format('player %s: standing (%s, %s), last (%s, %s)', coalesce(s.player_id, c.player_id), s.batch, s.ordinal, c.batch, c.ordinal)
from (
  select race_id, player_id, 'pick' as what, batch, ordinal, horse as number from race_pick
  union all
  select race_id, player_id, 'vote', batch, ordinal, place from race_vote
) as s
full join (
  select distinct on (race_id, player_id, what) race_id, player_id, what, kind, batch, ordinal, number
  from (select *, case when kind = 'vote' then 'vote' else 'pick' end as what from ledger_command where kind in ('pick', 'pick-clear', 'drawn', 'vote')) as chosen
  order by race_id, player_id, what, batch desc, ordinal desc
) as c on c.race_id = s.race_id and c.player_id = s.player_id and c.what = s.what
where not (c.kind is not distinct from 'pick-clear' and s.batch is null)
  and (c.batch is null or c.kind = 'pick-clear' or (s.batch, s.ordinal, s.number) is distinct from (c.batch, c.ordinal, c.number));
