import { expect, test } from 'vitest';
import type { RoomId } from '../../lib/core/ids.ts';
import type { RoomStore } from '../../lib/ports.ts';
import type { RoomCard } from '../../lib/protocol.ts';
import { until } from '../helpers/until.ts';
import type { MakeStore } from './contract.ts';
import {
  cardFor,
  changed,
  commitOn,
  documentOf,
  firstCommit,
  joined,
  loaded,
  mustCommit,
  newRoomId,
} from './fixtures.ts';
import { withStore } from './with-store.ts';

async function listed(store: RoomStore, patch: Partial<RoomCard>, id = newRoomId()): Promise<RoomId> {
  await mustCommit(store, firstCommit(documentOf(id), { card: cardFor(id, patch) }));
  return id;
}

async function setCard(store: RoomStore, roomId: RoomId, card: RoomCard | null): Promise<void> {
  const room = await loaded(store, roomId);
  await mustCommit(store, commitOn(room, { document: changed(room), events: [joined('p')], card }));
}

const names = (page: { readonly rooms: readonly RoomCard[] }) => page.rooms.map(({ name }) => name);

export function lobbyContract(makeStore: MakeStore): void {
  test('[RM19] the lobby has the cards that commits gave, open rooms first, then the fuller ones', () =>
    withStore(makeStore, async (one, other) => {
      await listed(one, { name: 'idle 2', players: 2 });
      await listed(other, { name: 'open 1', players: 1, phase: 'open', closesAt: 5 });
      await listed(one, { name: 'running 9', players: 9, phase: 'running' });
      await listed(one, { name: 'open 3', players: 3, phase: 'open', closesAt: 5 });
      await mustCommit(one, firstCommit(documentOf(newRoomId()), { card: null }));
      await mustCommit(one, firstCommit(documentOf(newRoomId())));
      const page = await other.list({ limit: 50 });
      expect(names(page)).toEqual(['open 3', 'open 1', 'running 9', 'idle 2']);
      expect(page.total).toBe(4);
      expect(page.next).toBeUndefined();
    }));

  test('[RM19] a card follows its room: changed, taken off, put back, gone', () =>
    withStore(makeStore, async (one, other) => {
      const [a, b] = [await listed(one, { name: 'a', players: 1 }), await listed(one, { name: 'b', players: 2 })];
      await setCard(other, a, cardFor(a, { name: 'a', players: 3 }));
      expect(names(await one.list({ limit: 50 }))).toEqual(['a', 'b']);
      await setCard(other, a, null);
      expect(names(await one.list({ limit: 50 }))).toEqual(['b']);
      await setCard(one, a, cardFor(a, { name: 'a', players: 1 }));
      expect(names(await other.list({ limit: 50 }))).toEqual(['b', 'a']);
      await one.remove(b);
      expect(names(await other.list({ limit: 50 }))).toEqual(['a']);
    }));

  test('[RM19] search finds parts of names in any case, kind narrows, both count into the total', () =>
    withStore(makeStore, async (one, other) => {
      await listed(one, { name: 'Coffee Break', kind: 'pick' });
      await listed(one, { name: 'coffee bets', kind: 'bet' });
      await listed(one, { name: '점심 내기 COFFEE', kind: 'pick' });
      await listed(one, { name: '점심', kind: 'bet' });
      expect([...names(await other.list({ limit: 50, search: ' COFFEE' }))].sort()).toEqual([
        'Coffee Break',
        'coffee bets',
        '점심 내기 COFFEE',
      ]);
      const found = await other.list({ limit: 50, search: 'coffee', kind: 'pick' });
      expect([found.total, found.rooms.length]).toEqual([2, 2]);
      expect((await other.list({ limit: 50, search: '점심', kind: 'bet' })).total).toBe(1);
      expect((await other.list({ limit: 50, search: '.*%_' })).total).toBe(0);
    }));

  test('[RM19] pages are at most 50, follow each other, and go on although cards move', () =>
    withStore(makeStore, async (one, other) => {
      const ids: RoomId[] = [];
      for (let index = 0; index < 120; index += 1)
        ids.push(await listed(one, { name: `r${index}`, players: index % 7 }));
      const first = await other.list({ limit: 500 });
      expect([first.rooms.length, first.total]).toEqual([50, 120]);
      // A room of the first page moves to the end: nothing of the rest is skipped or shown twice.
      const moved = first.rooms[0] as RoomCard;
      await setCard(one, moved.id, { ...moved, players: 0 });
      const rest: RoomCard[] = [];
      for (let after = first.next; after !== undefined; ) {
        const page = await other.list({ limit: 50, after });
        rest.push(...page.rooms);
        after = page.next;
      }
      const restIds = rest.map(({ id }) => id);
      expect(new Set(restIds).size).toBe(restIds.length);
      const expected = ids.filter((id) => id === moved.id || !first.rooms.some((card) => card.id === id));
      expect([...restIds].sort()).toEqual([...expected].sort());
      const order = rest.map(({ players }) => players);
      expect(order).toEqual([...order].sort((x, y) => y - x));
    }));

  test('[RM19] a cursor that nobody gave reads as the first page', () =>
    withStore(makeStore, async (one) => {
      await listed(one, { name: 'a' });
      expect(names(await one.list({ limit: 50, after: 'nonsense' }))).toEqual(['a']);
      expect(names(await one.list({ limit: 50, after: '' }))).toEqual(['a']);
    }));

  test('[RM20] every change of a card is told to those who watch, after the commit and in order', () =>
    withStore(makeStore, async (one, other) => {
      const id = newRoomId();
      const told: (readonly [RoomId, number | null])[] = [];
      const watch = other.watchCards(({ roomId, card }) => told.push([roomId, card?.players ?? null]));
      await listed(one, { players: 1 }, id);
      await setCard(one, id, cardFor(id, { players: 2 }));
      await setCard(one, id, cardFor(id, { players: 2 }));
      await setCard(one, id, null);
      await until('the last change is told', () => told.at(-1)?.[1] === null);
      expect(told.filter((change, index) => index === 0 || change[1] !== told[index - 1]?.[1])).toEqual([
        [id, 1],
        [id, 2],
        [id, null],
      ]);
      watch.close();
      const after = told.length;
      const second = other.watchCards(() => told.push([id, 99]));
      await setCard(one, id, cardFor(id, { players: 5 }));
      await until('a later watcher is told', () => told.length > after);
      expect(told.slice(after)).toEqual([[id, 99]]);
      second.close();
    }));
}
