import type { Locale, Refusal } from '../errors.ts';
import { guestNames } from './guest-names.ts';

/** A token is good for this long, and is renewed once half of it is spent. */
export const TOKEN_LIFETIME_MS = 90 * 86_400_000;
/** A code that links a second device is good for this long, once. */
export const LINK_LIFETIME_MS = 120_000;

export const NICKNAME_CHARACTERS = 16;

/** Control, bidirectional and other format characters, lone surrogates, private use, line and paragraph separators. */
const FORBIDDEN = /[\p{Cc}\p{Cs}\p{Co}\p{Zl}\p{Zp}]|[^\P{Cf}\u200d]/u;
/** Letters and symbols that show nothing: a name of them alone would be an empty line. */
const INVISIBLE = /[\s\u115f\u1160\u200d\u2800\u3164\ufe0e\ufe0f\uffa0]/gu;
const LONE_MARKS = /^\p{M}+$/u;

/**
 * The name as it is kept: NFC, trimmed, inner blanks joined. Null where the player gave none, so that one is drawn
 * for them.
 */
export function nicknameOf(given: string): { readonly nickname: string | null } | { readonly refusal: Refusal } {
  const name = given.normalize('NFC').trim().replace(/ {2,}/g, ' ');
  if (name === '') return { nickname: null };
  const visible = name.replace(INVISIBLE, '');
  const wrong =
    FORBIDDEN.test(name) || visible === '' || LONE_MARKS.test(visible) || [...name].length > NICKNAME_CHARACTERS;
  return wrong ? { refusal: { code: 'NAME_INVALID', path: 'nickname' } } : { nickname: name };
}

/** A name for whoever gave none. `draw` is any non-negative integer; equal draws give equal names. */
export function guestName(locale: Locale, draw: number): string {
  const { first, second } = guestNames[locale];
  const index = draw % (first.length * second.length);
  return `${first[index % first.length]} ${second[Math.floor(index / first.length)]}`;
}

export type Profile = { readonly nickname: string; readonly locale: Locale };

/** What a `profile:update` makes of a profile; an empty nickname draws a new one. */
export function changedProfile(
  profile: Profile,
  patch: { readonly nickname?: string | undefined; readonly locale?: Locale | undefined },
  draw: number,
): { readonly profile: Profile } | { readonly refusal: Refusal } {
  const locale = patch.locale ?? profile.locale;
  if (patch.nickname === undefined) return { profile: { nickname: profile.nickname, locale } };
  const named = nicknameOf(patch.nickname);
  if ('refusal' in named) return named;
  return { profile: { nickname: named.nickname ?? guestName(locale, draw), locale } };
}

export function shouldRenew(issuedAt: number, now: number): boolean {
  return now - issuedAt > TOKEN_LIFETIME_MS / 2;
}
