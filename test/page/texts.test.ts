import { describe, expect, test } from 'vitest';
import { settingsSchema } from '../../lib/protocol.ts';
import { en } from '../../public/src/i18n/en.ts';
import { fill } from '../../public/src/i18n/fill.ts';
import { ko } from '../../public/src/i18n/ko.ts';
import { parseRoute, raceInHash } from '../../public/src/state/address.ts';
import { completeMention, mentionedIn, mentionQuery } from '../../public/src/state/mentions.ts';
import { displayNames } from '../../public/src/state/names.ts';
import { changedSettings, choicesFor, defaultSettings } from '../../public/src/state/settings.ts';
import {
  countdown,
  oddsOf,
  points,
  raceSeconds,
  secondsLeft,
  signedPoints,
  stakeable,
} from '../../public/src/ui/format.ts';

const parameters = (text: string): string[] =>
  [...new Set([...text.matchAll(/\{(\w+)/g)].map((match) => match[1] ?? ''))].sort();

describe('texts', () => {
  test('[PG6] every text is there in both languages, not empty, with the same parameters', () => {
    expect(Object.keys(en).sort()).toEqual(Object.keys(ko).sort());
    for (const key of Object.keys(ko) as (keyof typeof ko)[]) {
      expect(ko[key].trim(), key).not.toBe('');
      expect(en[key].trim(), key).not.toBe('');
      expect(parameters(en[key]), key).toEqual(parameters(ko[key]));
    }
  });

  test('[PG6] fills parameters and chooses between one and many', () => {
    expect(fill('{n} {n|horse|horses}', { n: 1 })).toBe('1 horse');
    expect(fill('{n} {n|horse|horses}', { n: 12 })).toBe('12 horses');
    expect(fill('{name} {absent}', { name: '말' })).toBe('말 {absent}');
  });

  test('[PG7] shows points, odds and times without ever rounding points', () => {
    expect(points('123456789012345678')).toBe('123,456,789,012,345,678');
    expect([signedPoints(500n), signedPoints(-1_500n), signedPoints(0n)]).toEqual(['+500', '−1,500', '0']);
    expect([oddsOf('340'), oddsOf('100'), oddsOf('11450')]).toEqual(['3.4', '1.0', '114.5']);
    expect([countdown(7), countdown(150), countdown(3_905)]).toEqual(['0:07', '2:30', '1:05:05']);
    expect([raceSeconds(31_480), raceSeconds(9_006)]).toEqual(['31.48', '9.00']);
    expect([secondsLeft(1_001, 0), secondsLeft(1_000, 0), secondsLeft(5, 10)]).toEqual([2, 1, 0]);
  });

  test('[PG7] offers whole units within balance and limit', () => {
    expect(stakeable(10_000n, '5000', 0n)).toBe(5_000n);
    expect(stakeable(10_000n, '5000', 4_900n)).toBe(100n);
    expect(stakeable(1_270n, '5000', 0n)).toBe(1_200n);
    expect(stakeable(99n, '5000', 0n)).toBe(0n);
    expect(stakeable(null, '5000', 6_000n)).toBe(0n);
  });

  test('[PG8] tells equal names in a room apart', () => {
    const shown = displayNames([
      { id: '1', nickname: '민수' },
      { id: '2', nickname: 'Ann' },
      { id: '3', nickname: '민수' },
      { id: '4', nickname: '민수' },
    ]);
    expect([...shown.values()]).toEqual(['민수', 'Ann', '민수·2', '민수·3']);
  });

  test('[PG8] finds who is mentioned, longer names first', () => {
    const people = [
      { id: '1', name: '민수' },
      { id: '2', name: '민수·2' },
      { id: '3', name: 'Brave Cloud' },
    ];
    expect(mentionedIn('@민수·2 안녕', people)).toEqual(['2']);
    expect(mentionedIn('@민수 @Brave Cloud', people)).toEqual(['3', '1']);
    expect(mentionedIn('민수', people)).toEqual([]);
    expect([mentionQuery('안녕 @민'), mentionQuery('@'), mentionQuery('a@b'), mentionQuery('@민수 ')]).toEqual([
      '민',
      '',
      null,
      null,
    ]);
    expect(completeMention('안녕 @민', '민수')).toBe('안녕 @민수 ');
  });

  test('[PG9] reads room, invite key and record from the address', () => {
    expect(parseRoute('/', '')).toEqual({ page: 'lobby' });
    expect(parseRoute('/r/abc234', '#k=a%2Fb')).toEqual({ page: 'room', code: 'ABC234', key: 'a/b' });
    expect(parseRoute('/r/ABC234/', '#k=%E0%A4%A')).toEqual({ page: 'room', code: 'ABC234', key: '%E0%A4%A' });
    expect(parseRoute('/r/', '')).toEqual({ page: 'lobby' });
    expect(raceInHash('#race=0123')).toBe('0123');
    expect(raceInHash('#k=1')).toBeNull();
  });

  test('[PG10] its default settings are valid ones, and only what was changed is sent', () => {
    for (const kind of ['bet', 'pick'] as const) {
      const settings = defaultSettings(kind);
      expect(settingsSchema.parse(settings)).toEqual(settings);
      expect(changedSettings(settings, { ...settings })).toBeUndefined();
      expect(changedSettings(settings, { ...settings, pools: ['win'], capacity: 8 })).toEqual({
        pools: ['win'],
        capacity: 8,
      });
    }
    expect(choicesFor('openSeconds', 33)).toEqual([10, 15, 20, 30, 33, 45, 60, 90, 120, 180, 300]);
  });
});
