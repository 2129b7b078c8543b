import type { RoomId } from '../core/ids.ts';
import type {
  ArchiveRecords,
  Logger,
  Push,
  RaceRecords,
  RoomRecords,
  RoomSeats,
  RoomStore,
  ServerClock,
} from '../ports.ts';
import type { RoomEventBody, Snapshot } from '../protocol.ts';
import { createChat } from './chat.ts';
import type { Patience } from './in-time.ts';
import { createLobby } from './lobby.ts';
import type { RoomAccess } from './room-access.ts';
import { RoomCommands } from './room-commands.ts';
import { createRoomFacts } from './room-facts.ts';
import { RoomFeeds } from './room-feeds.ts';
import { createRoomHosts } from './room-hosts.ts';
import { createMembership, type MembershipDeps } from './room-membership.ts';
import type { RoomSecrets } from './room-secrets.ts';
import { createRooms, type RoomsDeps } from './rooms.ts';

export type RoomWorldDeps = {
  readonly store: RoomStore;
  readonly records: RoomRecords;
  readonly clock: ServerClock;
  readonly log: Logger;
  readonly limits: { readonly roomQueue: number; readonly requestDeadlineMs: number };
};

/** The log's side of rooms, which races build on: feeds, the line of commands, facts. */
export function createRoomWorld(deps: RoomWorldDeps) {
  const feeds = new RoomFeeds(deps);
  const commands = new RoomCommands({ ...deps, feeds });
  const facts = createRoomFacts({ ...deps, feeds, commands });
  const access: RoomAccess = {
    state: (roomId) => feeds.state(roomId),
    serve: (roomId) => feeds.serve(roomId),
    served: () => feeds.served(),
    publishFacts: facts.publish,
    async append(roomId: RoomId, events: readonly RoomEventBody[]): Promise<void> {
      await commands.submit(roomId, { mark: null, decide: () => ({ events }) });
    },
    onEvents: (listener) => feeds.onEvents(listener),
  };
  return { feeds, commands, facts, access };
}
export type RoomWorld = ReturnType<typeof createRoomWorld>;

export type RoomServicesDeps = RoomWorldDeps & {
  readonly world: RoomWorld;
  readonly push: Push;
  readonly seats: RoomSeats;
  readonly secrets: RoomSecrets;
  readonly archive: ArchiveRecords;
  readonly raceRecords: Pick<RaceRecords, 'mine'>;
  readonly patience: Patience;
  readonly races: MembershipDeps['races'];
  readonly sendFramesSoFar: MembershipDeps['sendFramesSoFar'];
  readonly dropPick: (roomId: RoomId, playerId: Parameters<RaceRecords['mine']>[1]) => Promise<void>;
  readonly revive: RoomsDeps['revive'];
  readonly passwordGuard: RoomsDeps['passwordGuard'];
  readonly degraded: () => Snapshot['degraded'];
  readonly instanceId: string;
  readonly limits: RoomWorldDeps['limits'] & {
    readonly spectatorsPerRoom: number;
    readonly livingRoomsPerPlayer: number;
    readonly chatCharacters: number;
    readonly ledgerAnswerMs: number;
  };
};

/** The people's side: who is where, and what they may ask of rooms, chat and lobby. No request waits for a silent PostgreSQL. */
export function createRoomServices(deps: RoomServicesDeps) {
  const { world, limits, patience } = deps;
  const shared = { ...deps, ...world, rules: { spectatorsPerRoom: limits.spectatorsPerRoom } };
  const membership = createMembership(shared);
  const hosts = createRoomHosts(shared);
  const asked = {
    ...shared,
    records: patience.rooms(deps.records),
    slowRecords: deps.records,
    archive: patience.archive(deps.archive),
    revive: (roomId: RoomId) => patience.wait(() => deps.revive(roomId), 'none'),
    // What has been decided is told: the log follows by itself.
    facts: { publish: (roomId: RoomId) => patience.glance(world.facts.publish(roomId)) },
  };
  const rooms = createRooms({ ...asked, membership, hosts });
  return { membership, hosts, rooms, chat: createChat(asked), lobby: createLobby(deps) };
}
