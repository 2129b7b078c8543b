import { sha256 } from '@noble/hashes/sha2.js';
import type { BetId, CommandId, PlayerId, RaceId } from '../core/ids.ts';
import { concat, type Leaf, leafHashOf, playerTag, raceTagKey, toHex, utf8 } from '../fairness/index.ts';
import type { Receipt } from '../protocol.ts';

/** What a command puts into the race's tree, as the ledger takes it and as the player keeps it. */
export type LeafParts = { readonly leaf: string; readonly tag: string; readonly nonce: string };

type Contents<L> = L extends { readonly commandId: string } ? Omit<L, 'tag' | 'commandId' | 'nonce'> : never;

/** Leaves of commands. `tagSecret` is the server's own, 32 bytes, never published. */
export function createLeaves(tagSecret: Uint8Array) {
  const tagOf = (raceId: RaceId, playerId: PlayerId): string =>
    toHex(playerTag(raceTagKey(tagSecret, raceId), playerId));
  return {
    make(
      raceId: RaceId,
      playerId: PlayerId,
      command: { readonly commandId: CommandId; readonly nonce?: string | undefined },
      contents: Contents<Leaf>,
    ): LeafParts {
      const own = { tag: tagOf(raceId, playerId), commandId: command.commandId, nonce: command.nonce ?? '' };
      return { leaf: toHex(leafHashOf(raceId, { ...contents, ...own })), tag: own.tag, nonce: own.nonce };
    },
    /** For a player who gets a horse drawn at the close. */
    drawn(raceId: RaceId, playerId: PlayerId): { readonly leaf: string; readonly tag: string } {
      const tag = tagOf(raceId, playerId);
      return { leaf: toHex(leafHashOf(raceId, { kind: 'drawn', tag })), tag };
    },
  };
}
export type Leaves = ReturnType<typeof createLeaves>;

export function receiptOf(raceId: RaceId, commandId: CommandId, parts: LeafParts): Receipt {
  return { raceId, leaf: parts.leaf, tag: parts.tag, nonce: parts.nonce, commandId };
}

/** The same command makes the same bet, on any instance. */
export function betIdOf(playerId: PlayerId, commandId: CommandId): BetId {
  return toHex(sha256(concat(utf8('paddock/bet/v1'), utf8(playerId), utf8(commandId))).slice(0, 16)) as BetId;
}
