import { sha256 } from '@noble/hashes/sha2.js';
import type { Pool, Rate } from '../core/pools.ts';
import type { Dividend, Phase, PickReveal, PlaceReveal, Placing, Runner, Totals } from '../core/race-state.ts';
import { canonicalJson, concat, digestFromHex, utf8 } from './bytes.ts';
import type { BatchRoot, PoolSums } from './merkle.ts';
import { pointsOf } from './receipts.ts';
import { type FixedRules, fixedRules, raceKey } from './seeds.ts';

/** A batch of receipts as JSON: id and gross in decimal, root in hex. */
export type RecordBatch = {
  readonly batch: string;
  readonly root: string;
  readonly count: number;
  readonly totals: Totals;
};

/** What a selection had on it at the close, after the refunds of scratches; points, decimal. */
export type RecordStake = { readonly pool: Pool; readonly selection: readonly number[]; readonly stake: string };

/**
 * The public record of a race that is over, as JSON: all that is needed to verify it besides the receipts. Digests and seed are hex.
 * Optional members are absent where the race did not come so far (void) or the room is of the other kind.
 */
export type PublicRaceRecord = {
  readonly id: string;
  readonly roomId: string;
  readonly kind: 'bet' | 'pick';
  /** 1, 2, 3 … within the room */
  readonly number: number;
  readonly phase: Phase;
  readonly track: string;
  readonly simVersion: number;
  readonly rulesVersion: number;
  readonly rules: FixedRules;
  readonly field: readonly Runner[];
  readonly fieldHash: string;
  readonly commitment: string;
  /** in the order of the scratches */
  readonly scratched: readonly number[];
  /** after refunds */
  readonly totals: Totals;
  /** bet rooms; selections without stakes may be left out */
  readonly stakes?: readonly RecordStake[];
  /** by ascending id */
  readonly batches?: readonly RecordBatch[];
  readonly betsRoot?: string;
  readonly beacon?: string;
  readonly seed: string;
  readonly picks?: readonly (Omit<PickReveal, 'playerId'> & { readonly playerId: string })[];
  readonly place?: Omit<PlaceReveal, 'votes'> & {
    readonly votes: readonly { readonly playerId: string; readonly place: number }[];
  };
  readonly result?: {
    readonly order: readonly Placing[];
    readonly dividends?: readonly Dividend[];
    readonly refunded?: readonly Pool[];
    readonly caught?: readonly string[];
  };
  readonly voidReason?: string;
  /** null for the room's first race */
  readonly previousRecordHash: string | null;
  readonly recordHash: string;
};

/**
 * SHA-256("paddock/record/v1" ‖ canonical JSON of the record's facts without `recordHash`), length-prefixed. A record names the hash
 * of the room's previous one, so none can be taken out or changed later without changing all that follow.
 * Members that `PublicRaceRecord` does not name are not covered; two equal records hash alike whatever the order of their keys.
 */
export function recordHash(record: Omit<PublicRaceRecord, 'recordHash'>): Uint8Array {
  const { result } = record;
  const facts = present({
    id: record.id,
    roomId: record.roomId,
    kind: record.kind,
    number: record.number,
    phase: record.phase,
    track: record.track,
    simVersion: record.simVersion,
    rulesVersion: record.rulesVersion,
    rules: fixedRules(record.rules),
    field: record.field,
    fieldHash: record.fieldHash,
    commitment: record.commitment,
    scratched: record.scratched,
    totals: record.totals,
    stakes: record.stakes?.map(({ pool, selection, stake }) => ({ pool, selection, stake })),
    batches: record.batches?.map(({ batch, root, count, totals }) => ({ batch, root, count, totals })),
    betsRoot: record.betsRoot,
    beacon: record.beacon,
    seed: record.seed,
    picks: record.picks?.map(({ playerId, horse, drawn }) => ({ playerId, horse, drawn })),
    place: record.place,
    result:
      result &&
      present({
        order: result.order,
        dividends: result.dividends,
        refunded: result.refunded,
        caught: result.caught,
      }),
    voidReason: record.voidReason,
    previousRecordHash: record.previousRecordHash,
  });
  return sha256(concat(utf8('paddock/record/v1'), utf8(canonicalJson(facts))));
}

/** K of a recorded race, from the record's own claims. Null for one that was void before its bets root was made. */
export function recordKey(record: PublicRaceRecord): Uint8Array | null {
  if (record.betsRoot === undefined) return null;
  return raceKey({
    seed: digestFromHex(record.seed),
    raceId: record.id,
    fieldHash: digestFromHex(record.fieldHash),
    scratches: record.scratched,
    rulesVersion: record.rulesVersion,
    betsRoot: digestFromHex(record.betsRoot),
    ...(record.beacon === undefined ? {} : { beacon: digestFromHex(record.beacon) }),
  });
}

/** A batch's JSON as `foldBatchRoots` and `batchRootMessage` take it. Throws TypeError or RangeError for malformed ones. */
export function parseBatch(batch: RecordBatch): BatchRoot {
  return {
    batch: pointsOf(batch.batch),
    root: digestFromHex(batch.root),
    count: batch.count,
    totals: parseTotals(batch.totals),
  };
}

export function parseTotals(totals: Totals): PoolSums {
  const sums: Record<string, { gross: bigint; count: number }> = {};
  for (const [pool, total] of Object.entries(totals)) {
    if (total !== undefined) sums[pool] = { gross: pointsOf(total.gross), count: total.count };
  }
  return sums;
}

export function rateOf(rules: FixedRules, pool: Pool): Rate | undefined {
  return rules.pools.find((open) => open.pool === pool)?.rate;
}

/** Without the members that are undefined: in canonical JSON a key is there or it is not. */
function present(facts: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(facts).filter(([, value]) => value !== undefined));
}
