import { describe, expect, it } from 'vitest';
import { checkBet, checkBettor, oddsOf, oddsText, quoteBet, settleBets, totalsOf } from '../../lib/core/bets.ts';
import { publicRace } from '../../lib/core/public-race.ts';
import type { Member } from '../../lib/core/room-state.ts';
import type { PoolStake } from '../../lib/ports.ts';
import { detailsOf, ORDER, player, rowOf, rules } from './race-fixtures.ts';

const both = rules({
  pools: [
    { pool: 'win', rate: { num: 80, den: 100 } },
    { pool: 'place', rate: { num: 80, den: 100 } },
  ],
  placesPaid: 2,
  maxStakePerRace: 5_000,
});
const row = rowOf({ kind: 'bet', rules: both });
const race = publicRace(detailsOf(row), 0);
const member = (more: Partial<Member> = {}): Member => ({
  id: player('ann'),
  nickname: '',
  role: 'player',
  joinedAt: 0,
  ...more,
});
const stake = (pool: 'win' | 'place', horse: number, points: bigint, count = 1): PoolStake => ({
  pool,
  selection: [horse],
  stake: points,
  count,
});

describe('a bet', () => {
  it('[RC25] is taken from playing members of bet rooms', () => {
    expect(checkBettor({ member: undefined, race })).toBe('NOT_MEMBER');
    expect(checkBettor({ member: member({ role: 'spectator' }), race })).toBe('FORBIDDEN');
    expect(checkBettor({ member: member(), race: publicRace(detailsOf(rowOf()), 0) })).toBe('FORBIDDEN');
    expect(checkBettor({ member: member(), race })).toBeNull();
  });

  it('[RC25] is on an open pool, a runner, whole units, within the cap', () => {
    const check = (pool: 'win' | 'place', selection: number[], points: string, of = race) =>
      checkBet(of, { pool, selection, stake: points });
    expect(check('win', [3], '300')).toEqual({ pool: 'win', selection: [3], stake: 300n });
    expect(check('win', [7], '300')).toEqual({ error: 'SELECTION_INVALID' });
    expect(check('win', [1, 2], '300')).toEqual({ error: 'SELECTION_INVALID' });
    expect(check('win', [3], '350')).toEqual({ error: 'STAKE_INVALID' });
    expect(check('win', [3], '5100')).toEqual({ error: 'LIMIT_REACHED' });
    expect(check('win', [3], '999999999999999900')).toEqual({ error: 'LIMIT_REACHED' });
    const winOnly = publicRace(detailsOf(rowOf({ kind: 'bet' })), 0);
    expect(check('place', [3], '300', winOnly)).toEqual({ error: 'SELECTION_INVALID' });
    expect(check('win', [3], '300', { ...race, scratched: [3] })).toEqual({ error: 'SELECTION_INVALID' });
  });
});

describe('settling the pools of a race', () => {
  it('[RC20] every pool is paid from its own stakes, or refunded, and its gross is all accounted for', () => {
    const stakes = [stake('win', 3, 500n), stake('win', 1, 500n), stake('place', 5, 400n), stake('place', 6, 100n)];
    const settled = settleBets(row, stakes, ORDER);
    expect(settled.dividends).toEqual([{ pool: 'win', selection: [3], per100: '160' }]);
    expect(settled.refunded).toEqual(['place']);
    expect(settled.pools).toEqual([
      {
        pool: 'win',
        dividends: [{ selection: [3], per100: 160n }],
        gross: 1_000n,
        paid: 800n,
        takeout: 200n,
        breakage: 0n,
      },
      { pool: 'place', dividends: null, gross: 500n, paid: 0n, takeout: 0n, breakage: 0n },
    ]);
  });

  it('[RC24] pools that nobody bet on have no dividends and are not told as refunded', () => {
    expect(settleBets(row, [], ORDER)).toMatchObject({ dividends: [], refunded: [] });
  });

  it('[RC20] a pool that no longer stands after scratches is refunded whole', () => {
    const settled = settleBets(
      { ...row, scratched: [4, 6] },
      [stake('place', 3, 200n), stake('place', 1, 200n)],
      ORDER.filter(({ number }) => number !== 4 && number !== 6),
    );
    expect(settled.refunded).toEqual(['place']);
  });
});

describe('odds', () => {
  const stakes = [stake('win', 3, 500n, 2), stake('win', 1, 500n), stake('place', 5, 400n), stake('place', 6, 100n)];

  it('[RC47] are points per point with one digit, place as a range, nothing for what nobody backed', () => {
    expect([100n, 160n, 1_140n, 123_450n].map(oddsText)).toEqual(['1.0', '1.6', '11.4', '1234.5']);
    expect(oddsOf(race, stakes)).toEqual({
      totals: { win: { gross: '1000', count: 3 }, place: { gross: '500', count: 2 } },
      win: { '1': '1.6', '3': '1.6' },
      place: { '5': ['1.0', '1.0'], '6': ['1.0', '4.0'] },
    });
    expect(oddsOf(race, [])).toEqual({ totals: {}, win: {}, place: {} });
    expect(totalsOf(stakes)).toEqual(oddsOf(race, stakes).totals);
  });

  it('[RC47] a quote counts the bet itself', () => {
    expect(quoteBet(race, stakes, { pool: 'win', selection: [2], stake: 100n })).toEqual({ low: 880n, high: 880n });
    expect(
      quoteBet(publicRace(detailsOf(rowOf({ kind: 'bet' })), 0), [], { pool: 'place', selection: [2], stake: 100n }),
    ).toBeNull();
  });
});
