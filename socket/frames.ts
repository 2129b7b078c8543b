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

/**
 * Sends each chunk of a race at its time to the members here. Every instance makes and sends them by itself, by server
 * time; late ones (the process was busy or just started) leave at once.
 */
export class FrameSender {
  readonly #deps: FramesDeps;
  readonly #shows = new Map<RaceId, Show>();
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
      this.#show(race.id, roomId);
      for (const chunk of await frames.sent(race.id, clock.now()))
        push.connection(connectionId, 'race:frames', { raceId: race.id, ...chunk });
    }
    const view = race.phase === 'void' || race.phase === 'settled' ? null : await odds.current(roomId);
    if (view !== null) push.connection(connectionId, 'race:odds', view);
  }

  #follow(roomId: RoomId, event: RoomEvent): void {
    if (event.type === 'race drawn' || event.type === 'race running') this.#show(event.raceId, roomId);
    if (event.type === 'race settled' || event.type === 'race void') this.#end(event.raceId);
  }

  #show(raceId: RaceId, roomId: RoomId): void {
    if (this.#closed || this.#shows.has(raceId)) return;
    const show: Show = { roomId, chunks: [], next: 0, timer: null };
    this.#shows.set(raceId, show);
    void this.#prepare(raceId, show);
  }

  async #prepare(raceId: RaceId, show: Show): Promise<void> {
    try {
      show.chunks = await this.#deps.frames.prepare(raceId);
      if (this.#shows.get(raceId) === show) this.#sendDue(raceId, show);
    } catch (error) {
      this.#deps.log.warn({ err: error, raceId }, 'frames not ready');
      if (this.#shows.get(raceId) === show) show.timer = setTimeout(() => void this.#prepare(raceId, show), RETRY_MS);
    }
  }

  #sendDue(raceId: RaceId, show: Show): void {
    const { push, clock } = this.#deps;
    const due = dueBy(show.chunks, clock.now());
    for (const chunk of due.slice(show.next)) push.room(show.roomId, 'race:frames', { raceId, ...chunk });
    show.next = Math.max(show.next, due.length);
    const upcoming = show.chunks[show.next];
    if (upcoming === undefined) return;
    show.timer = setTimeout(() => this.#sendDue(raceId, show), Math.max(1, Math.ceil(upcoming.dueAt - clock.now())));
  }

  /** What is left leaves at once: the race is over, by a clock that is a little ahead of ours. */
  #end(raceId: RaceId): void {
    const show = this.#shows.get(raceId);
    if (show === undefined) return;
    if (show.timer !== null) clearTimeout(show.timer);
    this.#shows.delete(raceId);
    const rest = dueBy(show.chunks, Number.POSITIVE_INFINITY).slice(show.next);
    for (const chunk of rest) this.#deps.push.room(show.roomId, 'race:frames', { raceId, ...chunk });
  }

  close(): void {
    this.#closed = true;
    for (const { timer } of this.#shows.values()) if (timer !== null) clearTimeout(timer);
    this.#shows.clear();
  }
}
