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
import { within } from './within.ts';

export type RoomHostsDeps = {
  readonly records: Pick<RoomRecords, 'setHost'>;
  readonly feeds: RoomFeeds;
  readonly commands: RoomCommands;
  readonly facts: RoomFacts;
  readonly log: Logger;
  readonly rules: { readonly spectatorsPerRoom: number };
  readonly limits: { readonly ledgerAnswerMs: number };
  /** A kick before the close drops the pick, sooner or later. Never rejects. */
  readonly dropPick: (roomId: RoomId, playerId: PlayerId) => Promise<void>;
};

/** Who hosts a room, and what hosts do to people. The host is PostgreSQL's fact; compare-and-set by who it was. */
export function createRoomHosts(deps: RoomHostsDeps) {
  const { records, feeds, facts, log, limits } = deps;
  /** Rooms whose host is being replaced: with PostgreSQL away the next look must not ask on top of it. */
  const replacing = new Set<RoomId>();

  async function handOver(roomId: RoomId, from: PlayerId, to: PlayerId): Promise<void> {
    const done = await records.setHost(roomId, from, to, 'handover');
    await within(facts.publish(roomId), limits.ledgerAnswerMs);
    if (done !== 'changed') throw refuse(done === 'conflict' ? 'NOT_HOST' : 'ROOM_CLOSED');
  }

  /** A host whose seat is gone is replaced by whoever is longest here. Never throws; the keeper asks again every second. */
  function ensure(roomId: RoomId, lost: 'left' | 'timeout' = 'left'): void {
    const state = feeds.state(roomId);
    if (state === null || state.document.house || state.document.closed !== null) return;
    const { hostId } = state.document;
    if (hostId !== null && memberOf(state.document, hostId) !== undefined) return;
    const next = nextHost(state);
    if (next === hostId || replacing.has(roomId)) return;
    replacing.add(roomId);
    records
      .setHost(roomId, hostId, next, hostId === null ? 'joined' : lost)
      .then(() => facts.publish(roomId))
      .catch((error: unknown) => log.warn({ err: error, roomId }, 'host not replaced'))
      .finally(() => replacing.delete(roomId));
  }

  feeds.onEvents((roomId, events) => {
    for (const event of events) {
      const came =
        event.type === 'member joined' || (event.type === 'member changed' && event.patch.connected === true);
      if (came) ensure(roomId);
      if (event.type === 'member left') ensure(roomId, event.cause === 'timeout' ? 'timeout' : 'left');
    }
  });

  async function kick(caller: Caller, payload: Payload<'room:kick'>): Promise<void> {
    const { playerId } = payload;
    const reason = payload.reason === undefined ? undefined : cleanLine(payload.reason);
    await deps.commands.submit(payload.roomId, {
      mark: commandMark('room:kick', caller.playerId, payload),
      decide: (room, now) => decideRoom(room, { kind: 'kick', by: caller.playerId, playerId, reason }, now, deps.rules),
    });
    await within(deps.dropPick(payload.roomId, payload.playerId), limits.ledgerAnswerMs);
  }

  return { ensure, handOver, kick };
}
export type RoomHosts = ReturnType<typeof createRoomHosts>;
