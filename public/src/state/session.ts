import { signal } from '@preact/signals';
import { locale, setLocale, t } from '../i18n/index.ts';
import { hintServerTime, syncClock } from '../net/clock.ts';
import { ask, command, markUp, reconnect } from '../net/socket.ts';
import { storedToken } from '../net/stored.ts';
import type { Locale, PlayerId, Reply, ServerEvents } from '../types.ts';
import { toast, toastRefusal } from './toasts.ts';

export type Me = { readonly id: PlayerId; readonly nickname: string };
/** Points as bigint; the version says which of two is newer (-1: told without one). */
export type Balance = { readonly points: bigint; readonly version: number };

export const me = signal<Me | null>(null);
export const balance = signal<Balance | null>(null);
/** What may be asked for and when, and own limits, as last told; null: not known yet. */
export const wallet = signal<Reply<'wallet:get'> | null>(null);
export const ledgerAway = signal(false);
/** When the server said that it restarts, by this machine's clock. */
export const drainingSince = signal<number | null>(null);
export const shareBase = signal(location.origin);
export const serverVersion = signal('');
/** Divides every length of a round; 1 outside demonstrations. */
export const timeScale = signal(1);

/** Redeemed by the next connection (a code shown on another device). */
let linkCode: string | null = null;

export function sessionAuth(): { token?: string; locale: Locale; link?: string } {
  const token = storedToken.get();
  return {
    locale: locale.value,
    ...(token === null ? {} : { token }),
    ...(linkCode === null ? {} : { link: linkCode }),
  };
}

export function forgetToken(): void {
  storedToken.set(null);
}

const RESYNC_MS = 30_000;
let resync: ReturnType<typeof setInterval> | undefined;

export function syncTime(): Promise<void> {
  return syncClock(async (sentAt) => {
    const answer = await ask('time:sync', { sentAt });
    return answer.ok ? answer.data.serverAt : null;
  });
}

export function onSessionReady(ready: ServerEvents['session:ready']): void {
  const changed = me.value !== null && me.value.id !== ready.player.id;
  if (linkCode !== null) {
    toast(changed ? t('link.done') : t('link.failed'), changed ? 'good' : 'bad');
    linkCode = null;
  }
  if (changed) forgetPoints();
  storedToken.set(ready.token);
  me.value = { id: ready.player.id, nickname: ready.player.nickname };
  if (balance.value === null && ready.player.balance !== null) {
    balance.value = { points: BigInt(ready.player.balance), version: -1 };
  }
  ledgerAway.value = ready.degraded.ledger === true;
  drainingSince.value = null;
  shareBase.value = ready.shareBase || location.origin;
  if (serverVersion.value !== '' && serverVersion.value !== ready.version) toast(t('session.newVersion'));
  serverVersion.value = ready.version;
  timeScale.value = ready.timeScale;
  hintServerTime(ready.serverAt);
  markUp();
  void syncTime();
  clearInterval(resync);
  resync = setInterval(() => void syncTime(), RESYNC_MS);
  void loadWallet();
}

function forgetPoints(): void {
  balance.value = null;
  wallet.value = null;
}

export async function loadWallet(): Promise<void> {
  const answer = await ask('wallet:get', {});
  if (!answer.ok) return;
  takeBalance(answer.data.balance, answer.data.balanceVersion);
  // Answers may overtake each other.
  if (answer.data.balanceVersion >= (wallet.value?.balanceVersion ?? 0)) wallet.value = answer.data;
}

/** Of two balances the one with the higher version is true, whatever order they came in. */
export function takeBalance(points: string, version: number): void {
  if (balance.value !== null && version < balance.value.version) return;
  balance.value = { points: BigInt(points), version };
}

/** After a bet, here or on another device: it also uses up an own daily limit, which only the server counts. */
export function pointsMoved(points: string, version: number): void {
  takeBalance(points, version);
  if (wallet.value !== null && wallet.value.limits.dailyStake !== null) void loadWallet();
}

export async function updateProfile(patch: { nickname?: string; locale?: Locale }): Promise<boolean> {
  const answer = await command('profile:update', patch);
  if (!answer.ok) {
    toastRefusal(answer);
    return false;
  }
  if (me.value) me.value = { ...me.value, nickname: answer.data.nickname };
  if (patch.locale) setLocale(patch.locale);
  return true;
}

/** Comes back as the player who showed the code. */
export function enterLinkCode(code: string): void {
  linkCode = code;
  reconnect();
}

export async function logout(everywhere: boolean): Promise<boolean> {
  const answer = await command('session:logout', { everywhere });
  if (!answer.ok) {
    toastRefusal(answer);
    return false;
  }
  forgetToken();
  me.value = null;
  forgetPoints();
  return true;
}

export function onNotice(notice: ServerEvents['server:notice']): void {
  if (notice.kind === 'draining') drainingSince.value = performance.now();
  else ledgerAway.value = notice.kind === 'degraded' && notice.ledger === true;
}
