import { signal } from '@preact/signals';
import { storedLocale } from '../net/stored.ts';
import type { Locale } from '../types.ts';
import { en } from './en.ts';
import { fill, type Params } from './fill.ts';
import { ko } from './ko.ts';

export type TextKey = keyof typeof ko;

const TEXTS: Readonly<Record<Locale, Readonly<Record<TextKey, string>>>> = { ko, en };

function firstLocale(): Locale {
  const stored = storedLocale.get();
  if (stored === 'ko' || stored === 'en') return stored;
  return navigator.language.toLowerCase().startsWith('ko') ? 'ko' : 'en';
}

export const locale = signal<Locale>(firstLocale());

export function setLocale(next: Locale): void {
  locale.value = next;
  storedLocale.set(next);
  document.documentElement.lang = next;
}

export function t(key: TextKey, params: Params = {}): string {
  return fill(TEXTS[locale.value][key], params);
}

/** A name that comes in both languages. */
export function inLocale(name: Readonly<Record<Locale, string>>): string {
  return name[locale.value];
}
