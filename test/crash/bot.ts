import { randomUUID } from 'node:crypto';
import type { Socket } from 'socket.io-client';
import type { RaceId, RoomId } from '../../lib/core/ids.ts';
import { applyToRace } from '../../lib/core/race-view.ts';
import type { Ack, RaceView, Reply, RequestName, RoomEventsPacket, Snapshot } from '../../lib/protocol.ts';
import { connect, type TestClient } from '../helpers/client.ts';

/** A command under its own id from its making to its answer, however often it had to be sent. */
export type Sent = {
  readonly name: RequestName;
  readonly body: Readonly<Record<string, unknown>> & { readonly commandId: string };
  readonly raceId: RaceId | undefined;
  times: number;
  inFlight: boolean;
  /** Sent, unanswered, and then the connection went. */
  lost: boolean;
  answer: Ack<unknown> | null;
};

const AGAIN_MS = 100;

/**
 * A player who survives: what is not answered is sent again under the same id after every reconnect, until a definite
 * answer comes. It keeps its own picture of the room's race from what it is told.
 */
export class Bot {
  readonly client: TestClient;
  readonly roomId: RoomId;
  readonly sent: Sent[] = [];
  /** Every snapshot the bot was given, in order. */
  readonly snapshots: Snapshot[] = [];
  /** Why the room could not be resumed by itself, each time. */
  readonly lostSeats: string[] = [];
  race: RaceView | null = null;
  #seated = true;
  #waiting = new Map<Sent, (answer: Ack<unknown>) => void>();

  private constructor(client: TestClient, roomId: RoomId) {
    this.client = client;
    this.roomId = roomId;
    const { socket } = client;
    // A test wants them back soon, not politely.
    socket.io.reconnectionDelayMax(500);
    const ask = client.ask.bind(client);
    client.ask = async (name, body) => {
      const answer = await ask(name, body);
      if (name === 'room:sync' && answer.ok) {
        const data = answer.data as Reply<'room:sync'>;
        if (!data.recovered) this.#see(data.room);
      }
      return answer;
    };
    socket.on('room:snapshot', ({ room }) => this.#see(room));
    socket.on('room:events', (packet: RoomEventsPacket) => {
      for (const event of packet.events) this.race = applyToRace(this.race, event);
    });
    socket.on('disconnect', () => {
      this.#seated = false;
      for (const one of this.sent) {
        if (one.inFlight) one.lost = true;
        one.inFlight = false;
      }
    });
    socket.on('session:ready', (ready) => {
      if (ready.left === undefined) this.#sit();
      else {
        this.lostSeats.push(ready.left.cause);
        void client.ask('room:join', { roomId }).then(() => this.#sit());
      }
    });
    if (client.room) this.#see(client.room.snapshot);
  }

  static async create(url: string, nickname: string, seat: { kind: 'bet' | 'pick'; settings: object }): Promise<Bot> {
    const client = await connect(url, { nickname, locale: 'en' });
    const { room } = await client.request('room:create', seat);
    return new Bot(client, room.id);
  }

  static async join(url: string, nickname: string, roomId: RoomId): Promise<Bot> {
    const client = await connect(url, { nickname, locale: 'en' });
    await client.request('room:join', { roomId });
    return new Bot(client, roomId);
  }

  get seated(): boolean {
    return this.#seated && this.client.socket.connected;
  }

  /** Resolves with the definite answer, over any number of crashes. */
  send(name: RequestName, body: Readonly<Record<string, unknown>>): Promise<Ack<unknown>> {
    const one: Sent = {
      name,
      body: { commandId: randomUUID(), ...body },
      raceId: body['raceId'] as RaceId | undefined,
      times: 0,
      inFlight: false,
      lost: false,
      answer: null,
    };
    this.sent.push(one);
    return new Promise((resolve) => {
      this.#waiting.set(one, resolve);
      this.#emit(one);
    });
  }

  unanswered(): Sent[] {
    return this.sent.filter(({ answer }) => answer === null);
  }

  /** Accepted commands of a race, in the order in which they were answered for one kind that waits for each answer. */
  accepted(raceId: RaceId, ...names: RequestName[]): (Sent & { readonly answer: { readonly data: unknown } })[] {
    return this.sent.filter(
      (one): one is Sent & { answer: Extract<Ack<unknown>, { ok: true }> } =>
        one.raceId === raceId && names.includes(one.name) && one.answer?.ok === true,
    );
  }

  #emit(one: Sent): void {
    if (one.answer !== null || one.inFlight || !this.seated) return;
    one.inFlight = true;
    one.times += 1;
    (this.client.socket as unknown as Socket).emit(one.name, one.body, (answer: Ack<unknown>) => {
      one.inFlight = false;
      if (one.answer !== null) return;
      if (!answer.ok && (answer.outcome === 'unknown' || answer.retryable)) {
        setTimeout(() => this.#emit(one), answer.retryAfterMs ?? AGAIN_MS);
        return;
      }
      one.answer = answer;
      this.#waiting.get(one)?.(answer);
      this.#waiting.delete(one);
    });
  }

  #sit(): void {
    this.#seated = true;
    for (const one of this.sent) this.#emit(one);
  }

  #see(room: Snapshot): void {
    this.snapshots.push(room);
    this.race = room.race;
  }
}
