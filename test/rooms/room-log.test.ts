import { describe, expect, test } from 'vitest';
import { MemoryRoomStore } from '../../db/memory/store.ts';
import { decideChat } from '../../lib/core/chat.ts';
import type { MessageId, RoomId } from '../../lib/core/ids.ts';
import { decideRoom } from '../../lib/core/room.ts';
import { RefusedError } from '../../lib/errors.ts';
import type { RoomEventBody } from '../../lib/protocol.ts';
import { RoomCommands, type RoomTask } from '../../lib/service/room-commands.ts';
import { createRoomFacts } from '../../lib/service/room-facts.ts';
import { RoomFeeds } from '../../lib/service/room-feeds.ts';
import { makeDocument, newCommandId, player, quiet } from './fixtures.ts';

const clock = { now: () => Date.now() };
const roomId = 'room-1' as RoomId;
const limits = { roomQueue: 1_000, requestDeadlineMs: 5_000 };

async function start(instances = 1, overrides: Partial<typeof limits> = {}) {
  const store = new MemoryRoomStore({ clock, log: quiet, unarchivedEntries: 100_000 });
  await store.restore(makeDocument(), [], null);
  const make = async () => {
    const feeds = new RoomFeeds({ store, clock, log: quiet });
    const commands = new RoomCommands({ store, feeds, clock, log: quiet, limits: { ...limits, ...overrides } });
    await feeds.serve(roomId);
    const seen: string[] = [];
    feeds.onEntries((_room, epoch, entries) =>
      seen.push(...entries.map((entry) => `${epoch} ${entry.seq} ${entry.json}`)),
    );
    return { feeds, commands, seen };
  };
  return { store, all: await Promise.all(Array.from({ length: instances }, make)) };
}

const join = (id: string): RoomTask => ({
  mark: null,
  decide: (room, now) =>
    decideRoom(room, { kind: 'join', playerId: player(id), nickname: id, as: 'player' }, now, {
      spectatorsPerRoom: 10,
    }),
});
const say = (id: string, text: string, commandId = newCommandId(), bodyHash = text): RoomTask => ({
  mark: { playerId: player(id), commandId, bodyHash },
  decide: (room, now) => {
    const decision = decideChat(room, { id: commandId as string as MessageId, playerId: player(id), text }, now, {
      chatCharacters: 200,
    });
    return 'error' in decision ? decision : { ...decision, result: text };
  },
});
const first = <T>(items: readonly T[]): T => items[0] as T;
const codeOf = (error: unknown) => (error instanceof RefusedError ? error.refusal.code : error);

describe('the room log', () => {
  test('[RM7] fifty commands at once are all in the log, in a few commits', async () => {
    const { store, all } = await start();
    const { commands, feeds } = first(all);
    let commits = 0;
    const commit = store.commit.bind(store);
    store.commit = (one) => {
      commits++;
      return commit(one);
    };
    await commands.submit(roomId, join('a'));
    const answers = await Promise.all(
      Array.from({ length: 50 }, (_, index) => commands.submit(roomId, say('a', `m${index}`))),
    );
    expect(answers).toEqual(Array.from({ length: 50 }, (_, index) => `m${index}`));
    expect(feeds.state(roomId)?.chat.map((message) => message.text)).toEqual(answers);
    expect(commits).toBeLessThanOrEqual(4);
  });

  test('[RM7] a line that is full refuses at once', async () => {
    const { all } = await start(1, { roomQueue: 8 });
    const { commands } = first(all);
    await commands.submit(roomId, join('a'));
    const results = await Promise.allSettled(
      Array.from({ length: 40 }, (_, index) => commands.submit(roomId, say('a', `m${index}`))),
    );
    const refused = results.filter((result) => result.status === 'rejected');
    expect(refused.length).toBeGreaterThan(0);
    expect(new Set(refused.map((result) => codeOf(result.reason)))).toEqual(new Set(['OVERLOADED']));
  });

  test('[RM7] a rule that throws costs its own command alone', async () => {
    const { all } = await start();
    const { commands } = first(all);
    await commands.submit(roomId, join('a'));
    const faulty: RoomTask = {
      mark: null,
      decide: () => {
        throw new Error('a fault');
      },
    };
    const results = await Promise.allSettled(
      [say('a', 'before'), faulty, say('a', 'after')].map((task) => commands.submit(roomId, task)),
    );
    expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
  });

  test('[RM8] a repeat has one effect and the same answer; another body conflicts; later refusals do not matter', async () => {
    const { all } = await start(2);
    const [here, there] = all as [(typeof all)[number], (typeof all)[number]];
    await here.commands.submit(roomId, join('a'));
    const commandId = newCommandId();
    expect(await here.commands.submit(roomId, say('a', 'once', commandId))).toBe('once');
    expect(await there.commands.submit(roomId, say('a', 'once', commandId))).toBe('once');
    await expect(there.commands.submit(roomId, say('a', 'other', commandId))).rejects.toSatisfy(
      (error) => codeOf(error) === 'COMMAND_CONFLICT',
    );
    const leave: RoomTask = {
      mark: { playerId: player('a'), commandId: newCommandId(), bodyHash: 'leave' },
      decide: (room, now) =>
        decideRoom(room, { kind: 'leave', playerId: player('a'), cause: 'left' }, now, { spectatorsPerRoom: 1 }),
    };
    await here.commands.submit(roomId, leave);
    await here.commands.submit(roomId, leave);
    expect(here.feeds.state(roomId)?.chat).toHaveLength(1);
    expect(here.feeds.state(roomId)?.document.members).toEqual([]);
  });

  test('[RM9] three instances with everybody talking and joining deliver the identical sequence', async () => {
    const { all } = await start(3);
    await Promise.all(
      all.flatMap(({ commands }, instance) =>
        Array.from({ length: 10 }, (_, index) => commands.submit(roomId, join(`p${instance}-${index}`))),
      ),
    );
    await Promise.all(
      all.flatMap(({ commands }, instance) =>
        Array.from({ length: 100 }, (_, index) =>
          commands.submit(roomId, say(`p${instance}-${index % 10}`, `${instance} ${index}`)),
        ),
      ),
    );
    const head = first(all).feeds.state(roomId)?.seq ?? 0;
    await Promise.all(all.map(({ feeds }) => feeds.caughtUp(roomId, feeds.state(roomId)?.epoch as never, head, 2_000)));
    expect(first(all).seen).toHaveLength(330);
    for (const { seen, feeds } of all) {
      expect(seen).toEqual(first(all).seen);
      expect(feeds.state(roomId)?.document).toEqual(first(all).feeds.state(roomId)?.document);
    }
  });

  test('[RM6] the document rebuilt from the log is the one that was committed', async () => {
    const { store, all } = await start(2);
    await Promise.all(all.map(({ commands }, index) => commands.submit(roomId, join(`p${index}`))));
    const committed = (await store.load(roomId))?.document;
    for (const { feeds } of all) {
      await feeds.caughtUp(roomId, feeds.state(roomId)?.epoch as never, 2, 2_000);
      expect(feeds.state(roomId)?.document).toEqual(committed);
    }
  });

  test('[RM10] facts published by three instances at once stand in the log once, in order', async () => {
    const { all } = await start(3);
    const host = (version: number): RoomEventBody => ({
      type: 'host changed',
      hostId: player(`p${version}`),
      cause: 'handover',
      version,
    });
    const rows = Array.from({ length: 20 }, (_, index) => ({ version: index + 1, event: host(index + 1) }));
    const records = {
      facts: async (_room: RoomId, above: number) => rows.filter((row) => row.version > above),
      behind: async () => [roomId],
    };
    const facts = all.map(({ feeds, commands }) => createRoomFacts({ records, feeds, commands, log: quiet }));
    await Promise.all([...facts, ...facts].map((one) => one.publish(roomId)));
    await Promise.all(facts.map((one) => one.publishBehind()));
    expect(first(all).seen).toHaveLength(20);
    expect(first(all).feeds.state(roomId)?.document).toMatchObject({
      factVersion: 20,
      hostId: 'p20',
      settingsVersion: 20,
    });
  });
});
