import { randomUUID } from 'node:crypto';
import { io, NodeWebSocket, type Socket } from 'socket.io-client';
import type { WebSocket } from 'ws';
import type { z } from 'zod';
import type {
  Ack,
  ClientToServer,
  ConnectRefusal,
  REQUESTS,
  Reply,
  RequestName,
  RoomEvent,
  RoomEventsPacket,
  ServerEventName,
  ServerEvents,
  ServerToClient,
  Snapshot,
} from '../../lib/protocol.ts';
import { PROTOCOL_VERSION } from '../../lib/protocol.ts';
import { until } from './until.ts';

type Input<Name extends RequestName> = z.input<(typeof REQUESTS)[Name]>;
/** A command id is made where none is given. */
type Body<Name extends RequestName> =
  Input<Name> extends { commandId: string } ? Omit<Input<Name>, 'commandId'> & { commandId?: string } : Input<Name>;

export type Refused = Extract<Ack<never>, { ok: false }>;

export type ConnectOptions = {
  readonly nickname?: string;
  readonly locale?: 'ko' | 'en';
  readonly token?: string;
  readonly link?: string;
  readonly origin?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Anything else of the handshake, also what it must not be. */
  readonly auth?: Readonly<Record<string, unknown>>;
  /** Shown every websocket of this client, those of reconnects too, before its first byte. */
  readonly onWebSocket?: (socket: WebSocket) => void;
};

/** The room as this client holds it: what a snapshot and the events after it make of it. */
export type ClientRoom = {
  readonly id: string;
  epoch: string;
  seq: number;
  seat: string;
  snapshot: Snapshot;
  /** Every event since the client is in the room, in order, over snapshots. */
  readonly events: RoomEvent[];
  /** Times a snapshot had to stand in for events. */
  snapshots: number;
};

export type ServerMessage = { readonly name: ServerEventName; readonly data: unknown; readonly at: number };

/**
 * A player as a page would be: keeps token, room, seq and seat, and gives them at every reconnect, so that a test needs no
 * code for resuming. Gaps are asked for by `room:sync`.
 */
export class TestClient {
  readonly socket: Socket<ServerToClient, ClientToServer>;
  token: string | undefined;
  ready: ServerEvents['session:ready'] | undefined;
  room: ClientRoom | undefined;
  /** All that the server sent unasked, in order. */
  readonly messages: ServerMessage[] = [];
  readonly refusals: ConnectRefusal[] = [];
  readonly lefts: ServerEvents['room:left'][] = [];
  /** Times `session:ready` came. */
  readies = 0;

  constructor(url: string, options: ConnectOptions = {}) {
    this.token = options.token;
    let { link } = options;
    this.socket = io(url, {
      transports: options.onWebSocket ? [shown(options.onWebSocket)] : ['websocket'],
      forceNew: true,
      reconnectionDelay: 200,
      reconnectionDelayMax: 3_000,
      extraHeaders: { ...(options.origin !== undefined && { origin: options.origin }), ...options.headers },
      auth: (give) => {
        const { token, room } = this;
        give({
          protocol: PROTOCOL_VERSION,
          nickname: options.nickname,
          locale: options.locale,
          token,
          link,
          ...(room && { resume: { roomId: room.id, epoch: room.epoch, seq: room.seq, seat: room.seat } }),
          ...options.auth,
        });
      },
    });
    this.socket.onAny((name: ServerEventName, data: unknown) => this.messages.push({ name, data, at: Date.now() }));
    this.socket.on('session:ready', (ready) => {
      link = undefined;
      this.ready = ready;
      this.token = ready.token;
      this.readies += 1;
      if (ready.left) this.room = undefined;
    });
    this.socket.on('connect_error', (error) => {
      const { data } = error as Error & { data?: ConnectRefusal };
      if (data) this.refusals.push(data);
    });
    this.socket.on('room:snapshot', ({ room, seat }) => this.#hold(room, seat));
    this.socket.on('room:events', (packet) => this.#take(packet));
    this.socket.on('room:left', (left) => {
      this.lefts.push(left);
      if (this.room?.id === left.roomId) this.room = undefined;
    });
  }

  get id(): string {
    return this.ready?.player.id ?? '';
  }

  /** The acknowledgement as it came. */
  async ask<Name extends RequestName>(name: Name, body: Body<Name>): Promise<Ack<Reply<Name>>> {
    const answer = (await this.raw(name, withCommandId(name, body))) as Ack<Reply<Name>>;
    if (answer.ok) this.#follow(name, answer.data);
    return answer;
  }

  /** The answer's data; throws with the code where it was refused. */
  async request<Name extends RequestName>(name: Name, body: Body<Name>): Promise<Reply<Name>> {
    const answer = await this.ask(name, body);
    if (answer.ok) return answer.data;
    throw Object.assign(new Error(`${name}: ${answer.code} ${answer.path ?? ''}`), { refusal: answer });
  }

  /** The refusal of a request that must not succeed. */
  async refused<Name extends RequestName>(name: Name, body: Body<Name>): Promise<Refused> {
    const answer = await this.ask(name, body);
    if (!answer.ok) return answer;
    throw new Error(`${name} was not refused: ${JSON.stringify(answer.data).slice(0, 200)}`);
  }

  /** Whatever arguments, as they are. */
  async raw(name: string, ...args: readonly unknown[]): Promise<unknown> {
    const socket = this.socket as unknown as Socket;
    return socket.timeout(15_000).emitWithAck(name, ...args);
  }

  /** The latest message of a kind, once one is there that `matches`. */
  async message<Name extends ServerEventName>(
    name: Name,
    matches: (data: ServerEvents[Name]) => boolean = () => true,
  ): Promise<ServerEvents[Name]> {
    const found = await until(`${name} for ${this.id}`, () =>
      this.messages.findLast((one) => one.name === name && matches(one.data as ServerEvents[Name])),
    );
    return found.data as ServerEvents[Name];
  }

  /** The latest event of the room's log of a type, once one is there that `matches`. */
  async event<Type extends RoomEvent['type']>(
    type: Type,
    matches: (event: Extract<RoomEvent, { type: Type }>) => boolean = () => true,
    deadlineMs = 30_000,
  ): Promise<Extract<RoomEvent, { type: Type }>> {
    const found = await until(
      `event ${type} for ${this.id}`,
      () =>
        this.room?.events.findLast(
          (event): event is Extract<RoomEvent, { type: Type }> =>
            event.type === type && matches(event as Extract<RoomEvent, { type: Type }>),
        ),
      { deadlineMs },
    );
    return found;
  }

  /** Cuts the connection as a tunnel would; the client comes back by itself. */
  drop(): void {
    this.socket.io.engine.close();
  }

  close(): void {
    this.socket.close();
  }

  #hold(snapshot: Snapshot, seat: string): void {
    const same = this.room?.id === snapshot.id ? this.room : undefined;
    // Events may overtake an acknowledgement: a snapshot older than what is held already tells nothing new.
    if (same && same.epoch === snapshot.epoch && snapshot.seq < same.seq) {
      same.seat = seat;
      return;
    }
    this.room = {
      id: snapshot.id,
      epoch: snapshot.epoch,
      seq: snapshot.seq,
      seat,
      snapshot,
      events: same?.events ?? [],
      snapshots: (same?.snapshots ?? 0) + 1,
    };
    for (const packet of this.#early.splice(0)) this.#take(packet);
  }

  /** Events of a room whose snapshot is still on its way: order between the two is not promised. */
  readonly #early: RoomEventsPacket[] = [];

  #take(packet: RoomEventsPacket): void {
    const { room } = this;
    if (!room || room.id !== packet.roomId) {
      this.#early.push(packet);
      return;
    }
    if (packet.epoch !== room.epoch || packet.fromSeq > room.seq + 1) {
      void this.#sync(room);
      return;
    }
    for (const event of packet.events) {
      if (event.seq <= room.seq) continue;
      room.seq = event.seq;
      room.events.push(event);
    }
  }

  async #sync(room: ClientRoom): Promise<void> {
    // A line that is lost meanwhile brings what is missing when it is back.
    const answer = await this.ask('room:sync', { roomId: room.id, epoch: room.epoch, seq: room.seq }).catch(() => null);
    if (!answer?.ok) return;
    if (!answer.data.recovered) return this.#hold(answer.data.room, room.seat);
    const { events } = answer.data;
    const last = events.at(-1);
    if (!last) return;
    this.#take({
      roomId: room.snapshot.id,
      epoch: room.snapshot.epoch,
      fromSeq: room.seq + 1,
      toSeq: last.seq,
      events,
    });
  }

  /** Balances that came with an answer to a bet or a claim: whoever asks is told no second time. */
  readonly answered: { readonly balance: string; readonly version: number }[] = [];

  #follow(name: RequestName, data: unknown): void {
    if (name === 'bet:place' || name === 'wallet:claim') {
      const { balance, balanceVersion } = data as Reply<'bet:place'>;
      this.answered.push({ balance, version: balanceVersion });
    }
    if (name === 'room:create' || name === 'room:join') {
      const { room, seat } = data as Reply<'room:join'>;
      this.#hold(room, seat);
    }
    if (name === 'room:leave') this.room = undefined;
  }
}

function shown(show: (socket: WebSocket) => void) {
  return class extends NodeWebSocket {
    override createSocket(...args: Parameters<NodeWebSocket['createSocket']>): WebSocket {
      const socket = super.createSocket(...args) as WebSocket;
      show(socket);
      return socket;
    }
  };
}

function withCommandId(name: string, body: object): object {
  const needsNone = [
    'time:sync',
    'session:link',
    'lobby:watch',
    'lobby:unwatch',
    'room:find',
    'room:sync',
    'room:members',
  ].includes(name);
  const reads = needsNone || /:(get|mine|quote|history)$/.test(name);
  return reads || 'commandId' in body ? body : { commandId: randomUUID(), ...body };
}

/** A client that is connected and knows who it is. */
export async function connect(url: string, options: ConnectOptions = {}): Promise<TestClient> {
  const client = new TestClient(url, options);
  await until('session:ready', () => {
    const [refusal] = client.refusals;
    return client.ready ?? refusal;
  });
  if (client.ready) return client;
  client.close();
  throw Object.assign(new Error(`refused: ${client.refusals[0]?.code}`), { refusal: client.refusals[0] });
}

/** Why a connection is refused. */
export async function connectRefusal(url: string, options: ConnectOptions = {}): Promise<ConnectRefusal> {
  const client = new TestClient(url, options);
  try {
    return await until('a refusal', () => client.refusals[0]);
  } finally {
    client.close();
  }
}
