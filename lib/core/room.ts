import type { Refusal } from '../errors.ts';
import type { MemberView, RoomCard, RoomEventBody } from '../protocol.ts';
import { assertNever, type PlayerId } from './ids.ts';
import type { Member, RaceSummary, Role, RoomDocument } from './room-state.ts';

/** What rules about people look at: the document, and who is connected right now. */
export type RoomPeople = { readonly document: RoomDocument; readonly connected: ReadonlySet<PlayerId> };

export type RoomCommand =
  | { readonly kind: 'join'; readonly playerId: PlayerId; readonly nickname: string; readonly as: Role }
  /** By seat ticket after a restart or a split: the room's doors do not apply again; a kick or a leave since then does. */
  | {
      readonly kind: 'reseat';
      readonly playerId: PlayerId;
      readonly nickname: string;
      readonly role: Role;
      readonly joinedAt: number;
      readonly issuedAt: number;
    }
  | { readonly kind: 'leave'; readonly playerId: PlayerId; readonly cause: 'left' | 'timeout' | 'left-elsewhere' }
  | { readonly kind: 'kick'; readonly by: PlayerId; readonly playerId: PlayerId; readonly reason?: string | undefined }
  | { readonly kind: 'role'; readonly playerId: PlayerId; readonly as: Role }
  | { readonly kind: 'ready'; readonly playerId: PlayerId; readonly ready: boolean }
  | { readonly kind: 'rename'; readonly playerId: PlayerId; readonly nickname: string }
  | { readonly kind: 'presence'; readonly playerId: PlayerId; readonly connected: boolean };

/** Leaves a document remembers: more than there are in the moments before a crash that its archive may lack. */
const LEAVES_KEPT = 200;

export type RoomRules = { readonly spectatorsPerRoom: number };
export type Decision = { readonly events: readonly RoomEventBody[] } | { readonly error: Refusal };

const NOTHING: Decision = { events: [] };
const no = (code: Refusal['code'], data?: Refusal['data']): Decision => ({
  error: data === undefined ? { code } : { code, data },
});

export function memberOf(document: RoomDocument, playerId: PlayerId): Member | undefined {
  return document.members.find((member) => member.id === playerId);
}

export function countRole(document: RoomDocument, role: Role): number {
  return document.members.reduce((count, member) => count + (member.role === role ? 1 : 0), 0);
}

/** Decides a command on the room as it stands. No events: it is already so. */
export function decideRoom(room: RoomPeople, command: RoomCommand, now: number, rules: RoomRules): Decision {
  const { document } = room;
  if (document.closed !== null) return no('ROOM_CLOSED');
  const member = memberOf(document, command.playerId);
  switch (command.kind) {
    case 'join':
      return member ? NOTHING : decideJoin(document, command, now, rules);
    case 'reseat': {
      if (member) return NOTHING;
      const kickedAt = document.kickedAt[command.playerId];
      if (kickedAt !== undefined && kickedAt >= command.issuedAt) return no('FORBIDDEN');
      if (hasLeftSince(document, command.playerId, command.issuedAt)) return no('NOT_MEMBER');
      return { events: [joined(document, command.playerId, command.nickname, command.role, command.joinedAt)] };
    }
    case 'leave':
      if (!member) return no('NOT_MEMBER');
      // Back in the last moment.
      if (command.cause === 'timeout' && room.connected.has(member.id)) return NOTHING;
      return { events: [{ type: 'member left', playerId: member.id, cause: command.cause }] };
    case 'kick':
      if (document.hostId !== command.by) return no('NOT_HOST');
      if (command.playerId === command.by) return no('FORBIDDEN');
      if (!member) return no('NOT_FOUND');
      return {
        events: [
          {
            type: 'member left',
            playerId: member.id,
            cause: 'kicked',
            ...(command.reason === undefined ? {} : { reason: command.reason }),
          },
        ],
      };
    case 'role':
      return member ? decideRole(document, member, command.as, rules) : no('NOT_MEMBER');
    case 'ready':
      if (!member) return no('NOT_MEMBER');
      if (document.kind !== 'pick' || member.role !== 'player') return no('FORBIDDEN');
      return member.ready === command.ready
        ? NOTHING
        : { events: [{ type: 'member changed', playerId: member.id, patch: { ready: command.ready } }] };
    case 'rename':
      if (!member || member.nickname === command.nickname) return NOTHING;
      return { events: [{ type: 'member changed', playerId: member.id, patch: { nickname: command.nickname } }] };
    case 'presence':
      if (!member || room.connected.has(member.id) === command.connected) return NOTHING;
      return { events: [{ type: 'member changed', playerId: member.id, patch: { connected: command.connected } }] };
    default:
      return assertNever(command);
  }
}

function decideJoin(
  document: RoomDocument,
  command: Extract<RoomCommand, { kind: 'join' }>,
  now: number,
  rules: RoomRules,
): Decision {
  const { settings } = document;
  if (settings.locked && document.hostId !== command.playerId) return no('ROOM_LOCKED');
  if (command.as === 'spectator') {
    if (!settings.spectators) return no('SPECTATORS_OFF');
    if (countRole(document, 'spectator') >= rules.spectatorsPerRoom) return no('ROOM_FULL', { canSpectate: false });
  } else if (countRole(document, 'player') >= settings.capacity) {
    return no('ROOM_FULL', {
      canSpectate: settings.spectators && countRole(document, 'spectator') < rules.spectatorsPerRoom,
    });
  }
  return { events: [joined(document, command.playerId, command.nickname, command.as, now)] };
}

function decideRole(document: RoomDocument, member: Member, as: Role, rules: RoomRules): Decision {
  if (member.role === as) return NOTHING;
  if (as === 'spectator') {
    if (!document.settings.spectators) return no('SPECTATORS_OFF');
    if (countRole(document, 'spectator') >= rules.spectatorsPerRoom) return no('ROOM_FULL', { canSpectate: false });
  } else if (countRole(document, 'player') >= document.settings.capacity) {
    return no('ROOM_FULL', { canSpectate: true });
  }
  // A player of a pick room is ready unless they say otherwise; a spectator has no such thing to say.
  return {
    events: [
      {
        type: 'member changed',
        playerId: member.id,
        patch: { role: as, ...(document.kind === 'pick' && as === 'player' ? { ready: true } : {}) },
      },
    ],
  };
}

function joined(document: RoomDocument, id: PlayerId, nickname: string, role: Role, joinedAt: number): RoomEventBody {
  const ready = document.kind === 'pick' && role === 'player' ? { ready: true } : {};
  return { type: 'member joined', member: { id, nickname, role, ...ready, connected: true, joinedAt } };
}

/** Whether the event changes the document, so that its commit must write it. */
export function writesDocument(event: RoomEventBody): boolean {
  switch (event.type) {
    case 'chat':
    case 'reaction':
    case 'pick made':
    case 'horse scratched':
    case 'race paused':
    case 'notice':
      return false;
    case 'member changed':
      return event.patch.role !== undefined || event.patch.ready !== undefined || event.patch.nickname !== undefined;
    default:
      return true;
  }
}

/** The document after an event. `at` is the event's time; versions are the store's affair and are left alone. */
export function applyToRoom(document: RoomDocument, event: RoomEventBody, at: number): RoomDocument {
  switch (event.type) {
    case 'member joined': {
      const { connected: _, ...member } = event.member;
      const others = document.members.filter((other) => other.id !== member.id);
      const joined = { ...document, members: [...others, member].sort((a, b) => a.joinedAt - b.joinedAt) };
      if (document.leftAt?.[member.id] === undefined) return joined;
      const { [member.id]: _left, ...leftAt } = document.leftAt;
      return { ...joined, leftAt };
    }
    case 'member left': {
      const members = document.members.filter((member) => member.id !== event.playerId);
      return event.cause === 'kicked'
        ? { ...document, members, kickedAt: { ...document.kickedAt, [event.playerId]: at } }
        : { ...document, members, leftAt: withLeave(document.leftAt ?? {}, event.playerId, at) };
    }
    case 'member changed': {
      const { role, ready, nickname } = event.patch;
      const change = (member: Member): Member => {
        const { ready: was, ...rest } = member;
        const nextRole = role ?? member.role;
        const nextReady = nextRole === 'spectator' ? undefined : (ready ?? was);
        return {
          ...rest,
          role: nextRole,
          nickname: nickname ?? member.nickname,
          ...(nextReady === undefined ? {} : { ready: nextReady }),
        };
      };
      return {
        ...document,
        members: document.members.map((member) => (member.id === event.playerId ? change(member) : member)),
      };
    }
    case 'settings changed':
      return {
        ...document,
        settingsVersion: event.version,
        name: event.patch.name ?? document.name,
        hasPassword: event.patch.hasPassword ?? document.hasPassword,
        expiresAt: event.patch.expiresAt ?? document.expiresAt,
        settings: { ...document.settings, ...event.patch.settings },
      };
    case 'host changed':
      return { ...document, hostId: event.hostId, settingsVersion: event.version };
    case 'race opened':
      return {
        ...document,
        race: { id: event.race.id, number: event.race.number, phase: 'open', closesAt: event.race.closesAt },
      };
    case 'race closing':
      return withRace(document, event.raceId, { closesAt: event.closesAt });
    case 'race closed':
      return withRace(document, event.raceId, { phase: 'closed' });
    case 'race drawn':
      return document;
    case 'race running':
      return withRace(document, event.raceId, { phase: 'running', endsAt: event.endsAt });
    case 'race settled':
      return withRace(document, event.raceId, { phase: 'settled', endsAt: at });
    case 'race void':
      return withRace(document, event.raceId, { phase: 'void', endsAt: at });
    case 'room closed':
      return { ...document, closed: { cause: event.cause, at } };
    case 'chat':
    case 'reaction':
    case 'pick made':
    case 'horse scratched':
    case 'race paid':
    case 'race paused':
    case 'notice':
      return document;
    default:
      return assertNever(event);
  }
}

function withLeave(leftAt: Readonly<Record<string, number>>, playerId: PlayerId, at: number): Record<string, number> {
  const leaves = Object.entries({ ...leftAt, [playerId]: at }).sort(([, a], [, b]) => a - b);
  return Object.fromEntries(leaves.slice(-LEAVES_KEPT));
}

/** Whether the seat of a ticket given at `issuedAt` has ended; of one older than all leaves that are kept nobody knows. */
function hasLeftSince({ leftAt = {} }: RoomDocument, playerId: PlayerId, issuedAt: number): boolean {
  const own = leftAt[playerId];
  if (own !== undefined) return own >= issuedAt;
  const times = Object.values(leftAt);
  return times.length >= LEAVES_KEPT && Math.min(...times) >= issuedAt;
}

function withRace(document: RoomDocument, raceId: RaceSummary['id'], patch: Partial<RaceSummary>): RoomDocument {
  return document.race?.id === raceId ? { ...document, race: { ...document.race, ...patch } } : document;
}

export function raceIsOver(document: RoomDocument): boolean {
  return document.race === null || document.race.phase === 'settled' || document.race.phase === 'void';
}

/**
 * Who hosts when the host's seat is gone: the connected player longest in the room, else the connected spectator
 * longest in it, else nobody until somebody comes.
 */
export function nextHost(room: RoomPeople): PlayerId | null {
  const here = room.document.members.filter((member) => room.connected.has(member.id));
  return (here.find((member) => member.role === 'player') ?? here[0])?.id ?? null;
}

/** The room's card: what the lobby and a share link show. */
export function cardOf(document: RoomDocument): RoomCard {
  const phase = document.race?.phase ?? 'idle';
  return {
    id: document.id,
    code: document.code,
    name: document.name,
    kind: document.kind,
    players: countRole(document, 'player'),
    capacity: document.settings.capacity,
    spectators: countRole(document, 'spectator'),
    phase: raceIsOver(document) ? 'idle' : phase,
    ...(document.race !== null && document.race.phase === 'open' ? { closesAt: document.race.closesAt } : {}),
    hasPassword: document.hasPassword,
    mode: document.settings.mode,
    locale: document.locale,
  };
}

export function memberView(room: RoomPeople, member: Member): MemberView {
  return {
    id: member.id,
    nickname: member.nickname,
    role: member.role,
    ...(member.ready === undefined ? {} : { ready: member.ready }),
    connected: room.connected.has(member.id),
  };
}
