import { RateLimiterMemory, RateLimiterRes } from 'rate-limiter-flexible';
import type { Limits } from '../config/limits.ts';
import type { RequestName } from '../lib/protocol.ts';
import { createGuard } from './guard.ts';

/** `request`, `chat`, `bet`, `room` count by player, `find` by address. */
export type LimitKind = 'request' | 'chat' | 'bet' | 'room' | 'find';

/** What a request costs beside `request`. */
export const EXTRA_LIMIT: Partial<Record<RequestName, Exclude<LimitKind, 'request'>>> = {
  'chat:send': 'chat',
  'chat:react': 'chat',
  'bet:place': 'bet',
  'pick:choose': 'bet',
  'pick:clear': 'bet',
  'vote:place': 'bet',
  'room:create': 'room',
  'room:find': 'find',
};

const MINUTE_S = 60;

/** Local buckets: an instance counts what it is asked itself. */
export function createLimits(limits: Limits) {
  const bucket = (keyPrefix: LimitKind, points: number, duration: number) =>
    new RateLimiterMemory({ keyPrefix, points, duration });
  // A burst takes as long to come back as it is requests; a second's worth may always come at once.
  const burst = Math.max(limits.requestBurst, limits.requestsPerSecond);
  const buckets: Record<LimitKind, RateLimiterMemory> = {
    request: bucket('request', burst, burst / limits.requestsPerSecond),
    chat: bucket('chat', limits.chatPerSecond, 1),
    bet: bucket('bet', limits.betsPerSecond, 1),
    room: bucket('room', limits.roomsPerMinute, MINUTE_S),
    find: bucket('find', limits.findsPerMinute, MINUTE_S),
  };

  /** Null when it may pass, else after how many ms it may be tried again. */
  async function consume(kind: LimitKind, key: string): Promise<number | null> {
    try {
      await buckets[kind].consume(key);
      return null;
    } catch (error) {
      if (error instanceof RateLimiterRes) return Math.max(1, Math.ceil(error.msBeforeNext));
      throw error;
    }
  }

  return {
    consume,
    /** Wrong passwords, by address and room. */
    passwords: createGuard(limits.passwordsPerMinute),
    /** Room codes that do not exist, asked for over HTTP, by address. */
    guesses: createGuard(limits.findsPerMinute),
  };
}

export type RequestLimits = ReturnType<typeof createLimits>;
