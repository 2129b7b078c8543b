import { describe, expect, test } from 'vitest';
import {
  createDraws,
  HORSE_NAMES,
  makeField,
  morningLine,
  SILKS,
  simulate,
  type Track,
} from '../../lib/engine/index.ts';
import { uniformP } from '../helpers/chi-square.ts';
import { FIELD_SIZES, seedKey } from '../helpers/lanes.ts';

const field = (seed: number, count: number, equal: boolean) =>
  makeField({ draws: createDraws(seedKey(seed), 'test/field'), count, equal });

/** Wins by gate over `races` races of one unequal field; a dead heat counts for both. */
function wins(seed: number, count: number, track: Track, races: number): number[] {
  const horses = field(seed, count, false);
  const won = horses.map(() => 0);
  for (let race = 0; race < races; race += 1) {
    for (const { number, place } of simulate({ simVersion: 1, track, horses, key: seedKey(`${seed}/${race}`) }).order) {
      if (place === 1) won[number - 1] = (won[number - 1] ?? 0) + 1;
    }
  }
  return won;
}

describe('fields', () => {
  test('[RC12] a field has its gates in order, distinct names and silks, five past places, and is the same for the same draws', () => {
    for (let seed = 0; seed < 200; seed += 1) {
      for (const equal of [true, false]) {
        const count = FIELD_SIZES[seed % 9] ?? 8;
        const runners = field(seed, count, equal);
        expect(runners.map(({ number }) => number)).toEqual(Array.from({ length: count }, (_, i) => i + 1));
        expect(new Set(runners.map(({ name }) => name.en)).size).toBe(count);
        expect(runners.map(({ silks }) => silks)).toEqual(SILKS.slice(0, count));
        for (let race = 0; race < 5; race += 1) {
          const places = runners.map(({ form }) => form[race] ?? 0).sort((a, b) => a - b);
          expect(places).toEqual(Array.from({ length: count }, (_, i) => i + 1));
        }
        expect(runners.every(({ form }) => form.length === 5)).toBe(true);
        expect(field(seed, count, equal)).toEqual(runners);
      }
    }
  });

  test('[RC12] horses of a pick room have nothing that tells one from another to the engine', () => {
    for (const count of FIELD_SIZES) {
      for (const { style, ability, stamina } of field(count, count, true)) {
        expect({ style, ability, stamina }).toEqual({ style: 'stalker', ability: 0, stamina: 0 });
      }
    }
  });

  test('[RC12] the favourite of a bet room stands in every gate equally often, and form favours it', () => {
    const gates = new Array<number>(10).fill(0);
    let favouritePlaces = 0;
    let outsiderPlaces = 0;
    for (let seed = 0; seed < 2_000; seed += 1) {
      const byAbility = [...field(seed, 10, false)].sort((a, b) => b.ability - a.ability);
      const [best, worst] = [byAbility[0], byAbility[9]];
      if (best === undefined || worst === undefined) throw new Error('no field');
      gates[best.number - 1] = (gates[best.number - 1] ?? 0) + 1;
      favouritePlaces += best.form.reduce((a, b) => a + b);
      outsiderPlaces += worst.form.reduce((a, b) => a + b);
    }
    expect(uniformP(gates)).toBeGreaterThan(0.001);
    expect(favouritePlaces / 10_000).toBeLessThan(5);
    expect(outsiderPlaces / 10_000).toBeGreaterThan(6);
  });

  test('[RC12] a count outside 4 to 12 is refused with a RangeError', () => {
    for (const count of [3, 13, 4.5]) expect(() => field(1, count, true)).toThrow(RangeError);
  });

  test.each(['short', 'medium', 'long'] as const)(
    '[RC13] the favourite of ten wins 22 to 32 in a hundred and the last outsider at least one, %s',
    (track) => {
      const [fields, races] = [20, 200];
      let favourites = 0;
      let outsiders = 0;
      for (let seed = 0; seed < fields; seed += 1) {
        const horses = field(seed, 10, false);
        const won = wins(seed, 10, track, races);
        const byAbility = [...horses].sort((a, b) => b.ability - a.ability);
        favourites += won[(byAbility[0]?.number ?? 1) - 1] ?? 0;
        outsiders += won[(byAbility[9]?.number ?? 1) - 1] ?? 0;
      }
      const share = (count: number): number => count / (fields * races);
      const error = (p: number): number => 3 * Math.sqrt((p * (1 - p)) / (fields * races));
      console.info(`${track}: favourite ${share(favourites)}, outsider ${share(outsiders)}`);
      expect(share(favourites)).toBeGreaterThan(0.22 - error(0.22));
      expect(share(favourites)).toBeLessThan(0.32 + error(0.32));
      expect(share(outsiders)).toBeGreaterThan(0.01 - error(0.01));
    },
  );
});

describe('horses', () => {
  test('[RC12] there are at least 48 names, all different in both languages, and 12 silks, all different', () => {
    expect(HORSE_NAMES.length).toBeGreaterThanOrEqual(48);
    expect(new Set(HORSE_NAMES.map(({ ko }) => ko)).size).toBe(HORSE_NAMES.length);
    expect(new Set(HORSE_NAMES.map(({ en }) => en)).size).toBe(HORSE_NAMES.length);
    for (const { ko, en } of HORSE_NAMES) {
      expect(ko).toMatch(/^[가-힣]{2,8}$/);
      expect(en).toMatch(/^[A-Za-z ]{4,20}$/);
    }
    expect(SILKS).toHaveLength(12);
    expect(new Set(SILKS.map(({ colours }) => colours[0])).size).toBe(12);
    for (const { colours } of SILKS) for (const colour of colours) expect(colour).toMatch(/^#[0-9a-f]{6}$/);
  });
});

describe('morning line', () => {
  test('[RC14] odds are races over wins, to one digit, halves up; a horse without a win counts half a win', () => {
    expect(morningLine([500, 250, 240, 3, 1, 0], 1_000)).toEqual(['2.0', '4.0', '4.2', '333.3', '1000.0', '2000.0']);
    expect(morningLine([8], 18)[0]).toBe('2.3');
    expect(morningLine([800], 800)).toEqual(['1.0']);
  });

  test('[RC14] impossible counts are refused with a RangeError', () => {
    expect(() => morningLine([1], 0)).toThrow(RangeError);
    expect(() => morningLine([-1], 10)).toThrow(RangeError);
    expect(() => morningLine([11], 10)).toThrow(RangeError);
    expect(() => morningLine([0.5], 10)).toThrow(RangeError);
  });

  test('[RC14] implied chances of a field come close to fresh races of the same field', () => {
    const races = 2_000;
    const line = morningLine(wins(7, 8, 'medium', races), races);
    const fresh = field(7, 8, false).map(() => 0);
    for (let race = 0; race < races; race += 1) {
      const key = seedKey(`fresh ${race}`);
      for (const { number, place } of simulate({ simVersion: 1, track: 'medium', horses: field(7, 8, false), key })
        .order) {
        if (place === 1) fresh[number - 1] = (fresh[number - 1] ?? 0) + 1;
      }
    }
    line.forEach((odds, index) => {
      expect(Math.abs(1 / Number(odds) - (fresh[index] ?? 0) / races)).toBeLessThan(0.05);
    });
  });
});
