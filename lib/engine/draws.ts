import { hmac } from '@noble/hashes/hmac.js';
import { sha256 } from '@noble/hashes/sha2.js';

/** A stream of uniform draws. The n-th call depends on the calls before it, so callers draw in a fixed order. */
export type Draws = {
  /** Uniform integer in 0…n-1, for an integer n of 1…2^32. Throws RangeError for another n. */
  below(n: number): number;
  /** A new array in uniform random order: one item after another is drawn from those left. */
  shuffle<T>(items: readonly T[]): T[];
};

type KeyedHash = { clone(): KeyedHash; update(bytes: Uint8Array): KeyedHash; digest(): Uint8Array };

const WORD = 4_294_967_296;
const BLOCK_BYTES = 32;

/** Length byte, label, big-endian counter: no label is a prefix of another one's message. */
function message(label: string): Uint8Array {
  const bytes = new Uint8Array(1 + label.length + 4);
  bytes[0] = label.length;
  for (let i = 0; i < label.length; i += 1) {
    const code = label.charCodeAt(i);
    if (code < 0x20 || code > 0x7e) throw new RangeError('a label is printable ASCII');
    bytes[1 + i] = code;
  }
  return bytes;
}

/**
 * Draws from HMAC-SHA256(key, label ‖ counter), counter 0, 1, 2 …; each block gives eight big-endian 32-bit words.
 * `below` rejects words at or above the largest multiple of n, so no value is favoured by the remainder.
 * Streams of different labels are independent. Throws RangeError for a key that is not 32 bytes or a label that is
 * empty, longer than 64 characters or not printable ASCII.
 */
export function createDraws(key: Uint8Array, label: string): Draws {
  if (key.length !== 32) throw new RangeError('a key is 32 bytes');
  if (label.length < 1 || label.length > 64) throw new RangeError('a label is 1 to 64 characters');
  const keyed: KeyedHash = hmac.create(sha256, key);
  const input = message(label);
  const counter = new DataView(input.buffer, 1 + label.length, 4);
  let blocks = 0;
  let offset = BLOCK_BYTES;
  let block: DataView = counter;

  function word(): number {
    if (offset === BLOCK_BYTES) {
      counter.setUint32(0, blocks);
      blocks += 1;
      const digest = keyed.clone().update(input).digest();
      block = new DataView(digest.buffer, digest.byteOffset, BLOCK_BYTES);
      offset = 0;
    }
    const value = block.getUint32(offset);
    offset += 4;
    return value;
  }

  function below(n: number): number {
    if (!Number.isInteger(n) || n < 1 || n > WORD) throw new RangeError('below takes an integer of 1 to 2^32');
    const limit = WORD - (WORD % n);
    let value = word();
    while (value >= limit) value = word();
    return value % n;
  }

  function shuffle<T>(items: readonly T[]): T[] {
    const left = items.slice();
    const drawn: T[] = [];
    while (left.length > 0) drawn.push(...left.splice(below(left.length), 1));
    return drawn;
  }

  return { below, shuffle };
}
