/** Races computed off the event loop. */
import type { Runner } from '../core/race-state.ts';
import type { Track } from '../engine/index.ts';

export type SimulationRequest = { readonly track: Track; readonly field: readonly Runner[]; readonly key: Uint8Array };
export interface Simulations {
  /** In the worker pool, or inline when the pool is gone. */
  simulate(request: SimulationRequest): Promise<import('../engine/index.ts').Simulation>;
  /** Wins by horse over `races` runs from a fixed seed, for the morning line. */
  monteCarlo(track: Track, field: readonly Runner[], races: number): Promise<readonly number[]>;
}
