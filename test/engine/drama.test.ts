import { expect, test } from 'vitest';
import {
  createDraws,
  type EngineHorse,
  makeField,
  type Simulation,
  simulate,
  TRACK_LENGTH_MM,
  type Track,
} from '../../lib/engine/index.ts';
import { seedKey, TRACKS } from '../helpers/lanes.ts';

const RACES = 2_000;
const FIELDS = 25;
/** Races of the Monte Carlo that names the favourite and the last outsider of a field. */
const LINE_RACES = 200;

type Drama = {
  leadChanges: number;
  lateChanges: number;
  halfwayWins: number;
  deadHeat: number;
  gapMs: number;
  tailMs: number;
};

/** Who leads is read from the keyframes between the first second and the first finish; a level rival does not take the lead. */
function drama(sim: Simulation, track: Track): Drama {
  const { frames, numbers } = sim.keyframes;
  const length = TRACK_LENGTH_MM[track];
  const [first, second] = sim.order;
  const [beforeLast, last] = sim.order.slice(-2);
  let leader = -1;
  let halfway = -1;
  const seen = { leadChanges: 0, lateChanges: 0 };
  for (const frame of frames.slice(4)) {
    const front = Math.max(...frame);
    if (front >= length) break;
    if (frame[leader] !== front) {
      if (leader >= 0) {
        seen.leadChanges += 1;
        if (front * 4 >= length * 3) seen.lateChanges += 1;
      }
      leader = frame.indexOf(front);
    }
    if (halfway < 0 && front * 2 >= length) halfway = leader;
  }
  return {
    ...seen,
    halfwayWins: Number(numbers[halfway] === first?.number),
    deadHeat: Number(second?.place === 1),
    gapMs: (second?.finishMs ?? 0) - (first?.finishMs ?? 0),
    tailMs: (last?.finishMs ?? 0) - (beforeLast?.finishMs ?? 0),
  };
}

/** A figure and its standard error, both from the sample. */
type Estimate = { readonly value: number; readonly error: number };

function mean(values: readonly number[]): Estimate {
  const value = values.reduce((a, b) => a + b, 0) / values.length;
  const variance = values.reduce((sum, x) => sum + (x - value) ** 2, 0) / (values.length - 1);
  return { value, error: Math.sqrt(variance / values.length) };
}

/** The error is half of what lies between the values one standard deviation of ranks below and above the middle. */
function median(values: readonly number[]): Estimate {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = values.length / 2;
  const ranks = Math.sqrt(values.length) / 2;
  const at = (rank: number): number => sorted[Math.round(rank)] ?? Number.NaN;
  return { value: at(middle), error: (at(middle + ranks) - at(middle - ranks)) / 2 };
}

/** A bound holds if the figure is inside it or less than three standard errors outside. */
function expectWithin(name: string, { value, error }: Estimate, low: number, high: number): void {
  expect(value, `${name}, from below`).toBeGreaterThanOrEqual(low - 3 * error);
  expect(value, `${name}, from above`).toBeLessThanOrEqual(high + 3 * error);
}

/** Fields and races of a seed family that nothing else uses. */
function openField(index: number, count: number, equal: boolean): EngineHorse[] {
  return makeField({ draws: createDraws(seedKey(`open field ${index}`), 'test/field'), count, equal });
}

function winners(sim: Simulation): number[] {
  return sim.order.filter(({ place }) => place === 1).map(({ number }) => number);
}

/** Gates of the horses that win most and least in races of their own. */
function favouriteAndOutsider(horses: readonly EngineHorse[], track: Track, index: number): [number, number] {
  const wins = new Map(horses.map(({ number }) => [number, 0]));
  for (let race = 0; race < LINE_RACES; race += 1) {
    const key = seedKey(`open line ${index}/${race}`);
    for (const number of winners(simulate({ simVersion: 1, track, horses, key })))
      wins.set(number, (wins.get(number) ?? 0) + 1);
  }
  const ranked = [...wins].sort((a, b) => b[1] - a[1]).map(([number]) => number);
  return [ranked[0] ?? 0, ranked.at(-1) ?? 0];
}

test.each(
  TRACKS.flatMap((track) => [
    { track, count: 8, equal: false },
    { track, count: 10, equal: false },
    { track, count: 12, equal: false },
    { track, count: 10, equal: true },
  ]),
)('[RC15] races stay open until late: $track, $count horses, equal $equal', ({ track, count, equal }) => {
  const fields = Array.from({ length: FIELDS }, (_, index) => openField(index, count, equal));
  const lines = equal ? [] : fields.map((horses, index) => favouriteAndOutsider(horses, track, index));
  const seen: Drama[] = [];
  const favouriteWins: number[] = [];
  const outsiderWins: number[] = [];
  for (let seed = 0; seed < RACES; seed += 1) {
    const horses = fields[seed % FIELDS] ?? [];
    const sim = simulate({ simVersion: 1, track, horses, key: seedKey(`open ${seed}`) });
    seen.push(drama(sim, track));
    const [favourite, outsider] = lines[seed % FIELDS] ?? [0, 0];
    favouriteWins.push(Number(winners(sim).includes(favourite)));
    outsiderWins.push(Number(winners(sim).includes(outsider)));
  }
  const figures = {
    halfway: mean(seen.map((race) => race.halfwayWins)),
    deadHeats: mean(seen.map((race) => race.deadHeat)),
    changes: mean(seen.map((race) => race.leadChanges)),
    late: mean(seen.map((race) => race.lateChanges)),
    gapMs: median(seen.map((race) => race.gapMs)),
    tailMs: median(seen.map((race) => race.tailMs)),
    favourite: mean(favouriteWins),
    outsider: mean(outsiderWins),
  };
  const told = Object.entries(figures).map(
    ([name, { value, error }]) => `${name} ${value.toFixed(4)}±${error.toFixed(4)}`,
  );
  console.info(`${track} ${count} ${equal ? 'equal' : 'unequal'}: ${told.join(', ')}`);
  expectWithin('half-way leader wins', figures.halfway, 0.25, 0.4);
  expectWithin('lead changes', figures.changes, 5, 25);
  expectWithin('lead changes in the last quarter', figures.late, 1, 25);
  expectWithin('ms from first to second', figures.gapMs, 50, 300);
  expectWithin('ms between the last two', figures.tailMs, 50, 500);
  // 2,000 races are too few to see that there are enough of them: that is the next test's.
  expectWithin('dead heats for first', figures.deadHeats, 0, 0.005);
  if (!equal) expectWithin('last outsider wins', figures.outsider, 0.01, 1 / count);
  if (!equal && count === 10) expectWithin('favourite wins', figures.favourite, 0.22, 0.32);
});

test('[RC3] dead heats for the first place are real and rare', () => {
  let heats = 0;
  const races = 12_000;
  const fields = Array.from({ length: FIELDS }, (_, index) => openField(index, 8, false));
  for (let seed = 0; seed < races; seed += 1) {
    const track = TRACKS[seed % 3] ?? 'short';
    const { order } = simulate({
      simVersion: 1,
      track,
      horses: fields[seed % FIELDS] ?? [],
      key: seedKey(`open ${seed}`),
    });
    if (order[1]?.place === 1) heats += 1;
  }
  console.info(`dead heats for first: ${heats} of ${races}`);
  expect(heats / races).toBeGreaterThan(0.001);
  expect(heats / races).toBeLessThan(0.005);
});
