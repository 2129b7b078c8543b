import type { PlayerId, RoomId } from '../../lib/core/ids.ts';

type Lease = { readonly players: readonly PlayerId[]; readonly until: number };

/** Leases that nobody asked about are swept once in so many calls. */
const SWEEP_EVERY = 512;

/** Who is connected where: one lease an instance and room, which ends by itself when it is not renewed. */
export class PresenceLeases {
  readonly #rooms = new Map<RoomId, Map<string, Lease>>();
  #calls = 0;

  /** Replaces the instance's lease; nobody: gives it up. */
  lease(roomId: RoomId, instanceId: string, players: readonly PlayerId[], until: number, now: number): void {
    const room = this.#rooms.get(roomId) ?? new Map<string, Lease>();
    if (players.length === 0) room.delete(instanceId);
    else room.set(instanceId, { players: [...players], until });
    if (room.size === 0) this.#rooms.delete(roomId);
    else this.#rooms.set(roomId, room);
    this.#calls += 1;
    if (this.#calls % SWEEP_EVERY === 0) for (const id of this.#rooms.keys()) this.present(id, now);
  }

  /** Each player once, whatever the number of instances. */
  present(roomId: RoomId, now: number): readonly PlayerId[] {
    const room = this.#rooms.get(roomId);
    if (room === undefined) return [];
    const players = new Set<PlayerId>();
    for (const [instanceId, lease] of room) {
      if (lease.until <= now) room.delete(instanceId);
      else for (const player of lease.players) players.add(player);
    }
    if (room.size === 0) this.#rooms.delete(roomId);
    return [...players];
  }

  remove(roomId: RoomId): void {
    this.#rooms.delete(roomId);
  }

  get rooms(): number {
    return this.#rooms.size;
  }
}
