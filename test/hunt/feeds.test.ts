import { afterEach, describe, expect, test, vi } from 'vitest';
import { MemoryRoomStore } from '../../db/memory/store.ts';
import type { Delivery, RoomStore } from '../../lib/ports.ts';
import { UnavailableError } from '../../lib/ports.ts';
import { RoomCommands } from '../../lib/service/room-commands.ts';
import { RoomFeeds } from '../../lib/service/room-feeds.ts';
import { until } from '../helpers/until.ts';
import { makeDocument, member, player, quiet } from '../rooms/fixtures.ts';
import { chat, eventOf } from '../store-contract/fixtures.ts';

const clock = { now: () => Date.now() };
const { id: roomId } = makeDocument();

const { setImmediate: nextTurn } = globalThis;
const turn = () => new Promise<void>((resolve) => nextTurn(resolve));
async function turns(count: number): Promise<void> {
  for (let left = count; left > 0; left -= 1) await turn();
}

/** Fails with `what` where nothing would ever come. */
async function answered<T>(what: string, promise: Promise<T>): Promise<T> {
  let settled = false;
  const mark = (): void => void (settled = true);
  promise.then(mark, mark);
  await until(what, () => settled, { deadlineMs: 5_000 });
  return promise;
}

afterEach(() => {
  vi.useRealTimers();
});

/** A store whose subscription can lose messages and whose answers can be held up or refused, as one across a network. */
async function shaky() {
  const memory = new MemoryRoomStore({ clock, log: quiet, unarchivedEntries: 10_000 });
  await memory.restore(makeDocument({ members: [member('a', 1)] }), [], null);
  const faults = {
    lose: false,
    down: false,
    forgets: false,
    hold: null as Promise<void> | null,
    subscriptions: 0,
    asked: 0,
    loads: 0,
  };
  const ask = async <T>(answer: () => Promise<T>): Promise<T> => {
    faults.asked += 1;
    if (faults.hold) await faults.hold;
    // No answer comes in the turn of its question: one that is asked for ever does not stop everything else.
    await turn();
    if (faults.down) throw new UnavailableError('away', 'none');
    return answer();
  };
  const store: RoomStore = Object.assign(Object.create(memory) as RoomStore, {
    load: (room: typeof roomId) => {
      faults.loads += 1;
      return ask(() => memory.load(room));
    },
    commit: (commit: Parameters<RoomStore['commit']>[0]) => ask(() => memory.commit(commit)),
    answered: (...of: Parameters<RoomStore['answered']>) => ask(() => memory.answered(...of)),
    since: (...of: Parameters<RoomStore['since']>) =>
      ask(() => (faults.forgets ? Promise.resolve(null) : memory.since(...of))),
    async subscribe(room: typeof roomId, listener: (delivery: Delivery) => void) {
      faults.subscriptions += 1;
      const real = await memory.subscribe(room, (delivery) => faults.lose || listener(delivery));
      return {
        close: async () => {
          faults.subscriptions -= 1;
          await real.close();
        },
      };
    },
  });
  const feeds = new RoomFeeds({ store, clock, log: quiet });
  const limits = { roomQueue: 1_000, requestDeadlineMs: 3_000 };
  const commands = new RoomCommands({ store, feeds, clock, log: quiet, limits });
  const seen: string[] = [];
  feeds.onEntries((_, epoch, entries) => {
    for (const entry of entries) seen.push(`${epoch} ${entry.seq}`);
  });
  /** Somebody else's commits, past our own line. */
  const elsewhere = new RoomCommands({
    store: memory,
    feeds: new RoomFeeds({ store: memory, clock, log: quiet }),
    clock,
    log: quiet,
    limits,
  });
  const say = (text: string, by = commands) =>
    by.submit(roomId, { mark: null, decide: () => ({ events: [chat(text)] }) });
  const texts = () => (feeds.state(roomId)?.chat ?? []).map(({ text }) => text);
  return { memory, faults, feeds, commands, elsewhere, seen, say, texts };
}

const inOrder = (seen: readonly string[]): boolean =>
  seen.every((entry, index) => Number(entry.split(' ')[1]) === index + 1);

describe('a room’s feed', () => {
  test('[RM88] two reasons to load at once make one load, and nothing is delivered twice', async () => {
    const { faults, feeds, elsewhere, seen, say, texts } = await shaky();
    await feeds.serve(roomId);
    faults.lose = true;
    for (const text of ['1', '2', '3']) await say(text, elsewhere);
    faults.lose = false;
    let release = (): void => {};
    faults.hold = new Promise((resolve) => (release = resolve));
    // A gap is seen while somebody has asked for a reload, as after a conflict.
    const before = faults.loads;
    const first = feeds.reload(roomId);
    await say('4', elsewhere);
    const second = feeds.reload(roomId);
    faults.hold = null;
    release();
    await answered('both loads', Promise.all([first, second]));
    await until('caught up', () => texts().length >= 4);
    expect(texts()).toEqual(['1', '2', '3', '4']);
    expect(seen).toHaveLength(4);
    expect(inOrder(seen)).toBe(true);
    expect(faults.loads - before).toBe(1);
    await feeds.close();
  });

  test('[RM88] what comes in its order while a load is under way is delivered once', async () => {
    const { faults, feeds, elsewhere, seen, say, texts } = await shaky();
    await feeds.serve(roomId);
    let release = (): void => {};
    faults.hold = new Promise((resolve) => (release = resolve));
    const load = feeds.reload(roomId);
    for (const text of ['1', '2']) await say(text, elsewhere);
    faults.hold = null;
    release();
    await answered('the load', load);
    await say('3', elsewhere);
    await until('all of it', () => texts().length >= 3);
    expect(texts()).toEqual(['1', '2', '3']);
    expect(seen).toHaveLength(3);
    expect(inOrder(seen)).toBe(true);
    await feeds.close();
  });

  test('[RM89] a store that is away while a gap is repaired is asked again, without haste, until it answers', async () => {
    const { faults, feeds, elsewhere, seen, say, texts } = await shaky();
    await feeds.serve(roomId);
    faults.lose = true;
    await say('lost', elsewhere);
    faults.lose = false;
    faults.down = true;
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    const before = faults.asked;
    await say('seen', elsewhere);
    await turns(200);
    expect(faults.asked - before, 'questions in one moment').toBe(1);
    vi.advanceTimersByTime(100);
    await turns(200);
    expect(faults.asked - before, 'questions within 100 ms').toBe(1);
    vi.advanceTimersByTime(900);
    await turns(200);
    expect(faults.asked - before, 'questions within a second').toBeGreaterThan(1);
    faults.down = false;
    vi.advanceTimersByTime(1_000);
    await turns(200);
    expect(texts()).toEqual(['lost', 'seen']);
    vi.useRealTimers();
    await say('after', elsewhere);
    await until('delivered', () => texts().length === 3, { deadlineMs: 5_000 });
    expect(texts()).toEqual(['lost', 'seen', 'after']);
    expect(inOrder(seen)).toBe(true);
    await feeds.close();
  });

  test('[RM89] a store that is away when a room is opened leaves no subscription behind', async () => {
    const { faults, feeds } = await shaky();
    faults.down = true;
    await expect(feeds.serve(roomId)).rejects.toBeInstanceOf(UnavailableError);
    expect(faults.subscriptions).toBe(0);
    faults.down = false;
    expect(await feeds.serve(roomId)).not.toBe(null);
    await feeds.close();
    expect(faults.subscriptions).toBe(0);
  });

  describe.each(['before', 'after'] as const)('when somebody joins in the middle of a load', (when) => {
    test(`[RM90] what is loaded is never of a later version than its content (${when} the log is read)`, async () => {
      const { memory, faults, feeds, commands, elsewhere, say, texts } = await shaky();
      await feeds.serve(roomId);
      faults.lose = true;
      await say('1', elsewhere);
      const { since } = memory;
      const join = () =>
        elsewhere.submit(roomId, {
          mark: null,
          decide: () => ({
            events: [
              {
                type: 'member joined',
                member: { id: player('b'), nickname: 'b', role: 'player', connected: true, joinedAt: 2 },
              },
            ],
          }),
        });
      // We hear nothing of it.
      Object.assign(memory, {
        since: async (...of: Parameters<RoomStore['since']>) => {
          Object.assign(memory, { since });
          if (when === 'before') await join();
          const answer = await since.apply(memory, of);
          if (when === 'after') await join();
          return answer;
        },
      });
      await answered('loaded', feeds.reload(roomId));
      const held = () => {
        const state = feeds.state(roomId);
        return [state?.document.version, state?.seq, state?.document.members.map(({ id }) => id)];
      };
      expect(held()).toEqual([1, 1, ['a']]);
      // So the next command finds out, instead of being in conflict for ever.
      faults.lose = false;
      const rename = commands.submit(roomId, {
        mark: null,
        decide: () => ({ events: [{ type: 'member changed', playerId: player('a'), patch: { nickname: 'A' } }] }),
      });
      await answered('a command on top', rename);
      expect(held()).toEqual([3, 3, ['a', 'b']]);
      expect(texts()).toEqual(['1']);
      await feeds.close();
    });
  });

  test('[RM91] a command whose store is away is answered, and the next ones go on when it is back', async () => {
    const { faults, feeds, say, texts } = await shaky();
    await feeds.serve(roomId);
    faults.down = true;
    const answers = await answered('the refusals', Promise.allSettled([say('a'), say('b')]));
    expect(answers.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
    for (const one of answers) expect(one).toMatchObject({ reason: expect.any(UnavailableError) });
    faults.down = false;
    await answered('the command after', say('c'));
    expect(texts()).toEqual(['c']);
    await feeds.close();
  });

  test('[RM91] a room that had to be taken anew says so, once', async () => {
    const { memory, faults, feeds, elsewhere, say, texts } = await shaky();
    await feeds.serve(roomId);
    let resets = 0;
    feeds.onReset(() => (resets += 1));
    faults.lose = true;
    faults.forgets = true;
    await say('1', elsewhere);
    faults.lose = false;
    await say('2', elsewhere);
    await until('taken anew', () => texts().length === 2, { deadlineMs: 5_000 });
    await turns(5);
    const state = feeds.state(roomId);
    const entries = (state && (await memory.since(roomId, state.epoch, 0))) ?? [];
    expect([resets, entries.map(eventOf).at(-1)?.seq]).toEqual([1, state?.seq]);
    await feeds.close();
  });
});
