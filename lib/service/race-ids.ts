import { hmac } from '@noble/hashes/hmac.js';
import { sha256 } from '@noble/hashes/sha2.js';
import type { CommandId, PlayerId, RaceId, RoomId } from '../core/ids.ts';
import { concat, toHex, utf8 } from '../fairness/index.ts';

const ID_BYTES = 16;

/**
 * Ids that nobody can guess and every instance derives alike: a repeated `race:start` names the same race, and two
 * instances that open a room's next race at once name one. `secret` is the server's, never published.
 */
export function createRaceIds(secret: Uint8Array) {
  const derive = (...parts: readonly string[]): Uint8Array =>
    hmac(sha256, secret, concat(...parts.map(utf8))).slice(0, ID_BYTES);
  return {
    started: (playerId: PlayerId, commandId: CommandId) =>
      toHex(derive('paddock/race/started', playerId, commandId)) as RaceId,
    automatic: (roomId: RoomId, number: number) =>
      toHex(derive('paddock/race/automatic', roomId, String(number))) as RaceId,
    /** For what the server does in a player's name, once: a UUID (version 8). */
    command: (...parts: readonly string[]): CommandId => {
      const bytes = derive('paddock/command', ...parts);
      bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x80;
      bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80;
      const hex = toHex(bytes);
      return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join(
        '-',
      ) as CommandId;
    },
  };
}
export type RaceIds = ReturnType<typeof createRaceIds>;
