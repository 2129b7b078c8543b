-- Points: accounts, append-only transfers, and every accepted command with its receipt.
-- Points are bigint. Nothing but ledger_commit_batch and the race functions writes here.

create function refuse_change() returns trigger
language plpgsql
as $$
begin
  raise exception '% of % is refused: its rows are for ever', tg_op, tg_table_name using errcode = 'restrict_violation';
end
$$;

-- Locks are taken in statements of their own and what they protect is read in a later one: right in READ COMMITTED only.
create function assert_read_committed() returns void
language plpgsql
as $$
begin
  if current_setting('transaction_isolation') <> 'read committed' then
    raise exception 'the ledger needs READ COMMITTED, not %', current_setting('transaction_isolation')
      using errcode = 'invalid_transaction_state';
  end if;
end
$$;

-- ---- accounts ----

-- One global order of locks: advisory (races, ascending) → wallets by id → escrows by id → takeout, breakage → issuance.
create table account (
  id bigint generated always as identity (start with 100) primary key,
  kind text not null check (kind in ('issuance', 'wallet', 'escrow', 'takeout', 'breakage', 'sink')),
  player_id text collate "C" unique,
  race_id text collate "C" unique,
  -- What its transfers sum up to; issuance holds minus all points in the world.
  balance bigint not null default 0,
  -- Wallets: raised by every change, so that a client can keep the newest of two balances.
  version bigint not null default 0,
  -- A wallet, or a race by its escrow, that the audit found at fault: nothing is staked or claimed until somebody thaws it.
  frozen boolean not null default false,
  -- Wallets: the player has limits of their own (player_limit).
  limited boolean not null default false,
  check ((kind = 'wallet') = (player_id is not null)),
  check ((kind = 'escrow') = (race_id is not null)),
  constraint account_not_negative check (kind = 'issuance' or balance >= 0)
) with (fillfactor = 50);
create index account_frozen on account (kind) where frozen;
create unique index account_system on account (kind) where kind not in ('wallet', 'escrow');

insert into account (id, kind) overriding system value
values (1, 'issuance'), (2, 'takeout'), (3, 'breakage'), (4, 'sink');

create trigger account_keeps_identity before update of id, kind, player_id, race_id on account
  for each statement execute function refuse_change();
create trigger account_is_kept before delete or truncate on account
  for each statement execute function refuse_change();

-- ---- transfers ----

-- No foreign keys here: each would lock the account's row (issuance's too) before its turn in the order of locks.
-- The audit finds a transfer without its account or bet.
create table transfer (
  id bigint generated always as identity primary key,
  from_account bigint not null,
  to_account bigint not null,
  amount bigint not null check (amount > 0),
  kind text not null,
  at bigint not null,
  player_id text collate "C",
  race_id text collate "C",
  bet_id text collate "C",
  pool text,
  day date,
  check (from_account <> to_account),
  constraint transfer_kind check (
    case kind
      when 'start' then from_account = 1 and player_id is not null
      when 'daily' then from_account = 1 and player_id is not null and day is not null
      when 'relief' then from_account = 1 and player_id is not null
      when 'stake' then player_id is not null and race_id is not null and bet_id is not null
      when 'payout' then player_id is not null and race_id is not null and bet_id is not null
      when 'refund' then player_id is not null and race_id is not null and bet_id is not null
      when 'takeout' then to_account = 2 and race_id is not null and pool is not null
      when 'breakage' then to_account = 3 and race_id is not null and pool is not null
      else false
    end)
);
-- "Once" is structural.
create unique index transfer_one_start on transfer (player_id) where kind = 'start';
create unique index transfer_one_daily on transfer (player_id, day) where kind = 'daily';
create index transfer_relief on transfer (player_id, at) where kind = 'relief';
create unique index transfer_one_stake on transfer (bet_id) where kind = 'stake';
create unique index transfer_one_return on transfer (bet_id) where kind in ('payout', 'refund');
create unique index transfer_one_cut on transfer (race_id, pool, kind) where kind in ('takeout', 'breakage');

create trigger transfer_is_kept before update or delete or truncate on transfer
  for each statement execute function refuse_change();
revoke update, delete, truncate on transfer from public;
-- Does not bind a superuser (the embedded server's only role); the trigger does.
do $$ begin execute format('revoke update, delete, truncate on transfer from %I', current_user); end $$;

-- ---- accepted commands ----

-- Every accepted bet, pick, clear, vote and claim, and the horses drawn at the close (kind 'drawn'): what a repeat is
-- answered from for ever, and the leaves of the races' trees in the order (batch, ordinal).
-- Refusals are not remembered.
create table ledger_command (
  player_id text collate "C" not null,
  command_id text collate "C" not null,
  kind text not null check (kind in ('bet', 'pick', 'pick-clear', 'vote', 'claim', 'drawn')),
  body_hash bytea not null,
  at bigint not null,
  race_id text collate "C",
  batch bigint,
  ordinal integer,
  leaf bytea,
  tag bytea,
  nonce bytea,
  bet_id text,
  -- the horse of a pick, the place of a vote
  number smallint,
  -- points granted by a claim
  granted bigint,
  balance_after bigint,
  balance_version bigint,
  primary key (player_id, command_id),
  check ((kind = 'claim') = (race_id is null)),
  check (race_id is null or (batch is not null and ordinal is not null and octet_length(leaf) = 32 and octet_length(tag) = 32)),
  check ((kind = 'bet') = (bet_id is not null))
);
create unique index ledger_command_leaves on ledger_command (race_id, batch, ordinal) where race_id is not null;

create trigger ledger_command_is_kept before update or delete or truncate on ledger_command
  for each statement execute function refuse_change();

-- ---- limits that players set themselves ----

-- Lowering works at once, raising or removing from next_from on. Points a day; null: none.
create table player_limit (
  player_id text collate "C" primary key,
  daily_stake bigint check (daily_stake >= 0),
  next_daily_stake bigint check (next_daily_stake >= 0),
  next_from date,
  -- no bets before this, ms; only ever later
  cool_off_until bigint not null default 0
);

-- What players who have a limit staked on a day; changed under the wallet's lock.
create table player_day (
  player_id text collate "C" not null,
  day date not null,
  staked bigint not null check (staked >= 0),
  daily_limit bigint,
  primary key (player_id, day),
  constraint player_day_limit check (staked <= daily_limit)
) with (fillfactor = 70);
