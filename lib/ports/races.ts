/** Races in PostgreSQL, moved by compare-and-set. */
import type { PlayerId, RaceId, RoomId } from '../core/ids.ts';
import type { Pool } from '../core/pools.ts';
import type { RaceOutcome, RaceResult, RaceRow, RaceRules, Runner, Totals, VoidReason } from '../core/race-state.ts';
import type { RoomKind } from '../core/room-state.ts';
import type { Track } from '../engine/index.ts';
import type { MyBet, RaceLine, Receipt, RoomEventBody, SettledBet } from '../protocol.ts';

export type NewRace = {
  readonly id: RaceId;
  readonly roomId: RoomId;
  readonly kind: RoomKind;
  /** One above the room's newest race, whose `recordHash` is `previousRecordHash` (null for the first): the field hash covers the number. */
  readonly number: number;
  readonly previousRecordHash: string | null;
  readonly track: Track;
  readonly rules: RaceRules;
  readonly field: readonly Runner[];
  readonly fieldHash: string;
  readonly simVersion: 1;
  readonly rulesVersion: number;
  readonly seedKeyId: string;
  readonly commitment: string;
  readonly participants: readonly PlayerId[] | null;
  readonly rerunOf: RaceId | null;
  readonly openedAt: number;
  readonly closesAt: number;
};

export type PickRow = { readonly playerId: PlayerId; readonly horse: number | null };
export type VoteRow = { readonly playerId: PlayerId; readonly place: number };
/** A pick without a horse, stored at the close: its leaf (kind 'drawn') and tag are made by whoever closes. Hex, 32 bytes each. */
export type DrawnPick = { readonly playerId: PlayerId; readonly leaf: string; readonly tag: string };
export type BatchRow = {
  readonly batch: string;
  readonly root: string;
  readonly count: number;
  readonly totals: Totals;
};

export type RaceDetails = {
  readonly row: RaceRow;
  readonly picks: readonly PickRow[];
  readonly votes: readonly VoteRow[];
  readonly result: RaceResult | null;
};

export type PoolStake = {
  readonly pool: Pool;
  readonly selection: readonly number[];
  readonly stake: bigint;
  readonly count: number;
};

export type RaceRecordParts = {
  readonly details: RaceDetails;
  /** Stands for all that the record would say if the race were void: the same as long as nothing of it changes. */
  readonly seen: string;
  readonly stakes: readonly PoolStake[];
  readonly batches: readonly BatchRow[];
};

export type PoolSettlement = {
  readonly pool: Pool;
  /** null: refunded whole. */
  readonly dividends: readonly { readonly selection: readonly number[]; readonly per100: bigint }[] | null;
  readonly gross: bigint;
  readonly paid: bigint;
  readonly takeout: bigint;
  readonly breakage: bigint;
};

/**
 * 'moved': this call did it. 'already': the phase is past it. 'early': the deadline (or the phase before) has not come.
 * 'late': the close is more than 60 s overdue, void it with 'late-close'. 'busy': a lock was not to be had.
 */
export type PhaseMove = 'moved' | 'already' | 'early' | 'late' | 'busy' | 'absent';

/** 'moved': the horse is out now. 'already': it was. 'no-runner': not in the field. 'late': not open, or about to close. 'frozen': refunds would have to wait. */
export type ScratchMove = 'moved' | 'already' | 'no-runner' | 'late' | 'frozen' | 'busy' | 'absent';

/**
 * Races by compare-and-set. Each moving call is one function call that takes the race's advisory lock first, checks phase
 * and the database's clock, and writes the room's fact in the same transaction. Safe to repeat from anywhere.
 */
export interface RaceRecords {
  /**
   * 'unfinished': the room has a race that is not over (its id is returned). 'stale': number or previous record are not the
   * next ones any more, read `latest` again. A repeat with the same race id answers 'opened'. Fact `race opened`.
   */
  open(
    race: NewRace,
    opened: (row: RaceRow) => RoomEventBody,
  ): Promise<
    | { kind: 'opened'; row: RaceRow }
    | { kind: 'unfinished'; raceId: RaceId }
    | { kind: 'stale' }
    | { kind: 'room-closed' }
  >;
  get(raceId: RaceId): Promise<RaceDetails | null>;
  /** The room's newest race. */
  latest(roomId: RoomId): Promise<RaceDetails | null>;
  history(
    roomId: RoomId,
    before: RaceId | null,
    limit: number,
  ): Promise<{ readonly races: readonly RaceLine[]; readonly next?: RaceId }>;
  /**
   * Never later than it was; fact `race closing`. `start`: the id of the race that the asking command would have opened; what it
   * is answered is kept, and told again by `started`.
   */
  bringForward(raceId: RaceId, closesAt: number, start?: RaceId): Promise<{ move: PhaseMove; closesAt: number }>;
  /** What a command to start was answered that found a race under way; null: no such command. */
  started(start: RaceId): Promise<{ readonly raceId: RaceId; readonly closesAt: number } | null>;
  /** open → closed. Stores a pick without a horse for each of `drawnFor` who has none (as leaves), folds the batch roots. Fact `race closed`. */
  close(raceId: RaceId, drawnFor: readonly DrawnPick[]): Promise<PhaseMove>;
  /** closed (with betsRoot) → closed with outcome and startsAt = max(`startsAt`, now + `minLeadMs`). Fact `race drawn`. */
  draw(
    raceId: RaceId,
    outcome: RaceOutcome,
    startsAt: number,
    minLeadMs: number,
    runsForMs: number,
  ): Promise<PhaseMove>;
  /** closed → running at startsAt. Fact `race running`. */
  run(raceId: RaceId): Promise<PhaseMove>;
  /** running → settled at endsAt, with every payout, refund, takeout and breakage. Idempotent. Fact `race settled`. */
  settle(
    raceId: RaceId,
    settlement: {
      readonly result: RaceResult;
      readonly pools: readonly PoolSettlement[];
      readonly recordHash: string;
      readonly nextOpensAfterMs: number | null;
    },
  ): Promise<PhaseMove>;
  /**
   * Any unfinished phase → void, every stake refunded. Fact `race void`. `seen`: of the record that was hashed; 'early' where
   * the race has changed since, read it again.
   */
  voidRace(
    raceId: RaceId,
    reason: VoidReason,
    seed: string,
    recordHash: string,
    nextOpensAfterMs: number | null,
    seen?: string,
  ): Promise<PhaseMove>;
  /**
   * Takes a horse out of an open race, not in the last `guardMs` before its close. In one transaction: a row for ever, refunds
   * of every bet with the horse, every pick of it cleared, fact `horse scratched`. `left`: runners that are still in.
   */
  scratchHorse(
    raceId: RaceId,
    number: number,
    guardMs: number,
  ): Promise<{ readonly move: ScratchMove; readonly left: number }>;
  /** Stakes by pool and selection, from the stored batches. */
  stakes(raceId: RaceId): Promise<readonly PoolStake[]>;
  batches(raceId: RaceId): Promise<readonly BatchRow[]>;
  /** The stakes and the last batch in them (0n: none), of one moment. */
  staked(raceId: RaceId): Promise<{ readonly stakes: readonly PoolStake[]; readonly batch: bigint }>;
  /** Everything that makes the race's record, of one moment. */
  record(raceId: RaceId): Promise<RaceRecordParts | null>;
  /** Unfinished races whose next deadline is past, and those that were on hold and have just been paid; in random order, without locks. */
  overdue(limit: number): Promise<readonly { readonly raceId: RaceId; readonly roomId: RoomId }[]>;
  unfinished(): Promise<readonly { readonly raceId: RaceId; readonly roomId: RoomId }[]>;
  /** How everybody who had a bet came out of a race that is over. */
  outcomes(raceId: RaceId): Promise<
    readonly {
      readonly playerId: PlayerId;
      readonly bets: readonly SettledBet[];
      readonly balance: bigint;
      readonly balanceVersion: number;
    }[]
  >;
  mine(
    raceId: RaceId,
    playerId: PlayerId,
  ): Promise<{
    readonly bets: readonly MyBet[];
    readonly pick?: { readonly horse: number | null; readonly receipt?: Receipt };
    readonly vote?: { readonly place: number; readonly receipt?: Receipt };
  }>;
}

export type SeedKey = { readonly id: string /** 32 bytes */; readonly key: Uint8Array };
export interface SeedKeyRecords {
  /** The key new races use; made (encrypted with SEED_WRAP_KEY, hash published) when there is none. */
  current(): Promise<SeedKey>;
  get(id: string): Promise<SeedKey | null>;
  published(): Promise<
    readonly { readonly id: string; readonly hash: string; readonly createdAt: number; readonly key?: string }[]
  >;
}
