import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { RoomId } from '../../lib/core/ids.ts';
import { publicRace } from '../../lib/core/public-race.ts';
import type { Push } from '../../lib/ports.ts';
import type { RoomEvent } from '../../lib/protocol.ts';
import { createOdds } from '../../lib/service/odds.ts';
import type { RaceBook } from '../../lib/service/race-book.ts';
import { createRaceRecordReader } from '../../lib/service/race-records.ts';
import type { RoomAccess } from '../../lib/service/room-access.ts';
import { until } from '../helpers/until.ts';
import { bet, closeRace, createStage, openRace, type Stage } from './stage.ts';

const clock = { now: () => Date.now() };
const log = { error: () => {}, warn: () => {}, info: () => {}, debug: () => {} };

let stage: Stage;
beforeEach(async () => {
  stage = await createStage();
});
afterEach(() => stage.drop());

/** A room that nobody here serves, and what it is told. */
function noRooms() {
  const listeners: ((roomId: RoomId, events: readonly RoomEvent[]) => void)[] = [];
  const rooms = {
    state: () => null,
    onEvents: (listener: (typeof listeners)[number]) => void listeners.push(listener),
  } as unknown as RoomAccess;
  const tell = (event: object) => {
    for (const listener of listeners) listener('room' as RoomId, [event as RoomEvent]);
  };
  return { rooms, tell };
}

async function oddsOf(race: { id: Parameters<Stage['races']['get']>[0] }) {
  const details = await stage.races.get(race.id);
  if (details === null) throw new Error('no race');
  const view = publicRace(details, clock.now());
  const odds = createOdds({
    records: stage.races,
    asked: stage.races,
    rooms: noRooms().rooms,
    book: { race: async () => view, cached: () => view } as unknown as RaceBook,
    push: {} as Push,
    clock,
    log,
  });
  const quote = () => odds.quote(view, { pool: 'win', selection: [1], stake: 100n });
  return { ...odds, quote };
}

describe('counting what was staked', () => {
  it('[LG72] a batch counts once in the odds, whether it is told before, during or after the reading that has it', async () => {
    const race = await openRace(stage);
    const odds = await oddsOf(race);
    const before = await stage.ledger.commitBatch([bet(race.id, 'a', 1, 3_000n), bet(race.id, 'b', 2, 1_000n)]);
    const truth = async () => (await oddsOf(race)).quote();
    // Told before anything was read.
    odds.added(before.added);
    expect(await odds.quote()).toEqual(await truth());
    // After a restart: read, then told.
    const restarted = await oddsOf(race);
    expect(await restarted.quote()).toEqual(await truth());
    restarted.added(before.added);
    expect(await restarted.quote()).toEqual(await truth());
    // New ones count, in whatever order they are told.
    const third = await stage.ledger.commitBatch([bet(race.id, 'a', 2, 2_000n)]);
    const fourth = await stage.ledger.commitBatch([bet(race.id, 'b', 3, 700n)]);
    restarted.added(fourth.added);
    restarted.added(third.added);
    expect(await restarted.quote()).toEqual(await truth());
    // Told while a reading is under way that has it already.
    const other = await oddsOf(race);
    const quoted = other.quote();
    other.added(fourth.added);
    expect(await quoted).toEqual(await truth());
    // An answer was lost on the way: what it added is read, and counts once when it is told after all.
    const fifth = await stage.ledger.commitBatch([bet(race.id, 'c', 1, 900n)]);
    other.added([], [race.id]);
    expect(await other.quote()).toEqual(await truth());
    other.added(fifth.added);
    expect(await other.quote()).toEqual(await truth());
  });
});

describe('the record of a race', () => {
  it('[LG73] a record read at any moment around a close or void has every batch that its phase allows for', async () => {
    for (let round = 0; round < 12; round += 1) {
      const race = await openRace(stage);
      let over = false;
      const records: NonNullable<Awaited<ReturnType<Stage['races']['record']>>>[] = [];
      const reading = Array.from({ length: 3 }, async () => {
        while (!over) {
          const found = await stage.races.record(race.id);
          if (found !== null) records.push(found);
        }
      });
      const placing = Array.from({ length: 4 }, async (_, lane) => {
        for (let n = 0; n < 4; n += 1) await stage.ledger.commitBatch([bet(race.id, `p${lane}`, 1 + lane, 100n)]);
      });
      if (round % 2 === 0) await closeRace(stage, race.id);
      else
        await until('void', async () => (await stage.races.voidRace(race.id, 'admin', 'cd', 'ab', null)) === 'moved');
      await Promise.all(placing);
      await until('read once more', () => records.at(-1)?.details.row.phase !== 'open');
      over = true;
      await Promise.all(reading);
      const stakes = await stage.races.stakes(race.id);
      const batches = await stage.races.batches(race.id);
      for (const record of records.filter(({ details }) => details.row.phase !== 'open')) {
        expect({ stakes: record.stakes, batches: record.batches }).toEqual({ stakes, batches });
      }
    }
  });

  it('[LG74] a record that many ask for at a time is read once, and anew after its room was told something of the race', async () => {
    const race = await openRace(stage);
    const { rooms, tell } = noRooms();
    let reads = 0;
    const records = {
      record: (...of: Parameters<Stage['races']['record']>) => {
        reads += 1;
        return stage.races.record(...of);
      },
    };
    const record = createRaceRecordReader({ records, rooms, clock });
    const all = await Promise.all(Array.from({ length: 50 }, () => record(race.id)));
    expect(new Set(all.map((one) => one?.phase))).toEqual(new Set(['open']));
    expect(reads).toBe(1);
    const early = record(race.id);
    await closeRace(stage, race.id);
    tell({ type: 'race closed', raceId: race.id });
    expect((await record(race.id))?.phase).toBe('closed');
    expect((await early)?.phase).toBe('open');
    expect(reads).toBe(2);
    expect(await record('nobody' as typeof race.id)).toBeNull();
  });
});
