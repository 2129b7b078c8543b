import { expect, test } from 'vitest';
import { until } from '../helpers/until.ts';
import type { MakeStore } from './contract.ts';
import { loaded, newRoomId, player, roomWith } from './fixtures.ts';
import { withStore } from './with-store.ts';

export function presenceContract(makeStore: MakeStore): void {
  const [a, b, c] = ['a', 'b', 'c'].map(player) as [
    ReturnType<typeof player>,
    ReturnType<typeof player>,
    ReturnType<typeof player>,
  ];

  test('[RM18] who holds a lease on any instance is present, once', () =>
    withStore(makeStore, async (one, other) => {
      const room = await roomWith(one, 0);
      const { id } = room.document;
      expect(await one.present(id)).toEqual([]);
      await one.lease(id, 'i1', [a, b], 60_000);
      await other.lease(id, 'i2', [b, c], 60_000);
      expect([...(await other.present(id))].sort()).toEqual([a, b, c]);
      expect([...(await loaded(one, id)).present].sort()).toEqual([a, b, c]);
      await one.lease(id, 'i1', [a], 60_000);
      await other.lease(id, 'i2', [], 60_000);
      expect(await other.present(id)).toEqual([a]);
      expect(await other.present(newRoomId())).toEqual([]);
    }));

  test('[RM18] a lease that is not renewed ends by itself', () =>
    withStore(makeStore, async (one, other, under) => {
      const room = await roomWith(one, 0);
      const { id } = room.document;
      await one.lease(id, 'i1', [a], 400);
      await other.lease(id, 'i2', [b], 60_000);
      await under.advance(600);
      await until('the lease has ended', async () => (await other.present(id)).length === 1);
      expect(await one.present(id)).toEqual([b]);
      await one.lease(id, 'i1', [a], 60_000);
      expect([...(await one.present(id))].sort()).toEqual([a, b]);
    }));

  test('[RM18] presence is not in the document: leases raise no version and write no entry', () =>
    withStore(makeStore, async (one) => {
      const room = await roomWith(one, 1);
      await one.lease(room.document.id, 'i1', [a], 60_000);
      expect(await loaded(one, room.document.id)).toEqual({ ...room, present: [a] });
    }));
}
