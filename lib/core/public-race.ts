import type { PickRow, PoolStake, RaceDetails } from '../ports.ts';
import type { RaceRecord, RaceView } from '../protocol.ts';
import { drawPicks, pickInput } from './picks.ts';
import { keyOf } from './race.ts';
import type { PickReveal, RaceResult } from './race-state.ts';

/*
 * What is secret in a race: the horse of a pick and the votes (until the draw), the order (until `endsAt`), the seed (until
 * the race is over). A stored race is shown through here and nowhere else. The other way to everybody are the facts that the
 * race's moves write in SQL, each in the transaction that makes its contents public: `race drawn` with picks and votes,
 * `race settled` with result and seed, `race void` with the seed; `horse scratched` names whose pick of that horse it cleared. Frames of the run have gates of their own (race-frames),
 * and a player's own pick, vote and bets are told to that player (`mine`).
 */

/** What everybody may know of the race at `now`. */
export function publicRace(details: RaceDetails, now: number): RaceView {
  const { row } = details;
  // Settled by the database's clock is settled, though this instance's may be some milliseconds behind.
  const at = Math.max(now, row.endedAt ?? 0);
  const picks = shownPicks(details);
  const place = row.phase === 'void' ? undefined : row.outcome?.place;
  const result = shownResult(details, at);
  return {
    id: row.id,
    roomId: row.roomId,
    kind: row.kind,
    number: row.number,
    phase: row.phase,
    track: row.track,
    pools: row.rules.pools.map(({ pool }) => pool),
    rules: row.rules,
    maxStakePerRace: String(row.rules.maxStakePerRace),
    field: row.field,
    commitment: row.commitment,
    fieldHash: row.fieldHash,
    rulesVersion: row.rulesVersion,
    simVersion: row.simVersion,
    openedAt: row.openedAt,
    closesAt: row.closesAt,
    ...(row.startsAt === null ? {} : { startsAt: row.startsAt }),
    ...(row.endsAt === null ? {} : { endsAt: row.endsAt }),
    totals: row.totals,
    scratched: row.scratched,
    ...(row.participants === null ? {} : { participants: row.participants }),
    ...(row.rerunOf === null ? {} : { rerunOf: row.rerunOf }),
    picked: details.picks.map(({ playerId }) => playerId),
    ...(row.rules.exclusivePicks ? { taken: takenHorses(details.picks) } : {}),
    ...(picks === undefined ? {} : { picks }),
    ...(place === undefined ? {} : { place }),
    ...(row.betsRoot === null ? {} : { betsRoot: row.betsRoot }),
    ...(result === undefined ? {} : { result }),
    ...(row.voidReason === null ? {} : { voidReason: row.voidReason }),
    ...(row.payoutsHeld ? { payoutsHeld: true } : {}),
  };
}

/** Horses that nobody else can have any more, ascending; by whom is not told. */
export function takenHorses(picks: readonly PickRow[]): number[] {
  return picks.flatMap(({ horse }) => (horse === null ? [] : [horse])).sort((a, b) => a - b);
}

/** Everybody's horses: once drawn, or when all were on the same one and that is why there is no race. */
function shownPicks(details: RaceDetails): readonly PickReveal[] | undefined {
  const { row } = details;
  if (row.phase === 'open' || row.kind !== 'pick') return undefined;
  if (row.phase !== 'void') return row.outcome?.picks;
  const key = row.voidReason === 'same-horse' ? keyOf(row) : null;
  return key === null ? undefined : drawPicks(pickInput(details, key)).picks;
}

function shownResult({ row, result }: RaceDetails, at: number): RaceResult | undefined {
  if (row.phase !== 'settled' || result === null || row.endsAt === null || at < row.endsAt) return undefined;
  return result;
}

export type RecordParts = {
  readonly stakes: readonly PoolStake[];
  readonly batches: NonNullable<RaceRecord['batches']>;
};

/** The race as it is kept: the view and, as far as the race came, what verifies it. */
export type PublicRecord = RaceRecord & {
  /** Bet rooms, from the close on: what each selection had on it. */
  readonly stakes?: readonly {
    readonly pool: PoolStake['pool'];
    readonly selection: readonly number[];
    readonly stake: string;
  }[];
};

/** The public record of a race at `now`. Roots and stakes are told from the close on, the seed when the race is over. */
export function publicRecord(details: RaceDetails, parts: RecordParts, now: number): PublicRecord {
  const { row } = details;
  const over = row.phase === 'void' || (row.phase === 'settled' && details.result !== null);
  const closed = row.phase !== 'open';
  return {
    ...publicRace(details, now),
    previousRecordHash: row.previousRecordHash,
    ...(closed ? { batches: [...parts.batches].sort(byBatch) } : {}),
    ...(closed && row.kind === 'bet' ? { stakes: parts.stakes.map(stakeLine).sort(bySelection) } : {}),
    ...(over && row.seed !== null ? { seed: row.seed } : {}),
    ...(over && row.recordHash !== null ? { recordHash: row.recordHash } : {}),
  };
}

const byBatch = (a: { readonly batch: string }, b: { readonly batch: string }): number =>
  BigInt(a.batch) < BigInt(b.batch) ? -1 : 1;

const stakeLine = ({ pool, selection, stake }: PoolStake) => ({ pool, selection, stake: String(stake) });

/** The order is part of the record's hash, so it must not depend on anybody's locale. */
function bySelection(a: ReturnType<typeof stakeLine>, b: ReturnType<typeof stakeLine>): number {
  if (a.pool !== b.pool) return a.pool < b.pool ? 1 : -1;
  const at = a.selection.findIndex((number, index) => number !== b.selection[index]);
  return at < 0 ? 0 : (a.selection[at] ?? 0) - (b.selection[at] ?? 0);
}
