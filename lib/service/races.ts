import type { RaceId, RoomId } from '../core/ids.ts';
import type { RaceTiming } from '../core/race-timing.ts';
import { refuse } from '../errors.ts';
import type { RaceRecords, ServerClock } from '../ports.ts';
import type { Payload, RaceView, Reply } from '../protocol.ts';
import type { Caller } from './caller.ts';
import { ledgerRead, ledgerWrite } from './ledger-errors.ts';
import type { RaceBook } from './race-book.ts';
import type { RaceFrames } from './race-frames.ts';
import type { RaceIds } from './race-ids.ts';
import type { RaceOpenings } from './race-openings.ts';
import type { RaceRecordReader } from './race-records.ts';
import { createRepeats } from './repeats.ts';
import type { RoomAccess, RoomState } from './room-access.ts';

export type RacesDeps = {
  readonly records: Pick<RaceRecords, 'get' | 'started' | 'history'>;
  readonly record: RaceRecordReader;
  readonly rooms: RoomAccess;
  readonly book: RaceBook;
  readonly openings: RaceOpenings;
  readonly frames: RaceFrames;
  readonly ids: RaceIds;
  readonly clock: ServerClock;
  readonly timing: RaceTiming;
};

const HISTORY_LIMIT = 20;

/** Requests about races, and what a room's snapshot needs of them. */
export function createRacesService(deps: RacesDeps) {
  const { records, record, rooms, book, openings, frames, ids, clock, timing } = deps;
  const once = createRepeats();

  function memberState(caller: Caller, roomId: RoomId): RoomState {
    const state = rooms.state(roomId);
    if (state === null || !state.document.members.some(({ id }) => id === caller.playerId)) throw refuse('NOT_MEMBER');
    return state;
  }

  async function begin(caller: Caller, payload: Payload<'race:start'>): Promise<Reply<'race:start'>> {
    const state = memberState(caller, payload.roomId);
    const raceId = ids.started(caller.playerId, payload.commandId);
    // Asked again after a restart: the race of that command is there, or the one that it found, and may be over by now.
    const [earlier, found] = await Promise.all([records.get(raceId), records.started(raceId)]);
    if (found !== null) return found;
    if (earlier !== null) return { raceId, closesAt: plannedClose(earlier.row) };
    if (state.document.closed !== null) throw refuse('ROOM_CLOSED');
    if (state.document.hostId !== caller.playerId) throw refuse('NOT_HOST');
    if (state.document.settings.mode !== 'manual') throw refuse('FORBIDDEN');

    const opened = await openings.open({ state, rerunOf: payload.rerunOf, idOf: () => raceId });
    switch (opened.kind) {
      case 'opened':
        return { raceId: opened.raceId, closesAt: opened.closesAt };
      case 'unfinished':
        return bringForward(opened.race, raceId);
      case 'refused':
        throw refuse(opened.code);
    }
  }

  function plannedClose(row: { readonly openedAt: number; readonly rules: { readonly openSeconds: number } }): number {
    return row.openedAt + timing.scaled(row.rules.openSeconds * 1_000);
  }

  async function bringForward(race: RaceView, start: RaceId): Promise<Reply<'race:start'>> {
    if (race.phase !== 'open') throw refuse('RACE_IN_PROGRESS');
    return { raceId: race.id, closesAt: await openings.bringForward(race, clock.now() + timing.hostLeavesMs, start) };
  }

  return {
    /** Host, manual rooms: opens the next race; while it is open, brings its close forward to 10 s from now. */
    start: (caller: Caller, payload: Payload<'race:start'>): Promise<Reply<'race:start'>> =>
      once(caller.playerId, payload, () => ledgerWrite(begin(caller, payload))),

    async get(_caller: Caller, { raceId }: Payload<'race:get'>): Promise<Reply<'race:get'>> {
      const found = await ledgerRead(record(raceId));
      if (found === null) throw refuse('NOT_FOUND');
      return found;
    },

    async history(_caller: Caller, { roomId, before, limit }: Payload<'race:history'>): Promise<Reply<'race:history'>> {
      return ledgerRead(records.history(roomId, before ?? null, limit ?? HISTORY_LIMIT));
    },

    async frames(_caller: Caller, { raceId, fromMs }: Payload<'race:frames:get'>): Promise<Reply<'race:frames:get'>> {
      const chunks = await frames.sent(raceId, clock.now());
      return { chunks: chunks.filter(({ untilMs }) => untilMs > fromMs) };
    },

    /** The room's newest race, at least as new as the room's fact `factVersion`; to be awaited before a snapshot. */
    view: (roomId: RoomId, factVersion: number): Promise<RaceView | null> => book.view(roomId, factVersion),
    /** The same in the tick of the snapshot. */
    cachedView: (roomId: RoomId): RaceView | null => book.cached(roomId),
    /** When the room opens its next race by itself, for the snapshot; undefined where it does not. */
    nextOpensAt: (roomId: RoomId): number | undefined => openings.dueAt(roomId) ?? undefined,
  };
}
