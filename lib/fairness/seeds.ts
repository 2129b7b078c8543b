import { hmac } from '@noble/hashes/hmac.js';
import { sha256 } from '@noble/hashes/sha2.js';
import type { RaceRules, Runner } from '../core/race-state.ts';
import { asDigest, canonicalJson, concat, join, u32, utf8 } from './bytes.ts';

/** Labels of the draws made from K beside the race's own, which belongs to the engine's version. No draw tells anything about another. */
export const DRAW_LABELS = {
  /** horses for players who had none at the close */
  picks: 'paddock/draw/picks',
  /** the place that gets caught */
  place: 'paddock/draw/place',
} as const;

/** HMAC-SHA256(seedKey, "paddock/seed/v1" ‖ raceId), both parts length-prefixed. `seedKey` and the seed are 32 bytes. */
export function deriveSeed(seedKey: Uint8Array, raceId: string): Uint8Array {
  return hmac(sha256, asDigest(seedKey, 'seedKey'), concat(utf8('paddock/seed/v1'), utf8(raceId)));
}

/** SHA-256(seed), published when betting opens; also what is published of a seed key before its first use. */
export function commitment(seed: Uint8Array): Uint8Array {
  return sha256(asDigest(seed, 'seed'));
}

/** The rules of a race that decide who wins what. */
export type FixedRules = Pick<RaceRules, 'pools' | 'placesPaid' | 'maxStakePerRace' | 'exclusivePicks' | 'placeVote'>;

/** The fixed rules without what a race row carries beside them. */
export function fixedRules(rules: FixedRules): FixedRules {
  const { pools, placesPaid, maxStakePerRace, exclusivePicks, placeVote } = rules;
  return { pools, placesPaid, maxStakePerRace, exclusivePicks, placeVote };
}

/** All that is fixed at opening besides race id and commitment, as far as it can change a result; a race row is one. */
export type OpeningFacts = {
  readonly roomId: string;
  /** 1, 2, 3 … within the room */
  readonly number: number;
  readonly kind: 'bet' | 'pick';
  readonly track: string;
  readonly simVersion: number;
  readonly rulesVersion: number;
  readonly rules: FixedRules;
  readonly field: readonly Runner[];
};

/**
 * SHA-256("paddock/field/v1" ‖ canonical JSON of the opening facts), length-prefixed. It covers more than the runners:
 * track, engine version and rules are as able to change a result, and K covers them through this hash.
 */
export function fieldHash(facts: OpeningFacts): Uint8Array {
  const { roomId, number, kind, track, simVersion, rulesVersion, field } = facts;
  const rules = fixedRules(facts.rules);
  const json = canonicalJson({ roomId, number, kind, track, simVersion, rulesVersion, rules, field });
  return sha256(concat(utf8('paddock/field/v1'), utf8(json)));
}

export type RaceKeyInput = {
  /** 32 bytes */
  readonly seed: Uint8Array;
  readonly raceId: string;
  /** 32 bytes */
  readonly fieldHash: Uint8Array;
  /** horse numbers in the order in which they were scratched */
  readonly scratches: readonly number[];
  readonly rulesVersion: number;
  /** 32 bytes */
  readonly betsRoot: Uint8Array;
  /** the beacon's randomness, for races opened with one */
  readonly beacon?: Uint8Array;
};

/**
 * K, 32 bytes: HMAC-SHA256(seed, "paddock/v1" ‖ raceId ‖ fieldHash ‖ scratches ‖ rulesVersion ‖ betsRoot ‖ beacon?), each part
 * length-prefixed, numbers as u32. Without a beacon its part is absent, which no beacon can imitate.
 */
export function raceKey(input: RaceKeyInput): Uint8Array {
  const parts = [
    utf8('paddock/v1'),
    utf8(input.raceId),
    asDigest(input.fieldHash, 'fieldHash'),
    join(...input.scratches.map(u32)),
    u32(input.rulesVersion),
    asDigest(input.betsRoot, 'betsRoot'),
  ];
  if (input.beacon !== undefined) parts.push(input.beacon);
  return hmac(sha256, asDigest(input.seed, 'seed'), concat(...parts));
}
