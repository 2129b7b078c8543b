import type { CommandId, PlayerId, RoomId } from '../core/ids.ts';
import { cardOf, writesDocument } from '../core/room.ts';
import { applyToState, type RoomState } from '../core/room-live.ts';
import { type Refusal, RefusedError, refuse } from '../errors.ts';
import type { Logger, RoomCommit, RoomStore, ServerClock } from '../ports.ts';
import type { RoomCard, RoomEventBody } from '../protocol.ts';
import type { RoomFeeds } from './room-feeds.ts';

/** What a task makes of the room as it stands when its turn comes. */
export type TaskDecision =
  | { readonly error: Refusal }
  | {
      readonly events: readonly RoomEventBody[];
      readonly result?: unknown /** facts up to this version are among the events */;
      readonly factVersion?: number;
    };

export type RoomTask = {
  /** null: not a player's command (facts, presence, seats), so there is nothing to remember. */
  readonly mark: { readonly playerId: PlayerId; readonly commandId: CommandId; readonly bodyHash: string } | null;
  decide(state: RoomState, now: number): TaskDecision;
};

type Waiting = {
  readonly task: RoomTask;
  readonly notAfter: number;
  resolve(result: unknown): void;
  reject(error: unknown): void;
};
type Line = { readonly waiting: Waiting[]; running: boolean };
type Taken = { readonly waiting: Waiting; readonly result: string };

export type RoomCommandsDeps = {
  readonly store: RoomStore;
  readonly feeds: RoomFeeds;
  readonly clock: ServerClock;
  readonly log: Logger;
  readonly limits: { readonly roomQueue: number; readonly requestDeadlineMs: number };
};

/** Commands folded into one commit: enough to keep up with a burst, few enough that one commit stays small. */
const FOLD = 64;
/** How long a commit may be under way to our own feed before the room is loaded again. */
const CATCH_UP_MS = 1_000;

/**
 * One bounded line of commands per room: those that wait are decided one after the other on the delivered state and
 * committed together. Somebody else's commit in between is a conflict, decided again until the deadline.
 */
export class RoomCommands {
  readonly #deps: RoomCommandsDeps;
  readonly #lines = new Map<RoomId, Line>();
  readonly #cards = new Map<RoomId, string>();

  constructor(deps: RoomCommandsDeps) {
    this.#deps = deps;
  }

  /** Resolves with the task's result (or a repeat's first one) once it is in the log. Rejects with RefusedError. */
  submit(roomId: RoomId, task: RoomTask): Promise<unknown> {
    const line = this.#line(roomId);
    if (line.waiting.length >= this.#deps.limits.roomQueue)
      return Promise.reject(refuse('OVERLOADED', { retryAfterMs: 500 }));
    const notAfter = this.#deps.clock.now() + this.#deps.limits.requestDeadlineMs;
    return new Promise((resolve, reject) => {
      line.waiting.push({ task, notAfter, resolve, reject });
      if (!line.running) void this.#run(roomId, line);
    });
  }

  /** Resolves when nothing waits any more: for an orderly shutdown. */
  async idle(): Promise<void> {
    while ([...this.#lines.values()].some((line) => line.running))
      await new Promise<void>((resolve) => setImmediate(resolve));
  }

  #line(roomId: RoomId): Line {
    const line = this.#lines.get(roomId) ?? { waiting: [], running: false };
    this.#lines.set(roomId, line);
    return line;
  }

  async #run(roomId: RoomId, line: Line): Promise<void> {
    line.running = true;
    try {
      while (line.waiting.length > 0) {
        const batch = takeBatch(line.waiting);
        try {
          await this.#decideAndCommit(roomId, batch);
        } catch (error) {
          for (const waiting of batch) waiting.reject(error);
        }
      }
    } finally {
      line.running = false;
      this.#lines.delete(roomId);
    }
  }

  async #decideAndCommit(roomId: RoomId, batch: readonly Waiting[]): Promise<void> {
    const { feeds, clock, store } = this.#deps;
    let open = [...batch];
    for (let attempt = 0; open.length > 0; attempt++) {
      const base = await feeds.serve(roomId);
      const now = clock.now();
      open = open.filter(
        (waiting) => waiting.notAfter >= now || settle(waiting, refuse(attempt === 0 ? 'TIMEOUT' : 'BUSY')),
      );
      if (base === null) {
        for (const waiting of open) waiting.reject(refuse('ROOM_CLOSED'));
        return;
      }
      const decided = await this.#decide(roomId, base, open, now);
      if (decided.taken.length === 0) return;
      const result = await store.commit(decided.commit);
      switch (result.kind) {
        case 'committed':
          if (decided.commit.card !== undefined) this.#cards.set(roomId, JSON.stringify(decided.commit.card));
          await feeds.caughtUp(roomId, result.epoch, result.toSeq, CATCH_UP_MS);
          for (const { waiting, result: answer } of decided.taken) waiting.resolve(JSON.parse(answer));
          return;
        case 'repeated':
          open = this.#answerRepeats(decided, result.repeats);
          continue;
        case 'conflict':
        case 'fact-gap':
          open = decided.taken.map(({ waiting }) => waiting);
          await pause(attempt);
          await feeds.reload(roomId);
          continue;
        case 'late':
          for (const { waiting } of decided.taken) waiting.reject(refuse('TIMEOUT'));
          return;
        case 'absent':
          for (const { waiting } of decided.taken) waiting.reject(refuse('ROOM_CLOSED'));
          return;
        case 'overloaded':
          for (const { waiting } of decided.taken) waiting.reject(refuse('OVERLOADED', { retryAfterMs: 1_000 }));
          return;
      }
    }
  }

  /** Decides in order on a working copy; those refused are answered at once, unless they are repeats of what was done. */
  async #decide(
    roomId: RoomId,
    base: RoomState,
    open: readonly Waiting[],
    now: number,
  ): Promise<{ taken: Taken[]; marked: Taken[]; commit: RoomCommit }> {
    let working = base;
    let factVersion = base.document.factVersion;
    const taken: Taken[] = [];
    const events: RoomEventBody[] = [];
    for (const waiting of open) {
      const decision = decided(waiting, { ...working, document: { ...working.document, factVersion } }, now);
      if (decision === null) continue;
      if ('error' in decision) {
        await this.#refuseUnlessRepeated(roomId, waiting, decision.error);
        continue;
      }
      if (decision.events.length === 0 && waiting.task.mark === null) {
        // It is already so, and nobody will ask again.
        waiting.resolve(decision.result ?? null);
        continue;
      }
      for (const event of decision.events) working = applyToState(working, event, now);
      events.push(...decision.events);
      factVersion = decision.factVersion ?? factVersion;
      taken.push({ waiting, result: JSON.stringify(decision.result ?? null) });
    }
    const marked = taken.filter(({ waiting }) => waiting.task.mark !== null);
    const writes = events.some(writesDocument) || factVersion !== base.document.factVersion;
    const document = writes ? { ...working.document, version: base.document.version + 1, factVersion } : null;
    const card =
      document === null
        ? undefined
        : this.#changedCard(roomId, document.settings.listed && document.closed === null ? cardOf(document) : null);
    const commit: RoomCommit = {
      roomId,
      notAfter: Math.min(...taken.map(({ waiting }) => waiting.notAfter)),
      commands: marked.map(({ waiting, result }) => ({
        ...(waiting.task.mark as NonNullable<RoomTask['mark']>),
        result,
      })),
      expect: { epoch: base.epoch, version: base.document.version },
      known: { epoch: base.epoch, seq: base.seq },
      document,
      facts: factVersion === base.document.factVersion ? null : { from: base.document.factVersion, to: factVersion },
      events,
      ...(card === undefined ? {} : { card }),
    };
    return { taken, marked, commit };
  }

  /** undefined when the lobby shows this already (as far as this instance put it there). */
  #changedCard(roomId: RoomId, card: RoomCard | null): RoomCard | null | undefined {
    return this.#cards.get(roomId) === JSON.stringify(card) ? undefined : card;
  }

  /** The room is gone: nothing of it is kept. */
  forget(roomId: RoomId): void {
    this.#cards.delete(roomId);
  }

  async #refuseUnlessRepeated(roomId: RoomId, waiting: Waiting, refusal: Refusal): Promise<void> {
    const { mark } = waiting.task;
    const answered =
      mark === null ? null : await this.#deps.store.answered(roomId, mark.playerId, mark.commandId, mark.bodyHash);
    if (answered === null) waiting.reject(new RefusedError(refusal));
    else answer(waiting, answered);
  }

  #answerRepeats(
    decided: { taken: readonly Taken[]; marked: readonly Taken[] },
    repeats: readonly { index: number; result: string | 'conflict' }[],
  ): Waiting[] {
    const done = new Set<Waiting>();
    for (const repeat of repeats) {
      const waiting = decided.marked[repeat.index]?.waiting;
      if (!waiting) continue;
      done.add(waiting);
      answer(waiting, repeat.result);
    }
    return decided.taken.map(({ waiting }) => waiting).filter((waiting) => !done.has(waiting));
  }
}

/** Rules do not throw; one that does costs its own command and none of those folded with it. */
function decided(waiting: Waiting, room: RoomState, now: number): TaskDecision | null {
  try {
    return waiting.task.decide(room, now);
  } catch (error) {
    waiting.reject(error);
    return null;
  }
}

function answer(waiting: Waiting, result: string | 'conflict'): void {
  if (result === 'conflict') waiting.reject(refuse('COMMAND_CONFLICT'));
  else waiting.resolve(JSON.parse(result));
}

/**
 * Takes what the next commit folds together. A repeat of one of its commands is left for the commit after it, which finds
 * the first answer in the store: decided together, both would have an effect.
 */
function takeBatch(waiting: Waiting[]): Waiting[] {
  const seen = new Set<string>();
  let count = 0;
  for (const { task } of waiting) {
    const key = task.mark === null ? null : `${task.mark.playerId} ${task.mark.commandId}`;
    if (count === FOLD || (key !== null && seen.has(key))) break;
    if (key !== null) seen.add(key);
    count += 1;
  }
  return waiting.splice(0, count);
}

/** Rejects and is false, for use in a filter. */
function settle(waiting: Waiting, error: RefusedError): false {
  waiting.reject(error);
  return false;
}

/** Jitter, so that two instances at one room do not meet again and again. */
async function pause(attempt: number): Promise<void> {
  const ms = Math.random() * Math.min(50, 2 ** attempt);
  await new Promise<void>((resolve) => setTimeout(resolve, ms));
}
