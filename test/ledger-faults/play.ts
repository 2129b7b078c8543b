/** Players who place through placing processes and keep account of what they were told. */
import type { CommandId, RaceId } from '../../lib/core/ids.ts';
import type { LedgerItem } from '../../lib/ports.ts';
import { until } from '../helpers/until.ts';
import { bet, type Stage } from '../ledger/stage.ts';
import { type Answered, isUnknown, Placer } from '../ledger-model/processes.ts';

export const INDEFINITE = ['LEDGER_UNAVAILABLE', 'BUSY', 'OVERLOADED', 'DRAINING'];

export const told = (answered: Answered): string =>
  answered.kind === 'accepted'
    ? answered.answer.repeated
      ? 'repeat'
      : 'ok'
    : answered.kind === 'refused'
      ? `${answered.refused.code}${answered.refused.unknown ? ' unknown' : ''}`
      : 'gone';

export async function openPlacers(
  stage: Stage,
  count: number,
  terms: { startPoints: number; answerMs?: number },
): Promise<Placer[]> {
  const placers = Array.from({ length: count }, () => new Placer());
  await Promise.all(placers.map((placer) => placer.open(stage.database.target, { answerMs: 300, ...terms })));
  return placers;
}

/** The same id again, on any of the processes that live, until the answer is definite. */
export const truth = (
  placers: () => readonly Placer[],
  item: LedgerItem,
): Promise<Extract<Answered, { kind: 'accepted' | 'refused' }>> => {
  let turn = 0;
  return until(
    'a definite answer',
    async () => {
      const living = placers().filter(({ dead }) => !dead);
      const answered = await living[turn++ % living.length]?.submit(item);
      if (answered === undefined || answered.kind === 'gone') return null;
      return answered.kind === 'refused' && INDEFINITE.includes(answered.refused.code) ? null : answered;
    },
    { everyMs: 30, deadlineMs: 40_000 },
  );
};

export type Slip = { readonly item: Extract<LedgerItem, { kind: 'bet' }>; answered: Answered | null };

/**
 * Bets one after the other by each of the players, spread over the processes, until `stop`. Every bet that was ever sent
 * is in `slips` with its first answer.
 */
export function play(
  placers: readonly Placer[],
  options: { raceId: RaceId; players: readonly string[]; stake?: bigint; pauseMs?: number },
) {
  const slips: Slip[] = [];
  let over = false;
  const work = options.players.map(async (name, at) => {
    for (let n = at; !over; n += 1) {
      const placer = placers[n % placers.length] as Placer;
      if (placer.dead) continue;
      const item = bet(options.raceId, name, 1 + (n % 8), options.stake ?? 100n) as Slip['item'];
      const slip: Slip = { item, answered: null };
      slips.push(slip);
      slip.answered = await placer.submit(item);
      // As over a network.
      await new Promise((resolve) => setTimeout(resolve, options.pauseMs ?? 2));
    }
  });
  const count = (what: (slip: Slip) => boolean) => slips.filter(what).length;
  return {
    slips,
    accepted: () => count(({ answered }) => answered?.kind === 'accepted'),
    pending: () => slips.filter(({ answered }) => answered !== null && isUnknown(answered)),
    async stop(): Promise<void> {
      over = true;
      await Promise.all(work);
    },
  };
}

/** Ids of the commands whose bets are there, each as often as it is. */
export async function placedIn(stage: Stage, raceId: RaceId): Promise<CommandId[]> {
  const rows = await stage.query<{ command_id: CommandId }>('select command_id from bet where race_id = $1', [raceId]);
  return rows.map(({ command_id }) => command_id);
}

/**
 * Every slip in the end: what was acknowledged is there, what was unknown is asked for until it is definite, what was
 * certainly not placed is not there, and nothing is there twice.
 */
export async function reckon(stage: Stage, placers: () => readonly Placer[], slips: readonly Slip[], raceId: RaceId) {
  const accepted = new Set<string>();
  const figures = { acknowledged: 0, pending: 0, late: 0, refused: 0 };
  await Promise.all(
    slips.map(async ({ item, answered }) => {
      if (answered === null) throw new Error('a slip without an answer');
      if (answered.kind === 'accepted') {
        figures.acknowledged += 1;
        accepted.add(item.commandId);
      } else if (isUnknown(answered)) {
        figures.pending += 1;
        const end = await truth(placers, item);
        if (end.kind === 'accepted') {
          accepted.add(item.commandId);
          if (end.answer.repeated) figures.late += 1;
        }
      } else figures.refused += 1;
    }),
  );
  const placed = await placedIn(stage, raceId);
  return {
    ...figures,
    missing: [...accepted].filter((command) => !placed.includes(command as CommandId)).length,
    unasked: placed.filter((command) => !accepted.has(command)).length,
    twice: placed.length - new Set(placed).size,
  };
}

/** "3 ok, 1 repeat" */
export function tally(words: readonly string[]): string {
  const counts = new Map<string, number>();
  for (const word of words) counts.set(word, (counts.get(word) ?? 0) + 1);
  return [...counts].map(([word, count]) => `${count} ${word}`).join(', ');
}
