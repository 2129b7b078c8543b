import type { WebSocket } from 'ws';

/** A request as it went out. */
export type Sent = { readonly request: string; readonly text: string };

export type Packet = {
  /** Text as it came; binary as latin1. */
  readonly text: string;
  /** ms; the server runs on the same machine and clock */
  readonly at: number;
  /** The JSON in it, with Engine.IO's and Socket.IO's type digits taken off; undefined where there is none. */
  readonly json: unknown;
  /** The request this acknowledges. */
  readonly answers: Sent | undefined;
};

/** One websocket, from the answer to its upgrade to its close. */
export type Wire = {
  /** Status and headers of the upgrade. */
  head: string;
  readonly packets: Packet[];
  binaries: number;
  /** Bytes after the upgrade as they came, and as the packets and control frames account for them. */
  rawBytes: number;
  framedBytes: number;
};

export type Recorder = {
  readonly watch: (socket: WebSocket) => void;
  readonly wires: readonly Wire[];
  /** All that came so far, over reconnects. */
  packets(): readonly Packet[];
  /** Whether the text is in what was sent. */
  hasSent(text: string): boolean;
};

const KEPT_OF_SENT = 4_000;

/** Keeps every byte that the websockets shown to `watch` get, and what they were asked. */
export function createRecorder(): Recorder {
  const wires: Wire[] = [];
  const sent: string[] = [];

  function watch(socket: WebSocket): void {
    const wire: Wire = { head: '', packets: [], binaries: 0, rawBytes: 0, framedBytes: 0 };
    const asked = new Map<string, Sent>();
    wires.push(wire);
    socket.on('upgrade', (response) => {
      wire.head = `${response.statusCode} ${response.rawHeaders.join('\n')}`;
      // A listener now would be given what came with the head, and the websocket would not.
      process.nextTick(() => response.socket.on('data', (chunk: Buffer) => (wire.rawBytes += chunk.length)));
    });
    socket.on('message', (data, isBinary) => {
      const bytes = Buffer.isBuffer(data) ? data : Buffer.concat(Array.isArray(data) ? data : [Buffer.from(data)]);
      wire.framedBytes += framed(bytes.length);
      if (isBinary) wire.binaries += 1;
      const text = bytes.toString(isBinary ? 'latin1' : 'utf8');
      const id = /^4(?:3|6\d+-)(\d+)\[/u.exec(text)?.[1];
      wire.packets.push({ text, at: Date.now(), json: jsonOf(text), answers: id ? asked.get(id) : undefined });
    });
    const control = (data: Buffer): void => void (wire.framedBytes += framed(data.length));
    socket.on('ping', control);
    socket.on('pong', control);
    // 1005: a close frame without a code; 1006: none came.
    socket.on('close', (code, reason) => {
      if (code !== 1006) wire.framedBytes += framed(code === 1005 ? 0 : 2 + reason.length);
    });
    const send = socket.send.bind(socket) as (...args: unknown[]) => void;
    socket.send = (data: unknown, ...rest: unknown[]): void => {
      if (typeof data === 'string') {
        const text = data.slice(0, KEPT_OF_SENT);
        const [, id, request] = /^4(?:2|5\d+-)(\d+)\["([^"]*)"/u.exec(text) ?? [];
        if (id !== undefined) asked.set(id, { request: request ?? '', text });
        sent.push(text);
      }
      send(data, ...rest);
    };
  }

  return {
    watch,
    wires,
    packets: () => wires.flatMap((wire) => wire.packets),
    hasSent: (text) => sent.some((one) => one.includes(text)),
  };
}

/** Bytes of a frame from the server: unmasked, in one piece. */
function framed(length: number): number {
  return length + (length > 65_535 ? 10 : length > 125 ? 4 : 2);
}

function jsonOf(text: string): unknown {
  const start = text.search(/[[{]/u);
  if (start < 0) return undefined;
  try {
    return JSON.parse(text.slice(start)) as unknown;
  } catch {
    return undefined;
  }
}
