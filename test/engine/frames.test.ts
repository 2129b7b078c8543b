import { describe, expect, test } from 'vitest';
import { PRECISION_MM } from '../../lib/engine/frames.ts';
import {
  decodeChunk,
  encodeChunks,
  type FrameChunk,
  positionsAt,
  type Simulation,
  simulate,
  TRACK_LENGTH_MM,
} from '../../lib/engine/index.ts';
import { goldenRace } from '../helpers/engine-golden.ts';
import { equalField, seedKey, TRACKS } from '../helpers/lanes.ts';

const RACES: readonly Simulation[] = TRACKS.flatMap((track) =>
  Array.from({ length: 100 }, (_, seed) => goldenRace(seed, track)),
);
const firstFinish = (sim: Simulation): number => sim.order[0]?.finishMs ?? 0;
const endMs = (sim: Simulation): number => (sim.keyframes.frames.length - 1) * 250;

describe('chunks', () => {
  test('[RC7] every keyframe comes back floored to the centimetre, from its chunk alone', () => {
    for (const sim of RACES) {
      for (const chunk of encodeChunks(sim)) {
        const decoded = decodeChunk({ fromMs: chunk.fromMs, data: chunk.data });
        expect(decoded.numbers).toEqual(sim.keyframes.numbers);
        const rows = sim.keyframes.frames.slice(chunk.fromMs / 250, chunk.untilMs / 250 + 1);
        expect(decoded.frames).toEqual(
          rows.map((row) => row.map((mm) => Math.floor(mm / PRECISION_MM) * PRECISION_MM)),
        );
      }
    }
  });

  test('[RC7] each finish is told to the millisecond by the chunk it lies in, and by no other', () => {
    for (const sim of RACES) {
      const told = encodeChunks(sim).flatMap((chunk) => {
        const { finishes } = decodeChunk(chunk);
        for (const { finishMs } of finishes) {
          expect(finishMs).toBeGreaterThan(chunk.fromMs);
          expect(finishMs).toBeLessThanOrEqual(chunk.untilMs);
        }
        return finishes;
      });
      expect(told).toEqual(sim.order.map(({ number, finishMs }) => ({ number, finishMs })));
    }
  });

  test('[RC8] chunks are numbered, join without gap, cover at most 4 s and are due 2 s before their first keyframe', () => {
    for (const sim of RACES) {
      const chunks = encodeChunks(sim);
      chunks.forEach((chunk, index) => {
        expect(chunk.chunk).toBe(index);
        expect(chunk.fromMs).toBe(chunks[index - 1]?.untilMs ?? 0);
        expect(chunk.untilMs).toBeGreaterThan(chunk.fromMs);
        expect(chunk.untilMs - chunk.fromMs).toBeLessThanOrEqual(4_000);
        expect(chunk.sendAtMs).toBe(chunk.fromMs - 2_000);
      });
      expect(chunks.at(-1)?.untilMs).toBe(endMs(sim));
    }
  });

  test('[RC8] the chunk with the first finisher is cut 2 s before that finish; all others begin at multiples of 4 s', () => {
    const cutMs = (sim: Simulation): number => Math.floor((firstFinish(sim) - 2_000) / 250) * 250;
    let cutInside = 0;
    for (const sim of RACES) {
      const chunks = encodeChunks(sim);
      const grid = Math.floor((firstFinish(sim) - 1) / 4_000) * 4_000;
      const expected = Array.from({ length: Math.ceil(endMs(sim) / 4_000) }, (_, k) => 4_000 * k);
      if (cutMs(sim) > grid) {
        expected.push(cutMs(sim));
        cutInside += 1;
      }
      expect(chunks.map(({ fromMs }) => fromMs)).toEqual(expected.sort((a, b) => a - b));
    }
    expect(cutInside).toBeGreaterThan(20);
    expect(cutInside).toBeLessThan(RACES.length);
  });

  test('[RC8] nothing sent more than 4.25 s before the first finish reaches up to it', () => {
    for (const sim of RACES) {
      for (const chunk of encodeChunks(sim)) {
        if (chunk.sendAtMs < firstFinish(sim) - 4_250) expect(chunk.untilMs).toBeLessThan(firstFinish(sim));
      }
    }
  });

  test.each([
    ['medium', 8, 3_000],
    ['long', 12, 6_000],
  ] as const)('[RC9] all frames of a %s race of %i take at most %i bytes of payload', (track, count, limit) => {
    let most = 0;
    for (let seed = 0; seed < 400; seed += 1) {
      const sim = simulate({ simVersion: 1, track, horses: equalField(count), key: seedKey(seed) });
      const bytes = encodeChunks(sim).reduce((total, { chunk, fromMs, untilMs, data }) => {
        const packet = `42${JSON.stringify(['race:frames', { raceId: 'f'.repeat(32), chunk, fromMs, untilMs, data }])}`;
        return total + packet.length;
      }, 0);
      most = Math.max(most, bytes);
    }
    console.info(`frames of a ${track} race of ${count}: at most ${most} bytes`);
    expect(most).toBeLessThanOrEqual(limit);
  });

  test('[RC7] text that is no chunk is refused with a RangeError, at any cut', () => {
    const chunk = encodeChunks(goldenRace(1, 'short'))[1] as FrameChunk;
    const cuts = Array.from({ length: chunk.data.length - 8 }, (_, length) => chunk.data.slice(0, length));
    for (const data of [
      '!',
      'AAAA',
      'xyz',
      '//////////',
      `${chunk.data.slice(0, 20)}.${chunk.data.slice(20)}`,
      ...cuts,
    ]) {
      expect(() => decodeChunk({ fromMs: 0, data }), data).toThrow(RangeError);
    }
  });
});

describe('positions', () => {
  const sim = goldenRace(8, 'medium');
  const chunks = encodeChunks(sim).map(decodeChunk);
  const number = sim.keyframes.numbers[0] ?? 0;
  const at = (ms: number): number => positionsAt(chunks, ms).get(number) ?? -1;

  test('[RC10] at a keyframe the position is its, in between it is linear', () => {
    sim.keyframes.frames.forEach((frame, k) => {
      const here = Math.floor((frame[0] ?? 0) / 10) * 10;
      expect(at(k * 250)).toBe(here);
      const next = sim.keyframes.frames[k + 1];
      if (next === undefined) return;
      const there = Math.floor((next[0] ?? 0) / 10) * 10;
      expect(at(k * 250 + 125)).toBe(here + Math.floor((there - here) / 2));
    });
  });

  test('[RC10] before the start and after the end horses stand at the first and last keyframe', () => {
    expect(at(-5_000)).toBe(0);
    expect(at(10_000_000)).toBe(at(endMs(sim)));
    expect(positionsAt([], 0).size).toBe(0);
  });

  test('[RC10] the order of the chunks does not matter, and a missing one leaves its horses where the one before ended', () => {
    const reversed = [...chunks].reverse();
    for (let ms = -500; ms < endMs(sim) + 500; ms += 137)
      expect(positionsAt(reversed, ms)).toEqual(positionsAt(chunks, ms));
    const without = chunks.filter(({ fromMs }) => fromMs !== 4_000);
    expect(positionsAt(without, 6_000)).toEqual(positionsAt(chunks, 4_000));
    expect(positionsAt(chunks.slice(2), 6_000)).toEqual(positionsAt(chunks, 8_000));
  });

  test('[RC10] at its finish a horse is drawn at the line to within a quarter of a metre', () => {
    for (const track of TRACKS) {
      for (let seed = 0; seed < 100; seed += 1) {
        const race = goldenRace(seed, track);
        const decoded = encodeChunks(race).map(decodeChunk);
        for (const horse of race.order) {
          const drawn = positionsAt(decoded, horse.finishMs).get(horse.number) ?? 0;
          expect(Math.abs(drawn - TRACK_LENGTH_MM[track])).toBeLessThan(250);
        }
      }
    }
  });
});
