import { createHash } from 'node:crypto';
import { createDraws, type EngineHorse, makeField, simulate, type Track } from '../../lib/engine/index.ts';
import { uniformP } from './chi-square.ts';

export const TRACKS: readonly Track[] = ['short', 'medium', 'long'];
export const FIELD_SIZES: readonly number[] = [4, 5, 6, 7, 8, 9, 10, 11, 12];

/** The key of seed i in every engine test: SHA-256 of `seed:i`. */
export function seedKey(seed: number | string): Uint8Array {
  return new Uint8Array(createHash('sha256').update(`seed:${seed}`).digest());
}

/** A field as pick rooms get it. */
export function equalField(count: number): EngineHorse[] {
  return makeField({ draws: createDraws(seedKey(`equal field of ${count}`), 'test/field'), count, equal: true });
}

export type LaneTable = {
  readonly fieldSize: number;
  readonly track: Track;
  /** counts[place - 1][lane - 1] over all seeds; in a dead heat both horses count for the shared place */
  readonly counts: readonly (readonly number[])[];
};

/** Runs seeds 0…seeds-1 with equal horses and counts which lane took which place. */
export function laneTable(seeds: number, fieldSize: number, track: Track): LaneTable {
  const horses = equalField(fieldSize);
  const counts = horses.map(() => horses.map(() => 0));
  for (let seed = 0; seed < seeds; seed += 1) {
    for (const { number, place } of simulate({ simVersion: 1, track, horses, key: seedKey(seed) }).order) {
      const row = counts[place - 1] ?? [];
      row[number - 1] = (row[number - 1] ?? 0) + 1;
    }
  }
  return { fieldSize, track, counts };
}

/** For each place, the chi-square p of "every lane takes it equally often". */
export function lanePs(table: LaneTable): { place: number; p: number }[] {
  return table.counts.map((row, index) => ({ place: index + 1, p: uniformP(row) }));
}
