import { createHash } from 'node:crypto';
import { createDraws, makeField, type Simulation, simulate, type Track } from '../../lib/engine/index.ts';
import { seedKey, TRACKS } from './lanes.ts';

export const GOLDEN_SEEDS = 300;

/** 64 bits of the SHA-256 over everything a simulation says, in a fixed textual form. */
export function digest(sim: Simulation): string {
  const order = sim.order.map(({ number, finishMs, place }) => `${number}:${finishMs}:${place}`).join(' ');
  const frames = sim.keyframes.frames.map((frame) => frame.join(' ')).join('\n');
  const text = `${order}\n${sim.durationMs}\n${sim.keyframes.numbers.join(' ')}\n${frames}\n`;
  return createHash('sha256').update(text).digest('hex').slice(0, 16);
}

/** Race of a golden seed: fields of 4 to 12, equal and unequal in turn. */
export function goldenRace(seed: number, track: Track): Simulation {
  const horses = makeField({
    draws: createDraws(seedKey(seed), 'test/field'),
    count: 4 + (seed % 9),
    equal: seed % 2 === 0,
  });
  return simulate({ simVersion: 1, track, horses, key: seedKey(`${seed} ${track}`) });
}

export function goldenDigests(track: Track): string[] {
  return Array.from({ length: GOLDEN_SEEDS }, (_, seed) => digest(goldenRace(seed, track)));
}

/** Contents of test/golden/engine-v1.json. */
export function goldenFile(): string {
  const digests = Object.fromEntries(TRACKS.map((track) => [track, goldenDigests(track)]));
  return `${JSON.stringify({ simVersion: 1, seeds: GOLDEN_SEEDS, digests }, null, 1)}\n`;
}
