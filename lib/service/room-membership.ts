import type { PlayerId, RoomId } from '../core/ids.ts';
import { decideRoom, memberOf, type RoomCommand } from '../core/room.ts';
import { snapshotFor } from '../core/room-snapshot.ts';
import type { Logger, Push, RoomSeats, RoomStore, ServerClock } from '../ports.ts';
import type { RaceView, RoomEvent, ServerEvents, Snapshot } from '../protocol.ts';
import type { Caller } from './caller.ts';
import type { RoomState } from './room-access.ts';
import type { RoomCommands } from './room-commands.ts';
import type { RoomFeeds } from './room-feeds.ts';
import { createRoomPresence } from './room-presence.ts';
import type { RoomSecrets } from './room-secrets.ts';
import { within } from './within.ts';

export type RaceViews = {
  /** The room's race at least as new as `factVersion`; null: it never had one. Rejects when PostgreSQL is away and nothing is cached. */
  view(roomId: RoomId, factVersion: number): Promise<RaceView | null>;
  /** What is cached now. */
  cachedView(roomId: RoomId): RaceView | null;
  nextOpensAt(roomId: RoomId): number | undefined;
};

export type MembershipDeps = {
  readonly store: RoomStore;
  readonly feeds: RoomFeeds;
  readonly commands: RoomCommands;
  readonly seats: RoomSeats;
  readonly push: Push;
  readonly races: RaceViews;
  readonly clock: ServerClock;
  readonly secrets: RoomSecrets;
  readonly log: Logger;
  readonly instanceId: string;
  readonly degraded: () => Snapshot['degraded'];
  readonly rules: { readonly spectatorsPerRoom: number };
  readonly limits: { readonly ledgerAnswerMs: number };
  /** Sends what a newcomer of a running race has missed. */
  readonly sendFramesSoFar: (connectionId: string, roomId: RoomId) => void;
};

/** A lease outlives two missed renewals. */
export const LEASE_MS = 30_000;
export const LEASE_RENEWAL_MS = 10_000;

/** Which connection of which player is in which room here, and what the room is told of their coming and going. */
export function createMembership(deps: MembershipDeps) {
  const { feeds, commands, seats, push, clock, store, secrets, log } = deps;
  const rooms = new Map<RoomId, Map<PlayerId, Set<string>>>();
  const connections = new Map<string, { readonly roomId: RoomId; readonly playerId: PlayerId }>();
  /** Connections on which the player is leaving right now: they are answered, the player's others are told. */
  const leaving = new Set<string>();

  const connectionsOf = (roomId: RoomId, playerId: PlayerId): readonly string[] => [
    ...(rooms.get(roomId)?.get(playerId) ?? []),
  ];
  const playersHere = (roomId: RoomId): readonly PlayerId[] => [...(rooms.get(roomId)?.keys() ?? [])];

  /** A command about people that nobody waits for; refusals mean that it is no longer so. */
  function inBackground(roomId: RoomId, command: RoomCommand): void {
    submit(roomId, command).catch((error: unknown) =>
      log.debug({ err: error, roomId, kind: command.kind }, 'room command dropped'),
    );
  }

  function submit(roomId: RoomId, command: RoomCommand): Promise<unknown> {
    return commands.submit(roomId, { mark: null, decide: (room, now) => decideRoom(room, command, now, deps.rules) });
  }

  const isHere = (roomId: RoomId, playerId: PlayerId): boolean => connectionsOf(roomId, playerId).length > 0;
  const presence = createRoomPresence({ ...deps, isHere });

  function lease(roomId: RoomId): void {
    store
      .lease(roomId, deps.instanceId, playersHere(roomId), LEASE_MS)
      .catch((error: unknown) => log.warn({ err: error, roomId }, 'presence lease failed'));
  }

  function forget(connectionId: string): { roomId: RoomId; playerId: PlayerId; last: boolean } | null {
    const entry = connections.get(connectionId);
    if (!entry) return null;
    connections.delete(connectionId);
    const players = rooms.get(entry.roomId);
    const own = players?.get(entry.playerId);
    own?.delete(connectionId);
    const last = own?.size === 0;
    if (last) players?.delete(entry.playerId);
    if (players?.size === 0) rooms.delete(entry.roomId);
    return { ...entry, last };
  }

  /** Synchronous: the caller takes the snapshot in the same tick. A connection that is gone by now is in no room. */
  function attach(caller: Caller, roomId: RoomId): void {
    presence.tell(roomId, caller.playerId);
    if (!seats.attach(caller.connectionId, roomId)) return;
    const players = rooms.get(roomId) ?? new Map<PlayerId, Set<string>>();
    const own = players.get(caller.playerId) ?? new Set<string>();
    rooms.set(roomId, players.set(caller.playerId, own.add(caller.connectionId)));
    connections.set(caller.connectionId, { roomId, playerId: caller.playerId });
    if (own.size === 1) lease(roomId);
    deps.sendFramesSoFar(caller.connectionId, roomId);
  }

  /** The connection goes to another room: its seat in the old one ends unless another connection of the player is there. */
  function leaveOther(caller: Caller, roomId: RoomId): void {
    const before = connections.get(caller.connectionId);
    if (!before || before.roomId === roomId) return;
    seats.detach(caller.connectionId);
    const gone = forget(caller.connectionId);
    if (!gone?.last) return;
    lease(gone.roomId);
    inBackground(gone.roomId, { kind: 'leave', playerId: gone.playerId, cause: 'left-elsewhere' });
  }

  /**
   * Loads what a snapshot needs, then takes it and the seat in one tick. null: the room has been closed, or the player put out
   * of it, meanwhile.
   */
  async function enter(
    caller: Caller,
    roomId: RoomId,
  ): Promise<{ state: RoomState; room: Snapshot; seat: string } | null> {
    await withRace(roomId);
    const state = feeds.state(roomId);
    if (state === null || state.document.closed !== null) return null;
    if (memberOf(state.document, caller.playerId) === undefined) return null;
    leaveOther(caller, roomId);
    attach(caller, roomId);
    return { state, room: snapshot(state, caller.playerId), seat: seatOf(state, caller.playerId) };
  }

  /** The served room, with its race cached at least as new as what was delivered. A race that cannot be read now comes later. */
  async function withRace(roomId: RoomId): Promise<RoomState | null> {
    const state = await feeds.serve(roomId);
    if (state === null) return null;
    try {
      await within(deps.races.view(roomId, state.document.factVersion), deps.limits.ledgerAnswerMs);
    } catch (error) {
      log.warn({ err: error, roomId }, 'race of the room not readable');
    }
    return feeds.state(roomId);
  }

  function snapshot(state: RoomState, playerId: PlayerId): Snapshot {
    const nextOpensAt = deps.races.nextOpensAt(state.document.id);
    const connected = new Set(state.connected).add(playerId);
    return snapshotFor({ ...state, connected }, playerId, deps.races.cachedView(state.document.id), {
      degraded: deps.degraded(),
      ...(nextOpensAt === undefined ? {} : { nextOpensAt }),
    });
  }

  function seatOf(state: RoomState, playerId: PlayerId): string {
    const member = memberOf(state.document, playerId);
    const now = clock.now();
    return secrets.sealSeat({
      roomId: state.document.id,
      epoch: state.epoch,
      playerId,
      role: member?.role ?? 'spectator',
      joinedAt: member?.joinedAt ?? now,
      issuedAt: now,
    });
  }

  /** Leaves the room on all connections of the player; those that did not ask are told. */
  async function leave(caller: Caller, command: () => Promise<unknown>): Promise<void> {
    leaving.add(caller.connectionId);
    try {
      await command();
    } finally {
      leaving.delete(caller.connectionId);
    }
  }

  /** The last connection gone is told to the room; the seat stays until the keeper ends it. */
  function disconnected(connectionId: string): void {
    const gone = forget(connectionId);
    if (!gone?.last) return;
    lease(gone.roomId);
    presence.tell(gone.roomId, gone.playerId);
  }

  /** The seat of a player who has been away for too long; whoever is here after all is told to be. */
  function endSeat(roomId: RoomId, playerId: PlayerId): void {
    if (isHere(roomId, playerId)) presence.tell(roomId, playerId);
    else inBackground(roomId, { kind: 'leave', playerId, cause: 'timeout' });
  }

  /** Takes every connection of a player out of the room, telling each why. */
  function putOut(roomId: RoomId, playerId: PlayerId, left: Omit<ServerEvents['room:left'], 'roomId'>): void {
    for (const connectionId of connectionsOf(roomId, playerId)) {
      forget(connectionId);
      seats.detach(connectionId);
      if (!leaving.has(connectionId)) push.connection(connectionId, 'room:left', { roomId, ...left });
    }
    lease(roomId);
  }

  /** What the log says about people moves their connections, on whatever instance the command was decided. */
  feeds.onEvents((roomId, events) => {
    for (const event of events) follow(roomId, event);
  });

  /** What happened in between is not known one by one: everybody here is given the room as it is. */
  feeds.onReset((roomId) => {
    const state = feeds.state(roomId);
    if (state === null) return;
    const { closed, kickedAt } = state.document;
    for (const playerId of playersHere(roomId)) {
      if (closed !== null) putOut(roomId, playerId, { cause: closed.cause });
      else if (memberOf(state.document, playerId) === undefined)
        putOut(roomId, playerId, { cause: kickedAt[playerId] === undefined ? 'timeout' : 'kicked' });
      else {
        presence.tell(roomId, playerId);
        const message = { room: snapshot(state, playerId), seat: seatOf(state, playerId) };
        for (const connectionId of connectionsOf(roomId, playerId))
          push.connection(connectionId, 'room:snapshot', message);
      }
    }
    lease(roomId);
  });

  function follow(roomId: RoomId, event: RoomEvent): void {
    if (event.type === 'member left') {
      const cause = event.cause === 'left' ? 'left-elsewhere' : event.cause;
      putOut(roomId, event.playerId, { cause, ...(event.reason === undefined ? {} : { reason: event.reason }) });
    }
    if (event.type === 'room closed') {
      for (const playerId of playersHere(roomId)) putOut(roomId, playerId, { cause: event.cause });
    }
    // Somebody else's view of us was late: we know best who is connected here.
    if (event.type === 'member changed' && event.patch.connected === false && isHere(roomId, event.playerId))
      presence.tell(roomId, event.playerId);
  }

  return {
    submit,
    inBackground,
    enter,
    withRace,
    snapshot,
    disconnected,
    endSeat,
    leave,
    roomOf: (connectionId: string): RoomId | null => connections.get(connectionId)?.roomId ?? null,
    roomsOf: (playerId: PlayerId): readonly RoomId[] =>
      [...rooms].filter(([, players]) => players.has(playerId)).map(([roomId]) => roomId),
    renewLeases: (): void => {
      for (const roomId of rooms.keys()) lease(roomId);
    },
    catchUp: presence.catchUp,
  };
}
export type Membership = ReturnType<typeof createMembership>;
