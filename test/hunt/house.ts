import { randomBytes, randomInt, randomUUID } from 'node:crypto';
import { loadSettings } from '../../config/env.ts';
import { MemoryRoomStore } from '../../db/memory/store.ts';
import { createRecords } from '../../db/postgres/records.ts';
import { createHttpServer, listen } from '../../http/listen.ts';
import type { RoomId } from '../../lib/core/ids.ts';
import type { Push } from '../../lib/ports.ts';
import { createGame } from '../../lib/run/game.ts';
import { createMetrics } from '../../lib/run/metrics.ts';
import type { RoomFeeds } from '../../lib/service/room-feeds.ts';
import { createDelivery } from '../../socket/delivery.ts';
import { FrameSender } from '../../socket/frames.ts';
import { createIo, openGateway } from '../../socket/gateway.ts';
import { createHandlers } from '../../socket/handlers.ts';
import { createLimits } from '../../socket/limits.ts';
import { createPush } from '../../socket/push.ts';
import { createRoute } from '../../socket/route.ts';
import { type ConnectOptions, connect, type TestClient } from '../helpers/client.ts';
import { createTestDatabase } from '../helpers/postgres.ts';
import { startPgProxy } from '../ledger/pg-proxy.ts';
import { createTestLog } from '../races/arena.ts';

const ROOMY = {
  NODE_ENV: 'test',
  HOUSE_ROOMS: '0',
  TIME_SCALE: '20',
  NEW_PLAYERS_PER_ADDRESS_AND_DAY: '100000',
  CONNECTIONS_PER_ADDRESS: '100000',
  LIVING_ROOMS_PER_PLAYER: '100000',
  ROOMS_PER_MINUTE: '100000',
  FINDS_PER_MINUTE: '100000',
  REQUESTS_PER_SECOND: '100000',
  REQUEST_BURST: '100000',
  CHAT_PER_SECOND: '100000',
  // A machine that runs tests is slow at times; that is no outage.
  LEDGER_ANSWER_MS: '3000',
};

/**
 * The server of `server.ts` in this process, between a real PostgreSQL (through a proxy that can go silent) and real clients, with
 * its insides in reach: what cannot be brought about from outside at the right moment is brought about there.
 */
export async function openHouse(env: Readonly<Record<string, string>> = {}) {
  const database = await createTestDatabase({ migrate: true });
  const proxy = await startPgProxy(database.target);
  const settings = loadSettings({ ...ROOMY, ...env });
  const { limits } = settings;
  const { log, lines } = createTestLog();
  const clock = { now: () => Date.now() };
  const { createPool } = await import('../../db/postgres/connect.ts');
  const pool = createPool(proxy.target, { applicationName: 'house' }, () => {});
  const ledgerPool = createPool(proxy.target, { applicationName: 'house-ledger', max: 4 }, () => {});
  const records = createRecords({ ...settings, pool, ledgerPool, seedWrapKey: randomBytes(32) });
  const steps: (() => unknown)[] = [];
  const lifecycle = { onStop: (_name: string, _deadlineMs: number, run: () => unknown) => void steps.push(run) };
  const metrics = createMetrics();
  const http = createHttpServer();
  let cuts = 0;
  const io = createIo(http, limits, () => {
    cuts += 1;
  });
  steps.push(() => io.close());
  const book = createPush(io);
  const buckets = createLimits(limits);
  const store = new MemoryRoomStore({ clock, log, unarchivedEntries: limits.unarchivedEntries });
  let feeds: RoomFeeds | undefined;
  const game = createGame({
    records,
    store,
    edge: {
      push: book.push as Push,
      connections: book,
      openSeats(opened) {
        feeds = opened;
        const delivery = createDelivery({ io, feeds: opened, metrics: metrics.delivery });
        lifecycle.onStop('delivery', 500, delivery.close);
        return delivery.seats;
      },
      openFrames(parts) {
        const frames = new FrameSender({ ...parts, push: book.push, clock, log });
        lifecycle.onStop('frames', 100, () => frames.close());
        return frames;
      },
    },
    clock,
    log,
    lifecycle,
    metrics,
    settings,
    secrets: { sessionSecret: randomBytes(32), receiptKey: randomBytes(32) },
    passwordGuard: buckets.passwords,
    degraded: () => ({}),
    instanceId: randomUUID(),
    mayArchive: () => true,
    random: { bytes: randomBytes, below: (n) => randomInt(n) },
  });
  await game.start();
  const route = createRoute({
    handlers: createHandlers({ ...game, clock }),
    limits,
    buckets,
    metrics: metrics.route,
    log,
  });
  openGateway(io, {
    settings: { ...settings, version: '0' },
    sessions: game.sessions,
    rooms: game.rooms,
    lobby: game.lobby,
    book,
    route,
    buckets,
    clock,
    log,
    metrics: metrics.gateway,
    networkBase: () => '',
    degraded: () => ({}),
  });
  const url = `http://127.0.0.1:${await listen(http, '127.0.0.1', 0)}`;
  const clients: TestClient[] = [];

  return {
    url,
    game,
    store,
    records,
    pool,
    proxy,
    io,
    clock,
    lines,
    cuts: () => cuts,
    state: (roomId: string) => feeds?.state(roomId as RoomId) ?? null,
    feeds: () => feeds as RoomFeeds,
    async player(nickname: string, options: ConnectOptions = {}): Promise<TestClient> {
      const client = await connect(url, { nickname, locale: 'en', ...options });
      clients.push(client);
      return client;
    },
    async close(): Promise<void> {
      proxy.heal();
      for (const client of clients) client.close();
      for (let step = steps.pop(); step; step = steps.pop()) await step();
      http.close();
      await Promise.all([pool.end(), ledgerPool.end()]);
      await proxy.close();
      await database.drop();
    },
  };
}
export type House = Awaited<ReturnType<typeof openHouse>>;

/** A refusal's code, or OK. */
export const codeOf = (answer: { readonly ok: true } | { readonly ok: false; readonly code: string }): string =>
  answer.ok ? 'OK' : answer.code;
