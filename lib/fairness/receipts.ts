import { hmac } from '@noble/hashes/hmac.js';
import { sha256 } from '@noble/hashes/sha2.js';
import { assertNever } from '../core/ids.ts';
import type { Pool } from '../core/pools.ts';
import { asDigest, concat, digestFromHex, fromHex, join, u32, u63, utf8 } from './bytes.ts';
import { type BatchRoot, encodeTotals, leafHash, type MerklePath } from './merkle.ts';

/**
 * The key of a race's tags, 32 bytes, from a secret of the server that is never published. It must not come from the seed:
 * the seed is revealed at settlement, and anybody could then try the ids of known players and read their bets off the receipts.
 */
export function raceTagKey(tagSecret: Uint8Array, raceId: string): Uint8Array {
  return hmac(sha256, asDigest(tagSecret, 'tagSecret'), concat(utf8('paddock/tag/v1'), utf8(raceId)));
}

/**
 * What stands for a player in the leaves of one race (32 bytes): equal for all leaves of that player and race, different in every other race, and
 * without meaning to whoever was not told it. The player learns it with the receipt and cannot recompute it; that a leaf is really
 * one's own, and not shared with somebody who bet the same, is what the command id and the nonce in it are for: both are the
 * player's own random choice. Since a tag cannot be guessed, sibling hashes in a path tell nothing about others' bets and picks.
 */
export function playerTag(tagKey: Uint8Array, playerId: string): Uint8Array {
  return hmac(sha256, asDigest(tagKey, 'tagKey'), concat(utf8(playerId)));
}

/** A command of the player's own. */
type OwnLeaf = {
  /** hex */
  readonly tag: string;
  readonly commandId: string;
  /** the client's own randomness, hex; '' where it sent none */
  readonly nonce: string;
};

/** One accepted command, as JSON carries it; the race's id is added by the encoding. */
export type Leaf =
  | (OwnLeaf & {
      readonly kind: 'bet';
      readonly pool: Pool;
      readonly selection: readonly number[];
      /** points, decimal */
      readonly stake: string;
    })
  | (OwnLeaf & { readonly kind: 'pick'; readonly horse: number })
  | (OwnLeaf & { readonly kind: 'pick-clear' })
  | (OwnLeaf & { readonly kind: 'vote'; readonly place: number })
  /** Made by the server at the close for a ready, connected player without a pick; the horse comes from K. */
  | { readonly kind: 'drawn'; readonly tag: string };

/**
 * Leaf bytes, each part length-prefixed: "paddock/leaf/v1" ‖ kind ‖ raceId ‖ tag, then but for 'drawn' commandId ‖ nonce, then
 * bet: pool ‖ selection (u32 each) ‖ stake (8 bytes) · pick: horse (u32) · vote: place (u32).
 * Throws TypeError or RangeError for what cannot be encoded.
 */
export function encodeLeaf(raceId: string, leaf: Leaf): Uint8Array {
  const base = [utf8('paddock/leaf/v1'), utf8(leaf.kind), utf8(raceId), digestFromHex(leaf.tag)];
  if (leaf.kind === 'drawn') return concat(...base);
  return concat(...base, utf8(leaf.commandId), fromHex(leaf.nonce), ...contents(leaf));
}

function contents(leaf: Exclude<Leaf, { kind: 'drawn' }>): Uint8Array[] {
  switch (leaf.kind) {
    case 'bet':
      return [utf8(leaf.pool), join(...leaf.selection.map(u32)), u63(pointsOf(leaf.stake))];
    case 'pick':
      return [u32(leaf.horse)];
    case 'pick-clear':
      return [];
    case 'vote':
      return [u32(leaf.place)];
    default:
      return assertNever(leaf);
  }
}

/** Decimal points without sign, leading zeros or anything else. Throws TypeError. */
export function pointsOf(decimal: string): bigint {
  if (typeof decimal !== 'string' || !/^(0|[1-9]\d{0,18})$/.test(decimal)) throw new TypeError('not decimal points');
  return BigInt(decimal);
}

/** The 32 bytes that the tree holds; what Node hands to the database. */
export function leafHashOf(raceId: string, leaf: Leaf): Uint8Array {
  return leafHash(encodeLeaf(raceId, leaf));
}

/** What a player kept of a command of his own. */
export type OwnReceipt = {
  readonly leaf: Leaf;
  /** the leaf hash that the server answered with, hex */
  readonly hash?: string;
  /** where the tree holds it; without them it is looked for among `Evidence.leaves` */
  readonly batch?: string;
  readonly path?: MerklePath;
  /** of a bet: the points that came back, decimal */
  readonly returned?: string;
};

/**
 * The bytes that the server signs for a batch. With commitment and field hash in them a receipt also proves which seed and which
 * field the server stood for while betting was open.
 */
export function batchRootMessage(
  race: { readonly raceId: string; readonly commitment: Uint8Array; readonly fieldHash: Uint8Array },
  batch: BatchRoot,
): Uint8Array {
  return concat(
    utf8('paddock/batch/v1'),
    utf8(race.raceId),
    asDigest(race.commitment, 'commitment'),
    asDigest(race.fieldHash, 'fieldHash'),
    u63(batch.batch),
    asDigest(batch.root, 'batch root'),
    u32(batch.count),
    encodeTotals(batch.totals),
  );
}
