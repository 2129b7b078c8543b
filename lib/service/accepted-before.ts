import type { RaceId } from '../core/ids.ts';
import { type ErrorCode, RefusedError, refuse } from '../errors.ts';
import type { LedgerItem, LedgerQueue } from '../ports.ts';

/** The ledger tells a repeat from player, command and body alone, and accepts nothing new for a race that is none. */
const NO_RACE = '' as RaceId;

/**
 * For a command that its player could not make now: the answer of the first time if it was accepted then (they have left
 * the room since, or sit the next round out), else a refusal with `code`.
 */
export async function acceptedBefore(
  queue: LedgerQueue,
  item: Exclude<LedgerItem, { kind: 'claim' }>,
  code: ErrorCode,
): ReturnType<LedgerQueue['submit']> {
  try {
    return await queue.submit({ ...item, raceId: NO_RACE });
  } catch (error) {
    if (error instanceof RefusedError && error.refusal.code === 'NOT_FOUND') throw refuse(code);
    throw error;
  }
}
