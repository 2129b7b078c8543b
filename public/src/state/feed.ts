import type { ChatMessage, MemberView, RaceView, RoomEvent, RoomEventsPacket, Snapshot } from '../types.ts';

/** The room as this page knows it: the snapshot with every event since folded in. */
export type RoomState = Snapshot & {
  /** A phase whose end could not be written yet (the ledger is away). */
  readonly pausedPhase?: RaceView['phase'];
  /** Who left since the snapshot: a page of members that comes late may still name them. */
  readonly departed?: readonly MemberView['id'][];
};

export type Received =
  | { readonly kind: 'applied'; readonly room: RoomState; readonly fresh: readonly RoomEvent[] }
  /** Something is missing, or the room's log began anew: ask `room:sync`. */
  | { readonly kind: 'gap' };

const CHAT_KEPT = 200;

/** Folds a packet in. What we have already (seq at or below ours in the same epoch) is dropped. */
export function receive(room: RoomState, packet: Pick<RoomEventsPacket, 'epoch' | 'events'>): Received {
  if (packet.epoch !== room.epoch) return { kind: 'gap' };
  const fresh = packet.events.filter((event) => event.seq > room.seq);
  let next = room;
  for (const event of fresh) {
    if (event.seq !== next.seq + 1) return { kind: 'gap' };
    next = { ...applyEvent(next, event), seq: event.seq };
  }
  return { kind: 'applied', room: next, fresh };
}

/** A snapshot of the same log that is older than what we hold tells nothing new. */
export function isStale(held: RoomState | null, snapshot: Snapshot): boolean {
  return held !== null && held.id === snapshot.id && held.epoch === snapshot.epoch && snapshot.seq < held.seq;
}

export function applyEvent(room: RoomState, event: RoomEvent): RoomState {
  switch (event.type) {
    case 'member joined':
      return joined(room, event.member);
    case 'member left':
      return left(room, event.playerId);
    case 'member changed':
      return changed(room, event.playerId, event.patch);
    case 'settings changed': {
      const { name, hasPassword, settings, expiresAt } = event.patch;
      return {
        ...room,
        settingsVersion: event.version,
        name: name ?? room.name,
        hasPassword: hasPassword ?? room.hasPassword,
        expiresAt: expiresAt ?? room.expiresAt,
        settings: { ...room.settings, ...settings },
      };
    }
    case 'host changed':
      return { ...room, hostId: event.hostId, settingsVersion: Math.max(room.settingsVersion, event.version) };
    case 'chat':
      return { ...room, chat: [...room.chat, event.message].slice(-CHAT_KEPT) };
    case 'reaction':
      return { ...room, chat: withReaction(room.chat, event) };
    case 'race opened': {
      const { nextOpensAt: _, pausedPhase: __, ...rest } = room;
      return { ...rest, race: event.race };
    }
    default:
      return raceEvent(room, event);
  }
}

const held = (event: { readonly payoutsHeld?: true }): Partial<RaceView> =>
  event.payoutsHeld ? { payoutsHeld: true } : {};

function paid(room: RoomState, { payoutsHeld: _, ...race }: RaceView): RoomState {
  return { ...room, race };
}

function raceEvent(room: RoomState, event: RoomEvent): RoomState {
  const { race } = room;
  if (race === null || !('raceId' in event) || event.raceId !== race.id) {
    return event.type === 'race paused' ? { ...room, pausedPhase: event.phase } : room;
  }
  const { pausedPhase: _, ...rest } = room;
  const put = (patch: Partial<RaceView>): RoomState => ({ ...rest, race: { ...race, ...patch } });
  const next = 'nextOpensAt' in event && event.nextOpensAt !== undefined ? { nextOpensAt: event.nextOpensAt } : {};
  switch (event.type) {
    case 'pick made': {
      const others = race.picked.filter((playerId) => playerId !== event.playerId);
      return { ...room, race: { ...race, picked: event.picked ? [...others, event.playerId] : others } };
    }
    case 'horse scratched': {
      const unpicked = new Set(event.unpicked ?? []);
      return put({
        scratched: [...race.scratched.filter((number) => number !== event.number), event.number],
        picked: race.picked.filter((playerId) => !unpicked.has(playerId)),
      });
    }
    case 'race closing':
      return put({ closesAt: event.closesAt });
    case 'race closed':
      return put({ phase: 'closed', betsRoot: event.betsRoot, totals: event.totals });
    case 'race drawn':
      return put({
        startsAt: event.startsAt,
        ...(event.picks ? { picks: event.picks } : {}),
        ...(event.place ? { place: event.place } : {}),
      });
    case 'race running':
      return put({ phase: 'running', startsAt: event.startsAt, endsAt: event.endsAt });
    case 'race settled':
      return { ...put({ phase: 'settled', result: event.result, ...held(event) }), ...next };
    case 'race void':
      return { ...put({ phase: 'void', voidReason: event.reason, ...held(event) }), ...next };
    case 'race paid':
      return paid(room, race);
    default:
      return room;
  }
}

/** Members the snapshot left out, fetched page by page: from then on the room's events keep them right, too. */
export function withMembers(room: RoomState, page: readonly MemberView[]): RoomState {
  const known = new Set([...room.members.map(({ id }) => id), ...(room.departed ?? [])]);
  return { ...room, members: [...room.members, ...page.filter(({ id }) => !known.has(id))] };
}

function joined(room: RoomState, member: MemberView): RoomState {
  const { id, nickname, role, ready, connected } = member;
  const view: MemberView = { id, nickname, role, connected, ...(ready === undefined ? {} : { ready }) };
  const known = room.members.find((other) => other.id === id);
  if (known) return { ...room, members: room.members.map((other) => (other.id === id ? view : other)) };
  return {
    ...room,
    departed: (room.departed ?? []).filter((other) => other !== id),
    members: [...room.members, view],
    memberCount: room.memberCount + 1,
    spectators: room.spectators + (role === 'spectator' ? 1 : 0),
  };
}

function left(room: RoomState, playerId: MemberView['id']): RoomState {
  const gone = room.members.find((member) => member.id === playerId);
  return {
    ...room,
    departed: [...(room.departed ?? []), playerId],
    members: room.members.filter((member) => member.id !== playerId),
    memberCount: Math.max(0, room.memberCount - 1),
    spectators: Math.max(0, room.spectators - (gone?.role === 'spectator' ? 1 : 0)),
  };
}

function changed(room: RoomState, playerId: MemberView['id'], patch: Partial<MemberView>): RoomState {
  const before = room.members.find((member) => member.id === playerId);
  if (!before) return room;
  const after: MemberView = { ...before, ...patch };
  const spectating = Number(after.role === 'spectator') - Number(before.role === 'spectator');
  return {
    ...room,
    members: room.members.map((member) => (member.id === playerId ? after : member)),
    spectators: room.spectators + spectating,
    me: room.me.playerId === playerId ? { ...room.me, role: after.role } : room.me,
  };
}

export function withReaction(
  chat: readonly ChatMessage[],
  event: {
    readonly messageId: ChatMessage['id'];
    readonly emoji: string;
    readonly playerId: MemberView['id'];
    readonly on: boolean;
  },
): readonly ChatMessage[] {
  return chat.map((message) => {
    if (message.id !== event.messageId) return message;
    const reactions = message.reactions ?? [];
    const mine = reactions.find((reaction) => reaction.emoji === event.emoji)?.playerIds ?? [];
    const others = mine.filter((playerId) => playerId !== event.playerId);
    const playerIds = event.on ? [...others, event.playerId] : others;
    const known = reactions.some((reaction) => reaction.emoji === event.emoji);
    const all = known
      ? reactions.map((reaction) => (reaction.emoji === event.emoji ? { ...reaction, playerIds } : reaction))
      : [...reactions, { emoji: event.emoji, playerIds }];
    return { ...message, reactions: all.filter((reaction) => reaction.playerIds.length > 0) };
  });
}
