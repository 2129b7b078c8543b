import { randomUUID } from 'node:crypto';
import type { Pool } from 'pg';
import { MemoryRoomStore } from '../../db/memory/store.ts';
import { createArchiveRecords } from '../../db/postgres/archive.ts';
import { createRoomRecords } from '../../db/postgres/rooms.ts';
import type { RoomId } from '../../lib/core/ids.ts';
import { newDocument } from '../../lib/core/room-document.ts';
import { DEFAULT_SETTINGS } from '../../lib/core/room-settings.ts';
import type { Logger, RoomRow } from '../../lib/ports.ts';
import { firstCommit, mustCommit } from '../store-contract/fixtures.ts';

export const quiet: Logger = { error: () => {}, warn: () => {}, info: () => {}, debug: () => {} };

export const newStore = (unarchivedEntries = 100_000) =>
  new MemoryRoomStore({ clock: { now: () => Date.now() }, log: quiet, unarchivedEntries });

export async function newRow(pool: Pool, patch: Partial<RoomRow> = {}): Promise<RoomRow> {
  const result = await createRoomRecords(pool).create({
    id: `room-${randomUUID()}` as RoomId,
    code: randomUUID().slice(0, 12),
    kind: 'bet',
    house: false,
    locale: 'ko',
    name: 'a room',
    passwordHash: null,
    settings: DEFAULT_SETTINGS.bet,
    hostId: null,
    createdBy: null,
    createdAt: 1,
    expiresAt: 9e14,
    ...patch,
  });
  if (result.kind !== 'created') throw new Error(result.kind);
  return result.row;
}

/** A room in PostgreSQL and in the store. */
export async function newRoom(pool: Pool, store: MemoryRoomStore): Promise<RoomId> {
  const row = await newRow(pool);
  await mustCommit(store, firstCommit(newDocument(row)));
  return row.id;
}

/** All archived texts of a room in the archive's order. */
export async function archivedTexts(pool: Pool, roomId: RoomId): Promise<string[]> {
  const rows = await pool.query<{ text: string }>('select text from chat_message where room_id = $1 order by ordinal', [
    roomId,
  ]);
  return rows.rows.map(({ text }) => text);
}

export const recordsOf = (pool: Pool) => ({ rooms: createRoomRecords(pool), archive: createArchiveRecords(pool) });
