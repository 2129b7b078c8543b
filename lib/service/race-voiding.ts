import type { RaceId, RoomId } from '../core/ids.ts';
import { type PublicRecord, publicRecord } from '../core/public-race.ts';
import { isOver } from '../core/race.ts';
import type { VoidReason } from '../core/race-state.ts';
import type { RaceTiming } from '../core/race-timing.ts';
import { recordHash, toHex } from '../fairness/index.ts';
import type { PhaseMove, RaceRecords, ServerClock } from '../ports.ts';
import type { RaceSimulations } from './race-simulations.ts';

export type RaceVoidingDeps = {
  readonly records: Pick<RaceRecords, 'record' | 'voidRace'>;
  readonly runs: Pick<RaceSimulations, 'seedOf'>;
  readonly clock: ServerClock;
  readonly timing: RaceTiming;
  /** Whether the room opens its next race by itself. */
  readonly isAutomatic: (roomId: RoomId) => boolean | Promise<boolean>;
};

export type RaceVoiding = (raceId: RaceId, reason: VoidReason) => Promise<PhaseMove>;

/**
 * Ends a race without a result, with its record and seed. 'early': something was placed or decided meanwhile, ask again.
 * Rejects with UnavailableError.
 */
export function createRaceVoiding({ records, runs, clock, timing, isAutomatic }: RaceVoidingDeps): RaceVoiding {
  return async (raceId, reason) => {
    const parts = await records.record(raceId);
    if (parts === null) return 'absent';
    const { details, seen } = parts;
    const { row } = details;
    if (isOver(row.phase)) return 'already';
    const seed = toHex(await runs.seedOf(row));
    const over = { ...details, row: { ...row, phase: 'void', voidReason: reason, seed } as const };
    const hash = recordHashOf(publicRecord(over, parts, clock.now()));
    const pauseMs = (await isAutomatic(row.roomId)) ? timing.scaled(row.rules.resultSeconds * 1_000) : null;
    return records.voidRace(raceId, reason, seed, hash, pauseMs, seen);
  };
}

/** Hex. Of a record that is over but for its own hash. */
export function recordHashOf(record: PublicRecord): string {
  if (record.seed === undefined) throw new Error(`race ${record.id} is not over`);
  return toHex(recordHash({ ...record, seed: record.seed }));
}
