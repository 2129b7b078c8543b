/** Leaderboards and statistics in PostgreSQL, written by the settlement alone. */
import type { BoardMetric, BoardWindow } from '../core/boards.ts';
import type { PlayerId, RoomId } from '../core/ids.ts';

export type BoardKey = {
  readonly metric: BoardMetric;
  readonly window: BoardWindow;
  /** As in core/boards. */
  readonly period: string;
  /** null: everywhere */
  readonly roomId: RoomId | null;
};

export type BoardLine = {
  readonly playerId: PlayerId;
  /** Of today; '' where there is none. */
  readonly nickname: string;
  /** What it is ranked by, higher is better: points, counts, dividends per 100, hit rates in millionths. */
  readonly value: bigint;
  readonly races: number;
  readonly hits: number;
};

/** A place in a board's order, which is by value from the highest and, where values are equal, by player id. */
export type BoardPosition = Pick<BoardLine, 'value' | 'playerId'>;

export type Statistics = {
  readonly races: number;
  readonly hits: number;
  readonly profit: bigint;
  readonly bestDividend: bigint;
  readonly streak: number;
  readonly bestStreak: number;
  readonly games: number;
  readonly caught: number;
};

/** Reading only; each call is one statement and sees one moment. */
export interface BoardRecords {
  /** The next `limit` lines from the top, or from behind `after`; `rank`: the dense rank of `after`'s value. */
  lines(
    key: BoardKey,
    after: BoardPosition | null,
    limit: number,
  ): Promise<{ readonly lines: readonly BoardLine[]; readonly rank: number }>;
  /** A player's line with up to `beside` lines above and below it, in order, and the dense rank of the player; null: not on the board. */
  around(
    key: BoardKey,
    playerId: PlayerId,
    beside: number,
  ): Promise<{ readonly lines: readonly BoardLine[]; readonly rank: number } | null>;
  /** Of all time; zeros for somebody who never raced. */
  statistics(playerId: PlayerId): Promise<Statistics>;
  /** The player's balance after each of the newest `limit` entries of the wallet, oldest first. */
  curve(playerId: PlayerId, limit: number): Promise<readonly { readonly at: number; readonly balance: bigint }[]>;
}
