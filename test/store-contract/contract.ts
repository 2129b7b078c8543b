import { describe } from 'vitest';
import type { RoomStore } from '../../lib/ports.ts';
import { archiveContract } from './contract-archive.ts';
import { lobbyContract } from './contract-lobby.ts';
import { logContract } from './contract-log.ts';
import { presenceContract } from './contract-presence.ts';
import { randomContract } from './contract-random.ts';

/** Rooms under test. Every instance is a RoomStore on the same rooms; for some stores they are one object. */
export type StoreUnderTest = {
  instance(): Promise<RoomStore>;
  now(): number;
  /** Resolves when the store's clock is `ms` later: a store with a clock of its own waits. */
  advance(ms: number): Promise<void>;
  close(): Promise<void>;
};

export type StoreLimits = {
  readonly unarchivedEntries: number;
  /** Short enough to be waited for. */
  readonly rememberMs: number;
};

export type MakeStore = (limits: StoreLimits) => Promise<StoreUnderTest>;

export const CONTRACT_LIMITS: StoreLimits = { unarchivedEntries: 1_000, rememberMs: 1_500 };

/** Everything that the port promises, for any implementation of it. */
export function roomStoreContract(name: string, makeStore: MakeStore): void {
  describe(`${name}: log`, () => logContract(makeStore));
  describe(`${name}: presence`, () => presenceContract(makeStore));
  describe(`${name}: lobby`, () => lobbyContract(makeStore));
  describe(`${name}: what the archive needs`, () => archiveContract(makeStore));
  describe(`${name}: many at once`, () => randomContract(makeStore));
}
