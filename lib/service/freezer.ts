import type { Broken, FreezeMove, Freezing, Logger, Subject } from '../ports.ts';

/** One fault with more subjects than these is no fault of theirs: freezing them would freeze the game. */
const MOST_AT_ONCE = 100;

/** Whoever holds a race has it for moments only. */
const TRIES = 40;
const PAUSE_MS = 50;

export type FreezerDeps = { readonly freezing: Freezing; readonly log: Pick<Logger, 'error'> };

/** Who freezes what the audit names, and asks again while somebody holds it. All reject with UnavailableError. */
export function createFreezer({ freezing, log }: FreezerDeps) {
  async function persist<T>(ask: () => Promise<T>, busy: (answer: T) => boolean): Promise<T> {
    for (let tries = 1; ; tries += 1) {
      const answer = await ask();
      if (!busy(answer) || tries === TRIES) return answer;
      await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
    }
  }

  const freeze = (subject: Subject, invariant: string, detail: string, again: boolean): Promise<FreezeMove> =>
    persist(
      () => freezing.freeze(subject, invariant, detail, again),
      (move) => move === 'busy',
    );

  return {
    /** By hand: whatever was lifted before. */
    freeze: (subject: Subject, reason: string) => freeze(subject, 'by-hand', reason, true),

    thaw: (subject: Subject, by: string) =>
      persist(
        () => freezing.thaw(subject, by),
        ({ move }) => move === 'busy',
      ),

    /** Exactly the races and wallets that the rows name, each by its first row. Gives what is newly frozen. */
    async freezeNamed(broken: readonly Broken[]): Promise<readonly Subject[]> {
      const frozen: Subject[] = [];
      for (const [invariant, named] of byInvariant(broken)) {
        if (named.length > MOST_AT_ONCE) {
          log.error({ invariant, named: named.length }, 'audit.too_many_to_freeze');
          continue;
        }
        for (const { subject, detail } of named) {
          const move = await freeze(subject, invariant, detail, false);
          if (move !== 'frozen') continue;
          log.error({ ...subject, invariant, detail }, 'audit.froze');
          frozen.push(subject);
        }
      }
      return frozen;
    },
  };
}
export type Freezer = ReturnType<typeof createFreezer>;

type Named = { readonly subject: Subject; readonly detail: string };

function byInvariant(broken: readonly Broken[]): Map<string, readonly Named[]> {
  const found = new Map<string, Map<string, Named>>();
  for (const row of broken) {
    const named = found.get(row.invariant) ?? new Map<string, Named>();
    found.set(row.invariant, named);
    for (const subject of subjectsOf(row)) {
      const key = `${subject.kind} ${subject.id}`;
      if (!named.has(key)) named.set(key, { subject, detail: row.detail });
    }
  }
  return new Map([...found].map(([invariant, named]) => [invariant, [...named.values()]]));
}

function subjectsOf({ raceId, playerId }: Broken): Subject[] {
  return [
    ...(raceId === null ? [] : [{ kind: 'race', id: raceId } as const]),
    ...(playerId === null ? [] : [{ kind: 'wallet', id: playerId } as const]),
  ];
}
