import { signal } from '@preact/signals';
import { type ErrorCode, errorText } from '../../../lib/errors.ts';
import { locale, t } from '../i18n/index.ts';

export type Toast = { readonly id: number; readonly text: string; readonly tone: 'info' | 'good' | 'bad' };

export const toasts = signal<readonly Toast[]>([]);
const SHOWN_MS = 4_500;
let lastId = 0;

export function toast(text: string, tone: Toast['tone'] = 'info'): void {
  lastId += 1;
  const id = lastId;
  toasts.value = [...toasts.value.filter((other) => other.text !== text), { id, text, tone }].slice(-3);
  setTimeout(() => dismissToast(id), SHOWN_MS);
}

export function dismissToast(id: number): void {
  toasts.value = toasts.value.filter((other) => other.id !== id);
}

type Refused = { readonly code: ErrorCode; readonly retryAfterMs?: number; readonly outcome?: 'unknown' };

export function refusalText(refused: Refused): string {
  if (refused.outcome === 'unknown') return t('error.unknown');
  const text = errorText(refused.code, locale.value);
  const seconds = refused.retryAfterMs === undefined ? 0 : Math.ceil(refused.retryAfterMs / 1_000);
  return seconds > 0 ? `${text} ${t('error.retryIn', { seconds })}` : text;
}

export function toastRefusal(refused: Refused): void {
  toast(refusalText(refused), 'bad');
}
