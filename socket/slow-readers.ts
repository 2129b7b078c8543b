import type { Server } from 'socket.io';
import type { Limits } from '../config/limits.ts';

/** What Engine.IO's connection keeps to itself of what it has not sent. */
type Wire = {
  readonly readyState: string;
  /** Packets that the websocket has not been given yet. */
  readonly writeBuffer: readonly unknown[];
  /** `bufferedAmount`: bytes that the system would not take yet. */
  readonly transport: { readonly socket?: { readonly bufferedAmount: number; terminate(): void } };
  on(event: 'packetCreate', listener: () => void): void;
  close(discard: boolean): void;
};

/**
 * Cuts connections that do not read: before each packet, whatever sends it (an acknowledgement, an event, a broadcast, a ping), it is
 * looked at how much the connection has not taken. Its client comes back by itself and resumes by seq.
 */
export function cutSlowReaders(
  { engine }: Pick<Server, 'engine'>,
  limits: Pick<Limits, 'readerPackets' | 'readerBytes'>,
  onCut: () => void,
): void {
  engine.on('connection', (wire: Wire) => {
    let looking = false;
    wire.on('packetCreate', () => {
      if (looking || !isSlow(wire)) return;
      looking = true;
      // Much that is sent in one turn of the loop is not yet much unread: what the system takes is gone in the next.
      setImmediate(() => {
        looking = false;
        cutIfSlow(wire);
      });
    });
  });

  function cutIfSlow(wire: Wire): void {
    if (wire.readyState !== 'open' || !isSlow(wire)) return;
    onCut();
    // At once: an orderly end would wait for the reader.
    wire.close(true);
    wire.transport.socket?.terminate();
  }

  function isSlow({ writeBuffer, transport }: Wire): boolean {
    return writeBuffer.length > limits.readerPackets || (transport.socket?.bufferedAmount ?? 0) > limits.readerBytes;
  }
}
