import { computed } from '@preact/signals';
import type { RaceView } from '../types.ts';
import { now } from '../ui/ticker.ts';
import { room } from './room.ts';
import { ledgerAway } from './session.ts';

/** A phase may end this much late without anybody having to be told. */
const LATE_MS = 1_000;

/** The race is due and cannot go on: the room was told so, or (after a reload) the ledger is away and the time is over. */
export const paused = computed(() => {
  const held = room.value;
  if (held === null) return false;
  if (held.pausedPhase !== undefined) return true;
  const due = held.race === null ? null : dueAt(held.race);
  return ledgerAway.value && due !== null && now.value > due + LATE_MS;
});

/** When the phase of now is to end, server time; null: the race is over, or it is not known yet. */
function dueAt({ phase, closesAt, startsAt, endsAt }: RaceView): number | null {
  if (phase === 'open') return closesAt;
  if (phase === 'closed') return startsAt ?? null;
  return phase === 'running' ? (endsAt ?? null) : null;
}
