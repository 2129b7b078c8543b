import type { Epoch, RoomId } from '../lib/core/ids.ts';
import type { LogEntry } from '../lib/ports.ts';
import type { Connection } from './route.ts';

/** One message as the websocket carries it, made once for all who get it. */
export type RoomPacket = { readonly text: string; readonly frame: Buffer };

/** Engine.IO's "message" and Socket.IO's "event" packet types. */
const MESSAGE = '4';
const EVENT = '2';
const FIN_TEXT = 0x81;

/**
 * `room:events` from entries as the log has them: their JSON is put together, not parsed and made again.
 * Format: Socket.IO protocol 5, packet type 2 without id in the main namespace; RFC 6455, section 5.2 (one unmasked text frame).
 */
export function roomEventsPacket(roomId: RoomId, epoch: Epoch, entries: readonly LogEntry[]): RoomPacket {
  const fromSeq = entries[0]?.seq ?? 0;
  const toSeq = entries.at(-1)?.seq ?? 0;
  const events = entries.map((entry) => entry.json).join(',');
  const body = `{"roomId":${JSON.stringify(roomId)},"epoch":${JSON.stringify(epoch)},"fromSeq":${fromSeq},"toSeq":${toSeq},"events":[${events}]}`;
  const text = `${EVENT}["room:events",${body}]`;
  return { text, frame: textFrame(Buffer.from(MESSAGE + text)) };
}

/** The connection's own write, past the encoder: what Socket.IO's adapter does for a broadcast. */
export function writePacket(socket: Connection, packet: RoomPacket): void {
  socket.conn.write(packet.text, { wsPreEncodedFrame: [packet.frame] } as never);
}

function textFrame(data: Buffer): Buffer {
  const { length } = data;
  if (length < 126) return Buffer.concat([Buffer.from([FIN_TEXT, length]), data]);
  if (length < 65_536) return Buffer.concat([Buffer.from([FIN_TEXT, 126, length >> 8, length & 0xff]), data]);
  const head = Buffer.alloc(10);
  head[0] = FIN_TEXT;
  head[1] = 127;
  head.writeBigUInt64BE(BigInt(length), 2);
  return Buffer.concat([head, data]);
}
