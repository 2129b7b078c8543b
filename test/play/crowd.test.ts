import { afterAll, beforeAll, expect, it } from 'vitest';
import { expectOneWorld, letLoose } from './crowd.ts';
import { setTable, type Table } from './table.ts';

const SEED = Number(process.env['CROWD_SEED'] ?? Math.floor(Math.random() * 2 ** 32));

let table: Table;
beforeAll(async () => {
  table = await setTable({ SEAT_SECONDS: '2' });
});
afterAll(() => table?.close());

it('[RM79] whatever a crowd does at once, everybody holds one sequence that makes exactly the room there is, and all races verify', {
  timeout: 120_000,
}, async () => {
  console.log(`CROWD_SEED=${SEED}`);
  const crowd = await letLoose(table, { seed: SEED, steps: 80 });
  expect(crowd.codes.get('OK') ?? 0).toBeGreaterThan(150);
  await expectOneWorld(table, crowd, { oneLife: true });
});
