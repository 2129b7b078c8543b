import type { Socket } from 'socket.io';
import type { z } from 'zod';
import type { Limits } from '../config/limits.ts';
import { ERRORS, errorText, type Refusal, RefusedError } from '../lib/errors.ts';
import { type Logger, UnavailableError } from '../lib/ports.ts';
import {
  type Ack,
  type ClientToServer,
  type Payload,
  REQUESTS,
  type Reply,
  type RequestName,
  type ServerToClient,
} from '../lib/protocol.ts';
import type { Caller } from '../lib/service/caller.ts';
import { EXTRA_LIMIT, type RequestLimits } from './limits.ts';

export type ConnectionData = { caller: Caller };
export type Connection = Socket<ClientToServer, ServerToClient, Record<string, never>, ConnectionData>;

/** One line of intent for each request; what is thrown is mapped here. */
export type Handler<Name extends RequestName> = (
  caller: Caller,
  payload: Payload<Name>,
) => Reply<Name> | Promise<Reply<Name>>;
export type Handlers = { readonly [Name in RequestName]: Handler<Name> };

export type RouteMetrics = {
  answered(event: string, code: string, seconds: number): void;
  /** Nothing could be answered: no acknowledgement function came along. */
  dropped(event: string): void;
  flooded(): void;
};

export type RouteDeps = {
  readonly handlers: Handlers;
  readonly limits: Limits;
  readonly buckets: RequestLimits;
  readonly metrics: RouteMetrics;
  readonly log: Logger;
};

const FLOOD_WINDOW_MS = 10_000;
const FLOOD_FACTOR = 10;

type AnyHandler = (caller: Caller, payload: unknown) => unknown;
type Answer = (answer: Ack<unknown>) => void;

/**
 * The only way of a request: parse, limits, deadline, handler, acknowledgement, metrics. Nothing that a client sends
 * makes it throw.
 */
export function createRoute(deps: RouteDeps) {
  const { limits, buckets, metrics, log } = deps;
  let inFlight = 0;
  let draining = false;
  const waiting: (() => void)[] = [];

  function attach(socket: Connection): void {
    const flood = floodMeter(limits.requestsPerSecond);
    // One listener for every name, known or not. `args` is whatever the client sent.
    socket.onAny((event: string, ...args: unknown[]) => {
      if (flood.counts(performance.now())) {
        metrics.flooded();
        log.warn({ playerId: socket.data.caller.playerId }, 'socket.flood');
        socket.disconnect(true);
        return;
      }
      const ack = args.at(-1);
      if (typeof ack !== 'function') {
        metrics.dropped(isRequest(event) ? event : 'unknown');
        return;
      }
      void serve(socket.data.caller, event, args.slice(0, -1), ack as Answer);
    });
  }

  async function serve(caller: Caller, event: string, args: readonly unknown[], ack: Answer): Promise<void> {
    const startedAt = performance.now();
    const name = isRequest(event) ? event : 'unknown';
    inFlight += 1;
    try {
      const data = await answer(caller, event, args);
      ack({ ok: true, data });
      metrics.answered(name, 'OK', (performance.now() - startedAt) / 1_000);
    } catch (error) {
      const refusal = refusalOf(error, name, caller);
      ack(refused(refusal, caller));
      metrics.answered(name, refusal.code, (performance.now() - startedAt) / 1_000);
    } finally {
      inFlight -= 1;
      if (inFlight === 0) for (const resolve of waiting.splice(0)) resolve();
    }
  }

  async function answer(caller: Caller, event: string, args: readonly unknown[]): Promise<unknown> {
    await limit('request', caller.playerId);
    if (!isRequest(event)) throw new RefusedError({ code: 'BAD_REQUEST', path: '' });
    const payload = parsed(event, args);
    if (draining && isMutating(event)) throw new RefusedError({ code: 'DRAINING' });
    const extra = EXTRA_LIMIT[event];
    if (extra) await limit(extra, extra === 'find' ? caller.address : caller.playerId);
    const handler = deps.handlers[event] as AnyHandler;
    return withDeadline(handler(caller, payload), limits.requestDeadlineMs);
  }

  async function limit(kind: Parameters<typeof buckets.consume>[0], key: string): Promise<void> {
    const retryAfterMs = await buckets.consume(kind, key);
    if (retryAfterMs !== null) throw new RefusedError({ code: 'RATE_LIMITED', retryAfterMs });
  }

  function refusalOf(error: unknown, event: string, caller: Caller): Refusal {
    if (error instanceof RefusedError) return error.refusal;
    if (error instanceof UnavailableError) {
      return { code: 'LEDGER_UNAVAILABLE', ...(error.outcome === 'unknown' && { outcome: 'unknown' }) };
    }
    log.error({ err: error, request: event, playerId: caller.playerId }, 'request.failed');
    return { code: 'INTERNAL' };
  }

  return {
    attach,
    /** From now on requests that change something answer DRAINING. */
    drain(): void {
      draining = true;
    },
    /** Resolves once nothing is being answered. */
    async idle(): Promise<void> {
      if (inFlight > 0) await new Promise<void>((resolve) => waiting.push(resolve));
    },
  };
}

export type Route = ReturnType<typeof createRoute>;

function isRequest(event: string): event is RequestName {
  return Object.hasOwn(REQUESTS, event);
}

function isMutating(event: RequestName): boolean {
  return 'commandId' in REQUESTS[event].shape;
}

/** Exactly one plain object; the refusal names the path of the first fault ("settings.capacity"; '' the whole). */
function parsed(event: RequestName, args: readonly unknown[]): unknown {
  const [payload] = args;
  const plain = typeof payload === 'object' && payload !== null && Object.getPrototypeOf(payload) === Object.prototype;
  if (args.length !== 1 || !plain) throw new RefusedError({ code: 'BAD_REQUEST', path: '' });
  const result = REQUESTS[event].safeParse(payload);
  if (result.success) return result.data;
  throw new RefusedError({ code: 'BAD_REQUEST', path: faultPath(result.error.issues[0]) });
}

const PATH_CHARACTERS = 100;

function faultPath(issue: z.core.$ZodIssue | undefined): string {
  if (!issue) return '';
  const unknown = issue.code === 'unrecognized_keys' ? issue.keys.slice(0, 1) : [];
  return [...issue.path, ...unknown].map(String).join('.').slice(0, PATH_CHARACTERS);
}

function refused(refusal: Refusal, caller: Caller): Ack<never> {
  return {
    ok: false,
    message: errorText(refusal.code, caller.locale),
    retryable: ERRORS[refusal.code].retryable,
    ...refusal,
  };
}

async function withDeadline<T>(work: T | Promise<T>, deadlineMs: number): Promise<T> {
  if (!(work instanceof Promise)) return work;
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new RefusedError({ code: 'TIMEOUT' })), deadlineMs);
  });
  // What fails after its deadline has been answered already.
  work.catch(() => {});
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** Tells when a connection keeps sending more than ten times what it may, for ten seconds. */
function floodMeter(perSecond: number) {
  const most = perSecond * FLOOD_FACTOR * (FLOOD_WINDOW_MS / 1_000);
  let since = 0;
  let count = 0;
  return {
    counts(now: number): boolean {
      if (now - since > FLOOD_WINDOW_MS) {
        since = now;
        count = 0;
      }
      count += 1;
      return count > most;
    },
  };
}
