import type { Track } from '../engine/index.ts';
import type { Locale } from '../errors.ts';
import type { PlayerId, RaceId, RoomId } from './ids.ts';
import type { Pool } from './pools.ts';
import type { Phase } from './race-state.ts';

export type RoomKind = 'pick' | 'bet';
export type Role = 'player' | 'spectator';

/** Ranges and defaults: `core/room-settings.ts`. The second group applies to the next race; a race carries its own copy. */
export type RoomSettings = {
  readonly capacity: number;
  readonly listed: boolean;
  readonly spectators: boolean;
  readonly slowModeSeconds: number;
  readonly locked: boolean;
  readonly lifetimeMinutes: number;
  readonly emptyGraceSeconds: number;

  readonly mode: 'manual' | 'auto';
  readonly openSeconds: number;
  readonly resultSeconds: number;
  readonly horses: 'auto' | number;
  readonly track: Track;
  readonly pools: readonly Pool[];
  /** points */
  readonly maxStakePerRace: number;
  readonly exclusivePicks: boolean;
  readonly placeVote: boolean;
};

/** A member as everybody in the room may see it. `ready` in pick rooms only. */
export type Member = {
  readonly id: PlayerId;
  readonly nickname: string;
  readonly role: Role;
  readonly ready?: boolean;
  /** Server time in ms; decides who is longest in the room. */
  readonly joinedAt: number;
};

/** What the lobby card and the keeper need to know of the race without asking PostgreSQL. */
export type RaceSummary = {
  readonly id: RaceId;
  readonly number: number;
  readonly phase: Phase;
  readonly closesAt: number;
  readonly endsAt?: number;
};

/**
 * The room's document: what the RoomStore keeps beside the log. Every change of it is an event of the log
 * (`applyToRoom`), so any instance can rebuild it by reading the log from a snapshot on.
 * It holds nothing secret: it is archived, forwarded and shown.
 */
export type RoomDocument = {
  readonly id: RoomId;
  readonly code: string;
  readonly kind: RoomKind;
  readonly house: boolean;
  readonly locale: Locale;
  readonly createdAt: number;
  /** Raised by one with every commit that writes the document. */
  readonly version: number;
  /** The highest room fact (PostgreSQL) that has been appended to the log. */
  readonly factVersion: number;
  /** Copies of PostgreSQL's truth, brought by facts. */
  readonly name: string;
  readonly hasPassword: boolean;
  readonly settings: RoomSettings;
  readonly settingsVersion: number;
  readonly hostId: PlayerId | null;
  readonly expiresAt: number;
  /** In order of joining. */
  readonly members: readonly Member[];
  /** When a player was last kicked: a seat ticket from before is void. */
  readonly kickedAt: Readonly<Record<string, number>>;
  /** When players last left or timed out, the newest of them: seat tickets from before are void, too. */
  readonly leftAt?: Readonly<Record<string, number>>;
  readonly race: RaceSummary | null;
  readonly closed: { readonly cause: 'closed' | 'expired'; readonly at: number } | null;
};
