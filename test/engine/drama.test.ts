import { expect, test } from 'vitest';
import {
  createDraws,
  makeField,
  type Simulation,
  simulate,
  TRACK_LENGTH_MM,
  type Track,
} from '../../lib/engine/index.ts';
import { seedKey, TRACKS } from '../helpers/lanes.ts';

const RACES = 2_000;
const FIELDS = 100;

type Drama = {
  leadChanges: number;
  lateChanges: number;
  halfwayWins: boolean;
  deadHeat: boolean;
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
    halfwayWins: numbers[halfway] === first?.number,
    deadHeat: second?.place === 1,
    gapMs: (second?.finishMs ?? 0) - (first?.finishMs ?? 0),
    tailMs: (last?.finishMs ?? 0) - (beforeLast?.finishMs ?? 0),
  };
}

const mean = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0) / values.length;
const median = (values: readonly number[]): number =>
  [...values].sort((a, b) => a - b)[values.length >> 1] ?? Number.NaN;
const share = (values: readonly boolean[]): number => mean(values.map(Number));
const widened = (p: number): number => 3 * Math.sqrt((p * (1 - p)) / RACES);

test.each(
  TRACKS.flatMap((track) => [
    { track, count: 10, equal: false },
    { track, count: 10, equal: true },
    { track, count: 8, equal: false },
  ]),
)('[RC15] races stay open until late: $track, $count horses, equal $equal', ({ track, count, equal }) => {
  const seen: Drama[] = [];
  for (let seed = 0; seed < RACES; seed += 1) {
    const draws = createDraws(seedKey(`field ${seed % FIELDS}`), 'test/field');
    const horses = makeField({ draws, count, equal });
    seen.push(drama(simulate({ simVersion: 1, track, horses, key: seedKey(seed) }), track));
  }
  const figures = {
    halfway: share(seen.map((race) => race.halfwayWins)),
    deadHeats: share(seen.map((race) => race.deadHeat)),
    changes: mean(seen.map((race) => race.leadChanges)),
    late: mean(seen.map((race) => race.lateChanges)),
    gapMs: median(seen.map((race) => race.gapMs)),
    tailMs: median(seen.map((race) => race.tailMs)),
  };
  console.info(`${track} ${count} ${equal ? 'equal' : 'unequal'}`, JSON.stringify(figures));
  expect(figures.halfway).toBeGreaterThan(0.25 - widened(0.25));
  expect(figures.halfway).toBeLessThan(0.4 + widened(0.4));
  expect(figures.deadHeats).toBeGreaterThan(0.001 - widened(0.001));
  expect(figures.deadHeats).toBeLessThan(0.005 + widened(0.005));
  expect(figures.changes).toBeGreaterThan(4.5);
  expect(figures.changes).toBeLessThan(25);
  expect(figures.late).toBeGreaterThan(0.6);
  expect(figures.gapMs).toBeGreaterThan(50);
  expect(figures.gapMs).toBeLessThan(300);
  expect(figures.tailMs).toBeGreaterThan(50);
  expect(figures.tailMs).toBeLessThan(500);
});

test('[RC3] dead heats for the first place are real and rare', () => {
  let heats = 0;
  const races = 12_000;
  for (let seed = 0; seed < races; seed += 1) {
    const draws = createDraws(seedKey(`field ${seed % FIELDS}`), 'test/field');
    const track = TRACKS[seed % 3] ?? 'short';
    const { order } = simulate({
      simVersion: 1,
      track,
      horses: makeField({ draws, count: 8, equal: false }),
      key: seedKey(seed),
    });
    if (order[1]?.place === 1) heats += 1;
  }
  console.info(`dead heats for first: ${heats} of ${races}`);
  expect(heats / races).toBeGreaterThan(0.001);
  expect(heats / races).toBeLessThan(0.005);
});
