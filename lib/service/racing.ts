import type { RoomId } from '../core/ids.ts';
import type { Rates } from '../core/pools.ts';
import { createTiming } from '../core/race-timing.ts';
import type { LedgerQueue, Logger, Push, RaceRecords, SeedKeyRecords, ServerClock, Simulations } from '../ports.ts';
import { createBetsService } from './bets.ts';
import type { Patience } from './in-time.ts';
import { createOdds } from './odds.ts';
import { createPicksService } from './picks.ts';
import { createRaceBook } from './race-book.ts';
import { createRaceFrames } from './race-frames.ts';
import { createRaceIds } from './race-ids.ts';
import { createLeaves } from './race-items.ts';
import { createRaceOpenings } from './race-openings.ts';
import { createRaceRecordReader } from './race-records.ts';
import { createRaceRounds } from './race-rounds.ts';
import { createRaceSimulations } from './race-simulations.ts';
import { createRaceVoiding } from './race-voiding.ts';
import { createRacesService } from './races.ts';
import type { RoomAccess } from './room-access.ts';

export type RacingDeps = {
  readonly records: RaceRecords;
  readonly seedKeys: SeedKeyRecords;
  readonly patience: Patience;
  readonly queue: LedgerQueue;
  readonly rooms: RoomAccess;
  readonly simulations: Simulations;
  readonly push: Push;
  readonly clock: ServerClock;
  readonly log: Logger;
  /** decides where a day begins, e.g. Asia/Seoul */
  readonly timeZone: string;
  /** shares of the pools that are paid back; races that are open keep theirs */
  readonly rates: Rates;
  /** TIME_SCALE */
  readonly timeScale: number;
  /** Two secrets of the server, 32 bytes each, the same on every instance, never published. */
  readonly idSecret: Uint8Array;
  readonly tagSecret: Uint8Array;
  readonly randomBytes: (size: number) => Uint8Array;
  /** uniform integer in 0…n-1 */
  readonly randomBelow: (n: number) => number;
};

/**
 * Everything about races, wired. The book listens to the rooms' events first: whoever listens after it finds views as new as
 * the event in hand. Timers (`run/race-clock`, `run/sweeper`, `socket/frames`) are made from the parts returned here.
 */
export function createRacing(deps: RacingDeps) {
  const { records, patience, queue, rooms, simulations, push, clock, log, randomBytes, randomBelow } = deps;
  const asked = patience.races(records);
  const seedKeys = patience.seedKeys(deps.seedKeys);
  const timing = createTiming(deps.timeScale);
  const ids = createRaceIds(deps.idSecret);
  const leaves = createLeaves(deps.tagSecret);
  const book = createRaceBook({ records: asked, rooms, clock, timing });
  const runs = createRaceSimulations({ seedKeys, simulations });
  const frames = createRaceFrames({ records, asked, runs, timing });
  const record = createRaceRecordReader({ records: asked, rooms, clock });
  const openings = createRaceOpenings({
    records: asked,
    seedKeys,
    // What has been decided is told: the log follows by itself.
    rooms: { ...rooms, publishFacts: (roomId) => patience.glance(rooms.publishFacts(roomId)) },
    book,
    ids,
    simulations,
    clock,
    timing,
    rates: deps.rates,
    log,
    randomBytes,
  });
  const odds = createOdds({ records, asked, rooms, book, push, clock, log });
  const races = createRacesService({ records: asked, record, rooms, book, openings, frames, ids, clock, timing });
  const bets = createBetsService({
    records: { outcomes: records.outcomes, mine: asked.mine },
    queue,
    rooms,
    book,
    odds,
    leaves,
    push,
    clock,
    timeZone: deps.timeZone,
    log,
  });
  const isAutomatic = (roomId: RoomId) => rooms.state(roomId)?.document.settings.mode === 'auto';
  const rounds = createRaceRounds({
    records,
    rooms,
    runs,
    leaves,
    voidRace: createRaceVoiding({ records, runs, clock, timing, isAutomatic }),
    clock,
    timing,
    log,
    tellOutcomes: bets.tellOutcomes,
  });
  const picks = createPicksService({ records: asked, queue, rooms, book, leaves, ids, log, randomBelow });
  return { timing, book, frames, rounds, openings, odds, record, races, bets, picks };
}
export type Racing = ReturnType<typeof createRacing>;
