import { POOLS } from './pools.ts';
import type { RoomKind, RoomSettings } from './room-state.ts';

const COMMON: Omit<RoomSettings, 'capacity' | 'horses'> = {
  listed: true,
  spectators: true,
  slowModeSeconds: 0,
  locked: false,
  lifetimeMinutes: 180,
  emptyGraceSeconds: 120,
  mode: 'manual',
  openSeconds: 30,
  resultSeconds: 10,
  track: 'medium',
  pools: ['win', 'place'],
  maxStakePerRace: 5_000,
  exclusivePicks: false,
  placeVote: true,
};

export const DEFAULT_SETTINGS: Readonly<Record<RoomKind, RoomSettings>> = {
  pick: { ...COMMON, capacity: 20, horses: 'auto' },
  bet: { ...COMMON, capacity: 50, horses: 8 },
};

/** Longest the life of a room may be pushed to by raising `lifetimeMinutes` again. */
export function expiryOf(settings: RoomSettings, from: number): number {
  return from + settings.lifetimeMinutes * 60_000;
}

/** Lays a patch over settings. Pools are put into their own order, each once; keys that are undefined are left out. */
export function patchSettings(
  settings: RoomSettings,
  patch: { readonly [Key in keyof RoomSettings]?: RoomSettings[Key] | undefined },
): RoomSettings {
  const given = Object.fromEntries(Object.entries(patch).filter(([, value]) => value !== undefined));
  const next = { ...settings, ...given } as RoomSettings;
  return { ...next, pools: POOLS.filter((pool) => next.pools.includes(pool)) };
}
