/** Who is where: those home by their time, then the others by how far they are. Lengths in mm, times in race ms. */
export type Ranked = { readonly number: number; readonly finishMs: number | null; readonly behindMm: number };

type Finishes = readonly { readonly finishes: readonly { readonly number: number; readonly finishMs: number }[] }[];

export function ranking(positions: ReadonlyMap<number, number>, chunks: Finishes, raceMs: number): Ranked[] {
  const home = new Map<number, number>();
  for (const { finishes } of chunks) {
    for (const { number, finishMs } of finishes) if (finishMs <= raceMs) home.set(number, finishMs);
  }
  const far = Math.max(0, ...positions.values());
  return [...positions]
    .map(([number, at]) => ({ number, finishMs: home.get(number) ?? null, behindMm: far - at }))
    .sort((a, b) => {
      if (a.finishMs !== null && b.finishMs !== null) return a.finishMs - b.finishMs || a.number - b.number;
      if (a.finishMs !== null || b.finishMs !== null) return a.finishMs !== null ? -1 : 1;
      return a.behindMm - b.behindMm || a.number - b.number;
    });
}

/** Race time of an instant of server time; negative before the gates open. */
export function raceTime(now: number, startsAt: number, timeScale: number): number {
  return (now - startsAt) * timeScale;
}
