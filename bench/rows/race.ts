import { randomBytes } from 'node:crypto';
import { pino } from 'pino';
import { createDraws, makeField } from '../../lib/engine/index.ts';
import { SimulationPool } from '../../lib/run/simulation-pool.ts';
import type { Pair, Row } from '../row.ts';

const HORSES = 8;
const RACES = 400;
const STEPS = 22_500;
const WARM_MS = 0.5;
const FIRST_CALL_MS = 20;

/** Slowest first race through a freshly warmed pool, there and back. */
let firstCallMs = 0;

/** A race of 8 horses on the medium track, frames included, computed in the worker; and its first call, there and back. */
export const race: Row = {
  name: 'race',
  unit: 'ms',
  peer: `a tight loop of ${STEPS} integer steps`,
  peerFigure: 0.08,
  target: `≤ ${WARM_MS} ms in the worker, first call ≤ ${FIRST_CALL_MS} ms`,
  met: (value) => value <= WARM_MS && firstCallMs <= FIRST_CALL_MS,
  pairs: 5,
  measure,
};

async function measure(): Promise<Pair> {
  const pool = new SimulationPool({ log: pino({ level: 'silent' }), threads: 1, monteCarloDeadlineMs: 30_000 });
  try {
    const field = makeField({ draws: createDraws(randomBytes(32), 'bench/field'), count: HORSES, equal: false });
    await pool.warm();
    const first = performance.now();
    await pool.simulate({ track: 'medium', field, key: randomBytes(32) });
    firstCallMs = Math.max(firstCallMs, performance.now() - first);
    await pool.monteCarlo('medium', field, RACES);
    const start = performance.now();
    await pool.monteCarlo('medium', field, RACES);
    const ours = (performance.now() - start) / RACES;
    process.stderr.write(`race: first call ${firstCallMs.toFixed(1)} ms at most\n`);
    return { ours, peer: tightLoopMs() };
  } finally {
    await pool.close();
  }
}

function tightLoopMs(): number {
  const rounds = 400;
  let state = 1;
  const start = performance.now();
  for (let round = 0; round < rounds; round += 1) {
    for (let step = 0; step < STEPS; step += 1)
      state = (Math.imul(state, 1_664_525) + 1_013_904_223 + (state >>> 7)) | 0;
  }
  const elapsed = performance.now() - start;
  // Printing it keeps the loop from being removed.
  process.stderr.write(state === 0 ? ' ' : '');
  return elapsed / rounds;
}
