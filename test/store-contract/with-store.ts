import type { RoomStore } from '../../lib/ports.ts';
import { CONTRACT_LIMITS, type MakeStore, type StoreLimits, type StoreUnderTest } from './contract.ts';

/** Two instances on the same fresh rooms, closed afterwards whatever happens. */
export async function withStore(
  makeStore: MakeStore,
  work: (one: RoomStore, other: RoomStore, under: StoreUnderTest) => Promise<void>,
  limits: Partial<StoreLimits> = {},
): Promise<void> {
  const under = await makeStore({ ...CONTRACT_LIMITS, ...limits });
  try {
    await work(await under.instance(), await under.instance(), under);
  } finally {
    await under.close();
  }
}
