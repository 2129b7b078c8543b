import { setImmediate as tick } from 'node:timers/promises';
import { expect, test } from 'vitest';
import type { RoomId } from '../../lib/core/ids.ts';
import type { CommandMark, LoadedRoom, LogEntry, RoomStore } from '../../lib/ports.ts';
import type { RoomEventBody } from '../../lib/protocol.ts';
import { until } from '../helpers/until.ts';
import type { MakeStore } from './contract.ts';
import {
  changed,
  chat,
  commitOn,
  documentOf,
  eventOf,
  type Follower,
  firstCommit,
  follow,
  joined,
  loaded,
  mark,
  mustCommit,
  newRoomId,
} from './fixtures.ts';
import { withStore } from './with-store.ts';

const ROOMS = 3;
const WRITERS = 6;
const STEPS = 150;

/** What really happened to a room, as its writers were told. */
type Truth = {
  readonly roomId: RoomId;
  /** by seq */
  readonly acknowledged: Map<number, string>;
  readonly commands: { readonly mark: CommandMark; readonly text: string }[];
  documents: number;
  /** facts that exist in the database this test plays */
  facts: number;
  readonly followers: Follower[];
  readonly archived: LogEntry[];
};

const fact = (version: number): RoomEventBody => ({ type: 'notice', key: 'closing-soon', params: { version } });

/** Mulberry32, as in many places (public domain). */
function randomOf(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below;
  };
}

async function play(stores: readonly RoomStore[], seed: number) {
  const random = randomOf(seed);
  const pick = <T>(items: readonly T[]): T => items[random(items.length)] as T;
  const counts = { committed: 0, conflict: 0, repeated: 0, 'fact-gap': 0, late: 0, absent: 0, overloaded: 0 };
  const rooms: Truth[] = [];
  for (let index = 0; index < ROOMS; index += 1) {
    const roomId = newRoomId();
    await mustCommit(pick(stores), firstCommit(documentOf(roomId)));
    rooms.push({ roomId, acknowledged: new Map(), commands: [], documents: 0, facts: 0, followers: [], archived: [] });
  }

  async function send(truth: Truth, store: RoomStore, room: LoadedRoom, draft: Parameters<typeof commitOn>[1]) {
    const result = await store.commit(commitOn(room, draft));
    counts[result.kind] += 1;
    if (result.kind !== 'committed') return result;
    const events = draft?.events ?? [];
    expect(result.toSeq - result.fromSeq + 1).toBe(events.length);
    for (const [index, event] of events.entries()) {
      expect(truth.acknowledged.has(result.fromSeq + index)).toBe(false);
      truth.acknowledged.set(result.fromSeq + index, JSON.stringify(event));
    }
    if (draft?.document) truth.documents += 1;
    return result;
  }

  async function talk(truth: Truth, store: RoomStore, room: LoadedRoom): Promise<void> {
    const event = chat(`text ${random(1_000_000)}`);
    const command = mark(`p${random(4)}`, 'talk', JSON.stringify({ n: random(1_000_000) }));
    const result = await send(truth, store, room, { commands: [command], events: [event] });
    if (result.kind === 'committed') truth.commands.push({ mark: command, text: JSON.stringify(event) });
  }

  async function repeat(truth: Truth, store: RoomStore, room: LoadedRoom): Promise<void> {
    if (truth.commands.length === 0) return;
    const { mark: done } = pick(truth.commands);
    const sameBody = random(3) > 0;
    const again = sameBody ? { ...done, result: '"another answer"' } : { ...done, bodyHash: 'another body' };
    const result = await store.commit(
      commitOn(room, { commands: [mark('p0'), again], events: [chat('never'), chat('never')] }),
    );
    counts[result.kind] += 1;
    expect(result).toEqual({ kind: 'repeated', repeats: [{ index: 1, result: sameBody ? done.result : 'conflict' }] });
  }

  async function change(truth: Truth, store: RoomStore, room: LoadedRoom): Promise<void> {
    await send(truth, store, room, { document: changed(room), events: [joined(`j${random(1_000)}`), chat('hello')] });
  }

  /** Appends the next facts; now and then as a writer that has missed some. */
  async function publish(truth: Truth, store: RoomStore, room: LoadedRoom): Promise<void> {
    truth.facts += random(3);
    const skipped = random(5) === 0 ? 1 : 0;
    const from = room.document.factVersion + skipped;
    if (truth.facts <= from) return;
    const to = from + 1 + random(truth.facts - from);
    const events = Array.from({ length: to - from }, (_, index) => fact(from + 1 + index));
    const result = await send(truth, store, room, {
      document: changed(room, { factVersion: to }),
      facts: { from, to },
      events,
    });
    if (skipped > 0) expect(['fact-gap', 'conflict']).toContain(result.kind);
  }

  async function archive(truth: Truth, store: RoomStore): Promise<void> {
    const waiting = await store.unarchived(truth.roomId);
    if (waiting === null) return;
    const position = truth.archived.at(-1)?.seq ?? 0;
    truth.archived.push(...waiting.entries.filter(({ seq }) => seq > position));
    await tick();
    await store.archived(truth.roomId, waiting.head, waiting.document.version);
  }

  async function writer(): Promise<void> {
    for (let step = 0; step < STEPS; step += 1) {
      const truth = pick(rooms);
      const store = pick(stores);
      const room = await loaded(store, truth.roomId);
      for (let wait = random(3); wait > 0; wait -= 1) await tick();
      const what = random(20);
      if (what < 9) await talk(truth, store, room);
      else if (what < 12) await repeat(truth, store, room);
      else if (what < 15) await change(truth, store, room);
      else if (what < 18) await publish(truth, store, room);
      else if (what < 19) await archive(truth, store);
      else if (truth.followers.length < 12) truth.followers.push(await follow(store, truth.roomId));
    }
  }

  await Promise.all(Array.from({ length: WRITERS }, writer));
  for (const truth of rooms) {
    truth.followers.push(await follow(pick(stores), truth.roomId));
    const room = await loaded(pick(stores), truth.roomId);
    const next = truth.facts - room.document.factVersion;
    if (next > 0) {
      const events = Array.from({ length: next }, (_, index) => fact(room.document.factVersion + 1 + index));
      await send(truth, pick(stores), room, {
        document: changed(room, { factVersion: truth.facts }),
        facts: { from: room.document.factVersion, to: truth.facts },
        events,
      });
    }
    await archive(truth, pick(stores));
  }
  return { rooms, counts };
}

export function randomContract(makeStore: MakeStore): void {
  const given = process.env['PADDOCK_TEST_SEED'];
  const seeds =
    given === undefined ? Array.from({ length: 4 }, () => Math.floor(Math.random() * 2 ** 31)) : [Number(given)];

  test.each(seeds)(
    '[RM9] writers who conflict, repeat themselves and append facts leave every listener with one sequence (seed %d)',
    (seed) =>
      withStore(
        makeStore,
        async (one, other) => {
          const stores = [one, other];
          const { rooms, counts } = await play(stores, seed);
          console.log(`seed ${seed}: ${JSON.stringify(counts)}`);
          for (const kind of ['committed', 'conflict', 'repeated', 'fact-gap'] as const)
            expect(counts[kind]).toBeGreaterThan(0);

          for (const truth of rooms) {
            const room = await loaded(other, truth.roomId);
            const all = (await one.since(truth.roomId, room.epoch, 0)) ?? truth.archived;
            expect(all.map(({ seq }) => seq)).toEqual(Array.from({ length: room.seq }, (_, index) => index + 1));
            const bodies = all.map((entry) => {
              const { seq: _, at: __, ...body } = eventOf(entry);
              return JSON.stringify(body);
            });
            expect(bodies).toEqual(all.map(({ seq }) => truth.acknowledged.get(seq)));
            expect(truth.acknowledged.size).toBe(room.seq);

            const facts = all
              .map(eventOf)
              .flatMap((event) => (event.type === 'notice' ? [event.params['version']] : []));
            expect(facts).toEqual(Array.from({ length: truth.facts }, (_, index) => index + 1));
            expect([room.document.factVersion, room.document.version]).toEqual([truth.facts, 1 + truth.documents]);
            for (const { text } of truth.commands) expect(bodies.filter((body) => body === text).length).toBe(1);

            for (const follower of truth.followers) {
              await until('the follower is level', () => follower.from + follower.seen.length >= room.seq);
              expect(follower.faults).toEqual([]);
              expect(follower.seen.map(({ json }) => json)).toEqual(all.slice(follower.from).map(({ json }) => json));
              await follower.close();
            }
            expect(truth.archived.map(({ json }) => json)).toEqual(all.map(({ json }) => json));
          }
        },
        { unarchivedEntries: 10_000, rememberMs: 600_000 },
      ),
  );
}
