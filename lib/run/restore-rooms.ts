import { CHAT_TAIL } from '../core/chat.ts';
import type { RoomId } from '../core/ids.ts';
import { cardOf } from '../core/room.ts';
import { newDocument, refreshFromRow } from '../core/room-document.ts';
import type { RaceSummary } from '../core/room-state.ts';
import type { ArchiveRecords, Logger, RoomRecords, RoomStore } from '../ports.ts';

export type RestoreDeps = {
  readonly store: Pick<RoomStore, 'restore'>;
  readonly rooms: Pick<RoomRecords, 'get' | 'living'>;
  readonly archive: Pick<ArchiveRecords, 'read'>;
  readonly latestRace: (roomId: RoomId) => Promise<RaceSummary | null>;
  readonly log: Logger;
};

const ROOMS_AT_ONCE = 4;

/**
 * Puts one living room into the store: its document and last messages from the archive, everything that its row and its
 * latest race know better from there. A room that was never archived comes back empty. 'absent': no living room.
 */
export async function restoreRoom(deps: RestoreDeps, roomId: RoomId): Promise<'restored' | 'exists' | 'absent'> {
  // Row before race: see refreshFromRow.
  const row = await deps.rooms.get(roomId);
  if (row === null || row.closedAt !== null) return 'absent';
  const race = await deps.latestRace(roomId);
  const archived = await deps.archive.read(roomId, CHAT_TAIL);
  const document = refreshFromRow(archived?.document ?? newDocument(row), row, race);
  const card = document.settings.listed ? cardOf(document) : null;
  return deps.store.restore(document, archived?.messages ?? [], card);
}

/** At the start: every living room, in a new epoch. Rejects when PostgreSQL does not answer. */
export async function restoreRooms(deps: RestoreDeps): Promise<{ readonly restored: number; readonly exists: number }> {
  const waiting = [...(await deps.rooms.living())];
  const counts = { restored: 0, exists: 0, absent: 0 };
  const next = async (): Promise<void> => {
    for (let roomId = waiting.shift(); roomId !== undefined; roomId = waiting.shift()) {
      counts[await restoreRoom(deps, roomId)] += 1;
    }
  };
  await Promise.all(Array.from({ length: ROOMS_AT_ONCE }, next));
  deps.log.info({ restored: counts.restored, exists: counts.exists }, 'rooms.restored');
  return { restored: counts.restored, exists: counts.exists };
}
