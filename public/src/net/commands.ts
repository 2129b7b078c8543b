import { ANSWER_MS, GIVE_UP_MS, judge } from './retry.ts';

/** What travels: names and bodies are checked by the typed face in `socket.ts`. `answer` null: none came. */
export type Transmit = (
  name: string,
  payload: unknown,
  timeoutMs: number,
  done: (answer: WireAnswer | null) => void,
) => void;
export type WireAnswer =
  | { readonly ok: true; readonly data: unknown }
  | {
      readonly ok: false;
      readonly code: string;
      readonly retryable: boolean;
      readonly retryAfterMs?: number;
      readonly outcome?: 'unknown';
      readonly data?: Readonly<Record<string, unknown>>;
    };

type Pending = {
  readonly name: string;
  readonly payload: object;
  readonly startedAt: number;
  readonly settle: (answer: WireAnswer) => void;
  tries: number;
  /** a try was not answered, or answered as unknown: it may have happened */
  unsure: boolean;
  inFlight: boolean;
};

type Surroundings = {
  readonly transmit: Transmit;
  readonly now: () => number;
  readonly later: (run: () => void, afterMs: number) => void;
};

const LOST: WireAnswer = { ok: false, code: 'TIMEOUT', retryable: true, outcome: 'unknown' };

/**
 * Keeps commands until they are answered. While the line is down they wait; when it is up again all are sent once more
 * with the same body, so with the same id: on the server each has one effect.
 */
export function createCommands({ transmit, now, later }: Surroundings) {
  const pending = new Set<Pending>();
  let up = false;

  function finish(command: Pending, answer: WireAnswer): void {
    if (pending.delete(command)) command.settle(answer);
  }

  function send(command: Pending): void {
    if (!up || command.inFlight || !pending.has(command)) return;
    command.inFlight = true;
    command.tries += 1;
    transmit(command.name, command.payload, ANSWER_MS, (answer) => {
      command.inFlight = false;
      const verdict = judge(answer, command.tries, now() - command.startedAt, command.unsure);
      command.unsure ||= answer === null || (!answer.ok && answer.outcome === 'unknown');
      if (verdict.kind === 'give-up' || (verdict.kind === 'answer' && answer === null)) finish(command, LOST);
      else if (verdict.kind === 'answer' && answer !== null) finish(command, answer);
      else if (verdict.kind === 'again') later(() => send(command), verdict.afterMs);
    });
  }

  function run(name: string, payload: object): Promise<WireAnswer> {
    return new Promise((settle) => {
      const command: Pending = { name, payload, startedAt: now(), settle, tries: 0, unsure: false, inFlight: false };
      pending.add(command);
      later(() => finish(command, LOST), GIVE_UP_MS + ANSWER_MS);
      send(command);
    });
  }

  return {
    run,
    lineUp(): void {
      up = true;
      for (const command of pending) send(command);
    },
    lineDown(): void {
      up = false;
    },
    waiting: () => pending.size,
  };
}
