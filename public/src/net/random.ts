/** On http:// LAN addresses `crypto.randomUUID` and `crypto.subtle` do not exist; `getRandomValues` does. */
function randomBytes(count: number): Uint8Array {
  return crypto.getRandomValues(new Uint8Array(count));
}

const hex = (bytes: Uint8Array): string => Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');

/** A version 4 UUID from 16 random bytes. */
export function uuidFrom(bytes: Uint8Array): string {
  const marked = Uint8Array.from(bytes);
  marked[6] = ((marked[6] ?? 0) & 0x0f) | 0x40;
  marked[8] = ((marked[8] ?? 0) & 0x3f) | 0x80;
  const text = hex(marked);
  return `${text.slice(0, 8)}-${text.slice(8, 12)}-${text.slice(12, 16)}-${text.slice(16, 20)}-${text.slice(20, 32)}`;
}

export function newUuid(): string {
  return uuidFrom(randomBytes(16));
}

/** The player's own randomness in a receipt: 16 bytes, hex. */
export function newNonce(): string {
  return hex(randomBytes(16));
}
