import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import {
  createDraws,
  type EngineHorse,
  makeField,
  type RunningStyle,
  type SimulationInput,
  simulate,
  TRACK_LENGTH_MM,
} from '../../lib/engine/index.ts';
import { type Plan, planRace } from '../../lib/engine/v1/plan.ts';
import { runPlans } from '../../lib/engine/v1/run.ts';
import { digest, GOLDEN_SEEDS, goldenDigests, goldenRace } from '../helpers/engine-golden.ts';
import { equalField, FIELD_SIZES, seedKey, TRACKS } from '../helpers/lanes.ts';

const STYLES: readonly RunningStyle[] = ['front-runner', 'stalker', 'closer'];

function wildField(seed: number): EngineHorse[] {
  const draws = createDraws(seedKey(seed), 'test/wild');
  return Array.from({ length: 2 + draws.below(11) }, (_, index) => ({
    number: index + 1,
    style: STYLES[draws.below(3)] ?? 'closer',
    ability: draws.below(2001) - 1000,
    stamina: draws.below(201) - 100,
  }));
}

describe('golden races', () => {
  const golden = JSON.parse(readFileSync(new URL('../golden/engine-v1.json', import.meta.url), 'utf8'));

  test.each(TRACKS)('[RC1] engine version 1 gives the stored digests of 300 races, %s', (track) => {
    expect(golden.seeds).toBe(GOLDEN_SEEDS);
    expect(goldenDigests(track)).toEqual(golden.digests[track]);
  });

  test('[RC1] the same input gives the same race, another key another one', () => {
    const horses = wildField(1);
    const run = (seed: number) => digest(simulate({ simVersion: 1, track: 'medium', horses, key: seedKey(seed) }));
    expect(run(1)).toBe(run(1));
    expect(new Set(Array.from({ length: 200 }, (_, seed) => run(seed))).size).toBe(200);
  });
});

describe('coming home', () => {
  test.each(TRACKS)('[RC2] every horse finishes within 60 s, whatever the field, %s', (track) => {
    for (let seed = 0; seed < 1500; seed += 1) {
      const horses = seed % 3 === 0 ? equalField(FIELD_SIZES[seed % 9] ?? 8) : wildField(seed);
      const sim = simulate({ simVersion: 1, track, horses, key: seedKey(seed) });
      expect(sim.order.map(({ number }) => number).sort((a, b) => a - b)).toEqual(horses.map(({ number }) => number));
      for (const { finishMs } of sim.order) {
        if (!Number.isInteger(finishMs) || finishMs < 15_000 || finishMs > 60_000) {
          throw new Error(`seed ${seed}: ${finishMs} ms`);
        }
      }
      expect(sim.durationMs).toBe(sim.order.at(-1)?.finishMs);
    }
  });

  test.each(TRACKS)('[RC2] even a horse that draws the worst of everything is home within 60 s, %s', (track) => {
    const hopeless: Plan = {
      number: 1,
      cruise: -100_000,
      finish: -100_000,
      reactionMs: 1_000,
      wantedGapUm: 0,
      stamina: -100,
      noise: new Array<number>(60).fill(-100_000),
    };
    expect(runPlans([hopeless, { ...hopeless, number: 2 }], track).durationMs).toBeLessThanOrEqual(60_000);
  });

  test.each([
    ['short', 19_000, 21_500],
    ['medium', 28_500, 31_500],
    ['long', 40_500, 44_000],
  ] as const)('[RC2] the winner of the %s track takes about its time', (track, low, high) => {
    const times = Array.from({ length: 301 }, (_, seed) => {
      const sim = simulate({ simVersion: 1, track, horses: equalField(8), key: seedKey(seed) });
      return sim.order[0]?.finishMs ?? 0;
    }).sort((a, b) => a - b);
    expect(times[150]).toBeGreaterThan(low);
    expect(times[150]).toBeLessThan(high);
  });
});

describe('places', () => {
  test('[RC3] horses of a dead heat share the place and the next places are skipped', () => {
    const [plan] = planRace(equalField(4), 'short', createDraws(seedKey(5), 'test'));
    if (plan === undefined) throw new Error('no plan');
    const late = { ...plan, reactionMs: plan.reactionMs + 300 };
    const sim = runPlans(
      [late, plan, { ...plan, number: 3 }, { ...late, number: 4 }].map((p, i) => ({ ...p, number: i + 1 })),
      'short',
    );
    expect(sim.order.map(({ number, place }) => [number, place])).toEqual([
      [2, 1],
      [3, 1],
      [1, 3],
      [4, 3],
    ]);
  });

  test('[RC3] places follow the times: one more than the number of faster horses', () => {
    for (let seed = 0; seed < 300; seed += 1) {
      const { order } = goldenRace(seed, 'medium');
      order.forEach((horse, index) => {
        expect(horse.place).toBe(1 + order.filter(({ finishMs }) => finishMs < horse.finishMs).length);
        expect(horse.finishMs).toBeGreaterThanOrEqual(order[index - 1]?.finishMs ?? 0);
      });
    }
  });
});

describe('exchangeable lanes', () => {
  test('[RC4] exchanging the plans of two gates exchanges their times and changes no other', () => {
    for (let seed = 0; seed < 200; seed += 1) {
      const track = TRACKS[seed % 3] ?? 'short';
      const plans = planRace(wildField(seed), track, createDraws(seedKey(seed), 'test'));
      const order = createDraws(seedKey(seed), 'test/order').shuffle(plans);
      const times = (list: readonly Plan[]) => new Map(runPlans(list, track).order.map((h) => [h.number, h.finishMs]));
      expect(Object.fromEntries(times(order))).toEqual(Object.fromEntries(times(plans)));
      const moved = order.map((plan, index) => ({ ...plan, number: index + 1 }));
      const before = times(plans);
      const after = times(moved);
      order.forEach((plan, index) => {
        expect(after.get(index + 1)).toBe(before.get(plan.number));
      });
    }
  });
});

describe('keyframes', () => {
  test('[RC5] frames hold the positions of each 250 ms from the gates to 2 s after the last finish, never backwards', () => {
    for (const track of TRACKS) {
      for (let seed = 0; seed < 12; seed += 1) {
        const { keyframes, durationMs, order } = goldenRace(seed, track);
        const { frames, numbers } = keyframes;
        expect(frames[0]).toEqual(numbers.map(() => 0));
        expect((frames.length - 1) * 250).toBeGreaterThanOrEqual(durationMs + 2_000);
        expect((frames.length - 2) * 250).toBeLessThan(durationMs + 2_000);
        numbers.forEach((number, column) => {
          const finishMs = order.find((horse) => horse.number === number)?.finishMs ?? 0;
          frames.forEach((frame, k) => {
            const here = frame[column] ?? -1;
            expect(Number.isInteger(here)).toBe(true);
            expect(here).toBeGreaterThanOrEqual(frames[k - 1]?.[column] ?? 0);
            expect(here >= TRACK_LENGTH_MM[track]).toBe(k * 250 >= finishMs);
          });
        });
      }
    }
  });
});

describe('input', () => {
  const good: SimulationInput = { simVersion: 1, track: 'short', horses: equalField(4), key: seedKey(0) };
  const first = equalField(4)[0] as EngineHorse;
  const others = equalField(4).slice(1);
  test.each<[string, unknown]>([
    ['an unknown version', { ...good, simVersion: 2 }],
    ['an unknown track', { ...good, track: 'toString' }],
    ['one horse', { ...good, horses: [first] }],
    ['thirteen horses', { ...good, horses: Array.from({ length: 13 }, (_, i) => ({ ...first, number: i + 1 })) }],
    ['a gate twice', { ...good, horses: [first, first, ...others] }],
    ['gate 0', { ...good, horses: [{ ...first, number: 0 }, ...others] }],
    ['an unknown style', { ...good, horses: [{ ...first, style: 'constructor' }, ...others] }],
    ['a broken ability', { ...good, horses: [{ ...first, ability: 0.5 }, ...others] }],
    ['too much ability', { ...good, horses: [{ ...first, ability: 1001 }, ...others] }],
    ['too little stamina', { ...good, horses: [{ ...first, stamina: -101 }, ...others] }],
    ['a short key', { ...good, key: new Uint8Array(31) }],
  ])('[RC6] simulate refuses %s with a RangeError', (_, input) => {
    expect(() => simulate(input as SimulationInput)).toThrow(RangeError);
  });

  test('[RC6] simulate takes a field with a scratched gate', () => {
    const sim = simulate({
      ...good,
      horses: makeField({ draws: createDraws(seedKey(0), 'f'), count: 6, equal: false }).filter((h) => h.number !== 3),
    });
    expect(sim.keyframes.numbers).toEqual([1, 2, 4, 5, 6]);
  });
});
