import type { BetTerms } from '../core/bets.ts';
import type { RaceId, RoomId } from '../core/ids.ts';
import type { DividendRange } from '../core/odds.ts';
import { oddsMessages, type PoolPiece, poolPiece, quoteBet } from '../core/odds-view.ts';
import { type Pool, selectionKey } from '../core/pools.ts';
import { takenHorses } from '../core/public-race.ts';
import type { BatchTotals, Logger, PoolStake, Push, RaceRecords, ServerClock } from '../ports.ts';
import type { OddsView, RaceView, RoomEvent } from '../protocol.ts';
import type { RaceBook } from './race-book.ts';
import type { RoomAccess } from './room-access.ts';

export type OddsDeps = {
  readonly records: Pick<RaceRecords, 'get' | 'staked'>;
  /** The same for requests, which wait less long, and for whatever they may have to wait for. */
  readonly asked: Pick<RaceRecords, 'staked'>;
  readonly rooms: RoomAccess;
  readonly book: RaceBook;
  readonly push: Push;
  readonly clock: ServerClock;
  readonly log: Logger;
};

/** At most four odds messages a second and room: odds of so many pools that they need several come the less often. */
const EVERY_MS = 250;
const REMEMBERED_MS = 10 * 60_000;

type Sheet = {
  readonly raceId: RaceId;
  readonly lines: Map<Pool, Map<string, { stake: bigint; count: number }>>;
  /** What was shown last of the pools in which nothing has been staked since. */
  readonly shown: Map<Pool, PoolPiece>;
  /** Batches up to this one are in `lines` by a read: what is told of them later is no news. */
  readUpTo: bigint;
  /** Whether `lines` hold all that was staked before this process began to count. */
  complete: boolean;
  /** A reading under way, and what is told meanwhile. */
  reading: { readonly done: Promise<void>; readonly told: BatchTotals[] } | null;
  /** Raised where something may have been staked that nobody tells: a read begun before is not the whole. */
  lost: number;
  lastVersion: number;
  /** The next message goes no sooner. */
  nextAt: number;
  timer: NodeJS.Timeout | null;
  closed: boolean;
  readonly madeAt: number;
};

/**
 * Live odds of the races in served rooms, from what each batch added; read from the ledger once when this process has not
 * counted from the beginning. Shown, never settled by: the final frame is read from the ledger after the close.
 */
export function createOdds(deps: OddsDeps) {
  const { records, asked, rooms, book, push, clock, log } = deps;
  const sheets = new Map<RaceId, Sheet>();

  function sheetOf(raceId: RaceId, complete: boolean): Sheet {
    const known = sheets.get(raceId);
    if (known !== undefined) return known;
    const sheet: Sheet = {
      raceId,
      lines: new Map(),
      shown: new Map(),
      readUpTo: 0n,
      complete,
      reading: null,
      lost: 0,
      lastVersion: 0,
      nextAt: 0,
      timer: null,
      closed: false,
      madeAt: clock.now(),
    };
    sheets.set(raceId, sheet);
    return sheet;
  }

  function addTo(sheet: Sheet, stakes: readonly PoolStake[]): void {
    for (const { pool, selection, stake, count } of stakes) {
      const lines = sheet.lines.get(pool) ?? new Map<string, { stake: bigint; count: number }>();
      const key = selectionKey(selection);
      const before = lines.get(key) ?? { stake: 0n, count: 0 };
      sheet.lines.set(pool, lines.set(key, { stake: before.stake + stake, count: before.count + count }));
      sheet.shown.delete(pool);
    }
  }

  /** Reads all stakes anew; of the batches told meanwhile those are added that it does not hold, so that each counts once. */
  async function read(sheet: Sheet, from: Pick<RaceRecords, 'staked'>, told: readonly BatchTotals[]): Promise<void> {
    for (;;) {
      const { lost } = sheet;
      const { stakes, batch } = await from.staked(sheet.raceId);
      if (lost !== sheet.lost) continue;
      sheet.lines.clear();
      sheet.shown.clear();
      addTo(sheet, stakes);
      for (const one of told) if (one.batch > batch) addTo(sheet, one.stakes);
      sheet.readUpTo = batch;
      sheet.complete = true;
      // In the same tick, so that nothing is told to a reading that has ended.
      sheet.reading = null;
      return;
    }
  }

  async function completed(sheet: Sheet, from: Pick<RaceRecords, 'staked'>): Promise<Sheet> {
    if (sheet.complete) return sheet;
    if (sheet.reading === null) {
      const told: BatchTotals[] = [];
      const reading = { told, done: read(sheet, from, told) };
      sheet.reading = reading;
      reading.done.catch(() => {
        if (sheet.reading === reading) sheet.reading = null;
      });
    }
    await sheet.reading.done;
    return sheet;
  }

  function incomplete(sheet: Sheet): void {
    sheet.complete = false;
    sheet.lost += 1;
  }

  function count(sheet: Sheet, batch: BatchTotals): void {
    if (sheet.reading !== null) sheet.reading.told.push(batch);
    else if (sheet.complete && batch.batch > sheet.readUpTo) addTo(sheet, batch.stakes);
  }

  /** What the batcher tells after each commit; of `reread` it does not know what was added. */
  function added(batches: readonly BatchTotals[], reread: readonly RaceId[] = []): void {
    for (const batch of batches) {
      count(sheetOf(batch.raceId, false), batch);
      void announce(batch.raceId);
    }
    for (const raceId of reread) {
      incomplete(sheetOf(raceId, false));
      void announce(raceId);
    }
  }

  /** Leading and trailing: the first change goes at once, those that follow together. */
  async function announce(raceId: RaceId): Promise<void> {
    const sheet = sheets.get(raceId);
    if (sheet === undefined || sheet.timer !== null || sheet.closed) return;
    const wait = sheet.nextAt - clock.now();
    if (wait > 0) {
      sheet.timer = setTimeout(() => {
        sheet.timer = null;
        void announce(raceId);
      }, wait);
      return;
    }
    sheet.nextAt = clock.now() + EVERY_MS;
    try {
      await send(sheet, false);
    } catch (error) {
      log.debug({ err: error, raceId }, 'odds not sent');
    }
  }

  async function send(sheet: Sheet, final: boolean): Promise<void> {
    const race = await book.race(sheet.raceId);
    if (rooms.state(race.roomId) === null) return;
    if (race.kind === 'pick') await readTaken(race);
    else await completed(sheet, final ? records : asked);
    if (sheet.closed && !final) return;
    const live = book.cached(race.roomId) ?? race;
    if (live.id !== race.id) return;
    const views = viewsOf(sheet, live, final);
    sheet.nextAt = clock.now() + EVERY_MS * views.length;
    for (const view of views) push.room(race.roomId, 'race:odds', view);
  }

  async function readTaken(race: RaceView): Promise<void> {
    if (!race.rules.exclusivePicks) return;
    const details = await records.get(race.id);
    if (details !== null) book.setTaken(race.roomId, race.id, takenHorses(details.picks));
  }

  function viewsOf(sheet: Sheet, race: RaceView, final: boolean): OddsView[] {
    sheet.lastVersion = Math.max(sheet.lastVersion + 1, Math.floor(clock.now()));
    const base = { raceId: race.id, version: sheet.lastVersion, final };
    if (race.kind === 'pick') return [{ ...base, totals: {}, ...(race.taken && { taken: race.taken }) }];
    return oddsMessages(
      base,
      race.pools.map((pool) => pieceOf(sheet, race, pool)),
    );
  }

  /** Only what changed is computed anew. */
  function pieceOf(sheet: Sheet, race: RaceView, pool: Pool): PoolPiece {
    const shown = sheet.shown.get(pool);
    if (shown !== undefined) return shown;
    const piece = poolPiece(race, pool, sheet.lines.get(pool) ?? new Map());
    sheet.shown.set(pool, piece);
    return piece;
  }

  /** The closing totals, from the ledger, before the gates open. */
  async function close(raceId: RaceId): Promise<void> {
    const sheet = sheetOf(raceId, false);
    if (sheet.closed) return;
    sheet.closed = true;
    if (sheet.timer !== null) clearTimeout(sheet.timer);
    sheet.timer = null;
    incomplete(sheet);
    await send(sheet, true);
  }

  function follow(roomId: RoomId, event: RoomEvent): void {
    if (event.type === 'race opened') sheetOf(event.race.id, true);
    if (event.type === 'horse scratched') {
      // What was staked on it went back.
      incomplete(sheetOf(event.raceId, false));
      void announce(event.raceId);
    }
    if (event.type === 'pick made' && book.cached(roomId)?.rules.exclusivePicks) {
      sheetOf(event.raceId, true);
      void announce(event.raceId);
    }
    if (event.type === 'race closed' && book.cached(roomId)?.kind === 'bet') {
      close(event.raceId).catch((error: unknown) => log.warn({ err: error, roomId }, 'final odds not sent'));
    }
  }

  rooms.onEvents((roomId, events) => {
    for (const event of events) follow(roomId, event);
  });

  return {
    added,
    /** What a newcomer is shown; nothing without a race that has odds. */
    async current(roomId: RoomId): Promise<readonly OddsView[]> {
      const race = await book.view(roomId);
      if (race === null || race.phase === 'void' || (race.kind === 'pick' && race.taken === undefined)) return [];
      const sheet = sheetOf(race.id, false);
      if (race.kind === 'pick') await readTaken(race);
      else await completed(sheet, asked);
      const live = book.cached(roomId);
      return viewsOf(sheet, live?.id === race.id ? live : race, race.phase !== 'open');
    },
    /** Rejects with UnavailableError where the stakes are not known yet and cannot be read. */
    async quote(race: RaceView, bet: BetTerms): Promise<DividendRange | null> {
      const sheet = await completed(sheetOf(race.id, false), asked);
      return quoteBet(race, sheet.lines.get(bet.pool) ?? new Map(), bet);
    },
    /** Forgets races of long ago. */
    prune(): void {
      const before = clock.now() - REMEMBERED_MS;
      for (const [raceId, { madeAt, timer }] of sheets) if (timer === null && madeAt < before) sheets.delete(raceId);
    },
    close(): void {
      for (const { timer } of sheets.values()) if (timer !== null) clearTimeout(timer);
      sheets.clear();
    },
  };
}
export type Odds = ReturnType<typeof createOdds>;
