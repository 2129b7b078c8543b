-- Players, rooms with their numbered facts, the archive of documents and chat, seed keys.
-- Ids are text. Times are bigint milliseconds of this server's clock (now_ms), columns named ..._at.
-- Every function takes its row lock in a statement of its own before it reads what the lock protects (READ COMMITTED).

create function now_ms() returns bigint
language sql volatile
as $$ select floor(extract(epoch from clock_timestamp()) * 1000)::bigint $$;

-- ---- players ----

create table player (
  id text primary key,
  nickname text not null,
  locale text not null check (locale in ('ko', 'en')),
  -- Tokens carry it; raising it ends every token given out before.
  session_number integer not null default 1,
  -- The address had too many new players that day: the wallet starts empty.
  starts_at_zero boolean not null,
  created_at bigint not null
);

create table address_day (
  address_hash text not null,
  day date not null,
  players integer not null,
  primary key (address_hash, day)
);
create index address_day_by_day on address_day (day);

-- Makes the player if absent. From the p_limit-th new player of an address and day (in p_zone) on they start at 0.
create function player_ensure(p_id text, p_nickname text, p_locale text, p_address_hash text, p_limit integer, p_zone text)
returns setof player
language plpgsql volatile
as $$
declare
  v_day date := (clock_timestamp() at time zone p_zone)::date;
  v_count integer;
begin
  insert into player (id, nickname, locale, starts_at_zero, created_at)
  values (p_id, p_nickname, p_locale, false, now_ms())
  on conflict (id) do nothing;

  if found then
    insert into address_day as counter (address_hash, day, players)
    values (p_address_hash, v_day, 1)
    on conflict (address_hash, day) do update set players = counter.players + 1
    returning players into v_count;

    if v_count >= p_limit then
      update player set starts_at_zero = true where player.id = p_id;
    end if;

    -- The first of an address and day clears a few counters that no rule asks for any more.
    if v_count = 1 then
      delete from address_day old
      where (old.address_hash, old.day) in (
        select stale.address_hash, stale.day from address_day stale
        where stale.day < v_day - 2
        order by stale.day
        limit 50
        for update skip locked
      );
    end if;
  end if;

  return query select player.* from player where player.id = p_id;
end
$$;

-- Codes that bring a player to a second device: once, within two minutes.
create table session_link (
  code text primary key,
  player_id text not null references player (id),
  expires_at bigint not null
);
create index session_link_by_player on session_link (player_id);

-- Makes p_code the player's only code; false when another player's living one is in the way.
create function session_link_create(p_code text, p_player text, p_expires_at bigint) returns boolean
language plpgsql volatile
as $$
begin
  delete from session_link where player_id = p_player;
  insert into session_link (code, player_id, expires_at)
  values (p_code, p_player, p_expires_at)
  on conflict (code) do update
    set player_id = excluded.player_id, expires_at = excluded.expires_at
    where session_link.expires_at <= now_ms();
  return found;
end
$$;

-- ---- rooms ----

create table room (
  id text primary key,
  code text not null unique,
  kind text not null check (kind in ('pick', 'bet')),
  house boolean not null,
  locale text not null check (locale in ('ko', 'en')),
  name text not null,
  password_hash text,
  settings jsonb not null,
  -- Raised by every change of name, password, settings, expiry or host.
  settings_version integer not null default 1,
  -- The number of the newest fact of this room.
  fact_version bigint not null default 0,
  host_id text,
  created_by text,
  created_at bigint not null,
  expires_at bigint not null,
  closed_at bigint,
  close_cause text check (close_cause in ('closed', 'expired')),
  check ((closed_at is null) = (close_cause is null))
);
create index room_living on room (id) where closed_at is null;
create index room_living_by_creator on room (created_by) where closed_at is null;

-- p_room: the row as JSON with room's column names, without what has a default. p_most_living: how many living rooms its creator
-- may have with this one; null: any number. Rooms of one creator are made one after the other, so that each is counted.
-- Outcomes: created, exists (a repeat, with the row as it is by now), code-taken, limit.
create function room_create(p_room jsonb, p_most_living integer, out outcome text, out made room)
language plpgsql volatile
as $$
declare
  v_new room := jsonb_populate_record(null::room, p_room);
begin
  perform assert_read_committed();
  perform pg_advisory_xact_lock(hashtextextended('room creator ' || v_new.created_by, 0));
  select * into made from room where id = v_new.id;
  if found then
    outcome := 'exists';
    return;
  end if;
  if p_most_living <= (select count(*) from room where created_by = v_new.created_by and closed_at is null) then
    outcome := 'limit';
    return;
  end if;
  insert into room (id, code, kind, house, locale, name, password_hash, settings, host_id, created_by, created_at, expires_at)
  values (
    v_new.id, v_new.code, v_new.kind, v_new.house, v_new.locale, v_new.name, v_new.password_hash, v_new.settings, v_new.host_id,
    v_new.created_by, v_new.created_at, v_new.expires_at)
  on conflict do nothing
  returning * into made;
  if found then
    outcome := 'created';
    return;
  end if;
  -- Without a creator nothing is waited for, so another one may have made the same room meanwhile.
  select * into made from room where id = v_new.id;
  outcome := case when found then 'exists' else 'code-taken' end;
end
$$;

-- What happened to a room in this database and must appear in its log, numbered without gaps, each exactly once.
create table room_fact (
  room_id text not null references room (id),
  version bigint not null,
  event jsonb not null,
  primary key (room_id, version)
);

-- Adds the next fact within the caller's transaction and returns its number. Locks the room's row until the end of it.
create function room_add_fact(p_room text, p_event jsonb) returns bigint
language plpgsql volatile
as $$
declare
  v_version bigint;
begin
  update room set fact_version = fact_version + 1 where id = p_room returning fact_version into v_version;
  if v_version is null then
    raise exception 'room % does not exist', p_room using errcode = 'no_data_found';
  end if;
  insert into room_fact (room_id, version, event) values (p_room, v_version, p_event);
  return v_version;
end
$$;

-- Compare-and-set on settings_version. A null argument leaves its column, the password's has a flag since null removes it.
-- Outcomes: changed (with the new version, which is also written into the event), conflict (with the present one), absent.
create function room_configure(
  p_room text, p_expect integer, p_name text, p_set_password boolean, p_password_hash text, p_settings jsonb, p_expires_at bigint, p_event jsonb,
  out outcome text, out version integer
)
language plpgsql volatile
as $$
declare
  v_room room%rowtype;
begin
  select * into v_room from room where id = p_room for no key update;
  if v_room.id is null or v_room.closed_at is not null then
    outcome := 'absent';
    return;
  end if;
  if v_room.settings_version <> p_expect then
    outcome := 'conflict';
    version := v_room.settings_version;
    return;
  end if;
  version := p_expect + 1;
  update room set
    name = coalesce(p_name, name),
    password_hash = case when p_set_password then p_password_hash else password_hash end,
    settings = coalesce(p_settings, settings),
    expires_at = coalesce(p_expires_at, expires_at),
    settings_version = room_configure.version
  where id = p_room;
  perform room_add_fact(p_room, jsonb_set(p_event, '{version}', to_jsonb(version)));
  outcome := 'changed';
end
$$;

-- Compare-and-set on the host (null: nobody). Outcomes: changed, conflict, absent.
create function room_set_host(p_room text, p_expect text, p_host text, p_cause text) returns text
language plpgsql volatile
as $$
declare
  v_room room%rowtype;
begin
  select * into v_room from room where id = p_room for no key update;
  if v_room.id is null or v_room.closed_at is not null then
    return 'absent';
  end if;
  if v_room.host_id is distinct from p_expect then
    return 'conflict';
  end if;
  update room set host_id = p_host, settings_version = settings_version + 1 where id = p_room;
  perform room_add_fact(p_room, jsonb_build_object(
    'type', 'host changed', 'hostId', p_host, 'cause', p_cause, 'version', v_room.settings_version + 1));
  return 'changed';
end
$$;

-- Closes once. Outcomes: closed, already, racing (only 'expired' waits for the end of a race), absent.
-- Who opens a race takes the room's row (for no key update) before it looks at closed_at, so that one of the two sees the other.
create function room_close(p_room text, p_cause text) returns text
language plpgsql volatile
as $$
declare
  v_room room%rowtype;
  v_racing boolean := false;
begin
  select * into v_room from room where id = p_room for no key update;
  if v_room.id is null then
    return 'absent';
  end if;
  if v_room.closed_at is not null then
    return 'already';
  end if;
  -- Races come with a later migration.
  if p_cause = 'expired' and to_regclass('race') is not null then
    execute 'select exists (select 1 from race where room_id = $1 and phase not in (''settled'', ''void''))'
      into v_racing using p_room;
    if v_racing then
      return 'racing';
    end if;
  end if;
  update room set closed_at = now_ms(), close_cause = p_cause where id = p_room;
  perform room_add_fact(p_room, jsonb_build_object('type', 'room closed', 'cause', p_cause));
  return 'closed';
end
$$;

-- ---- archive ----

-- The newest archived document of a room, and how far its log has been copied.
create table room_archive (
  room_id text primary key references room (id),
  epoch text not null,
  seq bigint not null,
  document jsonb not null,
  written_at bigint not null
);

-- Written by room_archive_write alone, whose room_archive row names the room.
create table chat_message (
  id text primary key,
  room_id text not null,
  -- The order of the room's log; gaps mean nothing.
  ordinal bigint not null,
  player_id text not null,
  nickname text not null,
  text text not null,
  at bigint not null,
  reply_to text,
  mentions text[],
  unique (room_id, ordinal)
);

-- Reactions that stand now.
create table chat_reaction (
  message_id text not null references chat_message (id),
  emoji text not null,
  player_id text not null,
  ordinal bigint generated always as identity,
  primary key (message_id, emoji, player_id)
);

-- Document, messages and reactions together with the position, if that is still (p_expect_epoch, p_expect_seq);
-- null: the room was never archived. Messages that are there already (same id) are skipped. Outcomes: written, conflict.
-- p_messages: [{ id, playerId, nickname, text, at, replyTo?, mentions? }] in the log's order.
-- p_reactions: [{ messageId, emoji, playerId, on }], at most one for each of (messageId, emoji, playerId).
create function room_archive_write(
  p_room text, p_expect_epoch text, p_expect_seq bigint, p_epoch text, p_seq bigint, p_document jsonb, p_messages jsonb, p_reactions jsonb
) returns text
language plpgsql volatile
as $$
declare
  v_last bigint;
begin
  if p_expect_epoch is null then
    insert into room_archive (room_id, epoch, seq, document, written_at)
    values (p_room, p_epoch, p_seq, p_document, now_ms())
    on conflict (room_id) do nothing;
  else
    update room_archive set epoch = p_epoch, seq = p_seq, document = p_document, written_at = now_ms()
    where room_id = p_room and epoch = p_expect_epoch and seq = p_expect_seq;
  end if;
  if not found then
    return 'conflict';
  end if;

  if jsonb_array_length(p_messages) > 0 then
    select coalesce(max(ordinal), 0) into v_last from chat_message where room_id = p_room;
    insert into chat_message (id, room_id, ordinal, player_id, nickname, text, at, reply_to, mentions)
    select
      item ->> 'id', p_room, v_last + position, item ->> 'playerId', item ->> 'nickname', item ->> 'text', (item ->> 'at')::bigint, item ->> 'replyTo',
      case when item ? 'mentions' then array(select jsonb_array_elements_text(item -> 'mentions')) end
    from jsonb_array_elements(p_messages) with ordinality as given (item, position)
    on conflict (id) do nothing;
  end if;

  if jsonb_array_length(p_reactions) > 0 then
    delete from chat_reaction
    using jsonb_to_recordset(p_reactions) as given ("messageId" text, emoji text, "playerId" text, "on" boolean)
    where not given."on" and message_id = given."messageId" and chat_reaction.emoji = given.emoji and player_id = given."playerId";

    insert into chat_reaction (message_id, emoji, player_id)
    select item ->> 'messageId', item ->> 'emoji', item ->> 'playerId'
    from jsonb_array_elements(p_reactions) with ordinality as given (item, position)
    where (item ->> 'on')::boolean
      and exists (select 1 from chat_message where id = item ->> 'messageId' and room_id = p_room)
    order by position
    on conflict do nothing;
  end if;

  -- Facts that the archived document has long contained are needed by nobody.
  delete from room_fact where room_id = p_room and version < (p_document ->> 'factVersion')::bigint - 1000;
  return 'written';
end
$$;

-- ---- seed keys ----

create table seed_key (
  id text primary key,
  -- nonce (12 bytes), ciphertext (32), tag (16): AES-256-GCM under SEED_WRAP_KEY, the id as additional data
  wrapped bytea not null,
  -- SHA-256 of the key, hex; published before the first use
  hash text not null,
  created_at bigint not null,
  retired_at bigint
);
-- New races use the one that is not retired.
create unique index seed_key_current on seed_key ((true)) where retired_at is null;

-- Whether a race that is not over names the key: its seeds must stay unknown.
create function seed_key_in_use(p_key text) returns boolean
language plpgsql stable
as $$
declare
  v_used boolean := false;
begin
  -- Races come with a later migration.
  if to_regclass('race') is not null then
    execute 'select exists (select 1 from race where seed_key_id = $1 and phase not in (''settled'', ''void''))'
      into v_used using p_key;
  end if;
  return v_used;
end
$$;
