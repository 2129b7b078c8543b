import { expiryOf, patchSettings } from '../core/room-settings.ts';
import type { RoomSettings } from '../core/room-state.ts';
import { characters, cleanLine } from '../core/text.ts';
import { refuse } from '../errors.ts';
import type { RoomRecords, ServerClock } from '../ports.ts';
import type { Payload } from '../protocol.ts';
import type { Caller } from './caller.ts';
import type { RoomState } from './room-access.ts';
import type { RoomDoors } from './room-doors.ts';
import type { RoomFacts } from './room-facts.ts';
import { hashPassword } from './room-secrets.ts';

export type RoomConfigureDeps = {
  readonly records: Pick<RoomRecords, 'configure'>;
  readonly facts: Pick<RoomFacts, 'publish'>;
  readonly doors: Pick<RoomDoors, 'remember'>;
  readonly clock: ServerClock;
};

const ROOM_NAME_CHARACTERS = 30;

/** Changes of name, password, settings and lifetime, each a fact of PostgreSQL by compare-and-set. */
export function createRoomConfigure({ records, facts, doors, clock }: RoomConfigureDeps) {
  /** On the settings as the caller saw them: they are laid over, so older ones here would undo what is newer there. */
  return async function configure(
    caller: Caller,
    payload: Payload<'room:configure'>,
    hostState: () => RoomState,
  ): Promise<{ version: number }> {
    const { roomId, patch, version } = payload;
    // Refuses whoever is not host.
    if (hostState().document.settingsVersion < version) await facts.publish(roomId);
    const { document } = hostState();
    if (document.settingsVersion !== version) throw refuse('BUSY', { data: { version: document.settingsVersion } });
    const settings = patch.settings === undefined ? undefined : patchSettings(document.settings, patch.settings);
    const name = patch.name === undefined ? undefined : roomName(patch.name, caller);
    const longer = settings !== undefined && patch.settings?.lifetimeMinutes !== undefined;
    const expiresAt = longer ? expiryOf(settings, clock.now()) : undefined;
    const passwordHash =
      patch.password === undefined ? undefined : patch.password === null ? null : await hashPassword(patch.password);
    const common = {
      ...(name === undefined ? {} : { name }),
      ...(expiresAt === undefined ? {} : { expiresAt }),
    };
    const changed = await records.configure(
      roomId,
      version,
      {
        ...common,
        ...(passwordHash === undefined ? {} : { passwordHash }),
        ...(settings === undefined ? {} : { settings }),
      },
      {
        type: 'settings changed',
        version: version + 1,
        by: caller.playerId,
        patch: {
          ...common,
          ...(passwordHash === undefined ? {} : { hasPassword: passwordHash !== null }),
          ...(settings === undefined ? {} : { settings: changedSettings(settings, patch.settings) }),
        },
      },
    );
    if (changed.kind === 'absent') throw refuse('ROOM_CLOSED');
    if (changed.kind === 'conflict') throw refuse('BUSY', { data: { version: changed.version } });
    if (passwordHash !== undefined) doors.remember(roomId, changed.version, passwordHash);
    await facts.publish(roomId);
    return { version: changed.version };
  };
}

/** Of the settings as they are now those that the patch names. */
function changedSettings(settings: RoomSettings, patch: object = {}): Partial<RoomSettings> {
  return Object.fromEntries(Object.entries(settings).filter(([name]) => Object.hasOwn(patch, name)));
}

/** A given name cleaned (NAME_INVALID when too long); none or empty: named after its maker. */
export function roomName(given: string | undefined, caller: Pick<Caller, 'nickname' | 'locale'>): string {
  const name = cleanLine(given ?? '');
  if (characters(name) > ROOM_NAME_CHARACTERS) throw refuse('NAME_INVALID', { path: 'name' });
  if (name !== '') return name;
  return caller.locale === 'ko' ? `${caller.nickname}의 방` : `${caller.nickname}'s room`;
}
