import type { PlayerId, RoomId } from './ids.ts';
import type { RaceSummary, RoomDocument, RoomKind, RoomSettings } from './room-state.ts';

/** What a document copies from the room's row. A row as it is read fits; of the password only its presence is taken. */
export type RoomTruth = {
  readonly id: RoomId;
  readonly code: string;
  readonly kind: RoomKind;
  readonly house: boolean;
  readonly locale: RoomDocument['locale'];
  readonly createdAt: number;
  readonly name: string;
  readonly passwordHash: string | null;
  readonly settings: RoomSettings;
  readonly settingsVersion: number;
  readonly factVersion: number;
  readonly hostId: PlayerId | null;
  readonly expiresAt: number;
  readonly closedAt: number | null;
  readonly closeCause: 'closed' | 'expired' | null;
};

/** The first document of a room: nobody is in it. */
export function newDocument(row: RoomTruth): RoomDocument {
  const empty = {
    id: row.id,
    code: row.code,
    kind: row.kind,
    house: row.house,
    locale: row.locale,
    createdAt: row.createdAt,
  };
  return { ...empty, ...copies(row), version: 1, members: [], kickedAt: {}, race: null };
}

/**
 * A document from the archive with everything that the database knows better: the row's copies, the number of its newest
 * fact, and its latest race. `race` must have been read after `row`: facts in between are then appended to the log once
 * more, none is missed.
 */
export function refreshFromRow(document: RoomDocument, row: RoomTruth, race: RaceSummary | null): RoomDocument {
  return { ...document, ...copies(row), race };
}

function copies(row: RoomTruth) {
  return {
    factVersion: row.factVersion,
    name: row.name,
    hasPassword: row.passwordHash !== null,
    settings: row.settings,
    settingsVersion: row.settingsVersion,
    hostId: row.hostId,
    expiresAt: row.expiresAt,
    closed: row.closedAt === null || row.closeCause === null ? null : { cause: row.closeCause, at: row.closedAt },
  } as const satisfies Partial<RoomDocument>;
}
