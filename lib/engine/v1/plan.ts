import type { Draws } from '../draws.ts';
import type { EngineHorse, Track } from '../types.ts';
import { STYLE_GAP, TUNING } from './constants.ts';

/** mm/s */
const CRUISE = 16_300;
const REACTION_MIN_MS = 80;
const REACTION_SPREAD_MS = 120;
const PAID_BACK_PERMILLE = 600;

/** All that is particular to one horse in one race; running it needs no further draw. */
export type Plan = {
  readonly number: number;
  /** mm/s before and in the last third: ability and the form draw */
  readonly cruise: number;
  readonly finish: number;
  /** after the gates open */
  readonly reactionMs: number;
  /** µm it likes to be behind the leader */
  readonly wantedGapUm: number;
  /** 0 = equal */
  readonly stamina: number;
  /** mm/s, one for each section */
  readonly noise: readonly number[];
};

const permille = (value: number, factor: number): number => Math.floor((value * factor) / 1_000);

/** Sum of four bytes around 0: bell-shaped, -510…510, standard deviation 148. */
function bell(draws: Draws): number {
  const word = draws.below(4_294_967_296);
  return (word >>> 24) + ((word >>> 16) & 255) + ((word >>> 8) & 255) + (word & 255) - 510;
}

/**
 * Two draws from each word, triangular, -255…255. A move is partly paid back in the section after it: horses jostle all
 * the way, and yet the noise adds up to little at the line.
 */
function sectionalNoise(draws: Draws, sections: number, factor: number): number[] {
  const noise: number[] = [];
  let before = 0;
  const add = (draw: number): void => {
    const move = permille(draw, factor);
    noise.push(move - permille(before, PAID_BACK_PERMILLE));
    before = move;
  };
  while (noise.length < sections) {
    const word = draws.below(4_294_967_296);
    add((word >>> 24) + ((word >>> 16) & 255) - 255);
    add(((word >>> 8) & 255) + (word & 255) - 255);
  }
  return noise;
}

/** Draws the plans in the order of the field; every horse takes the same kinds of draws, so no gate differs from another. */
export function planRace(horses: readonly EngineHorse[], track: Track, draws: Draws): Plan[] {
  const tuning = TUNING[track];
  return horses.map((horse) => {
    const form = permille(bell(draws), tuning.formPermille);
    const tactic = bell(draws);
    const reactionMs = REACTION_MIN_MS + draws.below(REACTION_SPREAD_MS);
    const base = CRUISE + permille(horse.ability, tuning.abilityPermille);
    return {
      number: horse.number,
      cruise: base + permille(form, tuning.earlyFormPermille),
      finish: base + form,
      reactionMs,
      wantedGapUm: STYLE_GAP[horse.style] * tuning.gapPermille + tactic * tuning.tacticPermille,
      stamina: horse.stamina,
      noise: sectionalNoise(draws, tuning.sections, tuning.noisePermille),
    };
  });
}
