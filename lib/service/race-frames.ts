import { LRUCache } from 'lru-cache';
import type { RaceId } from '../core/ids.ts';
import type { RaceRow } from '../core/race-state.ts';
import type { RaceTiming } from '../core/race-timing.ts';
import { encodeChunks, type FrameChunk } from '../engine/index.ts';
import { refuse } from '../errors.ts';
import type { RaceRecords } from '../ports.ts';
import type { FrameChunkView } from '../protocol.ts';
import { ledgerRead } from './ledger-errors.ts';
import type { RaceSimulations } from './race-simulations.ts';

/** A race's chunks with the server time at which each may leave. Times inside chunks are race time. */
export type TimedChunk = FrameChunkView & { readonly dueAt: number };

export type RaceFramesDeps = {
  readonly records: Pick<RaceRecords, 'get'>;
  /** The same for requests, which wait less long. */
  readonly asked: Pick<RaceRecords, 'get'>;
  readonly runs: RaceSimulations;
  readonly timing: RaceTiming;
};

const REMEMBERED = 512;

/** Frames of races, made from the row by whoever needs them: nothing of them is stored or sent between instances. */
export function createRaceFrames({ records, asked, runs, timing }: RaceFramesDeps) {
  const chunks = new LRUCache<RaceId, Promise<readonly TimedChunk[]>>({ max: REMEMBERED });

  async function make(row: RaceRow, startsAt: number): Promise<readonly TimedChunk[]> {
    return encodeChunks(await runs.runOf(row)).map(({ chunk, fromMs, untilMs, data, sendAtMs }: FrameChunk) => ({
      chunk,
      fromMs,
      untilMs,
      data,
      dueAt: startsAt + Math.ceil(sendAtMs / timing.scale),
    }));
  }

  /** All chunks of a race whose start is known, by the time they are due; none of a race that is not drawn or is void. Secret until due. */
  async function prepare(raceId: RaceId, from = records): Promise<readonly TimedChunk[]> {
    const known = chunks.get(raceId);
    if (known !== undefined) return known;
    const details = await ledgerRead(from.get(raceId));
    if (details === null) throw refuse('NOT_FOUND');
    const { row } = details;
    if (row.startsAt === null || row.phase === 'open' || row.phase === 'void') return [];
    const made = make(row, row.startsAt);
    chunks.set(raceId, made);
    made.catch(() => chunks.delete(raceId));
    return made;
  }

  return {
    prepare: (raceId: RaceId): Promise<readonly TimedChunk[]> => prepare(raceId),
    /** What has been sent by `now`. */
    async sent(raceId: RaceId, now: number): Promise<readonly FrameChunkView[]> {
      return dueBy(await prepare(raceId, asked), now);
    },
  };
}
export type RaceFrames = ReturnType<typeof createRaceFrames>;

/** Chunks that may be out by `now`, as they go over the wire. */
export function dueBy(chunks: readonly TimedChunk[], now: number): FrameChunkView[] {
  return chunks
    .filter(({ dueAt }) => dueAt <= now)
    .map(({ chunk, fromMs, untilMs, data }) => ({ chunk, fromMs, untilMs, data }));
}
