import type { RaceId, RoomId } from '../core/ids.ts';
import { awaited, everybodyPicked } from '../core/picks.ts';
import type { Rates } from '../core/pools.ts';
import { publicRace } from '../core/public-race.ts';
import { dueRerun, isOver, type OpeningPlan, planOpening, previousRace, RULES_VERSION } from '../core/race.ts';
import type { Runner } from '../core/race-state.ts';
import type { RaceTiming } from '../core/race-timing.ts';
import { createDraws, makeField, morningLine, SIM_VERSION, type Track } from '../engine/index.ts';
import { type ErrorCode, refuse } from '../errors.ts';
import { commitment, deriveSeed, fieldHash, toHex } from '../fairness/index.ts';
import type { Logger, RaceRecords, SeedKeyRecords, ServerClock, Simulations } from '../ports.ts';
import { UnavailableError } from '../ports.ts';
import type { RaceView } from '../protocol.ts';
import type { RaceBook } from './race-book.ts';
import type { RaceIds } from './race-ids.ts';
import type { RoomAccess, RoomState } from './room-access.ts';
import { within } from './within.ts';

export type RaceOpeningsDeps = {
  readonly records: Pick<RaceRecords, 'open' | 'latest' | 'bringForward'>;
  readonly seedKeys: Pick<SeedKeyRecords, 'current'>;
  readonly rooms: RoomAccess;
  readonly book: RaceBook;
  readonly ids: RaceIds;
  readonly simulations: Pick<Simulations, 'monteCarlo'>;
  readonly clock: ServerClock;
  readonly timing: RaceTiming;
  readonly rates: Rates;
  readonly log: Logger;
  /** `size` random bytes; fields are drawn from them. */
  readonly randomBytes: (size: number) => Uint8Array;
};

export type Opened =
  | { readonly kind: 'opened'; readonly raceId: RaceId; readonly openedAt: number; readonly closesAt: number }
  /** The room's newest race is not over. */
  | { readonly kind: 'unfinished'; readonly race: RaceView }
  | { readonly kind: 'refused'; readonly code: ErrorCode };

const MORNING_LINE_RACES = 400;
/** A slow pool does not hold up a round: without it the line is left out. */
const MORNING_LINE_MS = 1_500;

/** Opens races, and brings their close forward. The row with field, rules and commitment is stored before anybody can bet. */
export function createRaceOpenings(deps: RaceOpeningsDeps) {
  const { records, seedKeys, rooms, book, ids, simulations, clock, timing, rates, log, randomBytes } = deps;
  const considering = new Set<RoomId>();

  async function runners(plan: OpeningPlan, track: Track): Promise<Runner[]> {
    const draws = createDraws(randomBytes(32), 'paddock/field/v1');
    // Published with the newest race last.
    const field = makeField({ draws, count: plan.horses, equal: plan.equal }).map((horse) => ({
      ...horse,
      form: horse.form.toReversed(),
    }));
    if (plan.equal) return field;
    const wins = await within(simulations.monteCarlo(track, field, MORNING_LINE_RACES), MORNING_LINE_MS).catch(
      () => undefined,
    );
    const line = wins === undefined ? [] : morningLine(wins, MORNING_LINE_RACES);
    return field.map((horse, index) => ({
      ...horse,
      ...(line[index] === undefined ? {} : { morningLine: line[index] }),
    }));
  }

  type OpenRequest = {
    readonly state: RoomState;
    readonly rerunOf?: RaceId | undefined;
    /** by the number the race will have in its room */
    readonly idOf: (number: number) => RaceId;
  };

  /** Rejects with UnavailableError. */
  async function open(request: OpenRequest): Promise<Opened> {
    const { document } = request.state;
    const { rerunOf } = request;
    const latest = await records.latest(document.id);
    const before = latest === null ? null : publicRace(latest, clock.now());
    if (before !== null && !isOver(before.phase)) return { kind: 'unfinished', race: before };
    const plan = planOpening({
      document,
      previous: before && previousRace(before),
      rates,
      ...(rerunOf === undefined ? {} : { rerunOf }),
    });
    if ('error' in plan) return { kind: 'refused', code: plan.error };

    const { track } = document.settings;
    const number = (before?.number ?? 0) + 1;
    const id = request.idOf(number);
    const key = await seedKeys.current();
    const field = await runners(plan, track);
    const facts = {
      roomId: document.id,
      number,
      kind: document.kind,
      track,
      simVersion: SIM_VERSION,
      rulesVersion: RULES_VERSION,
      rules: plan.rules,
      field,
    } as const;
    const openedAt = Math.floor(clock.now());
    const opened = await records.open(
      {
        id,
        roomId: document.id,
        kind: document.kind,
        number,
        previousRecordHash: latest?.row.recordHash ?? null,
        track,
        rules: plan.rules,
        field,
        fieldHash: toHex(fieldHash(facts)),
        simVersion: SIM_VERSION,
        rulesVersion: RULES_VERSION,
        seedKeyId: key.id,
        commitment: toHex(commitment(deriveSeed(key.key, id))),
        participants: plan.participants,
        rerunOf: plan.rerunOf,
        openedAt,
        closesAt: openedAt + timing.scaled(plan.rules.openSeconds * 1_000),
      },
      (row) => ({ type: 'race opened', race: publicRace({ row, picks: [], votes: [], result: null }, openedAt) }),
    );
    await rooms.publishFacts(document.id);
    switch (opened.kind) {
      case 'opened':
        log.info({ raceId: id, roomId: document.id, number, kind: document.kind }, 'race opened');
        return { kind: 'opened', raceId: opened.row.id, openedAt: opened.row.openedAt, closesAt: opened.row.closesAt };
      case 'unfinished':
        return { kind: 'unfinished', race: await book.race(opened.raceId) };
      case 'stale':
        // Somebody opened and ended a race since our look: as if they had it still.
        return { kind: 'refused', code: 'RACE_IN_PROGRESS' };
      case 'room-closed':
        return { kind: 'refused', code: 'ROOM_CLOSED' };
    }
  }

  /** Never later than it was. Gives the time that holds. `start`: for the host's command, see RaceRecords. */
  async function bringForward(
    race: Pick<RaceView, 'id' | 'roomId'>,
    closesAt: number,
    start?: RaceId,
  ): Promise<number> {
    const brought = await records.bringForward(race.id, Math.ceil(closesAt), start);
    await rooms.publishFacts(race.roomId);
    if (brought.move === 'busy') throw refuse('BUSY', { retryAfterMs: 100 });
    if (brought.move === 'absent') throw refuse('NOT_FOUND');
    return brought.closesAt;
  }

  /** A pick room does not wait longer than it must: the close comes near once everybody awaited has picked. */
  async function hurry(roomId: RoomId): Promise<void> {
    const state = rooms.state(roomId);
    const race = book.cached(roomId);
    if (state === null || race === null || race.kind !== 'pick' || race.phase !== 'open') return;
    const closesAt = clock.now() + timing.lastPickLeavesMs;
    if (race.closesAt <= closesAt) return;
    const waitedFor = awaited(state.document, state.connected, race);
    if (!everybodyPicked(waitedFor, race.picked, race.participants !== undefined)) return;
    await bringForward(race, closesAt);
  }

  /** When the room would open its next race by itself: null where nothing is to be opened now or later by waiting alone. */
  function dueAt(roomId: RoomId): number | null {
    const state = rooms.state(roomId);
    if (state === null || state.document.closed !== null || state.connected.size === 0) return null;
    if (state.document.settings.mode !== 'auto' || state.document.expiresAt <= clock.now()) return null;
    if (!book.known(roomId) || book.racing(roomId)) return null;
    if (state.document.kind === 'pick' && !enough(state)) return null;
    return book.nextOpensAt(roomId) ?? clock.now();
  }

  /** Who is away picks nothing: a round for fewer than two would only be void. A rerun is among its own. */
  function enough(state: RoomState): boolean {
    const race = book.cached(state.document.id);
    if (race !== null && dueRerun(previousRace(race)) !== undefined) return true;
    return awaited(state.document, state.connected, {}).length >= 2;
  }

  /** Opens the automatic room's next race if it is due. Gives when to ask again, null: after the room's next event. Never throws. */
  async function consider(roomId: RoomId): Promise<number | null> {
    if (considering.has(roomId)) return null;
    considering.add(roomId);
    try {
      const race = await book.view(roomId);
      const due = dueAt(roomId);
      const state = rooms.state(roomId);
      if (due === null || state === null) return null;
      if (due > clock.now()) return due;
      const rerunOf = race === null ? undefined : dueRerun(previousRace(race));
      const opened = await open({ state, rerunOf, idOf: (number) => ids.automatic(roomId, number) });
      if (opened.kind === 'refused') log.debug({ roomId, code: opened.code }, 'race not opened');
      return null;
    } catch (error) {
      // The sweeper asks again every second.
      if (!(error instanceof UnavailableError)) log.warn({ err: error, roomId }, 'race not opened');
      return null;
    } finally {
      considering.delete(roomId);
    }
  }

  return { open, bringForward, hurry, consider, dueAt };
}
export type RaceOpenings = ReturnType<typeof createRaceOpenings>;
