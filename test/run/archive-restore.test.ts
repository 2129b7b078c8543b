import type { Pool } from 'pg';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { PlayerId, RaceId, RoomId } from '../../lib/core/ids.ts';
import { newDocument, refreshFromRow } from '../../lib/core/room-document.ts';
import { DEFAULT_SETTINGS } from '../../lib/core/room-settings.ts';
import type { RaceSummary } from '../../lib/core/room-state.ts';
import { createArchiveWorker } from '../../lib/run/archive.ts';
import { restoreRoom, restoreRooms } from '../../lib/run/restore-rooms.ts';
import { createTestDatabase, type TestDatabase } from '../helpers/postgres.ts';
import { changed, chat, commitOn, joined, loaded, mustCommit } from '../store-contract/fixtures.ts';
import { archivedTexts, newRoom, newRow, newStore, quiet, recordsOf } from './archive-fixtures.ts';

let database: TestDatabase;
let pool: Pool;
beforeEach(async () => {
  database = await createTestDatabase();
  pool = database.pool();
});
afterEach(() => database.drop());

const race: RaceSummary = { id: 'race' as RaceId, number: 3, phase: 'running', closesAt: 5, endsAt: 9 };
const noRace = async () => null;

async function flushed(store: ReturnType<typeof newStore>): Promise<void> {
  const worker = createArchiveWorker({
    store,
    archive: recordsOf(pool).archive,
    log: quiet,
    mayWrite: () => true,
    everyMs: 3_600_000,
  });
  expect(await worker.flush(20_000)).toBe(true);
  await worker.close();
}

describe('restoring rooms', () => {
  test('[OP44] a room comes back with its people and last 50 messages, in a new epoch, and is archived on from there', async () => {
    const before = newStore();
    const roomId = await newRoom(pool, before);
    const room = await loaded(before, roomId);
    const members = [{ id: 'p1' as PlayerId, nickname: 'P1', role: 'player' as const, joinedAt: 7 }];
    const texts = Array.from({ length: 80 }, (_, index) => `text ${index}`);
    await mustCommit(
      before,
      commitOn(room, { document: changed(room, { members }), events: [joined('p1'), ...texts.map(chat)] }),
    );
    await flushed(before);
    const old = await loaded(before, roomId);

    const after = newStore();
    const deps = { store: after, ...recordsOf(pool), latestRace: noRace, log: quiet };
    expect(await restoreRooms(deps)).toEqual({ restored: 1, exists: 0 });
    const back = await loaded(after, roomId);
    expect(back.document).toEqual(old.document);
    expect(back.chat).toEqual(old.chat);
    expect(back.chat.length).toBe(50);
    expect([back.seq, back.epoch === old.epoch]).toEqual([0, false]);
    expect((await after.list({ limit: 50 })).rooms.map(({ id }) => id)).toEqual([roomId]);
    expect(await restoreRooms(deps)).toEqual({ restored: 0, exists: 1 });

    await mustCommit(after, commitOn(back, { events: [chat('after the restart')] }));
    await flushed(after);
    expect(await archivedTexts(pool, roomId)).toEqual([...texts, 'after the restart']);
  });

  test("[OP44] the row's truth and the latest race win over the archived copies", async () => {
    const { rooms } = recordsOf(pool);
    const before = newStore();
    const roomId = await newRoom(pool, before);
    await mustCommit(before, commitOn(await loaded(before, roomId), { events: [chat('hello')] }));
    await flushed(before);
    // All of this happened while nobody appended it to the log.
    const settings = { ...DEFAULT_SETTINGS.bet, capacity: 9, listed: false };
    const patch = { name: 'renamed', passwordHash: 'h', settings, expiresAt: 8e14 };
    await rooms.configure(roomId, 1, patch, { type: 'settings changed', version: 0, patch: {}, by: null });
    await rooms.setHost(roomId, null, 'p9' as PlayerId, 'joined');

    const after = newStore();
    await restoreRooms({
      store: after,
      ...recordsOf(pool),
      latestRace: async (id) => (id === roomId ? race : null),
      log: quiet,
    });
    const { document } = await loaded(after, roomId);
    expect(document).toMatchObject({
      name: 'renamed',
      hasPassword: true,
      settings,
      settingsVersion: 3,
      factVersion: 2,
      hostId: 'p9',
      expiresAt: 8e14,
      race,
      closed: null,
    });
    expect((await after.list({ limit: 50 })).total).toBe(0);
    expect(await rooms.facts(roomId, document.factVersion)).toEqual([]);
    expect(JSON.stringify(document)).not.toContain('passwordHash');
  });

  test('[OP44] a room that was never archived comes back empty, a closed one does not come back', async () => {
    const [fresh, closed] = [await newRow(pool, { hostId: 'h' as PlayerId }), await newRow(pool)];
    const records = recordsOf(pool);
    await records.rooms.close(closed.id, 'closed');
    const store = newStore();
    const deps = { store, ...records, latestRace: noRace, log: quiet };
    expect(await restoreRooms(deps)).toEqual({ restored: 1, exists: 0 });
    const { document, chat: messages } = await loaded(store, fresh.id);
    expect(document).toEqual(newDocument(fresh));
    expect(messages).toEqual([]);
    expect(await restoreRoom(deps, closed.id)).toBe('absent');
    expect(await restoreRoom(deps, 'nobody' as RoomId)).toBe('absent');
    expect(await restoreRoom(deps, fresh.id)).toBe('exists');
  });

  test('[OP44] many rooms come back', async () => {
    const rows = await Promise.all(Array.from({ length: 200 }, () => newRow(pool)));
    const store = newStore();
    expect(await restoreRooms({ store, ...recordsOf(pool), latestRace: noRace, log: quiet })).toEqual({
      restored: 200,
      exists: 0,
    });
    expect((await store.heads(rows.map(({ id }) => id))).size).toBe(200);
  });

  test('[RM28] documents take the truth of the row, keep the people and hold no password', async () => {
    const row = {
      ...(await newRow(pool, { passwordHash: 'scrypt$secret', hostId: 'h' as PlayerId })),
      factVersion: 12,
      settingsVersion: 4,
    };
    const made = newDocument(row);
    expect(made).toMatchObject({
      id: row.id,
      code: row.code,
      version: 1,
      factVersion: 12,
      hasPassword: true,
      hostId: 'h',
      members: [],
      race: null,
      closed: null,
    });
    expect(JSON.stringify(made)).not.toContain('secret');
    const members = [{ id: 'p1' as PlayerId, nickname: 'P1', role: 'player' as const, joinedAt: 7 }];
    const lived = { ...made, version: 40, members, kickedAt: { p2: 5 } };
    const later = {
      ...row,
      name: 'later',
      passwordHash: null,
      factVersion: 13,
      closedAt: 99,
      closeCause: 'expired' as const,
    };
    expect(refreshFromRow(lived, later, race)).toEqual({
      ...lived,
      name: 'later',
      hasPassword: false,
      factVersion: 13,
      race,
      closed: { cause: 'expired', at: 99 },
    });
    expect(refreshFromRow({ ...lived, race }, row, null).race).toBeNull();
  });
});
