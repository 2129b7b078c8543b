import type { Server } from 'socket.io';
import type { PlayerId, RoomId } from '../lib/core/ids.ts';
import type { Push } from '../lib/ports.ts';
import type { ClientToServer, ServerEventName, ServerEvents, ServerToClient } from '../lib/protocol.ts';
import type { Caller } from '../lib/service/caller.ts';
import type { Connection, ConnectionData } from './route.ts';

export type Io = Server<ClientToServer, ServerToClient, Record<string, never>, ConnectionData>;

/** The Socket.IO room of the connections that are in a room of ours; delivery puts them in and takes them out. */
export const channelOf = (roomId: RoomId): string => `room:${roomId}`;

/** Socket.IO cannot follow that the message belongs to the event; the signatures above have seen to it. */
type Emit = (event: string, message: unknown) => void;

/** The connections of this instance by player, and messages to them. */
export function createPush(io: Io) {
  const byPlayer = new Map<PlayerId, Set<Connection>>();

  function add(socket: Connection): void {
    const { playerId } = socket.data.caller;
    const sockets = byPlayer.get(playerId) ?? new Set();
    byPlayer.set(playerId, sockets.add(socket));
  }

  function remove(socket: Connection): void {
    const { playerId } = socket.data.caller;
    const sockets = byPlayer.get(playerId);
    if (sockets?.delete(socket) && sockets.size === 0) byPlayer.delete(playerId);
  }

  /** Oldest first. */
  const of = (playerId: PlayerId): readonly Connection[] => [...(byPlayer.get(playerId) ?? [])];

  const push: Push = {
    connection<Name extends ServerEventName>(connectionId: string, event: Name, message: ServerEvents[Name]): boolean {
      const socket = io.of('/').sockets.get(connectionId);
      if (socket) (socket.emit as Emit).call(socket, event, message);
      return socket !== undefined;
    },
    player<Name extends ServerEventName>(
      playerId: PlayerId,
      event: Name,
      message: ServerEvents[Name],
      exceptConnectionId?: string,
    ): void {
      for (const socket of byPlayer.get(playerId) ?? [])
        if (socket.id !== exceptConnectionId) (socket.emit as Emit).call(socket, event, message);
    },
    room<Name extends ServerEventName>(roomId: RoomId, event: Name, message: ServerEvents[Name]): void {
      const target = io.local.to(channelOf(roomId));
      (target.emit as Emit).call(target, event, message);
    },
  };

  return {
    push,
    add,
    remove,
    of,
    callersOf: (playerId: PlayerId): readonly Caller[] => of(playerId).map((socket) => socket.data.caller),
    end(connectionId: string): void {
      io.of('/').sockets.get(connectionId)?.disconnect(true);
    },
  };
}

export type ConnectionBook = ReturnType<typeof createPush>;
