import { io } from 'socket.io-client';
import { connect, TestClient } from '../../test/helpers/client.ts';
import { startServer } from '../../test/helpers/server.ts';
import { until } from '../../test/helpers/until.ts';
import { countBytes } from '../bytes.ts';
import { pastRace, startSendEverything } from '../peers/send-everything.ts';
import type { Row } from '../row.ts';

const MEMBERS = 8;
const RACES = 100;
const MESSAGES = 50;
const TEXT = '안녕하세요'.repeat(12);
const TARGET = 12_288;

/** Joining a room with a past: all bytes from connecting to holding the snapshot. */
export const joinBytes: Row = {
  name: 'join-bytes',
  unit: 'bytes',
  peer: 'plain Socket.IO that sends the whole room',
  peerFigure: 534_000,
  target: '≤ 12 KB',
  met: (value) => value <= TARGET,
  pairs: 1,
  measure: async () => ({ ours: await ours(), peer: await peer() }),
};

async function ours(): Promise<number> {
  const server = await startServer({
    env: { TIME_SCALE: '50', CHAT_PER_SECOND: '1000', REQUESTS_PER_SECOND: '1000', REQUEST_BURST: '1000' },
  });
  try {
    const host = await connect(server.url, { nickname: '주인' });
    await host.request('room:create', {
      kind: 'bet',
      settings: { mode: 'auto', openSeconds: 10, resultSeconds: 5, track: 'short' },
    });
    const roomId = host.room?.id ?? '';
    const members = [host];
    for (let index = 1; index < MEMBERS - 1; index++) {
      const member = await connect(server.url, { nickname: `손님${index}` });
      await member.request('room:join', { roomId });
      members.push(member);
    }
    await until(
      'races',
      () => (host.room?.events.filter((event) => event.type === 'race settled').length ?? 0) >= RACES,
      { deadlineMs: 270_000 },
    );
    for (let index = 0; index < MESSAGES; index++) await host.request('chat:send', { roomId, text: TEXT });
    const newcomer = new TestClient(server.url, { nickname: '새손님' });
    const count = countBytes(newcomer.socket);
    await until('ready', () => newcomer.ready);
    await newcomer.request('room:join', { roomId });
    const { bytes } = count;
    for (const client of [...members, newcomer]) client.close();
    return bytes;
  } finally {
    await server.stop();
  }
}

async function peer(): Promise<number> {
  const server = await startSendEverything();
  const races = Array.from({ length: RACES }, (_, index) => pastRace(index + 1));
  const messages = Array.from({ length: MESSAGES }, (_, at) => ({ from: '손님', text: TEXT, at }));
  const members = Array.from({ length: MEMBERS - 1 }, (_, index) => ({
    id: `member-${index}-of-the-room`,
    name: `손님${index}`,
  }));
  server.rooms.set('room', { id: 'room', name: '방', members, races, messages });
  const socket = io(server.url, { transports: ['websocket'] });
  const count = countBytes(socket);
  await socket.emitWithAck('join', 'room', '새손님');
  const { bytes } = count;
  socket.close();
  await server.close();
  return bytes;
}
