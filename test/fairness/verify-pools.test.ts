import { describe, expect, test } from 'vitest';
import { POOLS, type Pool, SHAPES } from '../../lib/core/pools.ts';
import { type Leaf, type PublicRaceRecord, verifyRace } from '../../lib/fairness/index.ts';
import { integers } from '../core/random.ts';
import { bet, betRace, choice, type MadeRace, pickRace, seal } from './races.ts';

/** Every pair and many triples of the first horses are backed, so that most pools pay. */
function betsOf(raceId: string, horses: number, { below, shuffle }: ReturnType<typeof integers>): Leaf[][] {
  const all = Array.from({ length: horses }, (_, index) => index + 1);
  const batch = (pool: Pool): Leaf[] =>
    Array.from({ length: 40 }, (_, index) => {
      const { size, ordered } = SHAPES[pool];
      const selection = shuffle(all).slice(0, size);
      const horsesOf = ordered ? selection : selection.sort((a, b) => a - b);
      return bet(raceId, `p${index}`, pool, horsesOf, 100 * (1 + below(50)));
    });
  return POOLS.map(batch);
}

function raceOf(run: number, scratched: number[] = [], horses = 6 + (run % 4)): MadeRace {
  const raceId = `race-pools-${run}`;
  return betRace({ raceId, horses, scratched, pools: POOLS, bets: betsOf(raceId, horses, integers(run)) });
}

const failing = ({ record, leaves }: MadeRace): string[] =>
  verifyRace(record, { leaves }).flatMap(({ step, ok }) => (ok ? [] : [step]));

/** The record with another result, its own hash made anew as a forger would. */
function forged(made: MadeRace, change: (result: NonNullable<PublicRaceRecord['result']>) => object): MadeRace {
  if (made.record.result === undefined) throw new Error('no result');
  const { recordHash: _, ...record } = made.record;
  return { ...made, record: seal({ ...record, result: { ...made.record.result, ...change(made.record.result) } }) };
}

describe('a race of all pools', () => {
  test('[BT50] verifies, with scratches and pools that they leave with too few runners', () => {
    const paid = new Set<Pool>();
    const refunded = new Set<Pool>();
    for (let run = 0; run < 24; run += 1) {
      const made = raceOf(run, [[], [2], [5, 1]][run % 3]);
      expect(failing(made), `run ${run}`).toEqual([]);
      for (const { pool } of made.record.result?.dividends ?? []) paid.add(pool);
      for (const pool of made.record.result?.refunded ?? []) refunded.add(pool);
    }
    expect([...paid].sort()).toEqual([...POOLS].sort());
    expect(refunded).toContain('trifecta');
  });

  test('[BT50] a dividend by a step, a winner or a refund that was changed is told', () => {
    let changed = 0;
    for (let run = 0; run < 8; run += 1) {
      const made = raceOf(run);
      const dividends = made.record.result?.dividends ?? [];
      for (const [index, line] of dividends.entries()) {
        const others = dividends.filter((_, other) => other !== index);
        const more = { ...line, per100: String(BigInt(line.per100) + 10n) };
        expect(failing(forged(made, () => ({ dividends: [...others, more] }))), line.pool).toEqual(['dividends']);
        const swapped = { ...line, selection: [...line.selection].reverse() };
        const missing = line.selection.length > 1 ? [...others, swapped] : others;
        expect(failing(forged(made, () => ({ dividends: missing }))), line.pool).toEqual(['dividends']);
        changed += 1;
      }
      const [first] = dividends;
      if (first !== undefined)
        expect(
          failing(forged(made, () => ({ refunded: [...(made.record.result?.refunded ?? []), first.pool] }))),
        ).toEqual(['dividends']);
    }
    expect(changed).toBeGreaterThan(30);
  });

  test('[BT50] a scratch that was left out or added changes the race itself', () => {
    const made = raceOf(1, [2]);
    const { recordHash: _, ...record } = made.record;
    for (const scratched of [[], [2, 3], [3]])
      expect(failing({ ...made, record: seal({ ...record, scratched }) })).toContain('order');
  });

  test('[BT50] a pick that was cleared because its horse was scratched is rightly not in the record', () => {
    for (const scratched of [[3], []]) {
      const { record, leaves } = pickRace({ scratched });
      const own = [{ leaf: choice(record.id, 'dan', 'pick', 3) }];
      const step = verifyRace(record, { leaves, own, playerId: 'dan' }).find((one) => one.step === 'own-receipt');
      expect(step?.ok, step?.detail).toBe(scratched.length === 1);
    }
  });
});
