import { LRUCache } from 'lru-cache';
import type { RaceId, RoomId } from '../core/ids.ts';
import { publicRace } from '../core/public-race.ts';
import { isOver, nextOpensAt } from '../core/race.ts';
import type { RaceTiming } from '../core/race-timing.ts';
import { applyToRace, isFact } from '../core/race-view.ts';
import { refuse } from '../errors.ts';
import type { RaceRecords, ServerClock } from '../ports.ts';
import { UnavailableError } from '../ports.ts';
import type { RaceView, RoomEvent } from '../protocol.ts';
import { ledgerRead } from './ledger-errors.ts';
import type { RoomAccess } from './room-access.ts';

/** The newest race of a served room. */
type Page = {
  /** The room's fact version that `race` has in it; -1: something was missed, read it again. */
  factVersion: number;
  race: RaceView | null;
  /** When an automatic room may open the next one; null: at once, or a race is on. */
  nextOpensAt: number | null;
};

export type RaceBookDeps = {
  readonly records: Pick<RaceRecords, 'get' | 'latest'>;
  readonly rooms: RoomAccess;
  readonly clock: ServerClock;
  readonly timing: RaceTiming;
};

const REMEMBERED_RACES = 5_000;

/**
 * The races of served rooms as everybody may see them, kept in memory: read once from the row, then moved on by the
 * room's own events, so that a view is never older than what the room's members were told.
 */
export function createRaceBook({ records, rooms, clock, timing }: RaceBookDeps) {
  const pages = new Map<RoomId, Page>();
  const loading = new Map<RoomId, { readonly page: Promise<Page>; readonly missed: RoomEvent[] }>();
  const races = new LRUCache<RaceId, RaceView>({ max: REMEMBERED_RACES });

  function turn(page: Page, events: readonly RoomEvent[]): void {
    for (const event of events) {
      page.race = applyToRace(page.race, event);
      if (event.type === 'race opened') page.nextOpensAt = null;
      if (event.type === 'race settled' || event.type === 'race void') page.nextOpensAt = event.nextOpensAt ?? null;
    }
    if (page.race !== null) races.set(page.race.id, page.race);
  }

  rooms.onEvents((roomId, events) => {
    const load = loading.get(roomId);
    load?.missed.push(...events);
    const page = pages.get(roomId);
    if (page === undefined) return;
    turn(page, events);
    // Events that came as a fresh snapshot instead leave a hole in the count; then only the row knows.
    const told = rooms.state(roomId)?.document.factVersion ?? -1;
    const facts = events.filter(isFact).length;
    page.factVersion = page.factVersion >= 0 && page.factVersion + facts >= told ? told : -1;
  });

  async function read(roomId: RoomId, missed: readonly RoomEvent[], factVersion: number): Promise<Page> {
    const details = await records.latest(roomId);
    const page: Page = {
      factVersion,
      race: details === null ? null : publicRace(details, clock.now()),
      nextOpensAt: details === null ? null : nextOpensAt(details.row, timing),
    };
    turn(page, missed);
    page.factVersion = Math.max(factVersion, rooms.state(roomId)?.document.factVersion ?? -1);
    return page;
  }

  function load(roomId: RoomId, factVersion: number): Promise<Page> {
    const under = loading.get(roomId);
    if (under !== undefined) return under.page;
    const missed: RoomEvent[] = [];
    const page = read(roomId, missed, factVersion)
      .then((fresh) => {
        pages.set(roomId, fresh);
        return fresh;
      })
      .finally(() => loading.delete(roomId));
    loading.set(roomId, { page, missed });
    return page;
  }

  /**
   * The room's newest race, at least as new as the room's fact `factVersion`. With the ledger away: what is known of it.
   * Afterwards `cached` has it too.
   */
  async function view(
    roomId: RoomId,
    factVersion = rooms.state(roomId)?.document.factVersion ?? 0,
  ): Promise<RaceView | null> {
    const page = pages.get(roomId);
    if (page !== undefined && page.factVersion >= factVersion) return page.race;
    try {
      return (await load(roomId, factVersion)).race;
    } catch (error) {
      if (error instanceof UnavailableError) return page?.race ?? null;
      throw error;
    }
  }

  function cached(roomId: RoomId): RaceView | null {
    return pages.get(roomId)?.race ?? null;
  }

  /** A race by its id. Its unchanging parts are what callers may rely on; the phase may be old. Refuses NOT_FOUND. */
  async function race(raceId: RaceId): Promise<RaceView> {
    const known = races.get(raceId);
    if (known !== undefined) {
      const live = cached(known.roomId);
      return live?.id === raceId ? live : known;
    }
    const details = await ledgerRead(records.get(raceId));
    if (details === null) throw refuse('NOT_FOUND');
    const found = publicRace(details, clock.now());
    races.set(raceId, found);
    return found;
  }

  return {
    view,
    cached,
    race,
    /** Whether the room's race has been read at all: without it nothing is opened. */
    known: (roomId: RoomId): boolean => (pages.get(roomId)?.factVersion ?? -1) >= 0,
    nextOpensAt: (roomId: RoomId): number | null => pages.get(roomId)?.nextOpensAt ?? null,
    /** The room has a race that is not over, as far as is known here. */
    racing: (roomId: RoomId): boolean => {
      const known = cached(roomId);
      return known !== null && !isOver(known.phase);
    },
    /** Exclusive picks: the horses that are gone now. */
    setTaken(roomId: RoomId, raceId: RaceId, taken: readonly number[]): void {
      const page = pages.get(roomId);
      if (page?.race?.id === raceId && page.race.phase === 'open') page.race = { ...page.race, taken };
    },
    /** Forgets rooms that are not served any more. */
    prune(): void {
      const served = new Set(rooms.served());
      for (const roomId of pages.keys()) if (!served.has(roomId)) pages.delete(roomId);
    },
  };
}
export type RaceBook = ReturnType<typeof createRaceBook>;
