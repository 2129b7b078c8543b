import { hash } from 'node:crypto';
import { LRUCache } from 'lru-cache';
import type { BetId, CommandId, PlayerId, RaceId } from '../core/ids.ts';
import { concat, encodeLeaf, type Leaf, leafPreimage, playerTag, raceTagKey, toHex, utf8 } from '../fairness/index.ts';
import type { Receipt } from '../protocol.ts';

/** What a command puts into the race's tree, as the ledger takes it and as the player keeps it. */
export type LeafParts = { readonly leaf: string; readonly tag: string; readonly nonce: string };

type Contents<L> = L extends { readonly commandId: string } ? Omit<L, 'tag' | 'commandId' | 'nonce'> : never;

/** Races whose tags are kept: a few times what one process has open at a time. */
const RACES_KEPT = 2_000;

/** Hashing is a good part of what a bet costs this process: the native one, and each player's tag of a race made once. */
const hashOf = (bytes: Uint8Array): string => hash('sha256', bytes, 'hex');

/** Leaves of commands. `tagSecret` is the server's own, 32 bytes, never published. */
export function createLeaves(tagSecret: Uint8Array) {
  const races = new LRUCache<RaceId, { readonly key: Uint8Array; readonly tags: Map<PlayerId, string> }>({
    max: RACES_KEPT,
  });

  function tagOf(raceId: RaceId, playerId: PlayerId): string {
    let race = races.get(raceId);
    if (race === undefined) races.set(raceId, (race = { key: raceTagKey(tagSecret, raceId), tags: new Map() }));
    let tag = race.tags.get(playerId);
    if (tag === undefined) race.tags.set(playerId, (tag = toHex(playerTag(race.key, playerId))));
    return tag;
  }
  const leafOf = (raceId: RaceId, leaf: Leaf): string => hashOf(leafPreimage(encodeLeaf(raceId, leaf)));

  return {
    make(
      raceId: RaceId,
      playerId: PlayerId,
      command: { readonly commandId: CommandId; readonly nonce?: string | undefined },
      contents: Contents<Leaf>,
    ): LeafParts {
      const own = { tag: tagOf(raceId, playerId), commandId: command.commandId, nonce: command.nonce ?? '' };
      return { leaf: leafOf(raceId, { ...contents, ...own }), tag: own.tag, nonce: own.nonce };
    },
    /** For a player who gets a horse drawn at the close. */
    drawn(raceId: RaceId, playerId: PlayerId): { readonly leaf: string; readonly tag: string } {
      const tag = tagOf(raceId, playerId);
      return { leaf: leafOf(raceId, { kind: 'drawn', tag }), tag };
    },
  };
}
export type Leaves = ReturnType<typeof createLeaves>;

export function receiptOf(raceId: RaceId, commandId: CommandId, parts: LeafParts): Receipt {
  return { raceId, leaf: parts.leaf, tag: parts.tag, nonce: parts.nonce, commandId };
}

/** The same command makes the same bet, on any instance. */
export function betIdOf(playerId: PlayerId, commandId: CommandId): BetId {
  return hashOf(concat(utf8('paddock/bet/v1'), utf8(playerId), utf8(commandId))).slice(0, 32) as BetId;
}
