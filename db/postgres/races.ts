import type { Pool } from 'pg';
import type { PlayerId, RaceId, RoomId } from '../../lib/core/ids.ts';
import type { Phase, Placing, Totals } from '../../lib/core/race-state.ts';
import {
  type BatchRow,
  type PhaseMove,
  type PoolSettlement,
  type RaceDetails,
  type RaceRecords,
  type ScratchMove,
} from '../../lib/ports.ts';
import type { RaceLine } from '../../lib/protocol.ts';
import { readBetsOf, readOutcomes, readStaked, readStakes } from './bets.ts';
import { isLockTimeout } from './failures.ts';
import { readChoicesOf } from './picks.ts';
import { jsonb, read, write } from './query.ts';
import {
  type DetailsRow,
  newRaceRow,
  openedRow,
  type RecordRow,
  raceDetails,
  recordParts,
  SELECT_DETAILS,
  SELECT_RECORD,
} from './race-rows.ts';

/** Closed later than this, a race is void. Not divided by TIME_SCALE: an outage is as long as it is. */
const LATE_MS = 60_000;

/** Longest wait for the race's exclusive lock: one batch that is being placed, with room for a slow disk. */
const WAIT_MS = 250;

/** Whoever closed has this long to draw before the sweeper takes it for dead. */
const DRAW_GRACE_MS = 1_000;

const BATCHES = `select batch, encode(root, 'hex') as root, count, totals from race_batch where race_id = $1 order by batch`;

/** Held payouts that were made this lately are told where a room has no log any more that would tell of it. */
const PAID_LATELY_MS = 10_000;

const OVERDUE = `select id, room_id from (
    select id, room_id from race
    where (phase = 'open' and closes_at <= now_ms())
      or (phase = 'closed' and starts_at <= now_ms())
      or (phase = 'closed' and starts_at is null and closed_at <= now_ms() - $2)
      or (phase = 'running' and ends_at <= now_ms())
    union all
    select r.id, r.room_id from race_hold h join race r on r.id = h.race_id where h.paid_at > now_ms() - $3
  ) as due
  order by random()
  limit $1`;

const UNFINISHED = `select id, room_id from race where phase in ('open', 'closed', 'running')`;

const HISTORY = `select r.id, r.number, r.phase, coalesce(r.ended_at, r.opened_at) as at, r.result
  from race r
  where r.room_id = $1 and r.number < coalesce((select b.number from race b where b.id = $2), 2147483647)
  order by r.number desc
  limit $3`;

type HistoryRow = {
  id: RaceId;
  number: number;
  phase: Phase;
  at: bigint;
  result: { order: readonly Placing[]; caught?: readonly PlayerId[] } | null;
};

type PlaceRow = { id: RaceId; room_id: RoomId };

export type RaceRecordsOptions = {
  /** whose midnights part the periods of the boards, as PostgreSQL knows it */
  readonly timeZone: string;
};

/** Races, bets and picks in PostgreSQL; the moves are the functions of the migrations, one call each. */
export function createRaceRecords(pool: Pool, options: RaceRecordsOptions = { timeZone: 'Asia/Seoul' }): RaceRecords {
  /** A lock that was not to be had in time rolled everything back: the same as 'busy'. */
  async function move(text: string, values: readonly unknown[]): Promise<PhaseMove> {
    try {
      const [row] = await write<{ outcome: PhaseMove }>(pool, `select ${text} as outcome`, values);
      return row?.outcome ?? 'absent';
    } catch (error) {
      if (isLockTimeout(error)) return 'busy';
      throw error;
    }
  }

  async function details(where: string, value: string): Promise<RaceDetails | null> {
    const [row] = await read<DetailsRow>(pool, `${SELECT_DETAILS} where ${where}`, [value]);
    return row === undefined ? null : raceDetails(row);
  }

  return {
    async open(race, opened) {
      const row = openedRow(race);
      const [answer] = await write<{
        outcome: 'opened' | 'unfinished' | 'stale' | 'room-closed';
        other: RaceId | null;
      }>(pool, 'select outcome, other from race_open($1::jsonb, $2::jsonb)', [
        jsonb(newRaceRow(race)),
        jsonb(opened(row)),
      ]);
      if (answer === undefined) throw new Error('race_open returned nothing');
      if (answer.outcome === 'opened') return { kind: 'opened', row };
      if (answer.outcome === 'unfinished' && answer.other !== null) return { kind: 'unfinished', raceId: answer.other };
      return answer.outcome === 'stale' ? { kind: 'stale' } : { kind: 'room-closed' };
    },

    get: (raceId) => details('r.id = $1', raceId),
    latest: (roomId) => details('r.room_id = $1 order by r.number desc limit 1', roomId),

    async history(roomId, before, limit) {
      const rows = await read<HistoryRow>(pool, HISTORY, [roomId, before, limit + 1]);
      const races = rows.slice(0, limit).map(raceLine);
      const last = races.at(-1);
      return rows.length > limit && last !== undefined ? { races, next: last.id } : { races };
    },

    async bringForward(raceId, closesAt, start) {
      try {
        const [row] = await write<{ outcome: PhaseMove; closes_at: bigint | null }>(
          pool,
          'select outcome, closes_at from race_bring_forward($1, $2, $3, $4)',
          [raceId, closesAt, start ?? null, WAIT_MS],
        );
        return { move: row?.outcome ?? 'absent', closesAt: Number(row?.closes_at ?? closesAt) };
      } catch (error) {
        if (isLockTimeout(error)) return { move: 'busy', closesAt };
        throw error;
      }
    },

    async started(start) {
      const [row] = await read<{ race_id: RaceId; closes_at: bigint }>(
        pool,
        'select race_id, closes_at from race_start where id = $1',
        [start],
      );
      return row === undefined ? null : { raceId: row.race_id, closesAt: Number(row.closes_at) };
    },

    close: (raceId, drawnFor) => move('race_close($1, $2::jsonb, $3, $4)', [raceId, jsonb(drawnFor), LATE_MS, WAIT_MS]),

    draw: (raceId, outcome, startsAt, minLeadMs, runsForMs) =>
      move('race_draw($1, $2::jsonb, $3, $4, $5, $6)', [
        raceId,
        jsonb(outcome),
        Math.ceil(startsAt),
        Math.ceil(minLeadMs),
        Math.ceil(runsForMs),
        WAIT_MS,
      ]),

    run: (raceId) => move('race_run($1, $2)', [raceId, WAIT_MS]),

    settle: (raceId, { result, pools, recordHash, nextOpensAfterMs }) =>
      move('race_settle($1, $2::jsonb, $3::jsonb, $4, $5, $6, $7, $8)', [
        raceId,
        jsonb(result),
        jsonb(pools.map(poolResult)),
        result.seed,
        recordHash,
        nextOpensAfterMs,
        WAIT_MS,
        options.timeZone,
      ]),

    voidRace: (raceId, reason, seed, recordHash, nextOpensAfterMs, seen) =>
      move('race_void($1, $2, $3, $4, $5, $6, $7, $8)', [
        raceId,
        reason,
        seed,
        recordHash,
        nextOpensAfterMs,
        LATE_MS,
        WAIT_MS,
        seen ?? null,
      ]),

    async scratchHorse(raceId, number, guardMs) {
      try {
        const [row] = await write<{ outcome: ScratchMove; left_in: number | null }>(
          pool,
          'select outcome, left_in from race_scratch_horse($1, $2, $3, $4)',
          [raceId, number, Math.ceil(guardMs), WAIT_MS],
        );
        return { move: row?.outcome ?? 'absent', left: row?.left_in ?? 0 };
      } catch (error) {
        if (isLockTimeout(error)) return { move: 'busy', left: 0 };
        throw error;
      }
    },

    stakes: (raceId) => readStakes(pool, raceId),

    async batches(raceId) {
      const rows = await read<{ batch: bigint; root: string; count: number; totals: Totals }>(pool, BATCHES, [raceId]);
      return rows.map((row): BatchRow => ({ ...row, batch: row.batch.toString() }));
    },

    staked: (raceId) => readStaked(pool, raceId),

    async record(raceId) {
      const [row] = await read<RecordRow>(pool, SELECT_RECORD, [raceId]);
      return row === undefined ? null : recordParts(row);
    },

    async overdue(limit) {
      return (await read<PlaceRow>(pool, OVERDUE, [limit, DRAW_GRACE_MS, PAID_LATELY_MS])).map(place);
    },

    async unfinished() {
      return (await read<PlaceRow>(pool, UNFINISHED, [])).map(place);
    },

    outcomes: (raceId) => readOutcomes(pool, raceId),

    async mine(raceId, playerId) {
      const [bets, choices] = await Promise.all([
        readBetsOf(pool, raceId, playerId),
        readChoicesOf(pool, raceId, playerId),
      ]);
      return { bets, ...choices };
    },
  };
}

function place(row: PlaceRow): { raceId: RaceId; roomId: RoomId } {
  return { raceId: row.id, roomId: row.room_id };
}

function raceLine(row: HistoryRow): RaceLine {
  return {
    id: row.id,
    number: row.number,
    phase: row.phase,
    at: Number(row.at),
    ...(row.result && { order: row.result.order.map(({ number, place: at }) => ({ number, place: at })) }),
    ...(row.result?.caught && { caught: row.result.caught }),
  };
}

/** Points as decimal strings, since JSON's numbers end at 2^53. */
function poolResult(settlement: PoolSettlement): object {
  return {
    pool: settlement.pool,
    dividends: settlement.dividends?.map(({ selection, per100 }) => ({ selection, per100: per100.toString() })) ?? null,
    gross: settlement.gross.toString(),
    paid: settlement.paid.toString(),
    takeout: settlement.takeout.toString(),
    breakage: settlement.breakage.toString(),
  };
}
