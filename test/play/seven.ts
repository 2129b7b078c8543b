import { expect } from 'vitest';
import type { RaceId } from '../../lib/core/ids.ts';
import { POOLS, type Pool } from '../../lib/core/pools.ts';
import { type PublicRaceRecord, verifyRace } from '../../lib/fairness/index.ts';
import type { OddsView } from '../../lib/protocol.ts';
import type { TestClient } from '../helpers/client.ts';
import { ownReceipts } from './table.ts';

/** Settings of a room with all seven pools. */
export const SEVEN = { pools: [...POOLS], openSeconds: 300, track: 'short', maxStakePerRace: 10_000 };

export const betOn = (client: TestClient, raceId: RaceId, pool: Pool, selection: number[], stake: number) =>
  client.request('bet:place', { raceId, pool, selection, stake: String(stake) });

/** Odds messages of a race as this client got them. */
export const oddsOf = (client: TestClient, raceId: RaceId): OddsView[] =>
  client.messages.flatMap(({ name, data }) =>
    name === 'race:odds' && (data as OddsView).raceId === raceId ? [data as OddsView] : [],
  );

/** The record verifies with the player's own receipts and what came back for them. */
export async function expectSound(client: TestClient, record: PublicRaceRecord): Promise<void> {
  const own = ownReceipts(await client.request('bet:mine', { raceId: record.id as RaceId }));
  // Where the other receipts of the race are is not published yet: that step cannot be made.
  const steps = verifyRace(record, { own }).filter(({ step }) => step !== 'own-receipt');
  expect(steps.filter(({ ok }) => !ok)).toEqual([]);
}
