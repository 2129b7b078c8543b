import { describe, expect, test } from 'vitest';
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
  };
  const ask = async <T>(answer: () => Promise<T>): Promise<T> => {
    faults.asked += 1;
    if (faults.hold) await faults.hold;
    if (faults.down) throw new UnavailableError('away', 'none');
    return answer();
  };
  const store: RoomStore = Object.assign(Object.create(memory) as RoomStore, {
    load: (room: typeof roomId) => ask(() => memory.load(room)),
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
    const first = feeds.reload(roomId);
    await say('4', elsewhere);
    const second = feeds.reload(roomId);
    faults.hold = null;
    release();
    await Promise.all([first, second]);
    await until('caught up', () => texts().length === 4);
    expect(texts()).toEqual(['1', '2', '3', '4']);
    expect(seen).toHaveLength(4);
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
    const before = faults.asked;
    await say('seen', elsewhere);
    await until('asked more than once', () => faults.asked > before + 1);
    const asked = faults.asked;
    // A turn of the loop later it has not been asked hundreds of times.
    await new Promise<void>((resolve) => setImmediate(resolve));
    expect(faults.asked - asked).toBeLessThan(5);
    faults.down = false;
    await until('repaired', () => texts().length === 2);
    await say('after', elsewhere);
    await until('delivered', () => texts().length === 3);
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

  test('[RM90] what is loaded is never of a later version than its content', async () => {
    const { memory, faults, feeds, elsewhere, say } = await shaky();
    await feeds.serve(roomId);
    faults.lose = true;
    await say('1', elsewhere);
    // Between the two questions of a load somebody joins, and we hear nothing of it.
    const { since } = memory;
    Object.assign(memory, {
      since: async (...of: Parameters<RoomStore['since']>) => {
        Object.assign(memory, { since });
        const answer = await since.apply(memory, of);
        await elsewhere.submit(roomId, {
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
        return answer;
      },
    });
    await feeds.reload(roomId);
    const state = feeds.state(roomId);
    const members = state?.document.members.map(({ id }) => id);
    expect([state?.document.version, members]).toEqual([1, ['a']]);
    await feeds.close();
  });

  test('[RM91] a command whose store is away is answered, and the next ones go on when it is back', async () => {
    const { faults, feeds, say, texts } = await shaky();
    await feeds.serve(roomId);
    faults.down = true;
    const answers = await Promise.allSettled([say('a'), say('b')]);
    expect(answers.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
    faults.down = false;
    await say('c');
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
    await until('taken anew', () => texts().length === 2);
    const state = feeds.state(roomId);
    const entries = (state && (await memory.since(roomId, state.epoch, 0))) ?? [];
    expect([resets, entries.map(eventOf).at(-1)?.seq]).toEqual([1, state?.seq]);
    await feeds.close();
  });
});
