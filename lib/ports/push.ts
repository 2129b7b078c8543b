/** Towards the players who are connected here. */
import type { PlayerId, RoomId } from '../core/ids.ts';
import type { ServerEventName, ServerEvents } from '../protocol.ts';

/** Unnumbered messages. Fire and forget: a client that is not there gets nothing. */
export interface Push {
  /** false: the connection is gone. */
  connection<Name extends ServerEventName>(connectionId: string, event: Name, message: ServerEvents[Name]): boolean;
  /** To all connections of the player, but for one that is told in another way. */
  player<Name extends ServerEventName>(
    playerId: PlayerId,
    event: Name,
    message: ServerEvents[Name],
    exceptConnectionId?: string,
  ): void;
  /** To all connections that are in the room here. */
  room<Name extends ServerEventName>(roomId: RoomId, event: Name, message: ServerEvents[Name]): void;
}

/**
 * Which connection is in which room, here. `attach` is synchronous: called in the tick in which a snapshot or the missing
 * events were taken from the delivered state, so nothing falls between the two.
 */
export interface RoomSeats {
  /** false: the connection is gone, and nothing was done. */
  attach(connectionId: string, roomId: RoomId): boolean;
  detach(connectionId: string): void;
}
