import { createHash } from 'node:crypto';
import type { CommandId, PlayerId } from '../core/ids.ts';
import type { RequestName } from '../protocol.ts';

/** Hash of a request's parsed body, by which a repeat is told from another command under the same id. Hex. */
export function bodyHash(name: RequestName, payload: object): string {
  return createHash('sha256')
    .update(`${name}\n${canonical(payload)}`)
    .digest('hex');
}

export function commandMark(
  name: RequestName,
  playerId: PlayerId,
  payload: { readonly commandId: CommandId },
): { playerId: PlayerId; commandId: CommandId; bodyHash: string } {
  return { playerId, commandId: payload.commandId, bodyHash: bodyHash(name, payload) };
}

/** JSON with sorted keys; what is undefined is as if it were not there. */
function canonical(value: unknown): string {
  return JSON.stringify(value, (_key, part: unknown) =>
    part !== null && typeof part === 'object' && !Array.isArray(part)
      ? Object.fromEntries(Object.entries(part).sort(([a], [b]) => (a < b ? -1 : 1)))
      : part,
  );
}
