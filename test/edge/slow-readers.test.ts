import { afterEach, expect, test } from 'vitest';
import type { PlayerId, RoomId } from '../../lib/core/ids.ts';
import { channelOf } from '../../socket/push.ts';
import { until } from '../helpers/until.ts';
import { type OwnRoute, openRoute } from './own-route.ts';

const FAST = { REQUESTS_PER_SECOND: '1000000', REQUEST_BURST: '1000000' };
const ROOM = 'room' as RoomId;
/** Big enough to fill the system's own buffers soon. */
const big = 'x'.repeat(40_000);

let own: OwnRoute | undefined;
afterEach(async () => {
  await own?.close();
});

const websocketOf = ({ client }: OwnRoute) =>
  (client.socket.io.engine.transport as unknown as { ws: { pause(): void; resume(): void; send(text: string): void } })
    .ws;

type Send = (own: OwnRoute, go: number) => unknown;
const ways: readonly (readonly [string, Send])[] = [
  ['acknowledgements', (route, go) => websocketOf(route).send(`42${go}["wallet:get",{}]`)],
  [
    'messages to a connection',
    ({ push, sockets }) => push.connection(sockets[0]?.id ?? '', 'race:odds', { big } as never),
  ],
  ['messages to a player', ({ push }) => push.player('p' as PlayerId, 'wallet:update', { big } as never)],
  ['messages to a room', ({ push }) => push.room(ROOM, 'race:frames', { big } as never)],
  ['notices', ({ io }) => io.local.emit('server:notice', { big } as never)],
];

test.each(ways)('[OP124] a client that does not read its %s is cut, and comes back', async (_what, send) => {
  own = await openRoute({ 'wallet:get': async () => ({ big }) as never }, { env: FAST });
  const [socket] = own.sockets;
  await socket?.join(channelOf(ROOM));
  const websocket = websocketOf(own);
  websocket.pause();
  for (let go = 0; go < 2_000 && own.cuts() === 0; go += 1) {
    send(own, go);
    if (go % 10 === 0) await new Promise(setImmediate);
  }
  await until('it is cut', () => own?.cuts() === 1, { deadlineMs: 3_000 });
  expect(socket?.connected).toBe(false);
  websocket.resume();
  await until('it is back', () => own?.sockets.length === 2 && own.client.socket.connected);
  expect(own.cuts()).toBe(1);
});

test('[OP124] many answers in one turn are no reason to cut a client that reads', async () => {
  const waiting: (() => void)[] = [];
  const wallet = () => new Promise((resolve) => waiting.push(() => resolve({ balance: '1' })));
  own = await openRoute({ 'wallet:get': wallet as never }, { env: { ...FAST, READER_PACKETS: '16' } });
  const { client } = own;
  const answers = Array.from({ length: 500 }, () => client.ask('wallet:get', {}));
  await until('all are asked', () => waiting.length === 500);
  for (const answer of waiting) answer();
  expect((await Promise.all(answers)).filter(({ ok }) => ok)).toHaveLength(500);
  expect(own.cuts()).toBe(0);
});
