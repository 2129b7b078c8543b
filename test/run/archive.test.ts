import { setImmediate as tick } from 'node:timers/promises';
import type { Pool } from 'pg';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createArchiveRecords } from '../../db/postgres/archive.ts';
import type { PlayerId, RoomId } from '../../lib/core/ids.ts';
import { type ArchiveRecords, UnavailableError } from '../../lib/ports.ts';
import { type ArchiveWorker, createArchiveWorker } from '../../lib/run/archive.ts';
import { createTestDatabase, startTestPostgres, type TestDatabase } from '../helpers/postgres.ts';
import { until } from '../helpers/until.ts';
import {
  changed,
  chat,
  commitOn,
  documentOf,
  eventOf,
  firstCommit,
  joined,
  loaded,
  mustCommit,
  newRoomId,
} from '../store-contract/fixtures.ts';
import { archivedTexts, newRoom, newStore, quiet } from './archive-fixtures.ts';

let database: TestDatabase;
let pool: Pool;
const workers: ArchiveWorker[] = [];

beforeEach(async () => {
  database = await createTestDatabase();
  pool = database.pool();
});
afterEach(async () => {
  await Promise.all(workers.splice(0).map((worker) => worker.close()));
  await database.drop();
});

function work(
  store: ReturnType<typeof newStore>,
  more: Partial<Parameters<typeof createArchiveWorker>[0]> = {},
): ArchiveWorker {
  const worker = createArchiveWorker({
    store,
    archive: createArchiveRecords(pool),
    log: quiet,
    mayWrite: () => true,
    everyMs: 20,
    ...more,
  });
  workers.push(worker);
  return worker;
}

async function say(store: ReturnType<typeof newStore>, roomId: RoomId, ...texts: string[]): Promise<void> {
  await mustCommit(store, commitOn(await loaded(store, roomId), { events: texts.map(chat) }));
}

describe('archive worker', () => {
  test('[OP40] document, messages and reactions arrive by themselves', async () => {
    const store = newStore();
    const worker = work(store);
    const roomId = await newRoom(pool, store);
    await say(store, roomId, 'a', 'b');
    const room = await loaded(store, roomId);
    const [a] = room.chat;
    if (a === undefined) throw new Error('no chat');
    const liked = { type: 'reaction', messageId: a.id, emoji: '👍', playerId: 'p' as PlayerId, on: true } as const;
    await mustCommit(
      store,
      commitOn(room, { document: changed(room, { name: 'renamed' }), events: [joined('p'), liked] }),
    );
    const archive = createArchiveRecords(pool);
    await until('the archive is level', async () => (await store.dirty(1)).length === 0);
    const now = await loaded(store, roomId);
    expect(await archive.read(roomId, 50)).toEqual({
      position: { epoch: now.epoch, seq: 4 },
      document: now.document,
      messages: now.chat,
    });
    expect(now.chat[0]?.reactions).toEqual([{ emoji: '👍', playerIds: ['p'] }]);
    expect((await store.unarchived(roomId))?.entries).toEqual([]);
    await until('the lag is gone', () => worker.lagMs() === 0);
  });

  test('[OP40] a long backlog is written in several calls, in order', async () => {
    const store = newStore();
    const roomId = await newRoom(pool, store);
    const texts = Array.from({ length: 5_000 }, (_, index) => `text ${index}`);
    await say(store, roomId, ...texts);
    expect(await work(store).flush(20_000)).toBe(true);
    expect(await archivedTexts(pool, roomId)).toEqual(texts);
  });

  const given = process.env['PADDOCK_TEST_SEED'];
  const seeds =
    given === undefined ? [Math.floor(Math.random() * 2 ** 31), Math.floor(Math.random() * 2 ** 31)] : [Number(given)];
  test.each(seeds)(
    '[OP40] workers that die, overtake each other and get no answer write each message once (seed %d)',
    async (seed) => {
      let state = seed;
      const random = (below: number): number => {
        state = (Math.imul(state, 1_103_515_245) + 12_345) & 0x7fffffff;
        return (state >>> 8) % below;
      };
      const real = createArchiveRecords(pool);
      const faults = { unsent: 0, unanswered: 0 };
      // The answer is lost after the write, or the write before it is sent.
      const faulty: Pick<ArchiveRecords, 'write' | 'read'> = {
        read: real.read,
        write: async (input) => {
          const fate = random(6);
          if (fate === 0) {
            faults.unsent += 1;
            throw new UnavailableError('not sent', 'none');
          }
          const outcome = await real.write(input);
          if (fate === 1) {
            faults.unanswered += 1;
            throw new UnavailableError('no answer', 'unknown');
          }
          return outcome;
        },
      };
      const store = newStore();
      const rooms = [await newRoom(pool, store), await newRoom(pool, store), await newRoom(pool, store)];
      const living = [
        work(store, { archive: faulty }),
        work(store, { archive: faulty }),
        work(store, { archive: faulty }),
      ];
      let replaced = 0;
      for (let step = 0; step < 300; step += 1) {
        const roomId = rooms[random(3)] as RoomId;
        await say(store, roomId, `text ${step}`);
        if (random(10) === 0) {
          const index = random(3);
          await living[index]?.close();
          living[index] = work(store, { archive: faulty });
          replaced += 1;
        }
        for (let wait = random(20); wait > 0; wait -= 1) await tick();
        if (random(25) === 0) await living[random(3)]?.flush(50);
      }
      const last = work(store);
      await until('all is archived', async () => (await last.flush(1_000)) && (await store.dirty(1)).length === 0);
      console.log(`seed ${seed}: ${JSON.stringify({ ...faults, replaced })}`);
      expect(Math.min(faults.unsent, faults.unanswered, replaced)).toBeGreaterThan(0);
      for (const roomId of rooms) {
        const room = await loaded(store, roomId);
        const entries = (await store.since(roomId, room.epoch, 0)) ?? [];
        expect(entries.length).toBeGreaterThan(50);
        const spoken = entries.map(eventOf).flatMap((event) => (event.type === 'chat' ? [event.message.text] : []));
        expect(await archivedTexts(pool, roomId)).toEqual(spoken);
        expect((await real.read(roomId, 0))?.position).toEqual({ epoch: room.epoch, seq: room.seq });
      }
    },
  );

  test('[OP42] without the instance lock nothing is written, with it everything', async () => {
    const store = newStore();
    let held = false;
    const worker = work(store, { mayWrite: () => held });
    const roomId = await newRoom(pool, store);
    await say(store, roomId, 'a');
    expect(await worker.flush(300)).toBe(false);
    expect(await archivedTexts(pool, roomId)).toEqual([]);
    expect(worker.lagMs()).toBeGreaterThan(0);
    held = true;
    await until('it is archived', async () => (await archivedTexts(pool, roomId)).length === 1);
    held = false;
    await say(store, roomId, 'b');
    expect(await worker.flush(300)).toBe(false);
    expect(await archivedTexts(pool, roomId)).toEqual(['a']);
  });

  test('[OP43] a flush writes all rooms at once; a closed worker writes none', async () => {
    const store = newStore();
    const worker = work(store, { everyMs: 3_600_000 });
    const rooms = await Promise.all(Array.from({ length: 60 }, () => newRoom(pool, store)));
    for (const roomId of rooms) await say(store, roomId, 'last words');
    expect(await worker.flush(20_000)).toBe(true);
    for (const roomId of rooms) expect(await archivedTexts(pool, roomId)).toEqual(['last words']);
    await worker.close();
    await say(store, rooms[0] as RoomId, 'after the end');
    expect(await worker.flush(200)).toBe(false);
    expect(await archivedTexts(pool, rooms[0] as RoomId)).toEqual(['last words']);
  });

  test('[OP45] a room that cannot be archived does not hold the others up', async () => {
    const failed: unknown[] = [];
    const log = {
      ...quiet,
      error: (facts: object, event: string) => failed.push([event, (facts as { roomId?: RoomId }).roomId]),
    };
    const store = newStore();
    // Without a row in PostgreSQL its archive is refused by the foreign key.
    const orphan = newRoomId();
    await mustCommit(store, firstCommit(documentOf(orphan), { events: [chat('lost')] }));
    const worker = work(store, { log });
    const roomId = await newRoom(pool, store);
    for (let round = 1; round <= 5; round += 1) {
      await say(store, roomId, `text ${round}`);
      await until('it is archived', async () => (await archivedTexts(pool, roomId)).length === round);
    }
    expect(failed).toEqual([['archive.room_failed', orphan]]);
    expect(await store.dirty(10)).toEqual([orphan]);
    expect(worker.lagMs()).toBeGreaterThan(0);
  });

  test('[OP41] killed and frozen databases cost nothing but time', async () => {
    const postgres = await startTestPostgres();
    const own = await postgres.createDatabase({ migrate: true });
    const ownPool = own.pool({ statementTimeoutMs: 400, connectTimeoutMs: 400 });
    const store = newStore();
    const worker = createArchiveWorker({
      store,
      archive: createArchiveRecords(ownPool),
      log: quiet,
      mayWrite: () => true,
      everyMs: 20,
    });
    const roomId = await newRoom(ownPool, store);
    const texts: string[] = [];
    const speak = async () => {
      texts.push(`text ${texts.length}`);
      await say(store, roomId, texts.at(-1) as string);
    };
    await speak();
    await until('the first is archived', async () => (await store.dirty(1)).length === 0);

    postgres.freeze();
    for (let count = 0; count < 50; count += 1) await speak();
    const began = performance.now();
    expect(await worker.flush(700)).toBe(false);
    expect(performance.now() - began).toBeLessThan(7_000);
    await until('the lag is told', () => worker.lagMs() > 700);
    postgres.thaw();
    await until('all is archived', async () => (await store.dirty(1)).length === 0);
    await until('the lag is gone', () => worker.lagMs() === 0);

    await speak();
    await postgres.stopHard();
    for (let count = 0; count < 50; count += 1) await speak();
    await postgres.untilAnswers();
    await until('all is archived', async () => (await store.dirty(1)).length === 0);
    expect(await archivedTexts(ownPool, roomId)).toEqual(texts);
    await worker.close();
    await postgres.stop();
  });
});
