import { createServer } from 'node:http';
import { loadSettings } from '../../config/env.ts';
import { listen } from '../../http/listen.ts';
import type { PlayerId } from '../../lib/core/ids.ts';
import type { Logger } from '../../lib/ports.ts';
import { createIo } from '../../socket/gateway.ts';
import { createLimits } from '../../socket/limits.ts';
import { createPush } from '../../socket/push.ts';
import { type Connection, createRoute, type Handlers } from '../../socket/route.ts';
import { TestClient } from '../helpers/client.ts';
import { until } from '../helpers/until.ts';

type Options = { readonly env?: Readonly<Record<string, string>>; readonly log?: Logger };

const silent: Logger = { error: () => {}, warn: () => {}, info: () => {}, debug: () => {} };

/** The route on a real socket, with handlers of the test's own and one client. Whoever opens it closes it. */
export async function openRoute(handlers: Partial<Handlers>, { env = {}, log = silent }: Options = {}) {
  const { limits } = loadSettings(env);
  const http = createServer();
  let cuts = 0;
  const io = createIo(http, limits, () => {
    cuts += 1;
  });
  const book = createPush(io);
  const answered: [string, string][] = [];
  const metrics = {
    answered: (event: string, code: string) => answered.push([event, code]),
    dropped: () => {},
    flooded: () => {},
  };
  const route = createRoute({ handlers: handlers as Handlers, limits, buckets: createLimits(limits), metrics, log });
  const sockets: Connection[] = [];
  io.on('connection', (socket: Connection) => {
    socket.data.caller = {
      connectionId: socket.id,
      playerId: 'p' as PlayerId,
      address: 'a',
      nickname: 'n',
      locale: 'en',
    };
    sockets.push(socket);
    book.add(socket);
    socket.on('disconnect', () => book.remove(socket));
    route.attach(socket);
  });
  const client = new TestClient(`http://127.0.0.1:${await listen(http, '127.0.0.1', 0)}`);
  await until('connected', () => client.socket.connected);
  return {
    client,
    route,
    io,
    push: book.push,
    answered,
    /** The server's side, one for each time the client connected. */
    sockets,
    /** Connections that were cut because they do not read. */
    cuts: () => cuts,
    close: async (): Promise<void> => {
      client.close();
      await io.close();
    },
  };
}
export type OwnRoute = Awaited<ReturnType<typeof openRoute>>;
