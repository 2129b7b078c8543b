import { describe, expect, test } from 'vitest';
import { CommandMemory } from '../../db/memory/commands.ts';
import { PresenceLeases } from '../../db/memory/presence.ts';
import { MemoryRoomStore } from '../../db/memory/store.ts';
import { type Logger, UnavailableError } from '../../lib/ports.ts';
import { CONTRACT_LIMITS, roomStoreContract, type StoreLimits } from './contract.ts';
import { chat, commitOn, loaded, mark, mustCommit, newRoomId, player, roomWith } from './fixtures.ts';

const quiet: Logger = { error: () => {}, warn: () => {}, info: () => {}, debug: () => {} };

function memoryStore(limits: StoreLimits, log = quiet) {
  let now = 1_000_000;
  const clock = { now: () => now };
  const store = new MemoryRoomStore({
    clock,
    log,
    unarchivedEntries: limits.unarchivedEntries,
    rememberMs: limits.rememberMs,
  });
  return {
    store,
    instance: async () => store,
    now: () => now,
    advance: async (ms: number) => {
      now += ms;
    },
    close: () => store.close(),
  };
}

roomStoreContract('memory', async (limits) => memoryStore(limits));

describe('memory only', () => {
  test('[RM21] what the archive has is trimmed, down to the newest 500', async () => {
    const { store } = memoryStore({ ...CONTRACT_LIMITS, unarchivedEntries: 100_000 });
    let room = await roomWith(store, 0);
    const { id, version } = room.document;
    for (let round = 0; round < 40; round += 1) {
      await mustCommit(store, commitOn(room, { events: Array.from({ length: 100 }, () => chat('x')) }));
      room = await loaded(store, id);
      await store.archived(id, { epoch: room.epoch, seq: room.seq }, version);
    }
    expect(await store.since(id, room.epoch, 4_000 - 800)).toBeNull();
    expect((await store.since(id, room.epoch, 4_000 - 500))?.length).toBe(500);
  });

  test('[RM24] a listener that throws or commits disturbs neither the others nor the order', async () => {
    const errors: string[] = [];
    const { store } = memoryStore(CONTRACT_LIMITS, { ...quiet, error: (_facts, event) => errors.push(event) });
    const room = await roomWith(store, 0);
    const { id } = room.document;
    const heard: number[] = [];
    await store.subscribe(id, ({ entries }) => {
      if (entries[0]?.seq === 1) void store.commit(commitOn(room, { events: [chat('from within')] }));
      throw new Error('a faulty listener');
    });
    await store.subscribe(id, ({ entries }) => {
      heard.push(...entries.map(({ seq }) => seq));
    });
    await mustCommit(store, commitOn(room, { events: [chat('first')] }));
    await new Promise((resolve) => setImmediate(resolve));
    expect(heard).toEqual([1, 2]);
    expect(errors).toEqual(['store.listener_failed', 'store.listener_failed']);
  });

  test('[RM24] a commit that would break the log for good is a fault, told at once', async () => {
    const { store } = memoryStore(CONTRACT_LIMITS);
    const room = await roomWith(store, 1);
    const twice = mark('p1');
    const { document } = room;
    const wrong = [
      commitOn(room, { commands: [twice, { ...twice, bodyHash: 'other' }], events: [chat('a')] }),
      commitOn(room, { document: { ...document, version: document.version + 2 }, events: [chat('a')] }),
      commitOn(room, {
        document: { ...document, id: newRoomId(), version: document.version + 1 },
        events: [chat('a')],
      }),
      commitOn(room, { document: { ...document, version: document.version + 1 } }),
      commitOn(room, {
        document: { ...document, version: document.version + 1 },
        facts: { from: 0, to: 1 },
        events: [chat('a')],
      }),
      commitOn(room, { facts: { from: 0, to: 1 }, events: [chat('a')] }),
    ];
    for (const commit of wrong) await expect(store.commit(commit)).rejects.toThrow(/a commit of room/);
    expect(await loaded(store, document.id)).toEqual(room);
  });

  test('[RM23] a room that left unarchived comes back as it was when it is restored', async () => {
    const { store } = memoryStore(CONTRACT_LIMITS);
    const room = await roomWith(store, 3);
    await store.remove(room.document.id);
    expect(await store.restore({ ...room.document, name: 'older' }, [], null)).toBe('exists');
    expect(await loaded(store, room.document.id)).toEqual(room);
  });

  test('[RM24] a closed store says that it cannot be reached', async () => {
    const { store } = memoryStore(CONTRACT_LIMITS);
    const room = await roomWith(store, 0);
    await store.close();
    await expect(store.load(room.document.id)).rejects.toBeInstanceOf(UnavailableError);
    await expect(store.commit(commitOn(room))).rejects.toMatchObject({ outcome: 'none' });
  });

  test('[RM8] remembered results are bounded: the oldest go first', () => {
    const memory = new CommandMemory(1_000, 100);
    const roomId = newRoomId();
    const marks = Array.from({ length: 150 }, (_, index) => mark('p', 'b', String(index)));
    for (const one of marks) memory.remember(roomId, one, 5);
    expect(memory.size).toBe(100);
    const found = marks.map(({ playerId, commandId }) => memory.find(roomId, playerId, commandId, 'b', 6));
    expect(found.slice(0, 50).every((result) => result === null)).toBe(true);
    expect(found.slice(50)).toEqual(marks.slice(50).map(({ result }) => result));
    memory.remember(roomId, mark('p'), 2_000);
    expect(memory.size).toBe(1);
  });

  test('[RM18] leases of rooms that nobody asks about are swept', () => {
    const leases = new PresenceLeases();
    for (let index = 0; index < 2_000; index += 1) leases.lease(newRoomId(), 'i', [player('p')], index + 10, index);
    expect(leases.rooms).toBeLessThan(600);
  });
});
