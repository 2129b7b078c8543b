/** Rooms in PostgreSQL: settings, host, life, and their numbered facts. */
import type { PlayerId, RoomId } from '../core/ids.ts';
import type { RoomKind, RoomSettings } from '../core/room-state.ts';
import type { Locale } from '../errors.ts';
import type { RoomEventBody } from '../protocol.ts';

export type RoomRow = {
  readonly id: RoomId;
  readonly code: string;
  readonly kind: RoomKind;
  readonly house: boolean;
  readonly locale: Locale;
  readonly name: string;
  readonly passwordHash: string | null;
  readonly settings: RoomSettings;
  readonly settingsVersion: number;
  readonly factVersion: number;
  readonly hostId: PlayerId | null;
  readonly createdBy: PlayerId | null;
  readonly createdAt: number;
  readonly expiresAt: number;
  readonly closedAt: number | null;
  readonly closeCause: 'closed' | 'expired' | null;
};

export type RoomFact = { readonly version: number; readonly event: RoomEventBody };

export type RoomPatch = {
  readonly name?: string;
  readonly passwordHash?: string | null;
  readonly settings?: RoomSettings;
  readonly expiresAt?: number;
};

/** Each change raises the room's factVersion and writes its event as a `room_fact` row in the same transaction. */
export interface RoomRecords {
  /**
   * 'exists' answers a repeat of the same command with the row as it is, also at the limit; 'code-taken': try another code;
   * 'limit': its creator has `mostLiving` living rooms, counted so that those made at the same moment see each other.
   */
  create(
    row: Omit<RoomRow, 'factVersion' | 'closedAt' | 'closeCause' | 'settingsVersion'> & {
      readonly mostLiving?: number;
    },
  ): Promise<{ kind: 'created' | 'exists'; row: RoomRow } | { kind: 'code-taken' | 'limit' }>;
  get(roomId: RoomId): Promise<RoomRow | null>;
  byCode(code: string): Promise<RoomRow | null>;
  /** Compare-and-set on settingsVersion. `event` gets the new version written into its `version`. */
  configure(
    roomId: RoomId,
    expectVersion: number,
    patch: RoomPatch,
    event: RoomEventBody,
  ): Promise<{ kind: 'changed'; version: number } | { kind: 'conflict'; version: number } | { kind: 'absent' }>;
  setHost(
    roomId: RoomId,
    expectHost: PlayerId | null,
    hostId: PlayerId | null,
    cause: 'handover' | 'left' | 'timeout' | 'joined',
  ): Promise<'changed' | 'conflict' | 'absent'>;
  /** Once; a second call answers 'already'. Refused 'racing' while a race is unfinished and the cause is 'expired'. */
  close(roomId: RoomId, cause: 'closed' | 'expired'): Promise<'closed' | 'already' | 'racing' | 'absent'>;
  /** Oldest first. */
  living(only?: 'house'): Promise<readonly RoomId[]>;
  facts(roomId: RoomId, above: number): Promise<readonly RoomFact[]>;
  /** Of these rooms the ones whose row has a higher factVersion. One set-based query. */
  behind(known: readonly { readonly roomId: RoomId; readonly factVersion: number }[]): Promise<readonly RoomId[]>;
}
