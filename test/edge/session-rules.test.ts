import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { guestNames } from '../../lib/core/guest-names.ts';
import { changedProfile, guestName, nicknameOf, shouldRenew, TOKEN_LIFETIME_MS } from '../../lib/core/session.ts';

const kept = (given: string) => nicknameOf(given);

describe('names', () => {
  it('[SE3] is NFC, trimmed, with single blanks inside', () => {
    expect(kept('  말\u0020\u0020달려 ')).toEqual({ nickname: '말 달려' });
    expect(kept('\u1100\u1161')).toEqual({ nickname: '가' });
    expect(kept('👨‍👩‍👧')).toEqual({ nickname: '👨‍👩‍👧' });
    expect(kept('a'.repeat(16))).toEqual({ nickname: 'a'.repeat(16) });
    expect(kept('🐎'.repeat(16))).toEqual({ nickname: '🐎'.repeat(16) });
  });

  it('[SE3] refuses what is too long, hidden or turned around', () => {
    const wrong = [
      'a'.repeat(17),
      'a\u202eb',
      'a\u0000',
      'a\tb',
      '\u200b',
      'x\ufeffy',
      '\u3164',
      '\u2800\u2800',
      '\u115f',
      '\u0301',
      'a\u2028b',
      '\ud800',
      '\u2066x',
    ];
    for (const name of wrong)
      expect(kept(name), JSON.stringify(name)).toEqual({ refusal: { code: 'NAME_INVALID', path: 'nickname' } });
  });

  it('[SE3] keeps its promise for any text', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 40 }), (given) => {
        const result = kept(given);
        if (!('nickname' in result) || result.nickname === null) return;
        expect(kept(result.nickname)).toEqual(result);
        expect([...result.nickname].length).toBeLessThanOrEqual(16);
        expect(result.nickname).toBe(result.nickname.normalize('NFC').trim());
      }),
      { numRuns: 200 },
    );
  });

  it('[SE1] every drawn name is a valid name, and all of them are drawn', () => {
    for (const locale of ['ko', 'en'] as const) {
      const { first, second } = guestNames[locale];
      const names = Array.from({ length: first.length * second.length }, (_, draw) => guestName(locale, draw));
      expect(new Set(names).size).toBe(names.length);
      for (const name of names) expect(kept(name), name).toEqual({ nickname: name });
      expect(guestName(locale, names.length + 3)).toBe(names[3]);
    }
  });

  it('[SE13] changes only what is asked for', () => {
    const profile = { nickname: 'Ann', locale: 'en' as const };
    expect(changedProfile(profile, { locale: 'ko' }, 0)).toEqual({ profile: { nickname: 'Ann', locale: 'ko' } });
    expect(changedProfile(profile, { nickname: ' Bea ' }, 0)).toEqual({ profile: { nickname: 'Bea', locale: 'en' } });
    expect(changedProfile(profile, { nickname: '' }, 5)).toEqual({
      profile: { nickname: guestName('en', 5), locale: 'en' },
    });
    expect(changedProfile(profile, { nickname: '\u202e' }, 0)).toHaveProperty('refusal.code', 'NAME_INVALID');
  });

  it('[SE2] a token is renewed once half of it is spent', () => {
    expect(shouldRenew(0, TOKEN_LIFETIME_MS / 2)).toBe(false);
    expect(shouldRenew(0, TOKEN_LIFETIME_MS / 2 + 1)).toBe(true);
  });
});
