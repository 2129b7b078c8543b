import { signal } from '@preact/signals';
import { io, type Socket } from 'socket.io-client';
import type { Ack, AskName, CommandName, Handshake, Payload, Reply, ServerEvents } from '../types.ts';
import { createCommands, type Transmit, type WireAnswer } from './commands.ts';
import { newUuid } from './random.ts';
import { ANSWER_MS } from './retry.ts';

/** 'up' from `session:ready` on: only then is anything sent. */
export const connection = signal<'connecting' | 'up' | 'down'>('connecting');
/** When the line was lost, by this machine's clock; null while it is up. */
export const lostAt = signal<number | null>(null);
/** The browser says that it has no network at all. */
export const offline = signal(!navigator.onLine);
/** Why there will be no connection until the player does something. */
export const refusedCode = signal<'BAD_ORIGIN' | 'PROTOCOL_VERSION' | null>(null);

type Events = { [Name in keyof ServerEvents]: (message: ServerEvents[Name]) => void };

export type SocketHooks = {
  /** Called for every attempt to connect. */
  readonly auth: () => Omit<Handshake, 'protocol'>;
  readonly badToken: () => void;
};

const RECONNECT_MS = 200;
const RECONNECT_MAX_MS = 3_000;
const REFUSED_RETRY_MS = 5_000;

let socket: Socket | null = null;

const transmit: Transmit = (name, payload, timeoutMs, done) => {
  if (socket === null || !socket.connected) {
    done(null);
    return;
  }
  // The typed faces below fit name, payload and answer together; here they are only carried.
  socket
    .timeout(timeoutMs)
    .emit(name, payload, (error: Error | null, answer: WireAnswer) => done(error ? null : answer));
};

const commands = createCommands({
  transmit,
  now: () => performance.now(),
  later: (run, afterMs) => void setTimeout(run, afterMs),
});

/** Sends a command until it is answered, at most five minutes; its id stays the same. Never rejects. */
export async function command<Name extends CommandName>(
  name: Name,
  payload: Omit<Payload<Name>, 'commandId'>,
): Promise<Ack<Reply<Name>>> {
  const answer = await commands.run(name, { ...payload, commandId: newUuid() });
  return answer as unknown as Ack<Reply<Name>>;
}

const waitingForLine: (() => void)[] = [];

function lineUp(): Promise<void> {
  if (connection.value === 'up') return Promise.resolve();
  return new Promise((resolve) => {
    waitingForLine.push(resolve);
  });
}

/** Asks a question once the line is up; without an answer it is a `TIMEOUT`. Never rejects. */
export async function ask<Name extends AskName>(name: Name, payload: Payload<Name>): Promise<Ack<Reply<Name>>> {
  await lineUp();
  return new Promise((resolve) => {
    transmit(name, payload, ANSWER_MS, (answer) => {
      const given = answer ?? { ok: false, code: 'TIMEOUT', message: '', retryable: true };
      resolve(given as unknown as Ack<Reply<Name>>);
    });
  });
}

/** Called by the session once `session:ready` was taken in. */
export function markUp(): void {
  connection.value = 'up';
  lostAt.value = null;
  commands.lineUp();
  for (const go of waitingForLine.splice(0)) go();
}

function markDown(): void {
  commands.lineDown();
  if (connection.value === 'up') connection.value = 'down';
  lostAt.value ??= performance.now();
}

/** A new connection with what `auth` says now (another token, a link code). */
export function reconnect(): void {
  markDown();
  socket?.disconnect().connect();
}

export function openSocket(hooks: SocketHooks, handlers: Events): void {
  const opened: Socket = io({
    transports: ['websocket'],
    reconnectionDelay: RECONNECT_MS,
    reconnectionDelayMax: RECONNECT_MAX_MS,
    randomizationFactor: 0.5,
    timeout: 5_000,
    auth: (give: (data: object) => void) => give({ protocol: 1, ...hooks.auth() }),
    autoConnect: false,
  });
  socket = opened;
  for (const [name, handler] of Object.entries(handlers)) opened.on(name, handler as (message: unknown) => void);
  // A ping would notice a lost network only after half a minute, and a wait for the next attempt may be seconds long.
  window.addEventListener('offline', () => {
    offline.value = true;
    opened.io.engine?.close();
  });
  window.addEventListener('online', () => {
    offline.value = false;
    if (!opened.connected && refusedCode.peek() === null) opened.disconnect().connect();
  });
  opened.on('disconnect', (reason) => {
    markDown();
    if (reason === 'io server disconnect') setTimeout(() => opened.connect(), RECONNECT_MS);
  });
  opened.on('connect_error', (error: Error & { data?: { code?: string } }) => {
    markDown();
    const code = error.data?.code;
    if (code === 'BAD_TOKEN') {
      hooks.badToken();
      opened.connect();
    } else if (code === 'BAD_ORIGIN' || code === 'PROTOCOL_VERSION') refusedCode.value = code;
    else if (!opened.active) setTimeout(() => opened.connect(), REFUSED_RETRY_MS);
  });
  opened.connect();
}
