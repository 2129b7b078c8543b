import { LRUCache } from 'lru-cache';
import { denseRanks, isPeriod, neighbour, periodOf, thinned, valueText } from '../core/boards.ts';
import type { PlayerId } from '../core/ids.ts';
import { refuse } from '../errors.ts';
import type { BoardKey, BoardLine, BoardPosition, BoardRecords, ServerClock } from '../ports.ts';
import type { BoardRow, Payload, Reply } from '../protocol.ts';
import { dayOf } from './calendar.ts';
import type { Caller } from './caller.ts';
import { ledgerRead } from './ledger-errors.ts';

/** A board may be this old: it changes when a race ends. */
const FRESH_MS = 3_000;
/** Boards that are kept at a time, this many lines of each (about 200 bytes a line). */
const BOARDS = 64;
const TOP_LINES = 1_000;
/** Later pages and places of players below the top. */
const ANSWERS = 1_000;
const PAGE_LINES = 50;
const BESIDE = 2;
const CURVE_ENTRIES = 1_000;
const CURVE_POINTS = 120;

type Top = { readonly rows: readonly Placed[]; readonly whole: boolean };
type Placed = BoardLine & { readonly rank: number };
type Page = { readonly rows: readonly Placed[]; readonly more: boolean };
type Mine = { readonly me: Placed; readonly around: readonly Placed[] } | null;

export type BoardsDeps = {
  readonly boards: BoardRecords;
  readonly clock: ServerClock;
  /** parts the periods, e.g. Asia/Seoul */
  readonly timeZone: string;
};

/** Leaderboards and what a profile tells. Nothing here shows a balance to anybody but its owner. */
export function createBoardsService({ boards, clock, timeZone }: BoardsDeps) {
  const tops = createShared<Top>(BOARDS);
  const pages = createShared<Page>(ANSWERS);
  const places = createShared<Mine>(ANSWERS);

  const top = (key: BoardKey) =>
    tops(nameOf(key), async () => {
      const { lines } = await boards.lines(key, null, TOP_LINES + 1);
      return { rows: placed(lines.slice(0, TOP_LINES)), whole: lines.length <= TOP_LINES };
    });

  async function page(key: BoardKey, after: BoardPosition | null): Promise<Page> {
    const { rows, whole } = await top(key);
    const from = after === null ? 0 : rows.findIndex((row) => isBehind(row, after));
    if (from >= 0 && (whole || from + PAGE_LINES <= rows.length)) {
      return { rows: rows.slice(from, from + PAGE_LINES), more: !whole || from + PAGE_LINES < rows.length };
    }
    if (whole) return { rows: [], more: false };
    return pages(`${nameOf(key)} ${after && cursorOf(after)}`, async () => {
      const { lines, rank } = await boards.lines(key, after, PAGE_LINES + 1);
      return {
        rows: placed(lines.slice(0, PAGE_LINES), after && { value: after.value, rank }),
        more: lines.length > PAGE_LINES,
      };
    });
  }

  async function mine(key: BoardKey, playerId: PlayerId): Promise<Mine> {
    const { rows, whole } = await top(key);
    const at = rows.findIndex((row) => row.playerId === playerId);
    const me = rows[at];
    if (me && (whole || at + BESIDE < rows.length)) {
      return { me, around: rows.slice(Math.max(0, at - BESIDE), at + BESIDE + 1) };
    }
    if (whole) return null;
    return places(`${nameOf(key)} ${playerId}`, async () => {
      const found = await boards.around(key, playerId, BESIDE);
      return found && standing(found.lines, found.rank, playerId);
    });
  }

  return {
    async get(caller: Caller, payload: Payload<'board:get'>): Promise<Reply<'board:get'>> {
      const { metric, window, roomId = null } = payload;
      const today = dayOf(clock.now(), timeZone);
      const current = periodOf(window, today);
      const period = payload.period ?? current;
      if (!isPeriod(window, period)) throw refuse('BAD_REQUEST', { path: 'period' });
      const after = payload.after === undefined ? null : positionOf(payload.after);
      const key: BoardKey = { metric, window, period, roomId };
      const [shown, own] = await ledgerRead(Promise.all([page(key, after), mine(key, caller.playerId)]));
      const view = (row: Placed): BoardRow => ({ ...row, value: valueText(metric, row) });
      const last = shown.rows.at(-1);
      const previous = neighbour(window, period, -1);
      const following = period < current ? neighbour(window, period, 1) : null;
      return {
        period,
        ...(previous !== null && { previous }),
        ...(following !== null && { following }),
        rows: shown.rows.map(view),
        ...(own && {
          mine: { rank: own.me.rank, value: valueText(metric, own.me), around: own.around.map(view) },
        }),
        ...(shown.more && last && { next: cursorOf(last) }),
      };
    },

    /** What a profile tells of somebody: statistics to everybody, the way of the balance to oneself. */
    async profile(playerId: PlayerId, own: boolean): Promise<Pick<Reply<'profile:get'>, 'statistics' | 'curve'>> {
      const [statistics, curve] = await ledgerRead(
        Promise.all([boards.statistics(playerId), own ? boards.curve(playerId, CURVE_ENTRIES) : null]),
      );
      const { profit, bestDividend, ...rest } = statistics;
      return {
        statistics: { ...rest, profit: String(profit), bestDividend: String(bestDividend) },
        ...(curve && {
          curve: thinned(curve, CURVE_POINTS).map(({ at, balance }) => ({ at, balance: String(balance) })),
        }),
      };
    },
  };
}

/**
 * Answers by name, asked for once while on their way and kept for a few seconds after. What fails is not kept. Under more
 * names than `max` the oldest go.
 */
function createShared<T>(max: number) {
  const kept = new LRUCache<string, Promise<T>>({ max, ttl: FRESH_MS });
  return (name: string, load: () => Promise<T>): Promise<T> => {
    const held = kept.get(name);
    if (held !== undefined) return held;
    const loading = load();
    kept.set(name, loading);
    loading.catch(() => {
      if (kept.peek(name) === loading) kept.delete(name);
    });
    return loading;
  };
}

const nameOf = ({ metric, window, period, roomId }: BoardKey): string =>
  `${metric} ${window} ${period} ${roomId ?? ''}`;

function placed(
  lines: readonly BoardLine[],
  before?: { readonly value: bigint; readonly rank: number } | null,
): Placed[] {
  const ranks = denseRanks(
    lines.map(({ value }) => value),
    before ?? undefined,
  );
  return lines.map((line, index) => ({ ...line, rank: ranks[index] ?? 0 }));
}

/** Lines around a player whose rank is known: above, ranks fall by one wherever the value changes. */
function standing(lines: readonly BoardLine[], rank: number, playerId: PlayerId): Mine {
  const relative = placed(lines);
  const me = relative.find((line) => line.playerId === playerId);
  if (me === undefined) return null;
  const shift = rank - me.rank;
  const around = relative.map((line) => ({ ...line, rank: line.rank + shift }));
  return { me: { ...me, rank }, around };
}

/** By value from the highest; equal ones by id, as PostgreSQL's "C" has them: ids are ASCII. */
function isBehind(line: BoardPosition, position: BoardPosition): boolean {
  return line.value < position.value || (line.value === position.value && line.playerId > position.playerId);
}

const cursorOf = ({ value, playerId }: BoardPosition): string => `${value}.${playerId}`;

function positionOf(cursor: string): BoardPosition {
  const dot = cursor.indexOf('.');
  return { value: BigInt(cursor.slice(0, dot)), playerId: cursor.slice(dot + 1) as PlayerId };
}
