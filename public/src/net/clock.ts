/** Server time from round trips: the one with the least round trip of a burst is believed. */
export type RoundTrip = { readonly sentAt: number; readonly serverAt: number; readonly receivedAt: number };
export type Estimate = { readonly offsetMs: number; readonly roundTripMs: number };

export function estimate(trips: readonly RoundTrip[]): Estimate | null {
  let best: Estimate | null = null;
  for (const { sentAt, serverAt, receivedAt } of trips) {
    const roundTripMs = receivedAt - sentAt;
    if (roundTripMs < 0 || (best !== null && best.roundTripMs <= roundTripMs)) continue;
    best = { offsetMs: serverAt + roundTripMs / 2 - receivedAt, roundTripMs };
  }
  return best;
}

const localNow = (): number => performance.timeOrigin + performance.now();
let offsetMs: number | null = null;

/** Milliseconds of server time; until the first answer, this machine's own. */
export function serverNow(): number {
  return localNow() + (offsetMs ?? 0);
}

/** A first guess from a message that carries server time; replaced by the first burst. */
export function hintServerTime(serverAt: number): void {
  offsetMs ??= serverAt - localNow();
}

const BURST = 5;

/** Takes a burst of round trips and adopts the best. `ask` answers null when none came. */
export async function syncClock(ask: (sentAt: number) => Promise<number | null>): Promise<void> {
  const trips: RoundTrip[] = [];
  for (let trip = 0; trip < BURST; trip += 1) {
    const sentAt = localNow();
    const serverAt = await ask(sentAt);
    if (serverAt === null) break;
    trips.push({ sentAt, serverAt, receivedAt: localNow() });
  }
  const best = estimate(trips);
  if (best !== null) offsetMs = best.offsetMs;
}
