import { LRUCache } from 'lru-cache';

const MINUTE_MS = 60_000;
const REMEMBERED = 50_000;

/** Attempts of one key whose outcome is not known yet. */
type UnderWay = { count: number; readonly waiting: (() => void)[] };

/** Counts failures only: so many a minute, then nothing is even looked at until the minute is over. */
export function createGuard(failuresPerMinute: number) {
  const failures = new LRUCache<string, { count: number }>({ max: REMEMBERED, ttl: MINUTE_MS });
  const attempts = new Map<string, UnderWay>();

  function fail(key: string): void {
    const known = failures.get(key);
    if (known) known.count += 1;
    else failures.set(key, { count: 1 });
  }

  function begin(key: string): UnderWay {
    const underWay = attempts.get(key) ?? { count: 0, waiting: [] };
    underWay.count += 1;
    attempts.set(key, underWay);
    return underWay;
  }

  function end(key: string, underWay: UnderWay): void {
    underWay.count -= 1;
    if (underWay.count === 0) attempts.delete(key);
    for (const look of underWay.waiting.splice(0)) look();
  }

  return {
    /**
     * What `work` gives (null: it failed), or after how many ms it may be tried. All under way might fail, so no more are under way
     * than still may; the others wait for an outcome. One that rejects, or is right, counts for nothing.
     */
    async attempt<T>(
      work: () => Promise<T | null>,
      ...keys: readonly string[]
    ): Promise<{ readonly found: T | null } | { readonly blockedForMs: number }> {
      const key = keys.join(' ');
      for (;;) {
        const left = failuresPerMinute - (failures.get(key)?.count ?? 0);
        if (left <= 0) return { blockedForMs: Math.max(1, Math.ceil(failures.getRemainingTTL(key))) };
        const others = attempts.get(key);
        if (others === undefined || others.count < left) break;
        await new Promise<void>((resolve) => others.waiting.push(resolve));
      }
      const underWay = begin(key);
      try {
        const found = await work();
        if (found === null) fail(key);
        return { found };
      } finally {
        end(key, underWay);
      }
    },
  };
}
