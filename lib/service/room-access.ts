import type { RoomId } from '../core/ids.ts';
import type { RoomState } from '../core/room-live.ts';
import type { RoomEvent, RoomEventBody } from '../protocol.ts';

export type { RoomState };

/** What other services may do with rooms. Implemented by `service/room-feeds.ts`. */
export interface RoomAccess {
  /** The delivered state of a served room, now. */
  state(roomId: RoomId): RoomState | null;
  /** Opens the room's feed if it is not served yet; null: no such living room. */
  serve(roomId: RoomId): Promise<RoomState | null>;
  served(): readonly RoomId[];
  /** Appends the room's facts that are not in the log yet (race phases, settings, host). Never throws; repeated every second anyway. */
  publishFacts(roomId: RoomId): Promise<void>;
  /** Appends events that are not facts and write no document (`pick made`, notices). */
  append(roomId: RoomId, events: readonly RoomEventBody[]): Promise<void>;
  /** Every delivered event of every served room, in order, after it was applied to the state. */
  onEvents(listener: (roomId: RoomId, events: readonly RoomEvent[]) => void): void;
}
