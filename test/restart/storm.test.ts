import { afterAll, beforeAll, expect, it } from 'vitest';
import { until } from '../helpers/until.ts';
import { expectOneWorld, letLoose } from '../play/crowd.ts';
import { setTable, type Table } from '../play/table.ts';
import { PATIENCE } from './crowd.ts';

const SEED = Number(process.env['CROWD_SEED'] ?? Math.floor(Math.random() * 2 ** 32));

let table: Table;
beforeAll(async () => {
  table = await setTable({ SEAT_SECONDS: '8' });
});
afterAll(() => table?.close());

it('[OP68] a crash and a stop in the middle of everything leave one world: people, log, races and points agree', {
  timeout: 180_000,
}, async () => {
  console.log(`CROWD_SEED=${SEED}`);
  const crowd = await letLoose(table, {
    seed: SEED,
    steps: 220,
    meanwhile: async (people) => {
      for (const how of ['kill', 'restart', 'kill'] as const) {
        const readies = people.map((client) => client.readies);
        const heard = people.map(({ messages }) => messages.length);
        await until(
          'something happens',
          () => people.filter(({ messages }, index) => messages.length > (heard[index] ?? 0) + 20).length > 4,
          PATIENCE,
        );
        if (how === 'kill') await table.server.kill();
        await table.server.restart();
        await until(
          'most are back',
          () => people.filter((client, index) => client.readies > (readies[index] ?? 0)).length > people.length / 2,
          PATIENCE,
        );
      }
    },
  });
  expect(crowd.codes.get('OK') ?? 0).toBeGreaterThan(100);
  await expectOneWorld(table, crowd, { oneLife: false });
});
