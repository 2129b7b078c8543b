import { signal } from '@preact/signals';
import { t } from '../i18n/index.ts';
import { ask, command } from '../net/socket.ts';
import type { OwnLimits, PastBet, Reply, StatementEntry } from '../types.ts';
import { points, secondsLeft } from '../ui/format.ts';
import { pendingBets } from './betting.ts';
import { balance, loadWallet, takeBalance, wallet } from './session.ts';
import { toast, toastRefusal } from './toasts.ts';

/** Seconds until the daily allowance is to be had; null: not known. */
export function dailyIn(now: number): number | null {
  return wallet.value === null ? null : secondsLeft(wallet.value.dailyClaimableAt, now);
}

/** Points that relief would give at this moment. */
export function reliefNow(now: number): bigint {
  const relief = wallet.value?.relief;
  return relief === undefined || relief.claimableAt > now ? 0n : BigInt(relief.granted);
}

export async function claim(kind: 'daily' | 'relief'): Promise<void> {
  const answer = await command('wallet:claim', { kind });
  if (answer.ok) {
    takeBalance(answer.data.balance, answer.data.balanceVersion);
    toast(t('wallet.granted', { points: points(answer.data.granted) }), 'good');
  } else toastRefusal(answer);
  await loadWallet();
}

/** Points that the own daily limit leaves today; null: there is none. Bets under way count. */
export function leftToday(): bigint | null {
  const limits = wallet.value?.limits;
  if (limits === undefined || limits.dailyStake === null) return null;
  const pending = pendingBets.value.reduce((sum, bet) => sum + bet.stake, 0n);
  const left = BigInt(limits.dailyStake) - BigInt(limits.stakedToday ?? '0') - pending;
  return left < 0n ? 0n : left;
}

/** Seconds left of an own break; 0: there is none. */
export function restLeft(now: number): number {
  const until = wallet.value?.limits.coolOffUntil;
  return until === undefined ? 0 : secondsLeft(until, now);
}

/** False: it was refused, and the player was told why. */
export async function setLimits(limits: { dailyStake?: string | null; coolOffHours?: number }): Promise<boolean> {
  const answer = await command('profile:update', { limits });
  if (!answer.ok) toastRefusal(answer);
  else if (wallet.value && answer.data.limits) wallet.value = { ...wallet.value, limits: answer.data.limits };
  await loadWallet();
  return answer.ok;
}

/** Whether what is asked for begins only tomorrow. */
export function isWider(limits: OwnLimits, dailyStake: string | null): boolean {
  if (limits.dailyStake === null) return false;
  return dailyStake === null || BigInt(dailyStake) > BigInt(limits.dailyStake);
}

/** What was staked is no longer open: there may be relief to ask for. */
export function afterSettlement(): void {
  const upTo = BigInt(wallet.value?.relief.upTo ?? '0');
  if (balance.value !== null && balance.value.points < upTo) void loadWallet();
}

/** Pages of a list, newest first; null: not loaded yet. */
type Pages<Item> = { readonly items: readonly Item[]; readonly next: string | undefined };
export const statement = signal<Pages<StatementEntry> | null>(null);
export const pastBets = signal<Pages<PastBet> | null>(null);

export async function loadStatement(before?: string): Promise<void> {
  const answer = await ask('wallet:history', before === undefined ? {} : { before });
  if (!answer.ok) return toastRefusal(answer);
  const { entries, next, restarted } = answer.data;
  const goesOn = before !== undefined && !restarted;
  statement.value = { items: [...(goesOn ? (statement.value?.items ?? []) : []), ...entries], next };
}

export async function loadPastBets(before?: string): Promise<void> {
  const answer = await ask('bet:history', before === undefined ? {} : { before });
  if (!answer.ok) return toastRefusal(answer);
  const { bets, next }: Reply<'bet:history'> = answer.data;
  pastBets.value = { items: [...(before === undefined ? [] : (pastBets.value?.items ?? [])), ...bets], next };
}
