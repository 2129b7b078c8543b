import type { PublicRaceRecord } from '../../../lib/fairness/record.ts';
import { type VerifyStep, verifyRace } from '../../../lib/fairness/verify.ts';

export type { VerifyStep } from '../../../lib/fairness/verify.ts';

/**
 * Fetches the race's public record and recomputes it here, in this browser. A chunk of its own: nobody who only plays
 * loads it. Throws where the record cannot be fetched.
 */
export async function verifyPublicRecord(raceId: string): Promise<readonly VerifyStep[]> {
  const response = await fetch(`/api/races/${encodeURIComponent(raceId)}`);
  if (!response.ok) throw new Error(`record: ${response.status}`);
  const record = (await response.json()) as PublicRaceRecord;
  return verifyRace(record);
}
