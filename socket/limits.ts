import { LRUCache } from 'lru-cache';
import { RateLimiterMemory, RateLimiterRes } from 'rate-limiter-flexible';
import type { Limits } from '../config/limits.ts';
import type { RequestName } from '../lib/protocol.ts';

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
  const burstS = limits.requestBurst / limits.requestsPerSecond;
  const buckets: Record<LimitKind, RateLimiterMemory> = {
    request: bucket('request', limits.requestBurst, Math.max(1, burstS)),
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

/** Counts failures only: so many a minute, then nothing is even looked at until the minute is over. */
function createGuard(failuresPerMinute: number) {
  const failures = new LRUCache<string, { count: number }>({ max: 50_000, ttl: MINUTE_S * 1_000 });
  const keyOf = (...parts: readonly string[]) => parts.join(' ');
  return {
    /** How long to wait; 0: may try. */
    blockedForMs(address: string, ...more: readonly string[]): number {
      const key = keyOf(address, ...more);
      const blocked = (failures.get(key)?.count ?? 0) >= failuresPerMinute;
      return blocked ? Math.max(1, Math.ceil(failures.getRemainingTTL(key))) : 0;
    },
    wrong(address: string, ...more: readonly string[]): void {
      const key = keyOf(address, ...more);
      const known = failures.get(key);
      if (known) known.count += 1;
      else failures.set(key, { count: 1 });
    },
  };
}

export type RequestLimits = ReturnType<typeof createLimits>;
