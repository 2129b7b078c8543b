import type { Kind, Payload, Settings } from '../types.ts';

export type SettingsPatch = NonNullable<Payload<'room:configure'>['patch']['settings']>;

/** What a new room starts with; the server has the last word, and only what was changed is sent. */
export function defaultSettings(kind: Kind): Settings {
  return {
    capacity: kind === 'pick' ? 20 : 50,
    listed: true,
    spectators: true,
    slowModeSeconds: 0,
    locked: false,
    lifetimeMinutes: 180,
    emptyGraceSeconds: 120,
    mode: 'manual',
    openSeconds: 30,
    resultSeconds: 10,
    horses: kind === 'pick' ? 'auto' : 8,
    track: 'medium',
    pools: ['win', 'place'],
    maxStakePerRace: 5_000,
    exclusivePicks: false,
    placeVote: true,
  };
}

/** The settings that differ; absent when none does. */
export function changedSettings(from: Settings, to: Settings): SettingsPatch | undefined {
  const keys = Object.keys(to) as (keyof Settings)[];
  const changed = keys.filter((key) => JSON.stringify(from[key]) !== JSON.stringify(to[key]));
  if (changed.length === 0) return undefined;
  return Object.fromEntries(changed.map((key) => [key, to[key]]));
}

type NumberSetting = {
  [Key in keyof Settings]: Settings[Key] extends number ? Key : never;
}[keyof Settings];

/** Ranges as people set them: `values` are offered as a list, from few to many. */
export const NUMBER_CHOICES: Readonly<Record<NumberSetting, readonly number[]>> = {
  capacity: [2, 4, 6, 8, 10, 12, 16, 20, 30, 50, 100, 200, 500],
  slowModeSeconds: [0, 3, 5, 10, 30, 60, 120],
  lifetimeMinutes: [10, 30, 60, 120, 180, 360, 720, 1440],
  emptyGraceSeconds: [10, 30, 60, 120, 300, 900, 3600],
  openSeconds: [10, 15, 20, 30, 45, 60, 90, 120, 180, 300],
  resultSeconds: [5, 10, 15, 20, 30, 60],
  maxStakePerRace: [100, 500, 1_000, 2_000, 5_000, 10_000, 50_000, 100_000, 1_000_000],
};

/** The choices with the value of now among them, in order. */
export function choicesFor(key: NumberSetting, value: number): readonly number[] {
  const choices = NUMBER_CHOICES[key];
  return choices.includes(value) ? choices : [...choices, value].sort((a, b) => a - b);
}
