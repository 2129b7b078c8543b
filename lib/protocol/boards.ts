/** What the wire shows of leaderboards and statistics. */
import type { PlayerId } from '../core/ids.ts';

/**
 * One line of a board. `value`: points, races, hits in a row or the dividend per 100 points in decimal; hit rates from 0 to 1 as
 * the lower bound by which they are ranked ("0.2366").
 */
export type BoardRow = {
  /** Equal values share a rank, the next value has the next one. */
  readonly rank: number;
  readonly playerId: PlayerId;
  readonly nickname: string;
  readonly value: string;
  readonly races: number;
  readonly hits: number;
};

export type Board = {
  /** '2026-11-20', '2026-W47', '2026-Q4', '' for all time */
  readonly period: string;
  readonly previous?: string;
  /** absent where that has not begun */
  readonly following?: string;
  readonly rows: readonly BoardRow[];
  /** Where the player stands who asks, with the lines right above and below. */
  readonly mine?: { readonly rank: number; readonly value: string; readonly around: readonly BoardRow[] };
  /** `after` of the next page. */
  readonly next?: string;
};

/** Of all time. A race counts with a stake in a pool of three bettors or more; what went back does not count. */
export type Statistics = {
  readonly races: number;
  readonly hits: number;
  /** points, with a minus for a loss */
  readonly profit: string;
  /** per 100 points; "0": never paid */
  readonly bestDividend: string;
  /** races with a hit in a row: now, and the most there were */
  readonly streak: number;
  readonly bestStreak: number;
  /** pick rooms: races with a horse, and how often it was caught */
  readonly games: number;
  readonly caught: number;
};
