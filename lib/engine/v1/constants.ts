import type { RunningStyle, Track } from '../types.ts';

/*
 * What sets the tracks and styles of engine version 1 apart; constants common to all stand in run.ts. A stored race is
 * replayed with them for ever: once a release has used them they do not change, a new version gets a folder of its own.
 */

export const TRACK_LENGTH_MM: Readonly<Record<Track, number>> = { short: 318_000, medium: 480_000, long: 690_000 };

/** Where a style likes to run, as mm behind the leader on the medium track. */
export const STYLE_GAP: Readonly<Record<RunningStyle, number>> = {
  'front-runner': 0,
  stalker: 1_500,
  closer: 3_800,
};

export type Tuning = {
  /** sections of equal length, each with its own noise; even, as two are drawn from one word */
  readonly sections: number;
  /** permille of a horse's ability that counts on this track: a shorter race needs more of it for the same share of wins */
  readonly abilityPermille: number;
  /** permille of a form draw (standard deviation 148) in mm/s */
  readonly formPermille: number;
  /** share of the form, in permille, that shows before the last third */
  readonly earlyFormPermille: number;
  /** permille of a section's draw (standard deviation 104) in mm/s */
  readonly noisePermille: number;
  /** permille of the styles' distances to the leader */
  readonly gapPermille: number;
  /** permille of the tactic draw (standard deviation 148) in mm behind the leader */
  readonly tacticPermille: number;
  /** speed of a spurt above the rest of the race */
  readonly spurt: number;
  /** length of the spurt of a horse that neither pushed nor saved */
  readonly spurtLength: number;
  /** mm of spurt for one mm gained or given by keeping a position, in permille */
  readonly savingPermille: number;
};

export const TUNING: Readonly<Record<Track, Tuning>> = {
  short: {
    earlyFormPermille: 500,
    sections: 22,
    abilityPermille: 690,
    formPermille: 1_900,
    noisePermille: 13_000,
    gapPermille: 700,
    tacticPermille: 5_000,
    spurt: 1_200,
    spurtLength: 60_000,
    savingPermille: 12_000,
  },
  medium: {
    earlyFormPermille: 950,
    sections: 30,
    abilityPermille: 700,
    formPermille: 1_750,
    noisePermille: 11_500,
    gapPermille: 1_000,
    tacticPermille: 10_000,
    spurt: 1_200,
    spurtLength: 90_000,
    savingPermille: 11_000,
  },
  long: {
    earlyFormPermille: 1_600,
    sections: 42,
    abilityPermille: 500,
    formPermille: 1_020,
    noisePermille: 9_000,
    gapPermille: 700,
    tacticPermille: 6_500,
    spurt: 1_200,
    spurtLength: 120_000,
    savingPermille: 10_000,
  },
};
