import { createDraws } from '../draws.ts';
import type { EngineHorse, Simulation, SimulationInput } from '../types.ts';
import { STYLE_GAP, TUNING } from './constants.ts';
import { planRace } from './plan.ts';
import { runPlans } from './run.ts';

/** Label of the race's own draws; drawn picks and places have labels of their own. */
export const RACE_LABEL = 'paddock/race/v1';

const within = (value: number, low: number, high: number): boolean =>
  Number.isInteger(value) && value >= low && value <= high;

function check(horses: readonly EngineHorse[]): void {
  if (!within(horses.length, 2, 12)) throw new RangeError('a race has 2 to 12 horses');
  let last = 0;
  for (const horse of horses) {
    if (!within(horse.number, last + 1, 99)) throw new RangeError('gates are 1 to 99, ascending');
    if (!Object.hasOwn(STYLE_GAP, horse.style)) throw new RangeError('unknown running style');
    if (!within(horse.ability, -1_000, 1_000)) throw new RangeError('ability is -1000 to 1000 mm/s');
    if (!within(horse.stamina, -100, 100)) throw new RangeError('stamina is -100 to 100');
    last = horse.number;
  }
}

/** Engine version 1. Throws RangeError for input outside its limits. */
export function simulateV1(input: SimulationInput): Simulation {
  if (!Object.hasOwn(TUNING, input.track)) throw new RangeError('unknown track');
  check(input.horses);
  return runPlans(planRace(input.horses, input.track, createDraws(input.key, RACE_LABEL)), input.track);
}
