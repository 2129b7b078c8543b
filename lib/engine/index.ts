import type { Simulation, SimulationInput } from './types.ts';
import { simulateV1 } from './v1/simulate.ts';

export { createDraws, type Draws } from './draws.ts';
export { type FieldRunner, makeField, morningLine } from './field.ts';
export { type DecodedChunk, decodeChunk, encodeChunks, type FrameChunk, positionsAt } from './frames.ts';
export { HORSE_NAMES, type HorseName, SILKS, type Silks } from './horses.ts';
export type {
  EngineHorse,
  FinishedHorse,
  Keyframes,
  RunningStyle,
  Simulation,
  SimulationInput,
  Track,
} from './types.ts';
export { TRACK_LENGTH_MM } from './v1/constants.ts';

/** The version new races are run with. */
export const SIM_VERSION = 1;

/**
 * Runs one race: the same input gives the same output in every JavaScript engine, for ever.
 * Each released version stays in the tree, so a stored race is replayed by the one that made it.
 * Throws RangeError for an unknown version, track or style, a key that is not 32 bytes, or a field outside its limits.
 */
export function simulate(input: SimulationInput): Simulation {
  const version: number = input.simVersion;
  if (version === 1) return simulateV1(input);
  throw new RangeError(`no engine of version ${version}`);
}
