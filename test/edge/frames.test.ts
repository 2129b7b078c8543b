import { afterAll, beforeAll, expect, test } from 'vitest';
import type { ServerEvents } from '../../lib/protocol.ts';
import { connect, type TestClient } from '../helpers/client.ts';
import { startServer } from '../helpers/server.ts';
import { until } from '../helpers/until.ts';
import { type House, openHouse } from '../hunt/house.ts';

let house: House;
beforeAll(async () => {
  house = await openHouse();
});
afterAll(() => house.close());

const settings = { track: 'short', openSeconds: 10 } as const;

const chunksOf = ({ messages }: TestClient) =>
  messages.flatMap(({ name, data }) => (name === 'race:frames' ? [(data as ServerEvents['race:frames']).chunk] : []));

test('[RC71] a newcomer between the close and the draw costs nobody the frames', async () => {
  const host = await house.player('host');
  const { room } = await host.request('room:create', { kind: 'bet', settings });
  const { races } = house.records;
  const { draw } = races;
  let letGo: () => void = () => {};
  const held = new Promise<void>((resolve) => {
    letGo = resolve;
  });
  races.draw = async (...move) => {
    await held;
    return draw.apply(races, move);
  };
  try {
    await host.request('race:start', { roomId: room.id });
    await host.event('race closed');
    const newcomer = await house.player('newcomer');
    await newcomer.request('room:join', { roomId: room.id });
    // The odds come to a newcomer after the frames that are out.
    await newcomer.message('race:odds');
    letGo();
    for (const client of [host, newcomer]) {
      await client.event('race settled');
      const chunks = chunksOf(client);
      expect(chunks.length).toBeGreaterThan(3);
      expect(chunks).toEqual(chunks.map((_, index) => index));
    }
  } finally {
    races.draw = draw;
  }
});

test('[RC72] a race whose room is closed on the way is not kept once its last frames have left', async () => {
  const server = await startServer({ env: { TIME_SCALE: '4' } });
  const host = await connect(server.url);
  const showing = async () =>
    Number(/^paddock_races_showing (\d+)$/m.exec(await (await fetch(`${server.url}/metrics`)).text())?.[1]);
  try {
    const { room } = await host.request('room:create', { kind: 'bet', settings });
    await host.request('race:start', { roomId: room.id });
    await host.event('race drawn');
    expect(await showing()).toBe(1);
    await host.request('room:close', { roomId: room.id });
    await until('forgotten', async () => (await showing()) === 0, { deadlineMs: 25_000, everyMs: 100 });
  } finally {
    host.close();
    await server.stop();
  }
});
