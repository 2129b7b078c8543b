import type { PlayerId, RoomId } from '../core/ids.ts';
import { decideRoom } from '../core/room.ts';
import type { Logger } from '../ports.ts';
import type { RoomEventBody } from '../protocol.ts';
import type { RoomCommands } from './room-commands.ts';
import type { RoomFeeds } from './room-feeds.ts';

export type RoomPresenceDeps = {
  readonly feeds: Pick<RoomFeeds, 'state'>;
  readonly commands: Pick<RoomCommands, 'submit'>;
  readonly log: Logger;
  readonly rules: { readonly spectatorsPerRoom: number };
  /** Whether the player has a connection in the room on this instance. */
  readonly isHere: (roomId: RoomId, playerId: PlayerId) => boolean;
};

/** What the log says about who is connected here, kept true however many come and go in one moment. */
export function createRoomPresence({ feeds, commands, log, rules, isHere }: RoomPresenceDeps) {
  /** Players whose coming or going here the log may not tell yet; one task at a time tells of all of a room. */
  const untold = new Map<RoomId, Set<PlayerId>>();
  const telling = new Set<RoomId>();

  /** Has the log say whether the player is connected here. What cannot be said now is said at the next `catchUp`. */
  function tell(roomId: RoomId, playerId: PlayerId): void {
    untold.set(roomId, (untold.get(roomId) ?? new Set()).add(playerId));
    if (!telling.has(roomId)) void tellAll(roomId);
  }

  /** Says what is true when the task's turn comes, however often players came and went before. */
  async function tellAll(roomId: RoomId): Promise<void> {
    const waiting = untold.get(roomId);
    if (waiting === undefined) return;
    telling.add(roomId);
    const told = new Set<PlayerId>();
    try {
      await commands.submit(roomId, {
        mark: null,
        decide: (room, now) => {
          for (const playerId of waiting) told.add(playerId);
          waiting.clear();
          const events: RoomEventBody[] = [];
          for (const playerId of told) {
            const connected = isHere(roomId, playerId);
            const decision = decideRoom(room, { kind: 'presence', playerId, connected }, now, rules);
            if ('error' in decision) return decision;
            events.push(...decision.events);
          }
          return { events };
        },
      });
      told.clear();
    } catch (error) {
      log.debug({ err: error, roomId }, 'presence not told yet');
    }
    telling.delete(roomId);
    const closed = feeds.state(roomId)?.document.closed !== null;
    const more = waiting.size > 0;
    for (const playerId of told) waiting.add(playerId);
    if (closed || waiting.size === 0) untold.delete(roomId);
    else if (more && told.size === 0) void tellAll(roomId);
  }

  return {
    tell,
    /** Says again what could not be said. */
    catchUp(): void {
      for (const roomId of untold.keys()) if (!telling.has(roomId)) void tellAll(roomId);
    },
  };
}
