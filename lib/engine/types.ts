/** The engine's vocabulary. Lengths are integer millimetres, times integer milliseconds of race time (0 = the gates open). */

export type Track = 'short' | 'medium' | 'long';
export type RunningStyle = 'front-runner' | 'stalker' | 'closer';

/** One runner as the engine needs it. */
export type EngineHorse = {
  /** gate, 1-based, unique within the race; scratched gates may be missing */
  readonly number: number;
  readonly style: RunningStyle;
  /** base speed offset in mm/s as felt on the medium track, -1000…1000; 0 = equal */
  readonly ability: number;
  /** -100…100; 0 = equal */
  readonly stamina: number;
};

export type SimulationInput = {
  readonly simVersion: 1;
  readonly track: Track;
  /** 2 to 12 runners */
  readonly horses: readonly EngineHorse[];
  /** K, 32 bytes */
  readonly key: Uint8Array;
};

/** `place` is 1-based; horses of a dead heat share the better place and the next ones are skipped: 1, 1, 3. */
export type FinishedHorse = { readonly number: number; readonly finishMs: number; readonly place: number };

/** `frames[k][i]` is the position in mm of horse `numbers[i]` at `k * 250` ms; past the line it runs on, beyond the track's length. */
export type Keyframes = {
  readonly stepMs: 250;
  readonly numbers: readonly number[];
  readonly frames: readonly (readonly number[])[];
};

export type Simulation = {
  /** by finish time; within a dead heat by gate */
  readonly order: readonly FinishedHorse[];
  /** finish of the last horse */
  readonly durationMs: number;
  /** from 0 to the first keyframe at or after `durationMs` + 2 s */
  readonly keyframes: Keyframes;
};
