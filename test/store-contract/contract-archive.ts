import { expect, test } from 'vitest';
import type { Epoch } from '../../lib/core/ids.ts';
import type { MakeStore } from './contract.ts';
import { changed, chat, commitOn, joined, loaded, mustCommit, roomWith } from './fixtures.ts';
import { withStore } from './with-store.ts';

export function archiveContract(makeStore: MakeStore): void {
  test('[RM21] a room waits for the archive until document and entries are there', () =>
    withStore(makeStore, async (one, other) => {
      const room = await roomWith(one, 3);
      const { id } = room.document;
      expect(await other.dirty(10)).toEqual([id]);
      const waiting = await other.unarchived(id);
      expect(waiting?.document).toEqual(room.document);
      expect(waiting?.head).toEqual({ epoch: room.epoch, seq: 3 });
      expect(waiting?.entries.map(({ seq }) => seq)).toEqual([1, 2, 3]);

      await other.archived(id, { epoch: room.epoch, seq: 2 }, room.document.version);
      expect(await one.dirty(10)).toEqual([id]);
      expect((await one.unarchived(id))?.entries.map(({ seq }) => seq)).toEqual([3]);
      await other.archived(id, { epoch: room.epoch, seq: 3 }, room.document.version);
      expect(await one.dirty(10)).toEqual([]);

      await mustCommit(one, commitOn(room, { document: changed(room), events: [joined('p1')] }));
      await other.archived(id, { epoch: room.epoch, seq: 4 }, room.document.version);
      expect(await one.dirty(10)).toEqual([id]);
      await other.archived(id, { epoch: room.epoch, seq: 4 }, room.document.version + 1);
      expect(await one.dirty(10)).toEqual([]);
    }));

  test('[RM21] what came while the archive was written still waits, and so does what another epoch was told of', () =>
    withStore(makeStore, async (one) => {
      const room = await roomWith(one, 2);
      const { id, version } = room.document;
      await mustCommit(one, commitOn(room, { events: [chat('meanwhile')] }));
      await one.archived(id, { epoch: room.epoch, seq: 2 }, version);
      expect((await one.unarchived(id))?.entries.map(({ seq }) => seq)).toEqual([3]);
      expect(await one.dirty(10)).toEqual([id]);
      await one.archived(id, { epoch: '01ANOTHER' as Epoch, seq: 3 }, version);
      expect((await one.unarchived(id))?.entries.map(({ seq }) => seq)).toEqual([3]);
      expect(await one.dirty(10)).toEqual([id]);
      await one.archived(id, { epoch: room.epoch, seq: 1 }, version);
      expect((await one.unarchived(id))?.entries.map(({ seq }) => seq)).toEqual([3]);
    }));

  test('[RM21] what the archive lacks is never trimmed', () =>
    withStore(
      makeStore,
      async (one) => {
        const room = await roomWith(one, 2_500);
        const { id, version } = room.document;
        await one.archived(id, { epoch: room.epoch, seq: 700 }, version);
        const waiting = await one.unarchived(id);
        expect([waiting?.entries.length, waiting?.entries[0]?.seq]).toEqual([1_800, 701]);
        expect((await one.since(id, room.epoch, 700))?.length).toBe(1_800);
      },
      { unarchivedEntries: 10_000 },
    ));

  test('[RM22] with too much unarchived a room takes no more talk, but everything else', () =>
    withStore(
      makeStore,
      async (one, other) => {
        const room = await roomWith(one, 0);
        const { id } = room.document;
        for (let index = 0; index < 5; index += 1)
          await mustCommit(one, commitOn(room, { events: Array.from({ length: 20 }, () => chat('x')) }));
        expect(await other.commit(commitOn(room, { events: [chat('too much')] }))).toEqual({ kind: 'overloaded' });
        const member = commitOn(room, { document: changed(room), events: [joined('p1'), chat('along with it')] });
        await mustCommit(other, member);
        const now = await loaded(one, id);
        expect(await one.commit(commitOn(now, { events: [chat('still')] }))).toEqual({ kind: 'overloaded' });
        await one.archived(id, { epoch: now.epoch, seq: 60 }, now.document.version);
        await mustCommit(other, commitOn(now, { events: [chat('again')] }));
      },
      { unarchivedEntries: 100 },
    ));

  test('[RM23] a room removed before the archive had all of it is gone for everybody but the archive', () =>
    withStore(makeStore, async (one, other) => {
      const room = await roomWith(one, 3);
      const { id, version } = room.document;
      await one.remove(id);
      expect(await other.load(id)).toBeNull();
      expect((await other.heads([id])).size).toBe(0);
      expect(await other.commit(commitOn(room, { events: [chat('x')] }))).toEqual({ kind: 'absent' });
      expect(await other.dirty(10)).toEqual([id]);
      expect((await other.unarchived(id))?.entries.length).toBe(3);
      await other.archived(id, { epoch: room.epoch, seq: 3 }, version);
      expect(await other.dirty(10)).toEqual([]);
      expect(await other.unarchived(id)).toBeNull();
      await one.remove(id);
    }));

  test('[RM21] rooms that keep being busy do not hold the others up', () =>
    withStore(makeStore, async (one) => {
      const [busy, quiet] = [await roomWith(one, 1), await roomWith(one, 1)];
      await mustCommit(one, commitOn(busy, { events: [chat('more')] }));
      await one.archived(busy.document.id, { epoch: busy.epoch, seq: 1 }, busy.document.version);
      expect(await one.dirty(1)).toEqual([quiet.document.id]);
    }));
}
