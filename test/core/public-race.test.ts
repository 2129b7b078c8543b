import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { publicRace, publicRecord, takenHorses } from '../../lib/core/public-race.ts';
import type { Phase, RaceRow, VoidReason } from '../../lib/core/race-state.ts';
import { toHex } from '../../lib/fairness/index.ts';
import type { RaceDetails } from '../../lib/ports.ts';
import { detailsOf, OUTCOME, player, RESULT, rowOf, rules, SEED } from './race-fixtures.ts';

const PICKS = [
  { playerId: player('ann'), horse: 3 },
  { playerId: player('ben'), horse: null },
];
const VOTES = [{ playerId: player('ann'), place: 2 }];

/** A race at any point of its life, with everything secret in it that the row holds by then. */
function racesAt(phase: Phase, drawn: boolean, exclusive: boolean, reason: VoidReason): RaceDetails {
  const closed = phase !== 'open';
  const outcome = drawn && closed ? OUTCOME : null;
  const row: RaceRow = rowOf({
    phase,
    rules: rules({ exclusivePicks: exclusive }),
    ...(closed ? { closedAt: 31_001, betsRoot: 'cd'.repeat(32) } : {}),
    ...(outcome ? { outcome, startsAt: 36_000, endsAt: 59_678 } : {}),
    ...(phase === 'settled'
      ? {
          outcome: OUTCOME,
          startsAt: 36_000,
          endsAt: 59_678,
          endedAt: 59_679,
          seed: toHex(SEED),
          recordHash: 'ef'.repeat(32),
        }
      : {}),
    ...(phase === 'void'
      ? { voidReason: reason, endedAt: 40_000, seed: toHex(SEED), recordHash: 'ef'.repeat(32) }
      : {}),
  });
  return detailsOf(row, { picks: PICKS, votes: VOTES, result: phase === 'settled' ? RESULT : null });
}

const SECRETS = { seed: toHex(SEED), finish: '20123', horse: '"horse":', vote: '"votes":', caught: '"caught":' };

describe('what may be known of a race', () => {
  it('[RC54] horses and votes from the draw on, the order and the seed when it is over, nothing before', () => {
    const phases = fc.constantFrom<Phase>('open', 'closed', 'running', 'settled', 'void');
    const reasons = fc.constantFrom<VoidReason>(
      'late-close',
      'too-few-picks',
      'same-horse',
      'too-few-runners',
      'admin',
    );
    fc.assert(
      fc.property(
        phases,
        fc.boolean(),
        fc.boolean(),
        reasons,
        fc.integer({ min: 0, max: 100_000 }),
        (phase, drawn, exclusive, reason, now) => {
          const details = racesAt(phase, drawn || phase === 'running', exclusive, reason);
          const view = JSON.stringify(publicRace(details, now));
          const record = JSON.stringify(publicRecord(details, { stakes: [], batches: [] }, now));
          const over = phase === 'settled' || phase === 'void';
          const known = {
            seed: over,
            finish: phase === 'settled',
            caught: phase === 'settled',
            horse:
              phase === 'settled' ||
              ((phase === 'closed' || phase === 'running') && details.row.outcome !== null) ||
              (phase === 'void' && reason === 'same-horse'),
            vote: phase === 'settled' || ((phase === 'closed' || phase === 'running') && details.row.outcome !== null),
          };
          for (const [name, text] of Object.entries(SECRETS)) {
            const may = known[name as keyof typeof known];
            expect(record.includes(text), `${name} in the record of a race in ${phase}`).toBe(may);
            if (!may) expect(view.includes(text), `${name} in the view of a race in ${phase}`).toBe(false);
          }
          expect(view.includes('seedKeyId') || view.includes('key-1')).toBe(false);
        },
      ),
    );
  });

  it('[RC54] who has picked is known at once, and which horses are gone only where picks are exclusive', () => {
    const open = racesAt('open', false, false, 'admin');
    expect(publicRace(open, 0)).toMatchObject({ picked: ['ann', 'ben'] });
    expect(publicRace(open, 0)).not.toHaveProperty('taken');
    expect(publicRace(racesAt('open', false, true, 'admin'), 0)).toMatchObject({ taken: [3] });
    expect(takenHorses([...PICKS, { playerId: player('cat'), horse: 1 }])).toEqual([1, 3]);
  });

  it('[RC54] a clock that is behind does not hide what is settled, and a result before the end of the race stays hidden', () => {
    expect(publicRace(racesAt('settled', true, false, 'admin'), 0)).toHaveProperty('result');
    const early = racesAt('settled', true, false, 'admin');
    expect(publicRace({ ...early, row: { ...early.row, endedAt: 50_000 } }, 50_000)).not.toHaveProperty('result');
  });

  it('[RC21] the record tells roots and stakes from the close on, in one order', () => {
    const stakes = [
      { pool: 'win', selection: [10], stake: 100n, count: 1 },
      { pool: 'place', selection: [2], stake: 300n, count: 2 },
      { pool: 'win', selection: [2], stake: 200n, count: 1 },
    ] as const;
    const batches = ['12', '9'].map((batch) => ({ batch, root: 'aa', count: 1, totals: {} }));
    const row = rowOf({ kind: 'bet' });
    expect(publicRecord(detailsOf(row), { stakes, batches }, 0)).not.toHaveProperty('stakes');
    const closed = publicRecord(
      detailsOf({ ...row, phase: 'closed', betsRoot: 'cd'.repeat(32) }),
      { stakes, batches },
      0,
    );
    expect(closed.batches?.map(({ batch }) => batch)).toEqual(['9', '12']);
    expect(closed.stakes).toEqual([
      { pool: 'win', selection: [2], stake: '200' },
      { pool: 'win', selection: [10], stake: '100' },
      { pool: 'place', selection: [2], stake: '300' },
    ]);
  });
});
