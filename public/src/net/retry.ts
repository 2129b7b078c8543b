/** When an unanswered or refused command is sent again, with the same id. Pure, so that it can be tested without a socket. */

export type Verdict =
  | { readonly kind: 'answer' }
  | { readonly kind: 'again'; readonly afterMs: number }
  | { readonly kind: 'give-up' };

type Refused = {
  readonly ok: false;
  readonly code: string;
  readonly retryable: boolean;
  readonly retryAfterMs?: number | undefined;
  readonly outcome?: 'unknown' | undefined;
};

export const GIVE_UP_MS = 5 * 60_000;
/** The server gives up on a request after 5 s; without any answer a little later the answer was lost. */
export const ANSWER_MS = 7_000;
/** Refusals that pass by themselves within seconds. Others, like a full room, are the player's to decide about. */
const PASSING = new Set(['BUSY', 'OVERLOADED', 'TIMEOUT', 'DRAINING', 'RATE_LIMITED', 'INTERNAL']);
const PASSING_TRIES = 4;
const LONGEST_WAIT_MS = 5_000;

/**
 * `answer` null: none came (the connection dropped or it took too long), so the command may have happened. `unsure`: so it may by
 * an earlier try, of which a server that is only busy or without its ledger says nothing.
 */
export function judge(
  answer: { readonly ok: true } | Refused | null,
  tries: number,
  ageMs: number,
  unsure = false,
): Verdict {
  if (answer?.ok) return { kind: 'answer' };
  const open =
    unsure && answer?.retryable === true && (PASSING.has(answer.code) || answer.code === 'LEDGER_UNAVAILABLE');
  if (ageMs >= GIVE_UP_MS) return answer && !open ? { kind: 'answer' } : { kind: 'give-up' };
  const backoffMs = Math.min(LONGEST_WAIT_MS, 300 * 2 ** Math.min(tries - 1, 5));
  if (answer === null) return { kind: 'again', afterMs: 0 };
  const waitMs = answer.retryAfterMs ?? backoffMs;
  if (open || answer.outcome === 'unknown') return { kind: 'again', afterMs: Math.max(waitMs, backoffMs) };
  if (PASSING.has(answer.code) && answer.retryable && tries < PASSING_TRIES && waitMs <= LONGEST_WAIT_MS) {
    return { kind: 'again', afterMs: waitMs };
  }
  return { kind: 'answer' };
}
