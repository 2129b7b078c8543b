import type { Pool } from 'pg';
import type { BetId, RaceId } from '../../lib/core/ids.ts';
import type { Pool as BetPool } from '../../lib/core/pools.ts';
import type { LimitsRow, Statements } from '../../lib/ports.ts';
import type { PastBet, StatementEntry } from '../../lib/protocol.ts';
import { read, write } from './query.ts';
import { type ReceiptRow, receiptOf } from './receipt-rows.ts';

const PAGE = 30;
/** Above every id that will ever be drawn. */
const NEWEST = 10n ** 18n;

/** A player without a wallet yet has a row here only where it is known that the wallet will start empty. */
const STANDING = `select coalesce(a.balance, 0) as balance, coalesce(a.version, 0) as version,
    (select max(t.day)::text from transfer t where t.kind = 'daily' and t.player_id = $1) as last_daily_day,
    (select max(t.at) from transfer t where t.kind = 'relief' and t.player_id = $1) as last_relief_at,
    case when a.balance < $3 then ledger_open_stakes($1) else 0 end as open_stakes,
    l.daily_stake, l.next_daily_stake, l.next_from::text as next_from, coalesce(l.cool_off_until, 0) as cool_off_until,
    coalesce(d.staked, 0) as staked
  from (select $1::text as id) as asked
  left join account a on a.player_id = asked.id
  left join player p on p.id = asked.id
  left join player_limit l on l.player_id = asked.id
  left join player_day d on d.player_id = asked.id and d.day = $2
  where a.player_id is not null or p.starts_at_zero`;

type StandingRow = {
  balance: bigint;
  version: bigint;
  last_daily_day: string | null;
  last_relief_at: bigint | null;
  open_stakes: bigint;
  daily_stake: bigint | null;
  next_daily_stake: bigint | null;
  next_from: string | null;
  cool_off_until: bigint;
  staked: bigint;
};

/**
 * $2: entries below this id; $3: the newest one read before. By id: transfers of a settlement draw theirs before it locks the
 * wallets, so they stand before what was staked while it was under way. An account's balance is the sum of its transfers in every
 * snapshot: the balance after an entry is that without all that is newer. Only what comes into a wallet is ever late, so the
 * balance after the newest entry, compared with what it was, tells whether anything was.
 */
const ENTRIES = `with wallet as (
    select a.id, a.balance from account a where a.player_id = $1
  ), newer as (
    select coalesce(sum(case when t.to_account = w.id then t.amount else -t.amount end), 0)::bigint as points,
      coalesce(sum(case when t.to_account = w.id then t.amount else -t.amount end) filter (where t.id > $3), 0)::bigint as later
    from wallet w join transfer t on t.player_id = $1 and t.id >= $2
  ), page as (
    select t.id, t.at, t.kind, t.race_id, t.bet_id, t.pool, case when t.to_account = w.id then t.amount else -t.amount end as amount, w.balance
    from wallet w join transfer t on t.player_id = $1 and t.id < $2
    order by t.id desc limit ${PAGE + 1}
  ), entry as (
    select p.*, (p.balance - (select n.points from newer n)
      - coalesce(sum(p.amount) over (order by p.id desc rows between unbounded preceding and 1 preceding), 0))::bigint as after
    from page p
  )
  select (select w.balance from wallet w) - (select n.later from newer n) as balance,
    coalesce((
      select json_agg(json_build_object('id', e.id::text, 'at', e.at, 'kind', e.kind, 'amount', e.amount::text, 'balance', e.after::text,
        'raceId', e.race_id, 'raceNumber', r.number, 'roomName', m.name, 'betId', e.bet_id, 'pool', e.pool, 'selection', b.selection) order by e.id desc)
      from entry e left join bet b on b.id = e.bet_id left join race r on r.id = e.race_id left join room m on m.id = r.room_id
    ), '[]') as entries`;

type Nullable<T> = { [Key in keyof T]: T[Key] | null };
type EntryJson = Nullable<Required<StatementEntry>> & Pick<StatementEntry, 'id' | 'at' | 'kind' | 'amount' | 'balance'>;

const BETS = `select t.id as entry, b.id, b.pool, b.selection, b.stake, b.placed_at, o.outcome, o.returned,
    c.race_id, c.leaf, c.tag, c.nonce, c.command_id, r.number as race_number, m.name as room_name,
    (select json_agg(json_build_object('number', h -> 'number', 'name', h -> 'name') order by array_position(b.selection, (h ->> 'number')::smallint))
      from jsonb_array_elements(r.field) as h where (h ->> 'number')::smallint = any (b.selection)) as horses
  from (
    select t.id, t.bet_id from transfer t where t.player_id = $1 and t.kind = 'stake' and t.id < $2 order by t.id desc limit ${PAGE + 1}
  ) as t
  join bet b on b.id = t.bet_id
  join ledger_command c on c.player_id = $1 and c.command_id = b.command_id
  join race r on r.id = b.race_id
  join room m on m.id = r.room_id
  left join bet_outcome o on o.bet_id = b.id
  order by t.id desc`;

type BetRow = ReceiptRow & {
  entry: bigint;
  id: BetId;
  race_id: RaceId;
  pool: BetPool;
  selection: number[];
  stake: bigint;
  placed_at: bigint;
  outcome: NonNullable<PastBet['outcome']> | null;
  returned: bigint | null;
  race_number: number;
  room_name: string;
  horses: PastBet['horses'] | null;
};

const SET_LIMITS = `select outcome, limits
  from player_set_limits($1, $2, decode($3, 'hex'), $4, $5, $6, $7, $8, $9, $10)`;

type LimitsJson = {
  dailyStake: string | null;
  nextDailyStake: string | null;
  nextFrom: string | null;
  coolOffUntil: number;
  staked: string;
};

/** Everything a player sees of their own points, and the limits they set themselves. */
export function createStatements(pool: Pool, { startPoints }: { readonly startPoints: number }): Statements {
  return {
    async standing(playerId, day, reliefUpTo) {
      const [row] = await read<StandingRow>(pool, STANDING, [playerId, day, reliefUpTo]);
      if (row === undefined) return null;
      return {
        balance: row.balance,
        version: Number(row.version),
        lastDailyDay: row.last_daily_day,
        lastReliefAt: row.last_relief_at === null ? null : Number(row.last_relief_at),
        openStakes: row.open_stakes,
        limits: {
          dailyStake: row.daily_stake,
          next: row.next_from === null ? null : { dailyStake: row.next_daily_stake, from: row.next_from },
          coolOffUntil: Number(row.cool_off_until),
          staked: row.staked,
        },
      };
    },

    async entries(playerId, before) {
      const [row] = await read<{ balance: bigint | null; entries: EntryJson[] }>(pool, ENTRIES, [
        playerId,
        before?.last ?? NEWEST,
        before?.newest ?? NEWEST,
      ]);
      if (row === undefined) throw new Error('no row of entries');
      const shown = row.entries.slice(0, PAGE);
      const [first, last] = [shown[0], shown.at(-1)];
      const more = row.entries.length > PAGE && first !== undefined && last !== undefined;
      return {
        entries: shown.map(entryOf),
        next: more
          ? {
              last: BigInt(last.id),
              newest: before?.newest ?? BigInt(first.id),
              balance: before?.balance ?? BigInt(first.balance),
            }
          : null,
        unchanged: before === null || row.balance === before.balance,
      };
    },

    async bets(playerId, before) {
      const rows = await read<BetRow>(pool, BETS, [playerId, before ?? NEWEST]);
      const shown = rows.slice(0, PAGE);
      const last = shown.at(-1);
      return { bets: shown.map(betOf), next: rows.length > PAGE && last !== undefined ? last.entry : null };
    },

    async setLimits({ playerId, commandId, bodyHash, dailyStake, coolOffMs, day, dayFrom, nextDay }) {
      const [row] = await write<{ outcome: 'set' | 'repeat' | 'conflict'; limits: LimitsJson }>(pool, SET_LIMITS, [
        playerId,
        commandId,
        bodyHash,
        dailyStake !== undefined,
        dailyStake ?? null,
        coolOffMs ?? null,
        day,
        dayFrom,
        nextDay,
        startPoints,
      ]);
      if (row === undefined) throw new Error('player_set_limits returned nothing');
      return row.outcome === 'conflict' ? 'conflict' : limitsOf(row.limits);
    },
  };
}

function entryOf({ raceId, raceNumber, roomName, betId, pool, selection, ...entry }: EntryJson): StatementEntry {
  return {
    ...entry,
    ...(raceId !== null && { raceId }),
    ...(raceNumber !== null && { raceNumber }),
    ...(roomName !== null && { roomName }),
    ...(betId !== null && { betId }),
    ...(pool !== null && { pool }),
    ...(selection !== null && { selection }),
  };
}

function betOf(row: BetRow): PastBet {
  return {
    betId: row.id,
    raceId: row.race_id,
    raceNumber: row.race_number,
    roomName: row.room_name,
    pool: row.pool,
    selection: row.selection,
    horses: row.horses ?? [],
    stake: row.stake.toString(),
    placedAt: Number(row.placed_at),
    ...(row.outcome !== null && { outcome: row.outcome }),
    ...(row.returned !== null && { returned: row.returned.toString() }),
    receipt: receiptOf(row),
  };
}

function limitsOf(json: LimitsJson): LimitsRow {
  const points = (text: string | null) => (text === null ? null : BigInt(text));
  return {
    dailyStake: points(json.dailyStake),
    next: json.nextFrom === null ? null : { dailyStake: points(json.nextDailyStake), from: json.nextFrom },
    coolOffUntil: json.coolOffUntil,
    staked: BigInt(json.staked),
  };
}
