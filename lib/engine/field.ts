import type { Draws } from './draws.ts';
import { HORSE_NAMES, type HorseName, SILKS, type Silks } from './horses.ts';
import type { EngineHorse, RunningStyle } from './types.ts';

/** A runner as it is published: what the engine needs and what people see. Places in `form` are newest first. */
export type FieldRunner = EngineHorse & {
  readonly name: HorseName;
  readonly silks: Silks;
  /** places in its last five races against fields of this size */
  readonly form: readonly number[];
};

const STYLES: readonly RunningStyle[] = ['front-runner', 'stalker', 'closer'];
const FORM_RACES = 5;
/** How far best and worst of an unequal field are from the middle, in mm/s on the medium track. */
const ABILITY_EDGE = 285;
/** Fewer horses than this are closer together in proportion, or the best of four would win every other race. */
const FULL_EDGE_COUNT = 8;
const ABILITY_JITTER = 60;
const STAMINA_EDGE = 20;
/** Width of the luck in past races, in mm/s: what the form column shows is a hint, not the ability itself. */
const FORM_LUCK = 900;

/** A ladder from the best to the worst, each rung shifted a little, so that every field has a favourite and an outsider. */
function abilities(draws: Draws, count: number): number[] {
  const edge = Math.floor((ABILITY_EDGE * Math.min(count, FULL_EDGE_COUNT)) / FULL_EDGE_COUNT);
  const ladder: number[] = [];
  for (let rung = 0; rung < count; rung += 1) {
    const even = edge - Math.floor((2 * edge * rung) / (count - 1));
    ladder.push(even + draws.below(2 * ABILITY_JITTER + 1) - ABILITY_JITTER);
  }
  return draws.shuffle(ladder);
}

/** Places of the field in one imagined earlier race. */
function pastPlaces(draws: Draws, ability: readonly number[]): number[] {
  const scores = ability.map((value, index) => ({ index, score: value + draws.below(FORM_LUCK) }));
  const ranked = draws.shuffle(scores).sort((a, b) => b.score - a.score);
  const places = ability.map(() => 0);
  ranked.forEach(({ index }, place) => {
    places[index] = place + 1;
  });
  return places;
}

/**
 * Makes the field of a race: gates 1…count with names, silks, styles and form, from draws of the caller's own label.
 * `equal`: every gate has the same chance of every place, so all share one style too (how each runs on the day is then
 * only the race's own draws). Otherwise the favourite of ten wins about a quarter of its races.
 * Throws RangeError for a count outside 4…12.
 */
export function makeField(options: {
  readonly draws: Draws;
  readonly count: number;
  readonly equal: boolean;
}): FieldRunner[] {
  const { draws, count, equal } = options;
  if (!Number.isInteger(count) || count < 4 || count > 12) throw new RangeError('a field has 4 to 12 horses');
  const names = draws.shuffle(HORSE_NAMES);
  const ability = equal ? new Array<number>(count).fill(0) : abilities(draws, count);
  const past: number[][] = [];
  for (let race = 0; race < FORM_RACES; race += 1) past.push(pastPlaces(draws, ability));
  return ability.map((value, index) => {
    const name = names[index];
    const silks = SILKS[index];
    if (name === undefined || silks === undefined) throw new RangeError('more gates than names or silks');
    const style = equal ? 'stalker' : (STYLES[draws.below(STYLES.length)] ?? 'stalker');
    const stamina = equal ? 0 : draws.below(2 * STAMINA_EDGE + 1) - STAMINA_EDGE;
    return {
      number: index + 1,
      style,
      ability: value,
      stamina,
      name,
      silks,
      form: past.map((places) => places[index] ?? 0),
    };
  });
}

/**
 * Morning line: fair decimal odds with one digit ("4.3"), in the order of the field, from the wins each horse had in
 * `races` simulated ones. Halves round up; a horse that never won counts as half a win.
 * Throws RangeError unless 0 ≤ wins ≤ races and races ≥ 1.
 */
export function morningLine(wins: readonly number[], races: number): string[] {
  if (!Number.isInteger(races) || races < 1) throw new RangeError('races is a positive integer');
  return wins.map((won) => {
    if (!Number.isInteger(won) || won < 0 || won > races) throw new RangeError('wins are 0 to races');
    const halfWins = Math.max(2 * won, 1);
    const tenths = Math.floor((40 * races + halfWins) / (2 * halfWins));
    return `${Math.floor(tenths / 10)}.${tenths % 10}`;
  });
}
