import { performance } from 'node:perf_hooks';
import type { Epoch, RoomId } from '../lib/core/ids.ts';
import type { LogEntry, RoomSeats } from '../lib/ports.ts';
import type { RoomEventType } from '../lib/protocol.ts';
import { channelOf, type Io } from './push.ts';
import { type RoomPacket, roomEventsPacket, writePacket } from './room-packet.ts';
import type { Connection } from './route.ts';

/** Where delivered entries come from (`service/room-feeds.ts`). */
export type EntrySource = {
  onEntries(listener: (roomId: RoomId, epoch: Epoch, entries: readonly LogEntry[]) => void): void;
};

export type DeliveryDeps = {
  readonly io: Io;
  readonly feeds: EntrySource;
  readonly metrics: { delivered(sockets: number, events: number): void };
};

/** Events of a busy room are gathered for this long; longer while the process has its hands full. */
const GATHER_MS = 25;
const BUSY_GATHER_MS = 100;
const BUSY_UTILISATION = 0.7;
const UTILISATION_EVERY_MS = 500;

/** Never kept waiting, and they take with them what waits. */
const AT_ONCE: ReadonlySet<RoomEventType> = new Set([
  'race opened',
  'race closing',
  'horse scratched',
  'race closed',
  'race drawn',
  'race running',
  'race settled',
  'race void',
  'room closed',
]);

type RoomQueue = {
  readonly sockets: Set<Connection>;
  epoch: Epoch | null;
  pending: LogEntry[];
  timer: NodeJS.Timeout | null;
};

/**
 * The only place that sends a room's events. Entries come in log order and go out in packets: at once in a quiet room, gathered in
 * a busy one, encoded once for all.
 */
export function createDelivery(deps: DeliveryDeps) {
  const { io, metrics } = deps;
  const rooms = new Map<RoomId, RoomQueue>();
  const roomOf = new Map<string, RoomId>();
  /** Connections whose snapshot is on its way in this turn of the loop: their packets follow it. */
  const held = new Map<Connection, RoomPacket[]>();

  let busy = false;
  let before = performance.eventLoopUtilization();
  const utilisation = setInterval(() => {
    const now = performance.eventLoopUtilization();
    busy = performance.eventLoopUtilization(now, before).utilization > BUSY_UTILISATION;
    before = now;
  }, UTILISATION_EVERY_MS);
  utilisation.unref();

  deps.feeds.onEntries((roomId, epoch, entries) => {
    const room = rooms.get(roomId);
    if (!room) return;
    if (room.epoch !== null && room.epoch !== epoch) flush(roomId, room);
    room.epoch = epoch;
    room.pending.push(...entries);
    if (room.timer === null || entries.some((entry) => AT_ONCE.has(entry.type))) flush(roomId, room);
  });

  function flush(roomId: RoomId, room: RoomQueue): void {
    const { pending, epoch } = room;
    if (pending.length === 0 || epoch === null) return;
    room.pending = [];
    const packet = roomEventsPacket(roomId, epoch, pending);
    for (const socket of room.sockets) send(socket, packet);
    metrics.delivered(room.sockets.size, pending.length);
    room.timer ??= setTimeout(() => quiet(roomId, room), busy ? BUSY_GATHER_MS : GATHER_MS);
  }

  /** The gathering time is over: send what came in it; with nothing there the room is quiet again. */
  function quiet(roomId: RoomId, room: RoomQueue): void {
    room.timer = null;
    flush(roomId, room);
  }

  function send(socket: Connection, packet: RoomPacket): void {
    const waiting = held.get(socket);
    if (waiting) waiting.push(packet);
    else writePacket(socket, packet);
  }

  function release(socket: Connection): void {
    const packets = held.get(socket) ?? [];
    held.delete(socket);
    for (const packet of packets) send(socket, packet);
  }

  const seats: RoomSeats = {
    attach(connectionId, roomId) {
      const socket = io.of('/').sockets.get(connectionId);
      if (!socket) return false;
      if (roomOf.get(connectionId) !== roomId) seats.detach(connectionId);
      const room = rooms.get(roomId) ?? { sockets: new Set<Connection>(), epoch: null, pending: [], timer: null };
      rooms.set(roomId, room);
      // What waits is in the newcomer's snapshot already.
      flush(roomId, room);
      room.sockets.add(socket);
      roomOf.set(connectionId, roomId);
      void socket.join(channelOf(roomId));
      if (!held.has(socket)) {
        held.set(socket, []);
        setImmediate(() => release(socket));
      }
      return true;
    },
    detach(connectionId) {
      const roomId = roomOf.get(connectionId);
      if (roomId === undefined) return;
      roomOf.delete(connectionId);
      const socket = io.of('/').sockets.get(connectionId);
      void socket?.leave(channelOf(roomId));
      const room = rooms.get(roomId);
      if (!room) return;
      for (const one of room.sockets) if (one.id === connectionId) room.sockets.delete(one);
      if (room.sockets.size > 0) return;
      if (room.timer !== null) clearTimeout(room.timer);
      rooms.delete(roomId);
    },
  };

  io.on('connection', (socket) => {
    socket.on('disconnect', () => seats.detach(socket.id));
  });

  return {
    seats,
    /** Sends what waits, for an orderly end. */
    flushAll(): void {
      for (const [roomId, room] of rooms) flush(roomId, room);
    },
    close(): void {
      clearInterval(utilisation);
      for (const room of rooms.values()) if (room.timer !== null) clearTimeout(room.timer);
      rooms.clear();
    },
  };
}

export type DeliveryOfRooms = ReturnType<typeof createDelivery>;
