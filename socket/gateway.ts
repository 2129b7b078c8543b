import type { Server as HttpServer, IncomingMessage } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { Server } from 'socket.io';
import type { Limits } from '../config/limits.ts';
import { CONNECT_ERRORS, type ConnectErrorCode, ERRORS, errorText, type Locale, RefusedError } from '../lib/errors.ts';
import { type Logger, type ServerClock, UnavailableError } from '../lib/ports.ts';
import { type ConnectRefusal, type Handshake, handshakeSchema, type ServerEvents } from '../lib/protocol.ts';
import type { Caller } from '../lib/service/caller.ts';
import type { Resumed, RoomsService } from '../lib/service/room-contracts.ts';
import type { Entered, Sessions } from '../lib/service/sessions.ts';
import { createAddressOf, originAllowed, shareBase } from './identify.ts';
import type { RequestLimits } from './limits.ts';
import type { ConnectionBook, Io } from './push.ts';
import type { Connection, Route } from './route.ts';
import { cutSlowReaders } from './slow-readers.ts';

/** A client that is gone without a word is noticed after at most the sum. */
const PING_INTERVAL_MS = 12_000;
const PING_TIMEOUT_MS = 10_000;
/** Without a pong for this long a connection counts as gone when its player needs the place. */
const SILENT_MS = PING_INTERVAL_MS + 3_000;
const CONNECT_TIMEOUT_MS = 10_000;
/** Above the limit connections are refused with a reason; above this many times the limit without one. */
const HARD_FACTOR = 2;
/** About so long a client waits that cannot be told whether its room is there. */
const RESUME_AGAIN_MS = 1_000;
const CLOSE_BATCH = 100;
const CLOSE_PAUSE_MS = 20;

export type GatewaySettings = {
  readonly limits: Limits;
  readonly publicUrl: string | undefined;
  readonly trustedProxies: readonly string[];
  readonly timeScale: number;
  readonly version: string;
};

export type GatewayDeps = {
  readonly settings: GatewaySettings;
  readonly sessions: Sessions;
  readonly rooms: Pick<RoomsService, 'resume' | 'disconnected'>;
  readonly lobby: { disconnected(connectionId: string): void };
  readonly book: ConnectionBook;
  readonly route: Route;
  readonly buckets: RequestLimits;
  readonly clock: ServerClock;
  readonly log: Logger;
  readonly metrics: { connected(): void; disconnected(reason: string): void; refused(code: string): void };
  /** The address others can open the page at, when neither settings nor page tell. */
  networkBase(): string;
  degraded(): { readonly redis?: true; readonly ledger?: true };
};

/** Socket.IO as we use it: websockets alone, nothing compressed, nothing recovered behind our back, nothing piled up for who does not read. */
export function createIo(http: HttpServer, limits: Limits, onReaderCut: () => void = () => {}): Io {
  const io: Io = new Server(http, {
    transports: ['websocket'],
    serveClient: false,
    perMessageDeflate: false,
    httpCompression: false,
    maxHttpBufferSize: limits.messageBytes,
    pingInterval: PING_INTERVAL_MS,
    pingTimeout: PING_TIMEOUT_MS,
    connectTimeout: CONNECT_TIMEOUT_MS,
  });
  cutSlowReaders(io, limits, onReaderCut);
  return io;
}

/** Lets go of all connections in batches; clients come back by themselves. */
export async function closeConnections(io: Io): Promise<void> {
  const sockets = [...io.of('/').sockets.values()];
  for (let from = 0; from < sockets.length; from += CLOSE_BATCH) {
    for (const socket of sockets.slice(from, from + CLOSE_BATCH)) socket.conn.close();
    await sleep(CLOSE_PAUSE_MS * (0.5 + Math.random()));
  }
}

/** From a websocket to a player's connection: who it is, whether it may, its room again; and its end. */
export function openGateway(io: Io, deps: GatewayDeps) {
  const { settings, sessions, rooms, book, route, log, metrics } = deps;
  const { limits, publicUrl } = settings;
  const addressOf = createAddressOf(settings.trustedProxies);
  const byAddress = new Map<string, number>();
  const heardAt = new WeakMap<Connection, number>();
  let draining = false;

  io.engine.opts.allowRequest = (request: IncomingMessage, decide: (error: string | null, allow: boolean) => void) => {
    const most = limits.connectionsPerAddress * HARD_FACTOR;
    decide(null, !draining && (byAddress.get(addressOf(request)) ?? 0) < most);
  };

  io.engine.on('connection', (raw: { request: IncomingMessage; once(event: 'close', listener: () => void): void }) => {
    const address = addressOf(raw.request);
    byAddress.set(address, (byAddress.get(address) ?? 0) + 1);
    raw.once('close', () => {
      const left = (byAddress.get(address) ?? 1) - 1;
      if (left === 0) byAddress.delete(address);
      else byAddress.set(address, left);
    });
  });

  io.use((socket, next) => {
    admit(socket).then(
      (refusal) => next(refusal ?? undefined),
      (error: unknown) => {
        log.error({ err: error }, 'socket.admission_failed');
        next(refusalOf('TOO_MANY_CONNECTIONS', 'en'));
      },
    );
  });

  /** Null: admitted. */
  async function admit(socket: Connection): Promise<Error | null> {
    const { headers } = socket.request;
    const address = addressOf(socket.request);
    const parsed = handshakeSchema.safeParse(socket.handshake.auth);
    const locale = socket.handshake.auth['locale'] === 'en' ? 'en' : 'ko';
    const refuse = (code: ConnectErrorCode, retryable?: boolean) => {
      metrics.refused(code);
      return refusalOf(code, locale, retryable);
    };
    if (!originAllowed(headers.origin, headers.host, publicUrl)) return refuse('BAD_ORIGIN');
    if ((byAddress.get(address) ?? 0) > limits.connectionsPerAddress) return refuse('TOO_MANY_CONNECTIONS');
    // Whoever does not speak this handshake does not speak this protocol; a token too long is none of ours.
    if (!parsed.success) return refuse(parsed.error.issues[0]?.path[0] === 'token' ? 'BAD_TOKEN' : 'PROTOCOL_VERSION');
    // Codes have six digits: whoever guesses them is held up.
    const guesses = parsed.data.link !== undefined && (await deps.buckets.consume('find', address)) !== null;
    if (guesses) return refuse('TOO_MANY_CONNECTIONS', true);
    const entered = await sessions.enter(parsed.data, address);
    if ('refused' in entered) return refuse(entered.refused, entered.retryable);
    const { playerId, nickname, locale: spoken } = entered.session;
    if (!makePlace(playerId)) return refuse('TOO_MANY_CONNECTIONS');
    socket.data.caller = { connectionId: socket.id, playerId, address, nickname, locale: spoken };
    welcomes.set(socket, { entered, handshake: parsed.data });
    // Counted from here on, so that connections made at the same moment see each other.
    book.add(socket);
    socket.conn.once('close', () => book.remove(socket));
    return null;
  }

  const welcomes = new WeakMap<Connection, { entered: Entered; handshake: Handshake }>();

  /** Room for one more connection of the player, at the cost of one that has gone silent if need be. */
  function makePlace(playerId: Caller['playerId']): boolean {
    const own = book.of(playerId);
    if (own.length < limits.connectionsPerPlayer) return true;
    const now = performance.now();
    const silent = own.find((socket) => now - (heardAt.get(socket) ?? now) > SILENT_MS);
    silent?.conn.close();
    return silent !== undefined;
  }

  io.on('connection', (socket) => {
    const welcome = welcomes.get(socket);
    if (!welcome) return;
    welcomes.delete(socket);
    const { caller } = socket.data;
    heardAt.set(socket, performance.now());
    socket.conn.on('heartbeat', () => heardAt.set(socket, performance.now()));
    metrics.connected();
    socket.on('disconnect', (reason) => {
      metrics.disconnected(reason);
      book.remove(socket);
      // At the end everybody goes, and nobody is told that everybody else did: they all come back.
      if (draining) return;
      rooms.disconnected(caller);
      deps.lobby.disconnected(socket.id);
    });
    // Packets that are no Socket.IO: the library closes the connection itself.
    socket.on('error', (error) => log.warn({ err: error }, 'socket.error'));
    route.attach(socket);
    welcomeIn(socket, welcome.entered, welcome.handshake).catch((error: unknown) => {
      log.error({ err: error, playerId: caller.playerId }, 'socket.welcome_failed');
      socket.conn.close();
    });
  });

  async function welcomeIn(socket: Connection, entered: Entered, handshake: Handshake): Promise<void> {
    const { caller } = socket.data;
    const resumed = handshake.resume && (await resume(caller, handshake.resume));
    if (resumed === null) {
      socket.conn.close();
      return;
    }
    const ready: ServerEvents['session:ready'] = {
      token: entered.token,
      player: { id: caller.playerId, nickname: caller.nickname, locale: caller.locale, balance: entered.balance },
      resumed: resumed !== undefined && resumed.kind !== 'left',
      ...(resumed?.kind === 'left' && { left: { cause: resumed.cause } }),
      serverAt: Math.round(deps.clock.now()),
      admission: 'admitted',
      degraded: deps.degraded(),
      shareBase: shareBase(publicUrl, socket.request.headers.origin, deps.networkBase()),
      version: settings.version,
      timeScale: settings.timeScale,
    };
    socket.emit('session:ready', ready);
    if (resumed?.kind === 'events') socket.emit('room:events', resumed.packet);
    if (resumed?.kind === 'snapshot') socket.emit('room:snapshot', { room: resumed.room, seat: resumed.seat });
    if (!entered.checked) await sessions.settle(entered.session, caller);
  }

  /** null: it cannot be told now whether the room is there. The connection is ended after a moment, and its client asks again. */
  async function resume(caller: Caller, wish: NonNullable<Handshake['resume']>): Promise<Resumed | null> {
    try {
      return await rooms.resume(caller, wish);
    } catch (error) {
      log.warn({ err: error, roomId: wish.roomId }, 'socket.resume_failed');
      const passing =
        error instanceof UnavailableError || (error instanceof RefusedError && ERRORS[error.refusal.code].retryable);
      if (!passing) return { kind: 'left', cause: 'gone' };
      await sleep(RESUME_AGAIN_MS * (0.5 + Math.random()), undefined, { ref: false });
      return null;
    }
  }

  return {
    /** No connection comes in any more; those that are here are told. */
    drain(): void {
      draining = true;
      io.local.emit('server:notice', { kind: 'draining' });
    },
  };
}

function refusalOf(code: ConnectErrorCode, locale: Locale, retryable?: boolean): Error {
  const data: ConnectRefusal = {
    code,
    message: errorText(code, locale),
    retryable: retryable ?? CONNECT_ERRORS[code].retryable,
  };
  return Object.assign(new Error(code), { data });
}
