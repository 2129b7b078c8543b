import { LRUCache } from 'lru-cache';
import type { RaceId, RoomId } from '../lib/core/ids.ts';
import type { Logger, Push, ServerClock } from '../lib/ports.ts';
import type { RoomEvent } from '../lib/protocol.ts';
import type { Odds } from '../lib/service/odds.ts';
import type { RaceBook } from '../lib/service/race-book.ts';
import { dueBy, type RaceFrames, type TimedChunk } from '../lib/service/race-frames.ts';
import type { RoomAccess } from '../lib/service/room-access.ts';

export type FramesDeps = {
  readonly rooms: RoomAccess;
  readonly book: RaceBook;
  readonly frames: RaceFrames;
  readonly odds: Odds;
  readonly push: Push;
  readonly clock: ServerClock;
  readonly log: Logger;
};

type Show = {
  readonly roomId: RoomId;
  chunks: readonly TimedChunk[];
  /** index of the next chunk to leave */
  next: number;
  timer: NodeJS.Timeout | null;
};

/** How often a race whose frames could not be made is tried again: PostgreSQL or a seed key is away. */
const RETRY_MS = 500;
/** Races that have been sent whole; an event or a newcomer that comes after it does not begin them again. */
const REMEMBERED_RACES = 1_000;

/**
 * Sends each chunk of a race at its time to the members here. Every instance makes and sends them by itself, by server
 * time; late ones (the process was busy or just started) leave at once.
 */
export class FrameSender {
  readonly #deps: FramesDeps;
  readonly #shows = new Map<RaceId, Show>();
  readonly #sent = new LRUCache<RaceId, true>({ max: REMEMBERED_RACES });
  #closed = false;

  constructor(deps: FramesDeps) {
    this.#deps = deps;
    deps.rooms.onEvents((roomId, events) => {
      for (const event of events) this.#follow(roomId, event);
    });
  }

  /**
   * To one connection that has just got its snapshot: the chunks that are out already, or the odds of an open race.
   * Chunks that leave at the same moment may reach it twice.
   */
  sendSoFar(connectionId: string, roomId: RoomId): void {
    this.#catchUp(connectionId, roomId).catch((error: unknown) =>
      this.#deps.log.debug({ err: error, roomId }, 'newcomer without frames'),
    );
  }

  async #catchUp(connectionId: string, roomId: RoomId): Promise<void> {
    const { book, frames, push, clock, odds } = this.#deps;
    const race = book.cached(roomId);
    if (race === null) return;
    if (race.phase === 'closed' || race.phase === 'running') {
      // Before the draw there is nothing to send, and the event that tells of it begins the show.
      if (race.startsAt !== undefined) this.#show(race.id, roomId);
      for (const chunk of await frames.sent(race.id, clock.now()))
        push.connection(connectionId, 'race:frames', { raceId: race.id, ...chunk });
    }
    if (race.phase === 'void' || race.phase === 'settled') return;
    for (const view of await odds.current(roomId)) push.connection(connectionId, 'race:odds', view);
  }

  #follow(roomId: RoomId, event: RoomEvent): void {
    if (event.type === 'race drawn' || event.type === 'race running') this.#show(event.raceId, roomId);
    if (event.type === 'race settled' || event.type === 'race void') this.#end(event.raceId);
  }

  #show(raceId: RaceId, roomId: RoomId): void {
    if (this.#closed || this.#shows.has(raceId) || this.#sent.has(raceId)) return;
    const show: Show = { roomId, chunks: [], next: 0, timer: null };
    this.#shows.set(raceId, show);
    void this.#prepare(raceId, show);
  }

  async #prepare(raceId: RaceId, show: Show): Promise<void> {
    const { frames, rooms, log } = this.#deps;
    try {
      show.chunks = await frames.prepare(raceId);
      if (this.#shows.get(raceId) !== show) return;
      // Not drawn, or void: an event says so when that changes.
      if (show.chunks.length === 0) this.#shows.delete(raceId);
      else this.#sendDue(raceId, show);
    } catch (error) {
      if (this.#shows.get(raceId) !== show) return;
      log.warn({ err: error, raceId }, 'frames not ready');
      // A room that is closed on the way has nobody to send to, and no event ends its race's show.
      if (rooms.state(show.roomId) === null) this.#shows.delete(raceId);
      else show.timer = setTimeout(() => void this.#prepare(raceId, show), RETRY_MS);
    }
  }

  #sendDue(raceId: RaceId, show: Show): void {
    const { push, clock } = this.#deps;
    const due = dueBy(show.chunks, clock.now());
    for (const chunk of due.slice(show.next)) push.room(show.roomId, 'race:frames', { raceId, ...chunk });
    show.next = Math.max(show.next, due.length);
    const upcoming = show.chunks[show.next];
    if (upcoming === undefined) {
      this.#shows.delete(raceId);
      this.#sent.set(raceId, true);
      return;
    }
    show.timer = setTimeout(() => this.#sendDue(raceId, show), Math.max(1, Math.ceil(upcoming.dueAt - clock.now())));
  }

  /** What is left leaves at once: the race is over, by a clock that is a little ahead of ours. */
  #end(raceId: RaceId): void {
    const show = this.#shows.get(raceId);
    if (show === undefined) return;
    if (show.timer !== null) clearTimeout(show.timer);
    this.#shows.delete(raceId);
    this.#sent.set(raceId, true);
    const rest = dueBy(show.chunks, Number.POSITIVE_INFINITY).slice(show.next);
    for (const chunk of rest) this.#deps.push.room(show.roomId, 'race:frames', { raceId, ...chunk });
  }

  /** Races with frames still to be sent. */
  get showing(): number {
    return this.#shows.size;
  }

  close(): void {
    this.#closed = true;
    for (const { timer } of this.#shows.values()) if (timer !== null) clearTimeout(timer);
    this.#shows.clear();
  }
}
