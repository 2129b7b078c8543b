import type { RoomId } from '../core/ids.ts';
import type { Rates } from '../core/pools.ts';
import type { RaceSummary } from '../core/room-state.ts';
import type {
  ArchiveRecords,
  BoardRecords,
  Ledger,
  Logger,
  PlayerRecords,
  Push,
  RaceRecords,
  RoomRecords,
  RoomRow,
  RoomSeats,
  RoomStore,
  SeedKeyRecords,
  ServerClock,
  Statements,
} from '../ports.ts';
import { createBoardsService } from '../service/boards.ts';
import { ensureHouseRooms } from '../service/house-rooms.ts';
import { createPatience } from '../service/in-time.ts';
import { createOwnLimits } from '../service/own-limits.ts';
import { createRacing, type Racing } from '../service/racing.ts';
import type { RoomAccess } from '../service/room-access.ts';
import type { RoomFeeds } from '../service/room-feeds.ts';
import { createRoomSecrets, normaliseRoomCode } from '../service/room-secrets.ts';
import { createRoomServices, createRoomWorld, type RoomServicesDeps } from '../service/room-world.ts';
import { type Connections, createSessions } from '../service/sessions.ts';
import { createStatementService } from '../service/statement.ts';
import { createWalletService } from '../service/wallet.ts';
import { createArchiveWorker } from './archive.ts';
import { type BatcherOptions, createBatcher } from './batcher.ts';
import type { Lifecycle } from './lifecycle.ts';
import type { Metrics } from './metrics.ts';
import { RaceClock } from './race-clock.ts';
import { restoreRoom, restoreRooms } from './restore-rooms.ts';
import { RoomKeeper } from './room-keeper.ts';
import { SimulationPool } from './simulation-pool.ts';
import { Sweeper } from './sweeper.ts';

export type RoomPreview = Pick<RoomRow, 'name' | 'kind' | 'locale'> & { readonly closed: boolean };

/** What the edge makes of the game's parts: where packets leave from. */
export type Edge = {
  readonly push: Push;
  readonly connections: Connections;
  openSeats(feeds: RoomFeeds): RoomSeats;
  openFrames(parts: Pick<Racing, 'book' | 'frames' | 'odds'> & { readonly rooms: RoomAccess }): {
    sendSoFar(connectionId: string, roomId: RoomId): void;
  };
};

export type GameDeps = {
  readonly records: {
    readonly players: PlayerRecords;
    readonly rooms: RoomRecords;
    readonly archive: ArchiveRecords;
    readonly races: RaceRecords;
    readonly seedKeys: SeedKeyRecords;
    readonly ledger: Ledger;
    readonly statements: Statements;
    readonly boards: BoardRecords;
  };
  readonly store: RoomStore;
  readonly edge: Edge;
  readonly clock: ServerClock;
  readonly log: Logger;
  readonly lifecycle: Pick<Lifecycle, 'onStop'>;
  readonly metrics: Pick<Metrics, 'gauge'>;
  readonly settings: {
    readonly timeScale: number;
    readonly timeZone: string;
    readonly returnRates: Rates;
    readonly houseRooms: number;
    readonly limits: RoomServicesDeps['limits'] &
      BatcherOptions['limits'] & {
        readonly seatSeconds: number;
        readonly dailyPoints: number;
        readonly reliefPoints: number;
        readonly reliefEveryHours: number;
        readonly startPoints: number;
      };
  };
  readonly secrets: { readonly sessionSecret: Uint8Array; readonly receiptKey: Uint8Array };
  readonly passwordGuard: RoomServicesDeps['passwordGuard'];
  readonly degraded: RoomServicesDeps['degraded'];
  readonly instanceId: string;
  /** False while the rooms in this process's memory may not be the only ones. */
  readonly mayArchive: () => boolean;
  /** See RaceClockDeps. */
  readonly onRaceStuck?: () => void;
  readonly random: { bytes(size: number): Uint8Array; below(n: number): number };
};

/**
 * Rooms, races and points, wired and running: services for the handlers, and everything with a timer, a thread or a queue.
 * On the way down timers stop first, then what waits for the ledger is flushed, then the archive.
 */
export function createGame(deps: GameDeps) {
  const { records, store, edge, clock, log, lifecycle, settings, secrets } = deps;
  const { limits, timeZone } = settings;
  const patience = createPatience(limits.ledgerAnswerMs);
  const wallets = patience.wallets(records.ledger);
  const seedKeys = patience.seedKeys(records.seedKeys);
  const askedRooms = patience.rooms(records.rooms);
  const { push } = edge;

  const archive = createArchiveWorker({ store, archive: records.archive, log, mayWrite: deps.mayArchive });
  lifecycle.onStop('archive', 8_000, async () => {
    await archive.flush(6_000);
    await archive.close();
    await store.close();
  });
  const simulations = new SimulationPool({ log });
  lifecycle.onStop('simulations', 2_000, () => simulations.close());
  const batcher = createBatcher({ ledger: records.ledger, log, limits });
  lifecycle.onStop('ledger queue', 5_000, () => batcher.close());

  const world = createRoomWorld({ store, records: records.rooms, clock, log, limits });
  lifecycle.onStop('room feeds', 1_000, () => world.feeds.close());
  const rooms = world.access;
  const racing = createRacing({
    records: records.races,
    seedKeys: records.seedKeys,
    patience,
    queue: batcher,
    rooms,
    simulations,
    push,
    clock,
    log,
    timeScale: settings.timeScale,
    rates: settings.returnRates,
    timeZone,
    idSecret: secrets.sessionSecret,
    tagSecret: secrets.receiptKey,
    randomBytes: deps.random.bytes,
    randomBelow: deps.random.below,
  });
  batcher.onAdded(racing.odds.added);
  lifecycle.onStop('odds', 100, racing.odds.close);

  const seats = edge.openSeats(world.feeds);
  const frames = edge.openFrames({ ...racing, rooms });
  const roomSecrets = createRoomSecrets(secrets.sessionSecret);
  const restoring = { store, rooms: records.rooms, archive: records.archive, latestRace, log };
  const people = createRoomServices({
    store,
    records: records.rooms,
    clock,
    log,
    limits,
    world,
    push,
    seats,
    secrets: roomSecrets,
    archive: records.archive,
    raceRecords: patience.races(records.races),
    patience,
    races: racing.races,
    sendFramesSoFar: (connectionId, roomId) => frames.sendSoFar(connectionId, roomId),
    dropPick: racing.picks.dropPick,
    revive: async (roomId) => (await restoreRoom(restoring, roomId)) !== 'absent',
    passwordGuard: deps.passwordGuard,
    degraded: deps.degraded,
    instanceId: deps.instanceId,
  });
  lifecycle.onStop('lobby', 100, people.lobby.close);
  lifecycle.onStop('room commands', 3_000, () => world.commands.idle());
  const statements = patience.statements(records.statements);
  const wallet = createWalletService({ statements, queue: batcher, push, clock, timeZone, ...limits });
  const statement = createStatementService({ statements });
  const boards = createBoardsService({ boards: patience.boards(records.boards), clock, timeZone });
  const sessions = createSessions({
    secret: secrets.sessionSecret,
    players: records.players,
    patience,
    clock,
    connections: edge.connections,
    ownLimits: createOwnLimits({ statements, clock, timeZone }),
    log,
    timeZone,
    balanceOf: async (playerId) => String((await wallets.wallet(playerId))?.balance ?? limits.startPoints),
    profileOf: boards.profile,
    renamed: people.rooms.renamed,
  });

  async function latestRace(roomId: RoomId): Promise<RaceSummary | null> {
    const row = (await records.races.latest(roomId))?.row;
    if (row === undefined) return null;
    const { id, number, phase, closesAt, endsAt } = row;
    return { id, number, phase, closesAt, ...(endsAt !== null && { endsAt }) };
  }

  /** House rooms made, rooms put back, races picked up where they stand, timers started. Rejects with UnavailableError. */
  async function start(): Promise<void> {
    await ensureHouseRooms(settings.houseRooms, { records: records.rooms, clock, secrets: roomSecrets });
    await restoreRooms(restoring);
    // Only served rooms are kept: those to which nobody comes back must end in their time too.
    for (const roomId of await records.rooms.living()) await rooms.serve(roomId);
    const raceClock = new RaceClock({
      ...racing,
      records: records.races,
      rooms,
      clock,
      log,
      onStuck: deps.onRaceStuck,
    });
    const sweeper = new Sweeper({ ...racing, records: records.races, rooms, raceClock, log });
    const keeper = new RoomKeeper({
      ...world,
      ...people,
      records: records.rooms,
      clock,
      log,
      limits,
      removeRoom: (roomId) => store.remove(roomId),
    });
    lifecycle.onStop('race clock', 3_000, () => raceClock.close());
    lifecycle.onStop('room keeper and sweeper', 3_000, () => Promise.all([keeper.close(), sweeper.close()]));
    await raceClock.start();
    // A race that the pool cannot run is run inline, and told then.
    simulations.warm().catch((error: unknown) => log.debug({ err: error }, 'simulations.not_warm'));
    deps.metrics.gauge('races_unfinished', 'Races this process has an alarm for', () => raceClock.watching);
    deps.metrics.gauge('races_failing', 'Races whose last move failed and is tried again', () => raceClock.failing);
    deps.metrics.gauge(
      'openings_waiting',
      'Automatic rooms with an alarm for their next race',
      () => raceClock.waiting,
    );
  }

  deps.metrics.gauge('rooms_served', 'Rooms this process serves', () => rooms.served().length);
  deps.metrics.gauge(
    'archive_lag_seconds',
    'Age of the oldest room event the archive does not have',
    () => archive.lagMs() / 1_000,
  );
  deps.metrics.gauge('ledger_queue', 'Bets, picks, votes and claims waiting for a batch', () => batcher.stats().queued);
  deps.metrics.gauge('ledger_down', '1 while the ledger does not answer the batcher', () =>
    batcher.stats().down ? 1 : 0,
  );
  deps.metrics.gauge(
    'simulations_inline',
    'Races run outside the worker pool since the start',
    () => simulations.stats().inline,
  );

  return {
    ...racing,
    ...people,
    wallet,
    statement,
    boards,
    sessions,
    start,
    /** Seed keys as everybody may know them. Rejects with UnavailableError. */
    seedKeys: () => seedKeys.published(),
    /** What a link to the room may show before anybody has opened it; null: there is no such room. */
    async preview(code: string): Promise<RoomPreview | null> {
      const row = await askedRooms.byCode(normaliseRoomCode(code));
      return row === null
        ? null
        : { name: row.name, kind: row.kind, locale: row.locale, closed: row.closedAt !== null };
    },
  };
}
