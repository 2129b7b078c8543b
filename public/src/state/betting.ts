import { signal } from '@preact/signals';
import { t } from '../i18n/index.ts';
import { newNonce } from '../net/random.ts';
import { command } from '../net/socket.ts';
import type { MyBet, Pool, RaceId } from '../types.ts';
import { points } from '../ui/format.ts';
import { mine, race } from './room.ts';
import { pointsMoved } from './session.ts';
import { toast, toastRefusal } from './toasts.ts';

export type PendingBet = {
  readonly id: number;
  readonly raceId: RaceId;
  readonly pool: Pool;
  readonly selection: readonly number[];
  readonly stake: bigint;
};

/** Sent and not answered yet: shown as pending until the server says what became of them. */
export const pendingBets = signal<readonly PendingBet[]>([]);
let lastId = 0;

/** Points already staked in the race, pending ones too. */
export function stakedIn(raceId: RaceId): bigint {
  const placed = mine.value?.raceId === raceId ? mine.value.bets : [];
  const sum = placed.reduce((total, bet) => (bet.outcome === 'refunded' ? total : total + BigInt(bet.stake)), 0n);
  return pendingBets.value.filter((bet) => bet.raceId === raceId).reduce((total, bet) => total + bet.stake, sum);
}

/** False: it was refused, and the player was told why. `selection` in the pool's normal order. */
export async function placeBet(
  raceId: RaceId,
  pool: Pool,
  selection: readonly number[],
  stake: bigint,
): Promise<boolean> {
  lastId += 1;
  const pending: PendingBet = { id: lastId, raceId, pool, selection, stake };
  pendingBets.value = [...pendingBets.value, pending];
  const answer = await command('bet:place', {
    raceId,
    pool,
    selection: [...selection],
    stake: String(stake),
    nonce: newNonce(),
  });
  pendingBets.value = pendingBets.value.filter((bet) => bet.id !== pending.id);
  if (!answer.ok) {
    toastRefusal(answer);
    return false;
  }
  const { betId, balance, balanceVersion, receipt } = answer.data;
  pointsMoved(balance, balanceVersion);
  const bet: MyBet = { betId, pool, selection, stake: String(stake), placedAt: Date.now(), receipt };
  const held = mine.value;
  if (held?.raceId === raceId && !held.bets.some((other) => other.betId === betId))
    mine.value = { ...held, bets: [...held.bets, bet] };
  if (race.value?.id === raceId) toast(t('bet.placed', { points: points(stake) }), 'good');
  return true;
}

export async function choosePick(raceId: RaceId, horse: number | 'random'): Promise<void> {
  const answer = await command('pick:choose', { raceId, horse, nonce: newNonce() });
  if (!answer.ok) return toastRefusal(answer);
  const held = mine.value;
  if (held?.raceId === raceId)
    mine.value = { ...held, pick: { horse: answer.data.horse, receipt: answer.data.receipt } };
}

export async function clearPick(raceId: RaceId): Promise<void> {
  const answer = await command('pick:clear', { raceId });
  if (!answer.ok) return toastRefusal(answer);
  const held = mine.value;
  if (held?.raceId !== raceId) return;
  const { pick: _, ...rest } = held;
  mine.value = rest;
}

export async function votePlace(raceId: RaceId, place: number): Promise<void> {
  const answer = await command('vote:place', { raceId, place, nonce: newNonce() });
  if (!answer.ok) return toastRefusal(answer);
  const held = mine.value;
  if (held?.raceId === raceId) mine.value = { ...held, vote: { place, receipt: answer.data.receipt } };
}
