/** Bit strings of the frame chunks, high bit first, and their base64. All numbers are integers of 0…2^30-1. */

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';
/** A Rice code with this many leading ones holds the number as a plain `uint` instead. */
const ESCAPE = 15;

export type BitWriter = {
  /** the low `width` bits, at most 24 */
  bits(value: number, width: number): void;
  /** groups of four bits, low first, each after a bit that says whether more follow */
  uint(value: number): void;
  /** Rice code: value div 2^k in unary, then k bits */
  rice(value: number, k: number): void;
  /** what was written, filled up with zero bits to a whole byte */
  base64(): string;
};

export type BitReader = {
  bits(width: number): number;
  uint(): number;
  rice(k: number): number;
};

/** Small numbers of either sign as small numbers: 0, -1, 1, -2 … become 0, 1, 2, 3 … */
export const zigzag = (value: number): number => (value < 0 ? -2 * value - 1 : 2 * value);
export const unzigzag = (code: number): number => ((code & 1) === 1 ? -((code >>> 1) + 1) : code >>> 1);

/** Bits that `rice` takes. */
export function riceLength(value: number, k: number): number {
  const quotient = value >>> k;
  if (quotient < ESCAPE) return quotient + 1 + k;
  let length = ESCAPE + 5;
  for (let rest = value >>> 4; rest > 0; rest >>>= 4) length += 5;
  return length;
}

function encodeBase64(bytes: readonly number[]): string {
  let text = '';
  for (let i = 0; i < bytes.length; i += 3) {
    const left = bytes.length - i;
    const word = ((bytes[i] ?? 0) << 16) | ((bytes[i + 1] ?? 0) << 8) | (bytes[i + 2] ?? 0);
    text += ALPHABET.charAt(word >>> 18) + ALPHABET.charAt((word >>> 12) & 63);
    text += left > 1 ? ALPHABET.charAt((word >>> 6) & 63) : '=';
    text += left > 2 ? ALPHABET.charAt(word & 63) : '=';
  }
  return text;
}

export function bitWriter(): BitWriter {
  const bytes: number[] = [];
  let held = 0;
  let count = 0;

  function bits(value: number, width: number): void {
    held = (held << width) | (value & ((1 << width) - 1));
    count += width;
    while (count >= 8) {
      count -= 8;
      bytes.push((held >>> count) & 255);
    }
    held &= (1 << count) - 1;
  }

  function uint(value: number): void {
    let rest = value;
    while (rest > 15) {
      bits(16 | (rest & 15), 5);
      rest >>>= 4;
    }
    bits(rest, 5);
  }

  function rice(value: number, k: number): void {
    const quotient = value >>> k;
    if (quotient >= ESCAPE) {
      bits((1 << ESCAPE) - 1, ESCAPE);
      uint(value);
      return;
    }
    bits((1 << (quotient + 1)) - 2, quotient + 1);
    bits(value, k);
  }

  function base64(): string {
    const last = count > 0 ? [(held << (8 - count)) & 255] : [];
    return encodeBase64([...bytes, ...last]);
  }

  return { bits, uint, rice, base64 };
}

/** Reads what a writer's `base64` gave. Throws RangeError for a character that is none of base64, and past the end. */
export function bitReader(base64: string): BitReader {
  const end = base64.replace(/=+$/, '');
  let at = 0;
  let held = 0;
  let count = 0;

  function bits(width: number): number {
    while (count < width) {
      const value = at < end.length ? ALPHABET.indexOf(end.charAt(at)) : -1;
      if (value < 0) throw new RangeError('not base64, or too short');
      at += 1;
      held = (held << 6) | value;
      count += 6;
    }
    count -= width;
    const value = held >>> count;
    held &= (1 << count) - 1;
    return value;
  }

  function uint(): number {
    let value = 0;
    for (let shift = 0; shift < 30; shift += 4) {
      const group = bits(5);
      value |= (group & 15) << shift;
      if (group < 16) return value >>> 0;
    }
    throw new RangeError('number too long');
  }

  function rice(k: number): number {
    let quotient = 0;
    while (quotient < ESCAPE && bits(1) === 1) quotient += 1;
    return quotient === ESCAPE ? uint() : (quotient << k) | bits(k);
  }

  return { bits, uint, rice };
}
