import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { MemoryRoomStore } from '../../db/memory/store.ts';
import type { RoomId } from '../../lib/core/ids.ts';
import { type RoomRecords, UnavailableError } from '../../lib/ports.ts';
import { RoomKeeper } from '../../lib/run/room-keeper.ts';
import { RoomCommands } from '../../lib/service/room-commands.ts';
import { createRoomFacts } from '../../lib/service/room-facts.ts';
import { RoomFeeds } from '../../lib/service/room-feeds.ts';
import { createRoomHosts } from '../../lib/service/room-hosts.ts';
import { makeDocument, member, player, quiet } from '../rooms/fixtures.ts';

const ROOMS = 20;
const { setImmediate: nextTurn } = globalThis;
/** Seconds of the keeper's, in each of which everything that can be answered is. */
async function seconds(count: number): Promise<void> {
  for (let left = count; left > 0; left -= 1) {
    vi.advanceTimersByTime(1_000);
    for (let turns = 5; turns > 0; turns -= 1) await new Promise<void>((resolve) => nextTurn(resolve));
  }
}

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval', 'Date'], now: 1_000_000 });
});
afterEach(() => {
  vi.useRealTimers();
});

/** Rooms that are over their time and have lost their host, above a PostgreSQL that is there, refuses, or says nothing. */
async function keptRooms() {
  const clock = { now: () => Date.now() };
  const store = new MemoryRoomStore({ clock, log: quiet, unarchivedEntries: 1_000 });
  const feeds = new RoomFeeds({ store, clock, log: quiet });
  const commands = new RoomCommands({
    store,
    feeds,
    clock,
    log: quiet,
    limits: { roomQueue: 100, requestDeadlineMs: 5_000 },
  });
  const postgres = { is: 'there' as 'there' | 'refusing' | 'silent', asked: 0 };
  const unanswered: ((reason: Error) => void)[] = [];
  const ask = async <T>(answer: T): Promise<T> => {
    postgres.asked += 1;
    if (postgres.is === 'silent') await new Promise<void>((_, reject) => unanswered.push(reject));
    if (postgres.is === 'refusing') throw new UnavailableError('away', 'none');
    return answer;
  };
  const closed: RoomId[] = [];
  const hosted: RoomId[] = [];
  const records = {
    close: (roomId: RoomId) => ask('closed' as const).then((done) => (closed.push(roomId), done)),
    setHost: (roomId: RoomId) => ask('changed' as const).then((done) => (hosted.push(roomId), done)),
    facts: () => ask([]),
    behind: () => ask([]),
  } as unknown as Pick<RoomRecords, 'close' | 'setHost' | 'facts' | 'behind'>;
  const facts = createRoomFacts({ records, feeds, commands, log: quiet });
  const hosts = createRoomHosts({
    records,
    feeds,
    commands,
    facts,
    log: quiet,
    rules: { spectatorsPerRoom: 100 },
    limits: { ledgerAnswerMs: 300 },
    dropPick: async () => {},
  });
  const ended: string[] = [];
  const membership = {
    renewLeases: () => {},
    catchUp: () => {},
    endSeat: (roomId: RoomId) => void ended.push(roomId),
  };
  for (let room = 0; room < ROOMS; room += 1) {
    const id = `room-${room}` as RoomId;
    const people = { members: [member('a', 1)], hostId: player('gone'), expiresAt: clock.now() + 10_000 };
    await store.restore(makeDocument({ id, ...people }), [], null);
    await store.lease(id, 'elsewhere', [player('a')], 3_600_000);
    await feeds.serve(id);
  }
  const keeper = new RoomKeeper({
    feeds,
    commands,
    membership: membership as never,
    hosts,
    facts,
    records,
    clock,
    log: quiet,
    limits: { seatSeconds: 60 },
    removeRoom: async () => {},
  });
  /** What was not answered fails with its connection. */
  const back = (): void => {
    postgres.is = 'there';
    for (const fail of unanswered.splice(0)) fail(new UnavailableError('gone', 'unknown'));
  };
  return { postgres, back, closed, hosted, keeper, feeds };
}

test.each(['refusing', 'silent'] as const)(
  '[RM96] a PostgreSQL that is %s is not asked every second for every room',
  async (how) => {
    const { postgres, back, closed, hosted, keeper, feeds } = await keptRooms();
    postgres.is = how;
    await seconds(15);
    // Each room for its host before it is noticed; from then on one question a second for all.
    const noticed = postgres.asked;
    expect(noticed).toBeLessThanOrEqual(ROOMS + 15);
    await seconds(60);
    expect(postgres.asked - noticed, 'questions in a minute of outage').toBeLessThanOrEqual(61);
    expect([closed, hosted]).toEqual([[], []]);
    back();
    await seconds(3);
    expect(new Set(closed).size, 'rooms closed once it is back').toBe(ROOMS);
    expect(new Set(hosted).size).toBe(ROOMS);
    await keeper.close();
    await feeds.close();
  },
);
