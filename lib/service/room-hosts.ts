import type { PlayerId, RoomId } from '../core/ids.ts';
import { decideRoom, memberOf, nextHost } from '../core/room.ts';
import { cleanLine } from '../core/text.ts';
import { refuse } from '../errors.ts';
import type { Logger, RoomRecords } from '../ports.ts';
import type { Payload } from '../protocol.ts';
import type { Caller } from './caller.ts';
import { commandMark } from './command-mark.ts';
import type { RoomCommands } from './room-commands.ts';
import type { RoomFacts } from './room-facts.ts';
import type { RoomFeeds } from './room-feeds.ts';

export type RoomHostsDeps = {
  readonly records: Pick<RoomRecords, 'setHost'>;
  readonly feeds: RoomFeeds;
  readonly commands: RoomCommands;
  readonly facts: RoomFacts;
  readonly log: Logger;
  readonly rules: { readonly spectatorsPerRoom: number };
  /** A kick before the close drops the pick. */
  readonly dropPick: (roomId: RoomId, playerId: PlayerId) => Promise<void>;
};

/** Who hosts a room, and what hosts do to people. The host is PostgreSQL's fact; compare-and-set by who it was. */
export function createRoomHosts(deps: RoomHostsDeps) {
  const { records, feeds, facts, log } = deps;

  async function handOver(
    roomId: RoomId,
    from: PlayerId | null,
    to: PlayerId | null,
    cause: 'handover' | 'left' | 'timeout' | 'joined' = 'handover',
  ): Promise<void> {
    const done = await records.setHost(roomId, from, to, cause);
    await facts.publish(roomId);
    if (done === 'conflict' && cause === 'handover') throw refuse('NOT_HOST');
  }

  /** A host whose seat is gone is replaced by whoever is longest here. Never throws; the keeper asks again every second. */
  function ensure(roomId: RoomId): void {
    const state = feeds.state(roomId);
    if (state === null || state.document.house || state.document.closed !== null) return;
    const { hostId } = state.document;
    if (hostId !== null && memberOf(state.document, hostId) !== undefined) return;
    const next = nextHost(state);
    if (next === hostId) return;
    const cause = hostId === null ? 'joined' : 'left';
    handOver(roomId, hostId, next, cause).catch((error: unknown) =>
      log.warn({ err: error, roomId }, 'host not handed over'),
    );
  }

  async function kick(caller: Caller, payload: Payload<'room:kick'>): Promise<void> {
    const { playerId } = payload;
    const reason = payload.reason === undefined ? undefined : cleanLine(payload.reason);
    await deps.commands.submit(payload.roomId, {
      mark: commandMark('room:kick', caller.playerId, payload),
      decide: (room, now) => decideRoom(room, { kind: 'kick', by: caller.playerId, playerId, reason }, now, deps.rules),
    });
    await deps
      .dropPick(payload.roomId, payload.playerId)
      .catch((error: unknown) => log.warn({ err: error }, 'pick of a kicked player not dropped'));
  }

  return { ensure, handOver, kick };
}
export type RoomHosts = ReturnType<typeof createRoomHosts>;
