import { expect, test } from 'vitest';
import { FIELD_SIZES, lanePs, laneTable } from '../helpers/lanes.ts';

test.each(FIELD_SIZES)(
  '[RC16] over seeds 0 to 9,999 every lane takes every place its share of the time: short track, %i equal horses',
  (fieldSize) => {
    for (const { place, p } of lanePs(laneTable(10_000, fieldSize, 'short'))) {
      expect(p, `place ${place}`).toBeGreaterThan(0.001);
    }
  },
);
