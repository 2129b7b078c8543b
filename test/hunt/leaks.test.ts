import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { until } from '../helpers/until.ts';
import { type House, openHouse } from './house.ts';

/** `HUNT_ROOMS=2000` for a long look. */
const ROOMS = Number(process.env['HUNT_ROOMS'] ?? 60);
const AT_ONCE = 12;
/** For the commands that are remembered for ten minutes, and what is kept of players. */
const KEPT_BYTES_A_ROOM = 12_000;

let house: House;
beforeAll(async () => {
  house = await openHouse({ SEAT_SECONDS: '1' });
});
afterAll(() => house.close());

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

async function heapBytes(): Promise<number> {
  for (let turn = 0; turn < 4; turn += 1) {
    collect();
    await new Promise<void>((resolve) => setImmediate(resolve));
  }
  return process.memoryUsage().heapUsed;
}

test('[RM92] nothing is kept of rooms that are over', async () => {
  const hosts = await Promise.all(Array.from({ length: AT_ONCE }, (_, index) => house.player(`h${index}`)));
  const live = async (rooms: number) => {
    let left = rooms;
    await Promise.all(
      hosts.map(async (host, index) => {
        for (; left > 0; ) {
          left -= 1;
          const { room } = await host.request('room:create', {
            kind: index % 2 === 0 ? 'bet' : 'pick',
            settings: { mode: left % 3 === 0 ? 'auto' : 'manual' },
          });
          await host.request('chat:send', { roomId: room.id, text: 'hello' });
          await host.request('room:configure', {
            roomId: room.id,
            version: room.settingsVersion,
            patch: { settings: { slowModeSeconds: 1 } },
          });
          await host.request('room:close', { roomId: room.id });
          await until('put out', () => host.room === undefined);
          // A client of the tests keeps all that it was sent.
          host.messages.length = 0;
        }
      }),
    );
    await until('they are let go of', () => house.feeds().served().length === 0, { deadlineMs: 60_000 });
    await until('they are archived', async () => (await house.store.dirty(1)).length === 0);
  };
  await live(AT_ONCE * 2);
  const before = await heapBytes();
  await live(ROOMS);
  const grownBytes = (await heapBytes()) - before;
  console.log(
    `${ROOMS} rooms: ${Math.round(grownBytes / 1_024)} KB more, ${Math.round(grownBytes / ROOMS)} bytes a room`,
  );
  expect(grownBytes).toBeLessThan(ROOMS * KEPT_BYTES_A_ROOM + 2_000_000);
  expect(house.io.of('/').adapter.rooms.size).toBe(house.io.of('/').sockets.size);
  expect(house.lines.filter(({ level }) => level === 'error')).toEqual([]);
});
