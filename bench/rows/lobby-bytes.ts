import { io } from 'socket.io-client';
import { connect, type TestClient } from '../../test/helpers/client.ts';
import { startServer } from '../../test/helpers/server.ts';
import { countBytes } from '../bytes.ts';
import { startSendEverything } from '../peers/send-everything.ts';
import type { Row } from '../row.ts';

const ROOMS = 75;
const PLAYERS = 4;
const WATCHERS = 10;
const OVER_MS = 10_000;
const TARGET = 150_000;

/** Into each of 75 rooms come 4 players within 10 s while 10 people look at the lobby: all lobby bytes to all of them. */
export const lobbyBytes: Row = {
  name: 'lobby-bytes',
  unit: 'bytes',
  peer: 'plain Socket.IO that sends the whole list to everybody',
  peerFigure: 5_800_000,
  target: '≤ 150 KB to the watchers, 0 to others',
  met: (value) => value <= TARGET,
  pairs: 1,
  measure: async () => ({ ours: await ours(), peer: await peer() }),
};

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

async function ours(): Promise<number> {
  const server = await startServer({
    env: { CONNECTIONS_PER_ADDRESS: '1000', LIVING_ROOMS_PER_PLAYER: '1000', NEW_PLAYERS_PER_ADDRESS_AND_DAY: '1000' },
  });
  const clients: TestClient[] = [];
  const join = async (): Promise<TestClient> => {
    const client = await connect(server.url);
    clients.push(client);
    return client;
  };
  try {
    const players: TestClient[][] = [];
    for (let index = 0; index < ROOMS; index++) players.push(await Promise.all(Array.from({ length: PLAYERS }, join)));
    const rooms: string[] = [];
    for (let index = 0; index < ROOMS; index++) {
      const host = await join();
      rooms.push((await host.request('room:create', { kind: 'bet' })).room.id);
    }
    const watchers = await Promise.all(Array.from({ length: WATCHERS }, join));
    for (const watcher of watchers) await watcher.request('lobby:watch', {});
    const before = watchers.map(({ messages }) => messages.length);
    for (const [index, group] of players.entries()) {
      for (const player of group) {
        await player.request('room:join', { roomId: rooms[index] ?? '' });
        await pause(OVER_MS / ROOMS / PLAYERS);
      }
    }
    await pause(1_500);
    const toOthers = players.flat().flatMap(({ messages }) => messages.filter(({ name }) => name === 'lobby:update'));
    if (toOthers.length > 0)
      throw new Error(`${toOthers.length} lobby updates went to people who do not watch the lobby`);
    return watchers
      .flatMap(({ messages }, index) => messages.slice(before[index]).filter(({ name }) => name === 'lobby:update'))
      .reduce((bytes, { name, data }) => bytes + Buffer.byteLength(`42${JSON.stringify([name, data])}`), 0);
  } finally {
    for (const client of clients) client.close();
    await server.stop();
  }
}

async function peer(): Promise<number> {
  const server = await startSendEverything();
  const sockets = Array.from({ length: ROOMS * PLAYERS + WATCHERS }, () =>
    io(server.url, { transports: ['websocket'], forceNew: true }),
  );
  await Promise.all(sockets.map((socket) => new Promise<void>((resolve) => socket.once('rooms', () => resolve()))));
  const counts = sockets.slice(-WATCHERS).map(countBytes);
  for (let room = 0; room < ROOMS; room++) {
    const [host] = sockets.slice(room * PLAYERS);
    const id = (await host?.emitWithAck('create', `room ${room}`)) as string;
    for (let player = 0; player < PLAYERS; player++)
      await sockets[room * PLAYERS + player]?.emitWithAck('join', id, `player ${player}`);
  }
  await pause(500);
  for (const socket of sockets) socket.close();
  await server.close();
  return counts.reduce((bytes, count) => bytes + count.bytes, 0);
}
