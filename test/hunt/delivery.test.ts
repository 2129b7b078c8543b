import { afterAll, beforeAll, expect, test } from 'vitest';
import type { RoomEventsPacket } from '../../lib/protocol.ts';
import type { TestClient } from '../helpers/client.ts';
import { until } from '../helpers/until.ts';
import { type House, openHouse } from './house.ts';

let house: House;
beforeAll(async () => {
  house = await openHouse({ READER_PACKETS: '16' });
});
afterAll(() => house.close());

const packetsOf = (client: TestClient) =>
  client.messages.filter(({ name }) => name === 'room:events').map(({ data }) => data as RoomEventsPacket);
const seqsOf = (client: TestClient) => (client.room?.events ?? []).map(({ seq }) => seq);
/** The client's websocket, which can stop reading. */
const websocketOf = (client: TestClient) =>
  (client.socket.io.engine.transport as unknown as { ws: { pause(): void; resume(): void } }).ws;

test('[OP122] a client that does not read is cut at once, and has every event exactly once when it reads again', async () => {
  const host = await house.player('host');
  const reader = await house.player('reader');
  const { room } = await host.request('room:create', { kind: 'bet' });
  await reader.request('room:join', { roomId: room.id });
  const joined = reader.room?.seq ?? 0;
  const websocket = websocketOf(reader);
  websocket.pause();
  const text = '🐎'.repeat(200);
  const cuts = house.cuts();
  for (let burst = 0; burst < 2_000 && house.cuts() === cuts; burst += 1) {
    await Promise.all(Array.from({ length: 20 }, () => host.request('chat:send', { roomId: room.id, text })));
  }
  expect(house.cuts()).toBe(cuts + 1);
  // Not at its next ping: nothing of it is kept, and the room sees it gone.
  await until('gone', () => house.state(room.id)?.connected.size === 1, { deadlineMs: 2_000 });
  const missed = (house.state(room.id)?.seq ?? 0) - joined;
  for (let line = 0; line < 5; line += 1) await host.request('chat:send', { roomId: room.id, text: `after ${line}` });
  websocket.resume();
  await until('it is back', () => reader.readies === 2);
  await until('it has everything', () => reader.room?.seq === house.state(room.id)?.seq);
  if (missed <= 500) expect(reader.room?.snapshots).toBe(1);
  const seqs = seqsOf(reader);
  expect(new Set(seqs).size).toBe(seqs.length);
  expect([...seqs].sort((a, b) => a - b)).toEqual(seqs);
  await host.request('chat:send', { roomId: room.id, text: 'the end' });
  await reader.event('chat', ({ message }) => message.text === 'the end');
});

test('[OP123] a burst goes out in few packets, a lone event and the phases of a race at once', async () => {
  const host = await house.player('host');
  const reader = await house.player('reader');
  const { room } = await host.request('room:create', { kind: 'bet', settings: { track: 'short' } });
  await reader.request('room:join', { roomId: room.id });
  const before = packetsOf(reader).length;
  await Promise.all(
    Array.from({ length: 100 }, (_, line) => host.request('chat:send', { roomId: room.id, text: String(line) })),
  );
  await until('all are there', () => reader.room?.seq === house.state(room.id)?.seq);
  const packets = packetsOf(reader).slice(before);
  expect(packets.flatMap(({ events }) => events).filter(({ type }) => type === 'chat')).toHaveLength(100);
  expect(packets.length).toBeLessThanOrEqual(10);
  // What waits goes with the race's phase, in the log's order.
  const said = host.request('chat:send', { roomId: room.id, text: 'just before' });
  const started = host.request('race:start', { roomId: room.id });
  await Promise.all([said, started]);
  await reader.event('race opened');
  const seqs = seqsOf(reader);
  expect(seqs).toEqual([...seqs].sort((a, b) => a - b));
});
