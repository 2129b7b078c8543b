import type { RaceId } from '../core/ids.ts';
import { isOver, LEAST_RUNNERS } from '../core/race.ts';
import type { RaceTiming } from '../core/race-timing.ts';
import type { PhaseMove, RaceRecords, ScratchMove } from '../ports.ts';
import type { RaceVoiding } from './race-voiding.ts';

export type RaceAdminDeps = {
  readonly records: Pick<RaceRecords, 'get' | 'scratchHorse' | 'bringForward'>;
  readonly voidRace: RaceVoiding;
  readonly timing: RaceTiming;
};

export type Scratched = {
  readonly move: ScratchMove;
  /** runners that are left */
  readonly left: number;
  /** Too few for a race: it is void. */
  readonly voided: boolean;
};

/** Whoever holds the race has it for moments only. */
const TRIES = 40;
const PAUSE_MS = 50;

/**
 * What admins may do to a race that is not over. Each is a call of the database like any other move, so it works beside running
 * servers: they tell their rooms of it within a second. All reject with UnavailableError.
 */
export function createRaceAdmin({ records, voidRace, timing }: RaceAdminDeps) {
  /** Until it is not `again` any more; the last answer. */
  async function persist<T>(ask: () => Promise<T>, again: (answer: T) => boolean): Promise<T> {
    for (let tries = 1; ; tries += 1) {
      const answer = await ask();
      if (!again(answer) || tries === TRIES) return answer;
      await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
    }
  }

  const giveUp = (raceId: RaceId, reason: 'admin' | 'too-few-runners'): Promise<PhaseMove> =>
    persist(
      () => voidRace(raceId, reason),
      (move) => move === 'busy' || move === 'early',
    );

  /** No bet comes in any more, so that the record that is about to be made holds all. */
  async function stop(raceId: RaceId): Promise<void> {
    await persist(
      () => records.bringForward(raceId, 0),
      ({ move }) => move === 'busy',
    );
  }

  return {
    /**
     * Takes a horse out of an open race, as long as players have time to react. Bets with it go back at once, picks of it are
     * cleared. Asked again for a horse that is out: 'already'.
     */
    async scratch(raceId: RaceId, number: number): Promise<Scratched> {
      const { move, left } = await persist(
        () => records.scratchHorse(raceId, number, timing.lastScratchMs),
        (answer) => answer.move === 'busy',
      );
      const tooFew = (move === 'moved' || move === 'already') && left < LEAST_RUNNERS;
      if (!tooFew) return { move, left, voided: false };
      await stop(raceId);
      const voided = await giveUp(raceId, 'too-few-runners');
      return { move, left, voided: voided === 'moved' || voided === 'already' };
    },

    /** Ends a race without a result, in whatever phase: every stake goes back, the seed is shown. */
    async voidRace(raceId: RaceId): Promise<PhaseMove> {
      const details = await records.get(raceId);
      if (details === null) return 'absent';
      if (isOver(details.row.phase)) return 'already';
      await stop(raceId);
      return giveUp(raceId, 'admin');
    },
  };
}
export type RaceAdmin = ReturnType<typeof createRaceAdmin>;
