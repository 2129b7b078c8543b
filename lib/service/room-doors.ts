import { LRUCache } from 'lru-cache';
import type { RoomId } from '../core/ids.ts';
import type { RoomDocument } from '../core/room-state.ts';
import { refuse } from '../errors.ts';
import type { RoomRecords } from '../ports.ts';
import type { Payload } from '../protocol.ts';
import type { Caller } from './caller.ts';
import type { RoomFeeds } from './room-feeds.ts';
import { passwordMatches, type RoomSecrets, sameText } from './room-secrets.ts';

export type RoomDoorsDeps = {
  readonly records: Pick<RoomRecords, 'get'>;
  readonly feeds: Pick<RoomFeeds, 'onEvents'>;
  readonly secrets: RoomSecrets;
  /** Wrong passwords by address and room, counted so that tries made at once are no more than tries made in turn. */
  readonly passwordGuard: {
    /** What `work` gives (null: it was wrong), or for how many ms nothing may be tried. */
    attempt<T>(
      work: () => Promise<T | null>,
      address: string,
      roomId: RoomId,
    ): Promise<{ readonly found: T | null } | { readonly blockedForMs: number }>;
  };
};

const REMEMBERED_ROOMS = 10_000;

/** Passwords and the invite keys that stand for them. Hashes are PostgreSQL's, remembered under the version of the settings. */
export function createRoomDoors({ records, feeds, secrets, passwordGuard }: RoomDoorsDeps) {
  const hashes = new LRUCache<RoomId, { readonly settingsVersion: number; readonly hash: string | null }>({
    max: REMEMBERED_ROOMS,
  });

  /** null: no password. Rejects with UnavailableError when it is not known here and PostgreSQL is away. */
  async function hashOf({ id, settingsVersion }: RoomDocument): Promise<string | null> {
    const known = hashes.get(id);
    if (known?.settingsVersion === settingsVersion) return known.hash;
    const row = await records.get(id);
    if (row === null) return null;
    remember(id, row.settingsVersion, row.passwordHash);
    return row.passwordHash;
  }

  function remember(roomId: RoomId, settingsVersion: number, hash: string | null): void {
    hashes.set(roomId, { settingsVersion, hash });
  }

  /** A change that leaves the password alone. */
  feeds.onEvents((roomId, events) => {
    for (const event of events) {
      const other =
        event.type === 'host changed' || (event.type === 'settings changed' && event.patch.hasPassword === undefined);
      const known = other ? hashes.get(roomId) : undefined;
      if (other && known?.settingsVersion === event.version - 1) remember(roomId, event.version, known.hash);
    }
  });

  return {
    remember,

    /** Refuses who has neither password nor key. */
    async open(caller: Caller, payload: Payload<'room:join'>, document: RoomDocument): Promise<void> {
      if (!document.hasPassword || document.hostId === caller.playerId) return;
      const hash = await hashOf(document);
      if (hash === null) return;
      const { id } = document;
      const { key, password } = payload;
      if (key !== undefined && sameText(key, secrets.inviteKey(id, hash))) return;
      // Nothing is tried by who only asks whether there is a password.
      if (key === undefined && password === undefined) throw refuse('WRONG_PASSWORD');
      const right = async () => (password !== undefined && (await passwordMatches(password, hash))) || null;
      const tried = await passwordGuard.attempt(right, caller.address, id);
      if ('blockedForMs' in tried) throw refuse('RATE_LIMITED', { retryAfterMs: tried.blockedForMs });
      if (tried.found === null) throw refuse('WRONG_PASSWORD');
    },

    /** For the host, as part of an answer. Without it where it cannot be told now: nothing else depends on it. */
    async invite(document: RoomDocument): Promise<{ inviteKey?: string }> {
      if (!document.hasPassword) return {};
      const hash = await hashOf(document).catch(() => null);
      return hash === null ? {} : { inviteKey: secrets.inviteKey(document.id, hash) };
    },
  };
}
export type RoomDoors = ReturnType<typeof createRoomDoors>;
