import { hash } from 'node:crypto';
import type { CommandId, PlayerId } from '../core/ids.ts';
import type { RequestName } from '../protocol.ts';

/** Hash of a request's parsed body, by which a repeat is told from another command under the same id. Hex. */
export function bodyHash(name: RequestName, payload: object): string {
  return hash('sha256', `${name}\n${canonical(payload)}`, 'hex');
}

export function commandMark(
  name: RequestName,
  playerId: PlayerId,
  payload: { readonly commandId: CommandId },
): { playerId: PlayerId; commandId: CommandId; bodyHash: string } {
  return { playerId, commandId: payload.commandId, bodyHash: bodyHash(name, payload) };
}

/** JSON with sorted keys; what is undefined is as if it were not there. */
function canonical(payload: object): string {
  // Most payloads hold no object. For those a list of keys says the order, and costs a fraction of asking for each part.
  if (Object.values(payload).every(isFlat)) return JSON.stringify(payload, Object.keys(payload).sort());
  return JSON.stringify(payload, (_key, part: unknown) =>
    part !== null && typeof part === 'object' && !Array.isArray(part)
      ? Object.fromEntries(Object.entries(part).sort(([a], [b]) => (a < b ? -1 : 1)))
      : part,
  );
}

function isFlat(value: unknown): boolean {
  return (
    typeof value !== 'object' ||
    value === null ||
    (Array.isArray(value) && value.every((part) => typeof part !== 'object'))
  );
}
