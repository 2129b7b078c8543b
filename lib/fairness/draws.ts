import { createDraws } from '../engine/draws.ts';
import { DRAW_LABELS } from './seeds.ts';

/**
 * The place that gets caught, counted among the picked horses: one of the votes, each as likely as any other. A vote
 * above `pickedCount` counts as last; no votes: last. The votes' order does not matter. Throws RangeError without picked horses.
 */
export function drawPlace(key: Uint8Array, votes: readonly number[], pickedCount: number): number {
  if (!Number.isInteger(pickedCount) || pickedCount < 1) throw new RangeError(`no place among ${pickedCount} horses`);
  if (votes.some((place) => !Number.isInteger(place) || place < 1)) throw new RangeError('a vote is a place from 1 on');
  if (votes.length === 0) return pickedCount;
  const places = votes.map((place) => Math.min(place, pickedCount)).sort((a, b) => a - b);
  return places[createDraws(key, DRAW_LABELS.place).below(places.length)] ?? pickedCount;
}

export type HorseDrawInput = {
  /** ids of the players who get a horse drawn, as the public record names them */
  readonly players: readonly string[];
  /** horses to draw from: not scratched and, where picks are exclusive, not taken */
  readonly horses: readonly number[];
  /** each horse at most once */
  readonly exclusive: boolean;
};

/**
 * A horse for each player: players in ascending order of their ids (UTF-16 code units), horses in ascending order; the
 * order of the input does not matter. Throws RangeError where there are fewer horses than needed.
 */
export function drawHorses(key: Uint8Array, input: HorseDrawInput): Map<string, number> {
  const players = [...new Set(input.players)].sort();
  const horses = [...new Set(input.horses)].sort((a, b) => a - b);
  if (players.length > 0 && horses.length < (input.exclusive ? players.length : 1))
    throw new RangeError('too few horses');

  const draws = createDraws(key, DRAW_LABELS.picks);
  const shuffled = input.exclusive ? draws.shuffle(horses) : [];
  const drawn = new Map<string, number>();
  players.forEach((player, index) => {
    const horse = input.exclusive ? shuffled[index] : horses[draws.below(horses.length)];
    if (horse !== undefined) drawn.set(player, horse);
  });
  return drawn;
}
