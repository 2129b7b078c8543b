import { describe, expect, it } from 'vitest';
import { checkBet, checkBettor, settleBets } from '../../lib/core/bets.ts';
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
