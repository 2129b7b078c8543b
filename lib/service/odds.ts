import { type BetTerms, oddsOf, quoteBet } from '../core/bets.ts';
import type { DividendRange } from '../core/dividend.ts';
import type { RaceId, RoomId } from '../core/ids.ts';
import { selectionKey } from '../core/pools.ts';
import { takenHorses } from '../core/public-race.ts';
import type { BatchTotals, Logger, PoolStake, Push, RaceRecords, ServerClock } from '../ports.ts';
import type { OddsView, RaceView, RoomEvent } from '../protocol.ts';
import type { RaceBook } from './race-book.ts';
import type { RoomAccess } from './room-access.ts';

export type OddsDeps = {
  readonly records: Pick<RaceRecords, 'get' | 'stakes'>;
  readonly rooms: RoomAccess;
  readonly book: RaceBook;
  readonly push: Push;
  readonly clock: ServerClock;
  readonly log: Logger;
};

/** At most four odds messages a second and room. */
const EVERY_MS = 250;
const REMEMBERED_MS = 10 * 60_000;
const MOST_READS = 4;

type Sheet = {
  readonly raceId: RaceId;
  readonly lines: Map<string, PoolStake>;
  /** Raised by every batch: a read that a batch overtook is made again. */
  changes: number;
  /** Whether `lines` hold all that was staked before this process began to count. */
  complete: boolean;
  reading: Promise<void> | null;
  lastVersion: number;
  lastSentAt: number;
  timer: NodeJS.Timeout | null;
  closed: boolean;
  readonly madeAt: number;
};

/**
 * Live odds of the races in served rooms, from what each batch added; read from the ledger once when this process has not
 * counted from the beginning. Shown, never settled by: the final frame is read from the ledger after the close.
 */
export function createOdds(deps: OddsDeps) {
  const { records, rooms, book, push, clock, log } = deps;
  const sheets = new Map<RaceId, Sheet>();

  function sheetOf(raceId: RaceId, complete: boolean): Sheet {
    const known = sheets.get(raceId);
    if (known !== undefined) return known;
    const sheet: Sheet = {
      raceId,
      lines: new Map(),
      changes: 0,
      complete,
      reading: null,
      lastVersion: 0,
      lastSentAt: 0,
      timer: null,
      closed: false,
      madeAt: clock.now(),
    };
    sheets.set(raceId, sheet);
    return sheet;
  }

  function addTo(sheet: Sheet, stakes: readonly PoolStake[]): void {
    sheet.changes += 1;
    for (const line of stakes) {
      const key = `${line.pool} ${selectionKey(line.selection)}`;
      const before = sheet.lines.get(key);
      sheet.lines.set(
        key,
        before === undefined ? line : { ...line, stake: before.stake + line.stake, count: before.count + line.count },
      );
    }
  }

  /** Reads all stakes anew, and again where a batch came in between; under a rush of bets not for ever. */
  async function read(sheet: Sheet): Promise<void> {
    for (let tries = 1; ; tries += 1) {
      const { changes } = sheet;
      const stakes = await records.stakes(sheet.raceId);
      if (changes !== sheet.changes && tries < MOST_READS) continue;
      sheet.lines.clear();
      addTo(sheet, stakes);
      sheet.complete = true;
      return;
    }
  }

  async function completed(sheet: Sheet): Promise<Sheet> {
    if (sheet.complete) return sheet;
    sheet.reading ??= read(sheet).finally(() => {
      sheet.reading = null;
    });
    await sheet.reading;
    return sheet;
  }

  /** What the batcher tells after each commit; of `reread` it does not know what was added. */
  function added(batches: readonly BatchTotals[], reread: readonly RaceId[] = []): void {
    for (const { raceId, stakes } of batches) {
      addTo(sheetOf(raceId, false), stakes);
      void announce(raceId);
    }
    for (const raceId of reread) {
      const sheet = sheetOf(raceId, false);
      sheet.complete = false;
      sheet.changes += 1;
      void announce(raceId);
    }
  }

  /** Leading and trailing: the first change goes at once, those that follow together. */
  async function announce(raceId: RaceId): Promise<void> {
    const sheet = sheets.get(raceId);
    if (sheet === undefined || sheet.timer !== null || sheet.closed) return;
    const wait = sheet.lastSentAt + EVERY_MS - clock.now();
    if (wait > 0) {
      sheet.timer = setTimeout(() => {
        sheet.timer = null;
        void announce(raceId);
      }, wait);
      return;
    }
    sheet.lastSentAt = clock.now();
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
    else await completed(sheet);
    if (sheet.closed && !final) return;
    const view = viewOf(sheet, book.cached(race.roomId) ?? race, final);
    sheet.lastSentAt = clock.now();
    if (view.raceId === race.id) push.room(race.roomId, 'race:odds', view);
  }

  async function readTaken(race: RaceView): Promise<void> {
    if (!race.rules.exclusivePicks) return;
    const details = await records.get(race.id);
    if (details !== null) book.setTaken(race.roomId, race.id, takenHorses(details.picks));
  }

  function viewOf(sheet: Sheet, race: RaceView, final: boolean): OddsView {
    sheet.lastVersion = Math.max(sheet.lastVersion + 1, Math.floor(clock.now()));
    const base = { raceId: race.id, version: sheet.lastVersion, final };
    if (race.kind === 'pick') return { ...base, totals: {}, ...(race.taken && { taken: race.taken }) };
    return { ...base, ...oddsOf(race, [...sheet.lines.values()]) };
  }

  /** The closing totals, from the ledger, before the gates open. */
  async function close(raceId: RaceId): Promise<void> {
    const sheet = sheetOf(raceId, false);
    if (sheet.closed) return;
    sheet.closed = true;
    if (sheet.timer !== null) clearTimeout(sheet.timer);
    sheet.timer = null;
    sheet.complete = false;
    await send(sheet, true);
  }

  function follow(roomId: RoomId, event: RoomEvent): void {
    if (event.type === 'race opened') sheetOf(event.race.id, true);
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
    /** What a newcomer is shown; null without a race that has odds. */
    async current(roomId: RoomId): Promise<OddsView | null> {
      const race = await book.view(roomId);
      if (race === null || race.phase === 'void' || (race.kind === 'pick' && race.taken === undefined)) return null;
      const sheet = sheetOf(race.id, false);
      if (race.kind === 'pick') await readTaken(race);
      else await completed(sheet);
      const live = book.cached(roomId);
      return viewOf(sheet, live?.id === race.id ? live : race, race.phase !== 'open');
    },
    /** Rejects with UnavailableError where the stakes are not known yet and cannot be read. */
    async quote(race: RaceView, bet: BetTerms): Promise<DividendRange | null> {
      const sheet = await completed(sheetOf(race.id, false));
      return quoteBet(race, [...sheet.lines.values()], bet);
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
