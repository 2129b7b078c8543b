import { AFTER_FINISH_MS } from './race-state.ts';

/** Every length of a round in one place. `scale` (TIME_SCALE) divides all of them; the 60 s of a late close stay. */

/** A race whose betting could not be closed for this long after `closesAt` is void. */
export const LATE_CLOSE_MS = 60_000;

const CLOSED_MS = 5_000;
const LEAST_LEAD_MS = 3_000;
const HOST_LEAVES_MS = 10_000;
const LAST_PICK_LEAVES_MS = 3_000;
const LAST_SCRATCH_MS = 10_000;

/** Milliseconds of server time. */
export type RaceTiming = {
  readonly scale: number;
  /** from the close to the start, as planned */
  readonly closedMs: number;
  /** at least this long between the stored outcome and the start, however late the close was */
  readonly leastLeadMs: number;
  /** what a host who brings the close forward leaves to the others */
  readonly hostLeavesMs: number;
  /** what is left once the last player has picked */
  readonly lastPickLeavesMs: number;
  /** before the close: later no horse is scratched */
  readonly lastScratchMs: number;
  /** a length of race time, or of one in the settings' seconds × 1000 */
  scaled(ms: number): number;
  /** from the start to the settlement, for a race whose last horse needs `durationMs` of race time */
  runsForMs(durationMs: number): number;
};

/** Throws RangeError for a scale outside 1…50. */
export function createTiming(scale: number): RaceTiming {
  if (!(scale >= 1 && scale <= 50)) throw new RangeError('TIME_SCALE is 1 to 50');
  const scaled = (ms: number): number => Math.ceil(ms / scale);
  return {
    scale,
    closedMs: scaled(CLOSED_MS),
    leastLeadMs: scaled(LEAST_LEAD_MS),
    hostLeavesMs: scaled(HOST_LEAVES_MS),
    lastPickLeavesMs: scaled(LAST_PICK_LEAVES_MS),
    lastScratchMs: scaled(LAST_SCRATCH_MS),
    scaled,
    runsForMs: (durationMs) => scaled(durationMs + AFTER_FINISH_MS),
  };
}
