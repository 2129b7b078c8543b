import { describe, expect, test } from 'vitest';
import {
  createDraws,
  decodeChunk,
  encodeChunks,
  makeField,
  positionsAt,
  simulate,
  TRACK_LENGTH_MM,
} from '../../lib/engine/index.ts';
import { aim, type Camera, flowMs, follow } from '../../public/src/race/camera.ts';
import { raceTime, ranking } from '../../public/src/race/ranking.ts';

const KEY = new Uint8Array(32).fill(7);
const SIM = simulate({
  simVersion: 1,
  track: 'medium',
  horses: makeField({ draws: createDraws(KEY, 'page test'), count: 10, equal: true }),
  key: KEY,
});
const CHUNKS = encodeChunks(SIM).map(decodeChunk);
const LENGTH = TRACK_LENGTH_MM.medium / 1_000;

describe('the race as the page draws it', () => {
  test('[PG11] the live ranking ends as the result', () => {
    const endMs = SIM.durationMs + 1_000;
    const rows = ranking(positionsAt(CHUNKS, endMs), CHUNKS, endMs);
    expect(rows.map(({ number, finishMs }) => [number, finishMs])).toEqual(
      SIM.order.map(({ number, finishMs }) => [number, finishMs]),
    );
  });

  test('[PG11] nobody is home before their time, and those who are stay ahead of all who run', () => {
    const halfMs = Math.floor(((SIM.order[0]?.finishMs ?? 0) + SIM.durationMs) / 2);
    const rows = ranking(positionsAt(CHUNKS, halfMs), CHUNKS, halfMs);
    const home = SIM.order.filter(({ finishMs }) => finishMs <= halfMs).map(({ number }) => number);
    expect(rows.filter(({ finishMs }) => finishMs !== null).map(({ number }) => number)).toEqual(home);
    expect(rows.slice(0, home.length).map(({ number }) => number)).toEqual(home);
  });

  test.each([
    { frameMs: 16, scale: 1 },
    { frameMs: 16, scale: 5 },
    { frameMs: 60, scale: 5 },
    { frameMs: 16, scale: 20 },
    { frameMs: 60, scale: 20 },
  ])(
    '[PG11] the leader is in the picture from the gates to the line: a frame every $frameMs ms at scale $scale',
    ({ frameMs, scale }) => {
      let camera: Camera | null = null;
      for (let ms = 0; ms <= SIM.durationMs; ms += frameMs * scale) {
        const metres = [...positionsAt(CHUNKS, ms).values()].map((mm) => mm / 1_000);
        camera = follow(camera, aim(metres, LENGTH, 22), flowMs(frameMs, frameMs * scale));
        const leader = Math.min(Math.max(...metres), LENGTH);
        expect(leader, `at ${ms} ms`).toBeGreaterThan(camera.left);
        expect(leader, `at ${ms} ms`).toBeLessThan(camera.left + camera.width * 0.97);
      }
    },
  );

  test('[PG11] the camera comes to rest with the line in the picture', () => {
    const camera = aim([LENGTH + 40, LENGTH + 20, LENGTH], LENGTH, 36);
    expect(camera.left + camera.width).toBeGreaterThan(LENGTH);
    expect(camera.left).toBeLessThan(LENGTH);
  });

  test('[PG11] race time follows server time and the scale', () => {
    expect([raceTime(1_500, 1_000, 1), raceTime(1_500, 1_000, 20), raceTime(900, 1_000, 1)]).toEqual([
      500, 10_000, -100,
    ]);
  });
});
