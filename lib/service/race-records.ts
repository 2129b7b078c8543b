import { LRUCache } from 'lru-cache';
import type { RaceId } from '../core/ids.ts';
import { publicRecord } from '../core/public-race.ts';
import { isOver } from '../core/race.ts';
import type { RaceRecordParts, RaceRecords, ServerClock } from '../ports.ts';
import type { RaceRecord } from '../protocol.ts';
import type { RoomAccess } from './room-access.ts';

export type RaceRecordReaderDeps = {
  readonly records: Pick<RaceRecords, 'record'>;
  readonly rooms: Pick<RoomAccess, 'onEvents'>;
  readonly clock: ServerClock;
};

/** Shown this long after it was read, as long as its race is not over and its room was told nothing new. */
const FRESH_MS = 1_000;
const KEPT_MS = 600_000;
const REMEMBERED = 256;

/**
 * Public records of races. However many ask for one at a time, it is read once; what a room was told of its race is in every
 * record that is asked for afterwards.
 */
export function createRaceRecordReader({ records, rooms, clock }: RaceRecordReaderDeps) {
  const read = new LRUCache<RaceId, RaceRecordParts>({ max: REMEMBERED, ttl: FRESH_MS });
  const reading = new Map<RaceId, Promise<RaceRecordParts | null>>();

  rooms.onEvents((_roomId, events) => {
    for (const event of events) {
      const raceId = event.type === 'race opened' ? event.race.id : 'raceId' in event ? event.raceId : null;
      if (raceId === null) continue;
      read.delete(raceId);
      reading.delete(raceId);
    }
  });

  function parts(raceId: RaceId): Promise<RaceRecordParts | null> {
    const known = read.get(raceId);
    if (known !== undefined) return Promise.resolve(known);
    const underWay = reading.get(raceId);
    if (underWay !== undefined) return underWay;
    const answer = records.record(raceId).then((found) => {
      const current = reading.get(raceId) === answer;
      if (found !== null && current) {
        read.set(raceId, found, { ttl: isOver(found.details.row.phase) ? KEPT_MS : FRESH_MS });
      }
      return found;
    });
    reading.set(raceId, answer);
    const done = (): void => {
      if (reading.get(raceId) === answer) reading.delete(raceId);
    };
    answer.then(done, done);
    return answer;
  }

  /** What everybody may know of a race now; null: there is none. Rejects with UnavailableError. */
  return async function record(raceId: RaceId): Promise<RaceRecord | null> {
    const found = await parts(raceId);
    return found === null ? null : publicRecord(found.details, found, clock.now());
  };
}
export type RaceRecordReader = ReturnType<typeof createRaceRecordReader>;
