import type { Socket } from 'socket.io-client';

/** Counts the payload bytes a socket gets from here on, over reconnects of the same manager. Uncompressed: neither side compresses. */
export function countBytes(socket: { readonly io: Socket['io'] }): { readonly bytes: number } {
  const count = { bytes: 0 };
  const listen = (): void => {
    socket.io.engine.on('packet', ({ data }: { data?: unknown }) => {
      // one character of packet type, and what it carries
      count.bytes += 1 + (typeof data === 'string' ? Buffer.byteLength(data) : 0);
    });
  };
  if (socket.io.engine) listen();
  else socket.io.on('open', listen);
  return count;
}
