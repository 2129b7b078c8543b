import type { RaceId, RoomId } from '../core/ids.ts';
import { nextDeadline } from '../core/race.ts';
import type { Phase } from '../core/race-state.ts';
import type { Logger, RaceRecords, ServerClock } from '../ports.ts';
import { UnavailableError } from '../ports.ts';
import type { RoomEvent } from '../protocol.ts';
import type { RaceBook } from '../service/race-book.ts';
import type { RaceOpenings } from '../service/race-openings.ts';
import type { RaceRounds } from '../service/race-rounds.ts';
import type { RoomAccess } from '../service/room-access.ts';

export type RaceClockDeps = {
  readonly records: Pick<RaceRecords, 'unfinished'>;
  readonly rooms: RoomAccess;
  readonly book: RaceBook;
  readonly rounds: RaceRounds;
  readonly openings: RaceOpenings;
  readonly clock: ServerClock;
  readonly log: Logger;
  /** A race could not be moved, and not because PostgreSQL is away: something is wrong with it. Called at every try. */
  readonly onStuck?: (() => void) | undefined;
};

type Alarm = { readonly at: number; readonly timer: NodeJS.Timeout };

const FIRST_RETRY_MS = 200;
const LAST_RETRY_MS = 2_000;
/** After these an automatic room may open its next race, or a pick room close early. */
const CHANGES_THE_ROUND: ReadonlySet<RoomEvent['type']> = new Set<RoomEvent['type']>([
  'race settled',
  'race void',
  'member joined',
  'member left',
  'member changed',
  'pick made',
  'settings changed',
]);
/** Node's timers count in 31 bits. */
const LONGEST_TIMER_MS = 2_000_000_000;

/**
 * One alarm for each race this process knows of, at its next deadline, and one for each automatic room's next opening.
 * It only says when to look: what happens is decided by `advance`, which any instance may call. While PostgreSQL is away at a
 * deadline the members are told once that the race is paused, and the alarm comes back with growing distance.
 */
export class RaceClock {
  readonly #deps: RaceClockDeps;
  readonly #races = new Map<RaceId, Alarm>();
  readonly #openings = new Map<RoomId, Alarm>();
  /** Failed looks in a row. */
  readonly #failed = new Map<RaceId, number>();
  /** Races whose members know that they are paused. */
  readonly #paused = new Set<RaceId>();
  #closed = false;

  constructor(deps: RaceClockDeps) {
    this.#deps = deps;
    deps.rooms.onEvents((roomId, events) => this.#follow(roomId, events));
  }

  /** Sets alarms for what earlier processes left unfinished. Rejects with UnavailableError. */
  async start(): Promise<void> {
    for (const { raceId, roomId } of await this.#deps.records.unfinished()) void this.look(raceId, roomId);
  }

  /** Makes what is due and sets the alarm for what comes next. Never throws. */
  async look(raceId: RaceId, roomId: RoomId): Promise<void> {
    if (this.#closed) return;
    this.#drop(this.#races, raceId);
    try {
      const next = await this.#deps.rounds.advance(raceId);
      this.#failed.delete(raceId);
      this.#paused.delete(raceId);
      if (next !== null) this.#wake(raceId, roomId, next);
    } catch (error) {
      await this.#retry(raceId, roomId, error);
    }
  }

  /** Opens the automatic room's next race when it is due. Never throws. */
  async considerOpening(roomId: RoomId): Promise<void> {
    if (this.#closed) return;
    const due = await this.#deps.openings.consider(roomId);
    if (due === null || this.#closed) return;
    this.#drop(this.#openings, roomId);
    this.#openings.set(
      roomId,
      this.#alarm(due, () => {
        this.#openings.delete(roomId);
        void this.considerOpening(roomId);
      }),
    );
  }

  /** Races with an alarm: for metrics. */
  get watching(): number {
    return this.#races.size;
  }

  /** Automatic rooms with an alarm: for metrics. */
  get waiting(): number {
    return this.#openings.size;
  }

  /** Races whose last look failed: for metrics. */
  get failing(): number {
    return this.#failed.size;
  }

  async close(): Promise<void> {
    this.#closed = true;
    for (const { timer } of [...this.#races.values(), ...this.#openings.values()]) clearTimeout(timer);
    this.#races.clear();
    this.#openings.clear();
    await this.#deps.rounds.settled();
  }

  #wake(raceId: RaceId, roomId: RoomId, at: number): void {
    if (this.#closed) return;
    const current = this.#races.get(raceId);
    if (current !== undefined && current.at <= at) return;
    this.#drop(this.#races, raceId);
    this.#races.set(
      raceId,
      this.#alarm(at, () => void this.look(raceId, roomId)),
    );
  }

  #alarm(at: number, ring: () => void): Alarm {
    const waitMs = Math.min(Math.max(Math.ceil(at - this.#deps.clock.now()), 0), LONGEST_TIMER_MS);
    return { at, timer: setTimeout(ring, waitMs) };
  }

  #drop<Id>(alarms: Map<Id, Alarm>, id: Id): void {
    const alarm = alarms.get(id);
    if (alarm !== undefined) clearTimeout(alarm.timer);
    alarms.delete(id);
  }

  async #retry(raceId: RaceId, roomId: RoomId, error: unknown): Promise<void> {
    const { book, log, clock } = this.#deps;
    const failures = (this.#failed.get(raceId) ?? 0) + 1;
    this.#failed.set(raceId, failures);
    const away = error instanceof UnavailableError;
    if (!away) {
      log.error({ err: error, raceId, roomId }, 'race not moved');
      this.#deps.onStuck?.();
    }
    const backOffMs = Math.min(FIRST_RETRY_MS * 2 ** (failures - 1), LAST_RETRY_MS);
    this.#wake(raceId, roomId, clock.now() + backOffMs * (0.75 + Math.random() / 2));
    const race = book.cached(roomId);
    const late = race?.id === raceId && (nextDeadline(race) ?? 0) <= clock.now();
    if (!away || !late || this.#paused.has(raceId)) return;
    this.#paused.add(raceId);
    await this.#tellPaused(roomId, race.phase);
  }

  async #tellPaused(roomId: RoomId, phase: Phase): Promise<void> {
    this.#deps.log.warn({ roomId, phase }, 'race paused');
    try {
      await this.#deps.rooms.append(roomId, [{ type: 'race paused', phase }]);
    } catch (error) {
      this.#deps.log.warn({ err: error, roomId }, 'pause not told');
    }
  }

  #follow(roomId: RoomId, events: readonly RoomEvent[]): void {
    for (const event of events) this.#keepTime(roomId, event);
    if (events.some(({ type }) => CHANGES_THE_ROUND.has(type))) this.#lookAround(roomId);
  }

  #keepTime(roomId: RoomId, event: RoomEvent): void {
    switch (event.type) {
      case 'race opened':
        return this.#wake(event.race.id, roomId, event.race.closesAt);
      case 'race closing':
        return this.#wake(event.raceId, roomId, event.closesAt);
      case 'race drawn':
        return this.#wake(event.raceId, roomId, event.startsAt);
      case 'race running':
        return this.#wake(event.raceId, roomId, event.endsAt);
      case 'race settled':
      case 'race void':
        this.#failed.delete(event.raceId);
        this.#paused.delete(event.raceId);
        return this.#drop(this.#races, event.raceId);
      case 'room closed':
        return this.#drop(this.#openings, roomId);
      default:
        return;
    }
  }

  /** Somebody came, went or picked: an idle automatic room may open, a pick room may close early. */
  #lookAround(roomId: RoomId): void {
    const { openings, book, log, rooms } = this.#deps;
    if (!book.racing(roomId) && rooms.state(roomId)?.document.settings.mode === 'auto')
      void this.considerOpening(roomId);
    openings.hurry(roomId).catch((error: unknown) => log.debug({ err: error, roomId }, 'close not brought forward'));
  }
}
