import { setTimeout as sleep } from 'node:timers/promises';

/**
 * Waits until `probe` gives something truthy and returns it; a throwing probe counts as "not yet". Fails after
 * `deadlineMs` with what was awaited and the last error. The deadline is for a hang, not for a speed.
 */
export async function until<T>(
  what: string,
  probe: () => T | Promise<T>,
  { deadlineMs = 15_000, everyMs = 20 }: { deadlineMs?: number; everyMs?: number } = {},
): Promise<NonNullable<T>> {
  const end = performance.now() + deadlineMs;
  let last: unknown;
  for (;;) {
    try {
      const value = await probe();
      if (value) return value as NonNullable<T>;
      last = undefined;
    } catch (error) {
      last = error;
    }
    if (performance.now() > end) throw new Error(`still waiting for: ${what}`, { cause: last });
    await sleep(everyMs);
  }
}
