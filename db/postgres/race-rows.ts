import type { PlayerId, RaceId, RoomId } from '../../lib/core/ids.ts';
import type {
  Phase,
  RaceOutcome,
  RaceResult,
  RaceRow,
  RaceRules,
  Runner,
  Totals,
  VoidReason,
} from '../../lib/core/race-state.ts';
import type { RoomKind } from '../../lib/core/room-state.ts';
import type { Track } from '../../lib/engine/index.ts';
import type { BatchRow, NewRace, PickRow, RaceDetails, RaceRecordParts, VoteRow } from '../../lib/ports.ts';
import { STAKES, type StakeJson, stakeOf } from './bets.ts';

type Row = {
  id: RaceId;
  room_id: RoomId;
  kind: RoomKind;
  number: number;
  phase: Phase;
  track: Track;
  rules: RaceRules;
  field: Runner[];
  field_hash: string;
  sim_version: 1;
  rules_version: number;
  seed_key_id: string;
  commitment: string;
  previous_record_hash: string | null;
  participants: PlayerId[] | null;
  rerun_of: RaceId | null;
  opened_at: bigint;
  closes_at: bigint;
  closed_at: bigint | null;
  starts_at: bigint | null;
  ends_at: bigint | null;
  ended_at: bigint | null;
  totals: Totals;
  scratched: number[];
  bets_root: string | null;
  outcome: RaceOutcome | null;
  seed: string | null;
  void_reason: VoidReason | null;
  record_hash: string | null;
  payouts_held: boolean;
};

export type DetailsRow = Row & { result: RaceResult | null; picks: PickRow[]; votes: VoteRow[] };

/** Everything of a race in one statement, so that row, picks and votes are of one moment. */
export const SELECT_DETAILS = `select r.id, r.room_id, r.kind, r.number, r.phase, r.track, r.rules, r.field, r.field_hash, r.sim_version,
    r.rules_version, r.seed_key_id, r.commitment, r.previous_record_hash, r.participants, r.rerun_of, r.opened_at, r.closes_at,
    r.closed_at, r.starts_at, r.ends_at, r.ended_at, coalesce(r.totals, race_totals(r.id)) as totals, r.bets_root, r.outcome, r.seed,
    r.void_reason, r.record_hash, r.result,
    exists (select from race_hold h where h.race_id = r.id and h.paid_at is null) as payouts_held,
    array(select s.horse from race_scratch s where s.race_id = r.id order by s.ordinal) as scratched,
    (select coalesce(json_agg(json_build_object('playerId', p.player_id, 'horse', p.horse) order by p.batch, p.ordinal), '[]')
      from race_pick p where p.race_id = r.id) as picks,
    (select coalesce(json_agg(json_build_object('playerId', v.player_id, 'place', v.place) order by v.batch, v.ordinal), '[]')
      from race_vote v where v.race_id = r.id) as votes
  from race r`;

export type RecordRow = DetailsRow & { seen: string; stakes: StakeJson[]; batches: BatchRow[] };

/** $1: the race. One statement, so that nothing in the record is newer than the phase in it. */
export const SELECT_RECORD = `select d.*, race_seen($1) as seen,
    (select coalesce(json_agg(json_build_object('pool', s.pool, 'selection', s.selection, 'stake', s.stake::text, 'count', s.count)), '[]')
      from (${STAKES}) as s) as stakes,
    (select coalesce(json_agg(json_build_object('batch', t.batch::text, 'root', encode(t.root, 'hex'), 'count', t.count, 'totals', t.totals)
      order by t.batch), '[]') from race_batch t where t.race_id = $1) as batches
  from (${SELECT_DETAILS} where r.id = $1) as d`;

export function recordParts(row: RecordRow): RaceRecordParts {
  return { details: raceDetails(row), seen: row.seen, stakes: row.stakes.map(stakeOf), batches: row.batches };
}

export function raceDetails(row: DetailsRow): RaceDetails {
  return { row: raceRow(row), picks: row.picks, votes: row.votes, result: row.result };
}

function raceRow(row: Row): RaceRow {
  return {
    id: row.id,
    roomId: row.room_id,
    kind: row.kind,
    number: row.number,
    phase: row.phase,
    track: row.track,
    rules: row.rules,
    field: row.field,
    fieldHash: row.field_hash,
    simVersion: row.sim_version,
    rulesVersion: row.rules_version,
    seedKeyId: row.seed_key_id,
    commitment: row.commitment,
    previousRecordHash: row.previous_record_hash,
    participants: row.participants,
    rerunOf: row.rerun_of,
    openedAt: Number(row.opened_at),
    closesAt: Number(row.closes_at),
    closedAt: time(row.closed_at),
    startsAt: time(row.starts_at),
    endsAt: time(row.ends_at),
    endedAt: time(row.ended_at),
    totals: row.totals,
    scratched: row.scratched,
    betsRoot: row.bets_root,
    outcome: row.outcome,
    seed: row.seed,
    voidReason: row.void_reason,
    recordHash: row.record_hash,
    payoutsHeld: row.payouts_held,
  };
}

function time(value: bigint | null): number | null {
  return value === null ? null : Number(value);
}

/** The row as it is right after opening. */
export function openedRow(race: NewRace): RaceRow {
  return {
    ...race,
    phase: 'open',
    closedAt: null,
    startsAt: null,
    endsAt: null,
    endedAt: null,
    totals: {},
    scratched: [],
    betsRoot: null,
    outcome: null,
    seed: null,
    voidReason: null,
    recordHash: null,
    payoutsHeld: false,
  };
}

/** The race by SQL's column names, as race_open takes it. */
export function newRaceRow(race: NewRace): object {
  return {
    id: race.id,
    room_id: race.roomId,
    kind: race.kind,
    number: race.number,
    track: race.track,
    rules: race.rules,
    field: race.field,
    field_hash: race.fieldHash,
    sim_version: race.simVersion,
    rules_version: race.rulesVersion,
    seed_key_id: race.seedKeyId,
    commitment: race.commitment,
    previous_record_hash: race.previousRecordHash,
    participants: race.participants,
    rerun_of: race.rerunOf,
    opened_at: race.openedAt,
    closes_at: race.closesAt,
  };
}
