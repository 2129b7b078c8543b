import { randomBytes, randomInt, randomUUID } from 'node:crypto';
import { MemoryRoomStore } from '../../db/memory/store.ts';
import { createAudit } from '../../db/postgres/audit.ts';
import { createLedger } from '../../db/postgres/ledger.ts';
import { createRaceRecords } from '../../db/postgres/races.ts';
import { createRoomRecords } from '../../db/postgres/rooms.ts';
import { createSeedKeyRecords } from '../../db/postgres/seed-keys.ts';
import { createStatements } from '../../db/postgres/statement.ts';
import type { CommandId, PlayerId, RaceId, RoomId } from '../../lib/core/ids.ts';
import { DEFAULT_RATES } from '../../lib/core/pools.ts';
import { DEFAULT_SETTINGS } from '../../lib/core/room-settings.ts';
import type { RoomKind, RoomSettings } from '../../lib/core/room-state.ts';
import type { Logger, Push, RaceRecords, ServerClock, Simulations } from '../../lib/ports.ts';
import type { RaceView, RoomEvent } from '../../lib/protocol.ts';
import { createBatcher } from '../../lib/run/batcher.ts';
import { RaceClock } from '../../lib/run/race-clock.ts';
import { runTask } from '../../lib/run/simulation-task.ts';
import { Sweeper } from '../../lib/run/sweeper.ts';
import type { Caller } from '../../lib/service/caller.ts';
import { createPatience } from '../../lib/service/in-time.ts';
import { createRacing } from '../../lib/service/racing.ts';
import { createRoomWorld, type RoomWorld } from '../../lib/service/room-world.ts';
import { createWalletService } from '../../lib/service/wallet.ts';
import { FrameSender } from '../../socket/frames.ts';
import { createTestDatabase } from '../helpers/postgres.ts';
import { until } from '../helpers/until.ts';

export const commandId = (): CommandId => randomUUID() as CommandId;
export const callerOf = (name: string): Caller => ({
  connectionId: `connection of ${name}`,
  playerId: name as PlayerId,
  address: '127.0.0.1',
  nickname: name,
  locale: 'en',
});

/** Warnings and errors are kept: most tests end by finding none. */
export function createTestLog() {
  const lines: { level: string; event: string; facts: object }[] = [];
  const keep = (level: string) => (facts: object, event: string) => void lines.push({ level, event, facts });
  const log: Logger = { error: keep('error'), warn: keep('warn'), info: () => {}, debug: () => {} };
  return { log, lines };
}

export const inlineSimulations: Simulations = {
  simulate: async ({ track, field, key }) => runTask({ kind: 'simulate', track, horses: field, key }) as never,
  monteCarlo: async (track, field, races) =>
    runTask({ kind: 'monte-carlo', track, horses: field, first: 0, races }) as never,
};

type Sent = { to: string; event: string; message: unknown; at: number };

/** A stand-in for the sockets of one instance: everything sent is kept. */
function createTestPush(clock: ServerClock) {
  const sent: Sent[] = [];
  const push: Push = {
    connection: (id, event, message) => sent.push({ to: id, event, message, at: clock.now() }) > 0,
    player: (id, event, message) => void sent.push({ to: id, event, message, at: clock.now() }),
    room: (id, event, message) => void sent.push({ to: id, event, message, at: clock.now() }),
  };
  return { push, sent };
}

export type ArenaOptions = {
  timeScale?: number;
  simulations?: Simulations;
  records?: (records: RaceRecords) => RaceRecords;
  clock?: ServerClock;
};
export type Arena = Awaited<ReturnType<typeof createArena>>;

/** Real PostgreSQL, the real log and any number of instances of everything between database and sockets. */
export async function createArena(options: ArenaOptions = {}) {
  const database = await createTestDatabase({ migrate: true });
  const pool = database.pool({ max: 12 });
  const clock: ServerClock = options.clock ?? { now: () => Date.now() };
  const { log, lines } = createTestLog();
  const ledger = createLedger(pool, { startPoints: 10_000 });
  const races = createRaceRecords(pool);
  const roomRecords = createRoomRecords(pool);
  const store = new MemoryRoomStore({ clock, log, unarchivedEntries: 10_000 });
  const secrets = { idSecret: randomBytes(32), tagSecret: randomBytes(32), wrapKey: randomBytes(32) };
  const instances: { close(): Promise<void> }[] = [];

  async function instance(more: ArenaOptions & { timers?: boolean } = {}) {
    const world: RoomWorld = createRoomWorld({
      store,
      records: roomRecords,
      clock,
      log,
      limits: { roomQueue: 1_000, requestDeadlineMs: 5_000 },
    });
    const { push, sent } = createTestPush(clock);
    const records = (more.records ?? options.records)?.(races) ?? races;
    const batcher = createBatcher({
      ledger,
      limits: { ledgerQueue: 20_000, ledgerAnswerMs: 5_000, ledgerQueueMs: 5_000 },
      log,
    });
    const racing = createRacing({
      records,
      seedKeys: createSeedKeyRecords(pool, secrets.wrapKey),
      patience: createPatience(5_000),
      queue: batcher,
      rooms: world.access,
      simulations: more.simulations ?? options.simulations ?? inlineSimulations,
      push,
      clock,
      log,
      timeScale: more.timeScale ?? options.timeScale ?? 20,
      timeZone: 'Asia/Seoul',
      rates: DEFAULT_RATES,
      idSecret: secrets.idSecret,
      tagSecret: secrets.tagSecret,
      randomBytes,
      randomBelow: (n) => randomInt(n),
    });
    const { book, rounds, openings, odds, frames } = racing;
    batcher.onAdded(odds.added);
    const events = new Map<RoomId, RoomEvent[]>();
    world.access.onEvents((roomId, fresh) => events.set(roomId, [...(events.get(roomId) ?? []), ...fresh]));
    const timers = more.timers ?? true;
    const raceClock = timers
      ? new RaceClock({ records, rooms: world.access, book, rounds, openings, clock, log })
      : null;
    const sweeper = raceClock && new Sweeper({ records, rooms: world.access, raceClock, book, odds, log });
    const sender = new FrameSender({ rooms: world.access, book, frames, odds, push, clock, log });
    await raceClock?.start();
    const wallet = createWalletService({
      statements: createStatements(pool, { startPoints: 10_000 }),
      queue: batcher,
      push,
      clock,
      dailyPoints: 2_000,
      reliefPoints: 1_000,
      reliefEveryHours: 4,
      startPoints: 10_000,
      timeZone: 'Asia/Seoul',
    });

    const self = {
      ...racing,
      world,
      rooms: world.access,
      wallet,
      sent,
      sender,
      raceClock,
      sweeper,
      eventsOf: (roomId: RoomId): RoomEvent[] => events.get(roomId) ?? [],
      messages: (event: string): Sent[] => sent.filter((line) => line.event === event),
      async join(roomId: RoomId, name: string, role: 'player' | 'spectator' = 'player'): Promise<void> {
        await world.access.serve(roomId);
        const kind = world.access.state(roomId)?.document.kind;
        const ready = kind === 'pick' && role === 'player' ? { ready: true } : {};
        await self.tell(roomId, [
          {
            type: 'member joined',
            member: { id: name as PlayerId, nickname: name, role, ...ready, connected: true, joinedAt: clock.now() },
          },
        ]);
        await racing.races.view(roomId, world.access.state(roomId)?.document.factVersion ?? 0);
      },
      async patch(roomId: RoomId, name: string, patch: { ready?: boolean; connected?: boolean }): Promise<void> {
        await self.tell(roomId, [{ type: 'member changed', playerId: name as PlayerId, patch }]);
      },
      async leave(roomId: RoomId, name: string, cause: 'left' | 'kicked' = 'left'): Promise<void> {
        await self.tell(roomId, [{ type: 'member left', playerId: name as PlayerId, cause }]);
      },
      async tell(roomId: RoomId, list: Parameters<typeof world.access.append>[1]): Promise<void> {
        await world.commands.submit(roomId, { mark: null, decide: () => ({ events: list }) });
      },
      view: (roomId: RoomId): RaceView | null => racing.races.cachedView(roomId) ?? null,
      start: (roomId: RoomId, name: string, rerunOf?: RaceId) =>
        self.races.start(callerOf(name), { commandId: commandId(), roomId, ...(rerunOf && { rerunOf }) }),
      /** Tests do not wait for betting to end: the host brings it forward, to 10 s by the time scale. */
      closeSoon: (roomId: RoomId) => self.start(roomId, 'host'),
      bet: (
        raceId: RaceId,
        name: string,
        horse: number,
        stake: number,
        pool: 'win' | 'place' = 'win',
        id = commandId(),
      ) => self.bets.place(callerOf(name), { commandId: id, raceId, pool, selection: [horse], stake: String(stake) }),
      pick: (raceId: RaceId, name: string, horse: number | 'random', id = commandId()) =>
        self.picks.choose(callerOf(name), { commandId: id, raceId, horse }),
      async until(roomId: RoomId, type: RoomEvent['type'], count = 1): Promise<RoomEvent> {
        const seen = () => (events.get(roomId) ?? []).filter((event) => event.type === type);
        await until(`${count} × ${type}`, () => seen().length >= count, { deadlineMs: 30_000 });
        return seen()[count - 1] as RoomEvent;
      },
      async close(): Promise<void> {
        await sweeper?.close();
        await raceClock?.close();
        sender.close();
        odds.close();
        await batcher.close();
        await world.feeds.close();
      },
    };
    instances.push(self);
    return self;
  }

  async function room(
    kind: RoomKind,
    settings: Partial<RoomSettings> = {},
    host: string | null = 'host',
  ): Promise<RoomId> {
    const roomId = `room-${randomBytes(6).toString('hex')}` as RoomId;
    const all: RoomSettings = {
      ...DEFAULT_SETTINGS[kind],
      track: 'short',
      openSeconds: 300,
      resultSeconds: 5,
      ...settings,
    };
    const now = clock.now();
    const base = {
      id: roomId,
      kind,
      house: false,
      locale: 'en',
      name: 'room',
      settings: all,
      hostId: host as PlayerId | null,
      createdAt: now,
      expiresAt: now + 3_600_000,
    } as const;
    const made = await roomRecords.create({
      ...base,
      code: randomBytes(4).toString('hex'),
      passwordHash: null,
      createdBy: null,
    });
    if (made.kind !== 'created') throw new Error(made.kind);
    const { row } = made;
    await store.restore(
      {
        ...base,
        code: row.code,
        version: 1,
        factVersion: row.factVersion,
        hasPassword: false,
        settingsVersion: row.settingsVersion,
        members: [],
        kickedAt: {},
        race: null,
        closed: null,
      },
      [],
      null,
    );
    return roomId;
  }

  return {
    database,
    pool,
    clock,
    log,
    lines,
    ledger,
    records: races,
    roomRecords,
    store,
    instance,
    room,
    balance: async (name: string) => (await ledger.wallet(name as PlayerId))?.balance ?? null,
    audit: () => createAudit(database.target).audit(),
    async close(): Promise<void> {
      await Promise.all(instances.map((one) => one.close()));
      await store.close();
      await database.drop();
    },
  };
}
