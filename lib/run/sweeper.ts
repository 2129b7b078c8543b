import type { Logger, RaceRecords } from '../ports.ts';
import { UnavailableError } from '../ports.ts';
import type { Odds } from '../service/odds.ts';
import type { RaceBook } from '../service/race-book.ts';
import type { RoomAccess } from '../service/room-access.ts';
import type { RaceClock } from './race-clock.ts';

export type SweeperDeps = {
  readonly records: Pick<RaceRecords, 'overdue'>;
  readonly rooms: RoomAccess;
  readonly raceClock: RaceClock;
  readonly book: RaceBook;
  readonly odds: Odds;
  readonly log: Logger;
  readonly everyMs?: number;
};

const EVERY_MS = 1_000;
const RACES_A_TICK = 50;
const AT_ONCE = 4;

/**
 * Once a second: finishes races nobody else does (their instance died, or an alarm was missed), and opens what automatic
 * rooms missed. Ids are read without locks; whoever moves a race first wins.
 */
export class Sweeper {
  readonly #deps: SweeperDeps;
  readonly #timer: NodeJS.Timeout;
  #sweep: Promise<void> | null = null;

  constructor(deps: SweeperDeps) {
    this.#deps = deps;
    this.#timer = setInterval(() => {
      this.#sweep ??= this.sweep().finally(() => {
        this.#sweep = null;
      });
    }, deps.everyMs ?? EVERY_MS);
  }

  /** One round. Never throws. */
  async sweep(): Promise<void> {
    const { records, rooms, raceClock, book, odds, log } = this.#deps;
    try {
      const overdue = [...(await records.overdue(RACES_A_TICK))];
      const worker = async (): Promise<void> => {
        for (let next = overdue.pop(); next !== undefined; next = overdue.pop())
          await raceClock.look(next.raceId, next.roomId);
      };
      await Promise.all(Array.from({ length: AT_ONCE }, worker));
      for (const roomId of rooms.served()) {
        if (rooms.state(roomId)?.document.settings.mode === 'auto' && !book.racing(roomId))
          await raceClock.considerOpening(roomId);
      }
    } catch (error) {
      if (!(error instanceof UnavailableError)) log.error({ err: error }, 'sweep failed');
    }
    book.prune();
    odds.prune();
  }

  async close(): Promise<void> {
    clearInterval(this.#timer);
    await this.#sweep;
  }
}
