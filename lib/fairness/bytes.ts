import { bytesToHex, hexToBytes, utf8ToBytes } from '@noble/hashes/utils.js';

/** Bytes of a SHA-256 digest, of a seed and of K. */
export const DIGEST_BYTES = 32;

export function utf8(text: string): Uint8Array {
  return utf8ToBytes(text);
}

export function toHex(bytes: Uint8Array): string {
  return bytesToHex(bytes);
}

/** Lower case only, so that one value has one spelling. Throws TypeError. */
export function fromHex(hex: string): Uint8Array {
  if (typeof hex !== 'string' || !/^(?:[0-9a-f]{2})*$/.test(hex)) throw new TypeError('not lower-case hex');
  return hexToBytes(hex);
}

/** A digest given as hex. Throws TypeError where it is not 64 lower-case hex digits. */
export function digestFromHex(hex: string): Uint8Array {
  return asDigest(fromHex(hex), 'digest');
}

/** Guards against hashing the 64 characters of a digest's hex instead of its 32 bytes. Throws TypeError. */
export function asDigest(bytes: Uint8Array, name: string): Uint8Array {
  if (!(bytes instanceof Uint8Array) || bytes.length !== DIGEST_BYTES) {
    throw new TypeError(`${name} must be ${DIGEST_BYTES} bytes`);
  }
  return bytes;
}

/** 4 bytes, big-endian; PostgreSQL's `int4send` for values below 2^31. */
export function u32(value: number): Uint8Array {
  if (!Number.isInteger(value) || value < 0 || value > 0xffff_ffff) throw new RangeError(`not a u32: ${value}`);
  return Uint8Array.of(value >>> 24, value >>> 16, value >>> 8, value);
}

const MAX_I64 = 2n ** 63n - 1n;

/** 8 bytes, big-endian, 0 … 2^63 − 1; PostgreSQL's `int8send`. */
export function u63(value: bigint): Uint8Array {
  if (typeof value !== 'bigint' || value < 0n || value > MAX_I64) throw new RangeError(`not a u63: ${value}`);
  const out = new Uint8Array(8);
  new DataView(out.buffer).setBigUint64(0, value);
  return out;
}

/** Plain concatenation: only for parts of fixed length. */
export function join(...parts: readonly Uint8Array[]): Uint8Array {
  let length = 0;
  for (const part of parts) length += part.length;
  const out = new Uint8Array(length);
  let at = 0;
  for (const part of parts) {
    out.set(part, at);
    at += part.length;
  }
  return out;
}

/** Each part behind its length as u32: no two lists of parts give the same bytes. */
export function concat(...parts: readonly Uint8Array[]): Uint8Array {
  let length = 0;
  for (const part of parts) length += 4 + part.length;
  const out = new Uint8Array(length);
  let at = 0;
  for (const part of parts) {
    out[at] = part.length >>> 24;
    out[at + 1] = part.length >>> 16;
    out[at + 2] = part.length >>> 8;
    out[at + 3] = part.length;
    out.set(part, at + 4);
    at += 4 + part.length;
  }
  return out;
}

export function equalBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, index) => byte === b[index]);
}

/**
 * JSON with one spelling: keys sorted by UTF-16 code units, no white space, integers within ±(2^53 − 1), strings,
 * booleans, arrays, plain objects and null. Equal to RFC 8785 for what it takes. Throws TypeError for anything else:
 * floats, bigints, undefined (also as a property: a key is there or it is not), dates, class instances.
 */
export function canonicalJson(value: unknown): string {
  if (value === null || typeof value === 'boolean' || typeof value === 'string') return JSON.stringify(value);
  if (typeof value === 'number') {
    if (!Number.isSafeInteger(value)) throw new TypeError(`not a safe integer: ${value}`);
    return JSON.stringify(value);
  }
  if (Array.isArray(value)) return `[${Array.from(value, canonicalJson).join(',')}]`;
  if (typeof value === 'object' && isPlain(value)) {
    const members = Object.entries(value)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, member]) => `${JSON.stringify(key)}:${canonicalJson(member)}`);
    return `{${members.join(',')}}`;
  }
  throw new TypeError(`no canonical JSON for ${typeof value}`);
}

function isPlain(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}
