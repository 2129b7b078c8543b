import { settleBets } from '../core/bets.ts';
import type { RaceId, RoomId } from '../core/ids.ts';
import { caughtPlayers, drawnForAtClose, drawPicks, freeHorses, pickInput } from '../core/picks.ts';
import { publicRecord, takenHorses } from '../core/public-race.ts';
import { LEAST_RUNNERS, nextStep, type Step } from '../core/race.ts';
import type { RaceOutcome, RaceResult, RaceRow, VoidReason } from '../core/race-state.ts';
import type { RaceTiming } from '../core/race-timing.ts';
import { toHex } from '../fairness/index.ts';
import type { DrawnPick, Logger, PhaseMove, RaceDetails, RaceRecords, ServerClock } from '../ports.ts';
import type { Leaves } from './race-items.ts';
import type { RaceSimulations } from './race-simulations.ts';
import { type RaceVoiding, recordHashOf } from './race-voiding.ts';
import type { RoomAccess } from './room-access.ts';

export type RaceRoundsDeps = {
  readonly records: RaceRecords;
  readonly rooms: RoomAccess;
  readonly runs: RaceSimulations;
  readonly leaves: Leaves;
  readonly voidRace: RaceVoiding;
  readonly clock: ServerClock;
  readonly timing: RaceTiming;
  readonly log: Logger;
  /** For a race that is over in a room whose log tells nobody of it: who had a bet must hear of it all the same. */
  readonly tellOutcomes: (raceId: RaceId) => Promise<void>;
};

/** A race has four moves; each may find that somebody else made it. More turns than this in one go is a fault. */
const MOST_TURNS = 16;
/** When the database's clock is a little behind ours. */
const EARLY_MS = 5;
/** When somebody else holds the race: they are likely making the same move. */
const BUSY_MS = 25;

/**
 * Moves races on. Every move is a compare-and-set by the database's clock and everything it stores is a pure function of
 * what is stored already, so `advance` may be called from anywhere, at any time, by any number of instances.
 */
export function createRaceRounds(deps: RaceRoundsDeps) {
  const { records, rooms, runs, leaves, voidRace, clock, timing, log, tellOutcomes } = deps;
  const underWay = new Map<RaceId, Promise<number | null>>();

  /**
   * Makes every move that is due. Gives the server time at which to look again, null when the race is over (or unknown).
   * Calls for the same race share one run. Rejects with UnavailableError when PostgreSQL is away.
   */
  function advance(raceId: RaceId): Promise<number | null> {
    const current = underWay.get(raceId);
    if (current !== undefined) return current;
    const run = moveAlong(raceId).finally(() => underWay.delete(raceId));
    underWay.set(raceId, run);
    return run;
  }

  async function moveAlong(raceId: RaceId): Promise<number | null> {
    for (let turn = 0; turn < MOST_TURNS; turn += 1) {
      const details = await records.get(raceId);
      if (details === null) return null;
      const step = nextStep(details.row, clock.now());
      if (step.kind === 'over') {
        if (details.row.kind === 'bet' && !details.row.payoutsHeld && !hasLog(details.row.roomId))
          await tellOutcomes(raceId);
        return null;
      }
      if (step.kind === 'wait') return step.until;
      const move = await take(step, details);
      if (move === 'absent') return null;
      if (move === 'early') return clock.now() + EARLY_MS;
      if (move === 'busy') return clock.now() + BUSY_MS * (1 + (turn % 4));
      if (move === 'moved') log.debug({ raceId, roomId: details.row.roomId, step: step.kind }, 'race moved');
      await rooms.publishFacts(details.row.roomId);
    }
    throw new Error(`race ${raceId} does not come to rest`);
  }

  /** False for a room that is closed or not served here: its log takes no facts any more. */
  function hasLog(roomId: RoomId): boolean {
    return rooms.state(roomId)?.document.closed === null;
  }

  async function take(step: Exclude<Step, { kind: 'wait' | 'over' }>, details: RaceDetails): Promise<PhaseMove> {
    switch (step.kind) {
      case 'close': {
        const move = await records.close(details.row.id, drawnFor(details));
        return move === 'late' ? giveUp(details.row, 'late-close') : move;
      }
      case 'void-late':
        return giveUp(details.row, 'late-close');
      case 'draw':
        return draw(details);
      case 'run':
        return records.run(details.row.id);
      case 'settle':
        return settle(details);
    }
  }

  /** Leaves for the ready, connected players of a served room who have no horse yet; at most as many as are free. */
  function drawnFor({ row, picks }: RaceDetails): DrawnPick[] {
    if (row.kind !== 'pick') return [];
    const state = rooms.state(row.roomId);
    const picked = picks.map(({ playerId }) => playerId);
    const waiting = drawnForAtClose(row, picked, state);
    const room = row.rules.exclusivePicks ? freeHorses(row, takenHorses(picks)).length : waiting.length;
    return waiting.slice(0, room).map((playerId) => ({ playerId, ...leaves.drawn(row.id, playerId) }));
  }

  async function draw(details: RaceDetails): Promise<PhaseMove> {
    const { row } = details;
    // The bets root is public before the seed is used.
    await rooms.publishFacts(row.roomId);
    const outcome = await outcomeOf(details);
    if (typeof outcome === 'string') return giveUp(row, outcome);
    const startsAt = row.closesAt + timing.closedMs;
    return records.draw(row.id, outcome, startsAt, timing.leastLeadMs, timing.runsForMs(outcome.durationMs));
  }

  async function outcomeOf(details: RaceDetails): Promise<RaceOutcome | VoidReason> {
    const { row } = details;
    if (row.field.length - row.scratched.length < LEAST_RUNNERS) return 'too-few-runners';
    if (row.kind === 'bet') {
      const { order, durationMs } = await runs.runOf(row);
      return { order, durationMs };
    }
    const drawn = drawPicks(pickInput(details, await runs.raceKeyOf(row)));
    if (drawn.kind === 'void') return drawn.reason;
    const { order, durationMs } = await runs.runOf(row);
    const { picks, place } = drawn;
    return { order, durationMs, picks, place, caught: caughtPlayers(order, picks, place.drawn) };
  }

  async function settle(details: RaceDetails): Promise<PhaseMove> {
    const { row } = details;
    const { outcome } = row;
    if (outcome === null) throw new Error(`race ${row.id} runs without an outcome`);
    const seed = toHex(await runs.seedOf(row));
    const parts = await recordParts(row);
    const bets = row.kind === 'bet' ? settleBets(row, parts.stakes, outcome.order) : null;
    const result: RaceResult = {
      order: outcome.order,
      ...(bets === null ? { caught: outcome.caught ?? [] } : { dividends: bets.dividends }),
      ...(bets !== null && bets.refunded.length > 0 ? { refunded: bets.refunded } : {}),
      seed,
    };
    const settled: RaceRow = { ...row, phase: 'settled', seed, endedAt: row.endsAt };
    return records.settle(row.id, {
      result,
      pools: bets?.pools ?? [],
      recordHash: recordHashOf(publicRecord({ ...details, row: settled, result }, parts, clock.now())),
      nextOpensAfterMs: nextOpensAfterMs(row),
    });
  }

  async function giveUp(row: RaceRow, reason: VoidReason): Promise<PhaseMove> {
    const move = await voidRace(row.id, reason);
    if (move === 'moved' && reason === 'same-horse') {
      await rooms.publishFacts(row.roomId);
      await rooms.append(row.roomId, [{ type: 'notice', key: 'exclusive-next', params: {} }]);
    }
    return move;
  }

  async function recordParts(row: RaceRow) {
    const [stakes, batches] = await Promise.all([records.stakes(row.id), records.batches(row.id)]);
    return { stakes, batches };
  }

  function nextOpensAfterMs(row: RaceRow): number | null {
    const automatic = rooms.state(row.roomId)?.document.settings.mode === 'auto';
    return automatic ? timing.scaled(row.rules.resultSeconds * 1_000) : null;
  }

  return {
    advance,
    /** Ends when every move under way has. */
    async settled(): Promise<void> {
      await Promise.allSettled(underWay.values());
    },
  };
}
export type RaceRounds = ReturnType<typeof createRaceRounds>;
