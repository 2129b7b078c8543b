import { describe, expect, it } from 'vitest';
import { dayOf, startOfDay, startOfNextDay } from '../../lib/service/calendar.ts';

describe('the day of the daily allowance', () => {
  it('[RC48] begins at midnight of the configured time zone, also where a day has 23 or 25 hours', () => {
    const evening = Date.parse('2026-11-20T14:59:59.999Z');
    expect(dayOf(evening, 'Asia/Seoul')).toBe('2026-11-20');
    expect(dayOf(evening + 1, 'Asia/Seoul')).toBe('2026-11-21');
    expect(startOfNextDay(evening, 'Asia/Seoul')).toBe(evening + 1);
    expect(startOfDay(evening, 'Asia/Seoul')).toBe(Date.parse('2026-11-19T15:00:00Z'));
    expect(startOfDay(evening + 1, 'Asia/Seoul')).toBe(evening + 1);
    const zone = 'Europe/Berlin';
    for (const [noon, hours] of [
      ['2026-03-29T10:00:00Z', 23],
      ['2026-10-25T10:00:00Z', 25],
      ['2026-11-20T10:00:00Z', 24],
    ] as const) {
      const at = Date.parse(noon);
      expect(startOfNextDay(at, zone) - startOfDay(at, zone)).toBe(hours * 3_600_000);
      expect(dayOf(startOfDay(at, zone) - 1, zone) < dayOf(startOfDay(at, zone), zone)).toBe(true);
    }
    expect(() => dayOf(evening, 'Nowhere/Atall')).toThrow(RangeError);
  });
});
