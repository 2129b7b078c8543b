import type { NewRace, RaceRecords } from '../../lib/ports.ts';

/** One accepted bet, as the test placed it. */
export type Placed = {
  readonly player: string;
  readonly pool: string;
  readonly selection: readonly number[];
  readonly stake: bigint;
};

/** A race that was settled, with what was announced of it. */
export type Told = {
  readonly race: Pick<NewRace, 'id' | 'roomId'>;
  readonly bets: readonly Placed[];
  readonly settlement: Parameters<RaceRecords['settle']>[1];
  readonly scratched: readonly number[];
  /** Names of the periods it belongs to: [span, period]. */
  readonly periods: readonly (readonly [string, string])[];
};

export type Tally = {
  races: number;
  hits: number;
  profit: bigint;
  bestDividend: bigint;
  streak: number;
  bestStreak: number;
};

/** What each race was to each player, from bets and announced dividends alone. */
export function countedOf({ bets, settlement, scratched }: Told): Map<string, { profit: bigint; best: bigint }> {
  const standing = bets.filter(({ pool, selection }) => {
    const settled = settlement.pools.find((one) => one.pool === pool);
    return settled?.dividends != null && !selection.some((horse) => scratched.includes(horse));
  });
  const bettors = new Map<string, Set<string>>();
  for (const { pool, player } of standing) bettors.set(pool, (bettors.get(pool) ?? new Set()).add(player));
  const counted = new Map<string, { profit: bigint; best: bigint }>();
  for (const { pool, player, selection, stake } of standing) {
    if ((bettors.get(pool)?.size ?? 0) < 3) continue;
    const won = settlement.pools
      .find((one) => one.pool === pool)
      ?.dividends?.find((one) => one.selection.join() === selection.join());
    const before = counted.get(player) ?? { profit: 0n, best: 0n };
    counted.set(player, {
      profit: before.profit - stake + (stake / 100n) * (won?.per100 ?? 0n),
      best: won && won.per100 > before.best ? won.per100 : before.best,
    });
  }
  return counted;
}

/**
 * All boards anew: "scope span period player" → tally. `ordinalOf`: the order in which races count for a player; several that are
 * settled at the same time may come in any.
 */
export function recomputed(
  races: readonly Told[],
  ordinalOf: (player: string, raceId: string) => number,
): Map<string, Tally> {
  const parts = new Map<string, { ordinal: number; profit: bigint; best: bigint }[]>();
  for (const told of races) {
    for (const [player, counted] of countedOf(told)) {
      const part = { ...counted, ordinal: ordinalOf(player, told.race.id) };
      for (const scope of ['', told.race.roomId]) {
        for (const [span, period] of told.periods) {
          const key = [scope, span, period, player].join(' ');
          parts.set(key, [...(parts.get(key) ?? []), part]);
        }
      }
    }
  }
  const tally = (own: readonly { ordinal: number; profit: bigint; best: bigint }[]): Tally => {
    const row: Tally = { races: 0, hits: 0, profit: 0n, bestDividend: 0n, streak: 0, bestStreak: 0 };
    for (const { profit, best } of [...own].sort((a, b) => a.ordinal - b.ordinal)) {
      row.races += 1;
      row.hits += best > 0n ? 1 : 0;
      row.profit += profit;
      row.bestDividend = best > row.bestDividend ? best : row.bestDividend;
      row.streak = best > 0n ? row.streak + 1 : 0;
      row.bestStreak = Math.max(row.bestStreak, row.streak);
    }
    return row;
  };
  return new Map([...parts].map(([key, own]) => [key, tally(own)]));
}
