import { WebSocket } from 'ws';

/** What a Socket.IO acknowledgement of this server looks like to somebody who only counts. */
export type Answer = {
  readonly ok: boolean;
  readonly code?: string;
  readonly data?: Readonly<Record<string, unknown>>;
};

/**
 * A Socket.IO client that does nothing but ask: text frames of Engine.IO 4 and Socket.IO 5 by hand, so that the load costs
 * less than what is measured. Pings are answered, everything that is no acknowledgement is dropped unread.
 */
export class Wire {
  readonly #socket: WebSocket;
  readonly #waiting = new Map<number, (answer: Answer) => void>();
  #next = 0;
  /** The first message of the server, or null until it came. */
  token: string | null = null;

  private constructor(socket: WebSocket) {
    this.#socket = socket;
  }

  /** Resolves when the server has accepted the connection; rejects when it refuses. */
  static open(url: string, auth: object): Promise<Wire> {
    const socket = new WebSocket(`${url.replace('http', 'ws')}/socket.io/?EIO=4&transport=websocket`, {
      perMessageDeflate: false,
    });
    const wire = new Wire(socket);
    return new Promise((resolve, reject) => {
      socket.once('error', reject);
      socket.on('message', (data) => {
        const text = String(data);
        if (text.startsWith('43')) wire.#acknowledged(text);
        else if (text === '2') socket.send('3');
        else if (text.startsWith('0')) socket.send(`40${JSON.stringify(auth)}`);
        else if (text.startsWith('40')) resolve(wire);
        else if (text.startsWith('44')) reject(new Error(text));
      });
    });
  }

  ask(name: string, payload: object): Promise<Answer> {
    return new Promise((resolve) => this.send(name, payload, resolve));
  }

  send(name: string, payload: object, answered: (answer: Answer) => void): void {
    const id = this.#next++;
    this.#waiting.set(id, answered);
    this.#socket.send(`42${id}${JSON.stringify([name, payload])}`);
  }

  close(): void {
    this.#socket.close();
  }

  #acknowledged(text: string): void {
    const from = text.indexOf('[');
    const id = Number(text.slice(2, from));
    const answered = this.#waiting.get(id);
    if (answered === undefined) return;
    this.#waiting.delete(id);
    answered((JSON.parse(text.slice(from)) as [Answer])[0]);
  }
}
