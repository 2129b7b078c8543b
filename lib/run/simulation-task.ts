import { type EngineHorse, SIM_VERSION, type Simulation, simulate, type Track } from '../engine/index.ts';

/** What a worker is asked. Horses carry no more than the engine needs. */
export type SimulationTask =
  | {
      readonly kind: 'simulate';
      readonly track: Track;
      readonly horses: readonly EngineHorse[];
      readonly key: Uint8Array;
    }
  /** wins by horse, in the order of the field, over the races numbered `first` to `first + races - 1` */
  | {
      readonly kind: 'monte-carlo';
      readonly track: Track;
      readonly horses: readonly EngineHorse[];
      readonly first: number;
      readonly races: number;
    }
  /** The number of races this thread has run so far; a thread of the pool is warm before it takes its first task. */
  | { readonly kind: 'races-run' };

const WARM_RACES = 20;
const WARM_FIELD: readonly EngineHorse[] = Array.from({ length: 8 }, (_, index) => ({
  number: index + 1,
  style: 'stalker',
  ability: 0,
  stamina: 0,
}));

let racesRun = 0;

/** Runs the engine until it is compiled, so that no race pays for that. */
export function warmUp(): void {
  countWins('medium', WARM_FIELD, 0, WARM_RACES);
}

/** In a worker, or inline when there is no pool. */
export function runTask(task: SimulationTask): Simulation | readonly number[] {
  switch (task.kind) {
    case 'simulate':
      return run(task.track, task.horses, task.key);
    case 'monte-carlo':
      return countWins(task.track, task.horses, task.first, task.races);
    case 'races-run':
      return [racesRun];
  }
}

function run(track: Track, horses: readonly EngineHorse[], key: Uint8Array): Simulation {
  racesRun += 1;
  return simulate({ simVersion: SIM_VERSION, track, horses, key });
}

/** A race's key is its number: the same field gets the same line wherever it is made. A dead heat counts for each winner. */
export function countWins(
  track: Track,
  horses: readonly EngineHorse[],
  first: number,
  races: number,
): readonly number[] {
  const wins = new Map(horses.map(({ number }) => [number, 0]));
  const key = new Uint8Array(32);
  const counter = new DataView(key.buffer);
  for (let race = first; race < first + races; race += 1) {
    counter.setUint32(0, race);
    for (const { number, place } of run(track, horses, key).order) {
      if (place === 1) wins.set(number, (wins.get(number) ?? 0) + 1);
    }
  }
  return [...wins.values()];
}
