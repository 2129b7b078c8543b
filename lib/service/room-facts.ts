import type { RoomId } from '../core/ids.ts';
import type { Logger, RoomRecords } from '../ports.ts';
import type { RoomEventBody } from '../protocol.ts';
import type { RoomCommands } from './room-commands.ts';
import type { RoomFeeds } from './room-feeds.ts';

export type RoomFactsDeps = {
  readonly records: Pick<RoomRecords, 'facts' | 'behind'>;
  readonly feeds: RoomFeeds;
  readonly commands: RoomCommands;
  readonly log: Logger;
};

/**
 * Brings a room's facts from PostgreSQL into its log, each exactly once and in their order: right after whatever made
 * them, and again every second for all served rooms, so that a fact whose author died is not lost.
 */
export function createRoomFacts(deps: RoomFactsDeps) {
  const { records, feeds, commands, log } = deps;
  const underWay = new Map<RoomId, Promise<void>>();
  const again = new Set<RoomId>();

  async function append(roomId: RoomId): Promise<void> {
    const state = await feeds.serve(roomId);
    if (state === null || state.document.closed !== null) return;
    const facts = await records.facts(roomId, state.document.factVersion);
    if (facts.length === 0) return;
    await commands.submit(roomId, {
      mark: null,
      decide: (room) => {
        const next = facts.filter((fact) => fact.version > room.document.factVersion);
        const last = next.at(-1);
        const complete = next[0] === undefined || next[0].version === room.document.factVersion + 1;
        if (last === undefined || !complete) return { events: [] };
        return { events: next.map((fact): RoomEventBody => fact.event), factVersion: last.version };
      },
    });
  }

  /** Never throws: what fails is tried again by `publishBehind`. A call during another one is not lost. */
  async function publish(roomId: RoomId): Promise<void> {
    const current = underWay.get(roomId);
    if (current) {
      again.add(roomId);
      await current;
      return;
    }
    const run = (async () => {
      do {
        again.delete(roomId);
        try {
          await append(roomId);
        } catch (error) {
          log.warn({ err: error, roomId }, 'facts not published');
        }
      } while (again.has(roomId));
      // In the tick of the last look, so that no call finds a run that will not look again.
      underWay.delete(roomId);
    })();
    underWay.set(roomId, run);
    await run;
  }

  /** One question for all served rooms. Rejects when PostgreSQL is away. */
  async function publishBehind(): Promise<void> {
    const known = feeds.served().flatMap((roomId) => {
      const state = feeds.state(roomId);
      return state ? [{ roomId, factVersion: state.document.factVersion }] : [];
    });
    if (known.length === 0) return;
    await Promise.all((await records.behind(known)).map(publish));
  }

  return { publish, publishBehind };
}
export type RoomFacts = ReturnType<typeof createRoomFacts>;
