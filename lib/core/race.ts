import type { ErrorCode } from '../errors.ts';
import { digestFromHex, raceKey } from '../fairness/index.ts';
import type { RaceView } from '../protocol.ts';
import type { PlayerId, RaceId } from './ids.ts';
import { readyPlayers } from './picks.ts';
import { DEFAULT_RATES, openPools, placesPaid, type Rates } from './pools.ts';
import type { RaceRow, RaceRules } from './race-state.ts';
import { LATE_CLOSE_MS, type RaceTiming } from './race-timing.ts';
import type { RoomDocument, RoomSettings } from './room-state.ts';

/** Rules of settling, drawing and picking as of now; a stored race is judged by the version it was opened with. */
export const RULES_VERSION = 1;

/** With fewer there is no race. */
export const LEAST_RUNNERS = 2;

const LEAST_HORSES = 4;
const MOST_HORSES = 12;
const BET_ROOM_HORSES = 8;

export function isOver(phase: RaceView['phase']): boolean {
  return phase === 'settled' || phase === 'void';
}

/** K of a race whose seed is at hand. Null before the bets root is made. */
export function keyOf(
  row: RaceRow,
  seed: Uint8Array | null = row.seed === null ? null : digestFromHex(row.seed),
): Uint8Array | null {
  if (seed === null || row.betsRoot === null) return null;
  return raceKey({
    seed,
    raceId: row.id,
    fieldHash: digestFromHex(row.fieldHash),
    scratches: row.scratched,
    rulesVersion: row.rulesVersion,
    betsRoot: digestFromHex(row.betsRoot),
  });
}

// ---- opening ----

/** The room's newest race, as far as the next one depends on it. */
export type PreviousRace = Pick<RaceView, 'id' | 'kind' | 'phase' | 'participants' | 'voidReason' | 'rules'> & {
  readonly caught?: readonly PlayerId[];
};

export type OpeningPlan = {
  readonly horses: number;
  readonly equal: boolean;
  readonly rules: RaceRules;
  readonly participants: readonly PlayerId[] | null;
  readonly rerunOf: RaceId | null;
};

export type OpeningInput = {
  readonly document: Pick<RoomDocument, 'kind' | 'members' | 'settings'>;
  readonly previous: PreviousRace | null;
  /** the race whose caught players run again among themselves */
  readonly rerunOf?: RaceId;
  readonly rates?: Rates;
};

/** What the next race of the room is run by, or why there is none. */
export function planOpening({
  document,
  previous,
  rerunOf,
  rates = DEFAULT_RATES,
}: OpeningInput): OpeningPlan | { readonly error: ErrorCode } {
  const { kind, settings } = document;
  const rerun = rerunOf === undefined ? null : rerunParticipants(previous, rerunOf);
  if (rerunOf !== undefined && (rerun === null || kind !== 'pick')) return { error: 'FORBIDDEN' };
  if (kind === 'bet') {
    const horses = settings.horses === 'auto' ? BET_ROOM_HORSES : settings.horses;
    const pools = openPools(settings.pools, horses).map((pool) => ({ pool, rate: rates[pool] }));
    return {
      horses,
      equal: false,
      rules: { ...rulesOf(settings), pools, placesPaid: placesPaid(horses), exclusivePicks: false, placeVote: false },
      participants: null,
      rerunOf: null,
    };
  }
  const players = (rerun ?? readyPlayers(document)).length;
  if (players < 2) return { error: 'NOT_ENOUGH_PLAYERS' };
  const again = exclusiveNext(previous);
  const wanted = settings.horses === 'auto' ? players : settings.horses;
  const horses = Math.min(Math.max(again ? Math.max(wanted, players) : wanted, LEAST_HORSES), MOST_HORSES);
  if (settings.exclusivePicks && horses < players) return { error: 'NOT_ENOUGH_HORSES' };
  // More players than a field can hold cannot be told apart; then the round after "all on one" is played as before.
  const exclusivePicks = settings.exclusivePicks || (again && horses >= players);
  const rules = { ...rulesOf(settings), pools: [], placesPaid: 0, exclusivePicks, placeVote: settings.placeVote };
  return { horses, equal: true, rules, participants: rerun, rerunOf: rerun === null ? null : (rerunOf ?? null) };
}

function rulesOf(settings: RoomSettings): Pick<RaceRules, 'maxStakePerRace' | 'openSeconds' | 'resultSeconds'> {
  const { maxStakePerRace, openSeconds, resultSeconds } = settings;
  return { maxStakePerRace, openSeconds, resultSeconds };
}

/** All were on the same horse: the next race is run with exclusive picks. */
export function exclusiveNext(previous: PreviousRace | null): boolean {
  return (
    previous !== null && previous.kind === 'pick' && previous.phase === 'void' && previous.voidReason === 'same-horse'
  );
}

/**
 * Who runs again: several caught on one horse, among themselves; or the participants of a rerun that fell through.
 * Null where `rerunOf` is not the room's newest race or leaves nobody to decide between.
 */
export function rerunParticipants(previous: PreviousRace | null, rerunOf: RaceId): readonly PlayerId[] | null {
  if (previous === null || previous.id !== rerunOf || previous.kind !== 'pick') return null;
  if (previous.phase === 'void') return previous.participants ?? null;
  const caught = previous.phase === 'settled' ? (previous.caught ?? []) : [];
  return caught.length >= 2 ? caught : null;
}

/** The rerun that an automatic room opens by itself. */
export function dueRerun(previous: PreviousRace | null): RaceId | undefined {
  return previous !== null && rerunParticipants(previous, previous.id) !== null ? previous.id : undefined;
}

// ---- moving on ----

export type Step =
  | { readonly kind: 'wait'; readonly until: number }
  | { readonly kind: 'close' }
  | { readonly kind: 'void-late' }
  | { readonly kind: 'draw' }
  | { readonly kind: 'run' }
  | { readonly kind: 'settle' }
  | { readonly kind: 'over' };

/** What is due for the race at `now`. The database decides by its own clock; this says what to ask it for. */
export function nextStep(row: RaceRow, now: number): Step {
  switch (row.phase) {
    case 'open':
      if (now < row.closesAt) return { kind: 'wait', until: row.closesAt };
      return now - row.closesAt > LATE_CLOSE_MS ? { kind: 'void-late' } : { kind: 'close' };
    case 'closed':
      if (row.outcome === null) return { kind: 'draw' };
      return row.startsAt !== null && now < row.startsAt ? { kind: 'wait', until: row.startsAt } : { kind: 'run' };
    case 'running':
      return row.endsAt !== null && now < row.endsAt ? { kind: 'wait', until: row.endsAt } : { kind: 'settle' };
    case 'settled':
    case 'void':
      return { kind: 'over' };
  }
}

/** The next deadline of a race as everybody sees it; null when it is over or waits for nothing but the draw. */
export function nextDeadline(race: RaceView): number | null {
  if (race.phase === 'open') return race.closesAt;
  if (race.phase === 'closed') return race.startsAt ?? null;
  return race.phase === 'running' ? (race.endsAt ?? null) : null;
}

/** When an automatic room may open the next race. */
export function nextOpensAt(row: RaceRow, timing: RaceTiming): number | null {
  return row.endedAt === null ? null : row.endedAt + timing.scaled(row.rules.resultSeconds * 1_000);
}

export function previousRace(race: RaceView): PreviousRace {
  const { id, kind, phase, rules, participants, voidReason, result } = race;
  const caught = result?.caught;
  return {
    id,
    kind,
    phase,
    rules,
    ...(participants && { participants }),
    ...(voidReason && { voidReason }),
    ...(caught && { caught }),
  };
}
