import { isScratched, selectionKey } from '../core/pools.ts';
import { digestFromHex, equalBytes, toHex } from './bytes.ts';
import { encodeTotals, merkleRoot, type PoolSums } from './merkle.ts';
import { type Leaf, leafHashOf, pointsOf } from './receipts.ts';
import { type PublicRaceRecord, parseTotals } from './record.ts';

/** All leaves of one batch, in the order of their ordinals. */
export type LeafBatch = { readonly batch: string; readonly leaves: readonly Leaf[] };

/** Every published receipt against the batch roots, and what they add up to against the record. Throws an Error that says what differs. */
export function checkLeaves(record: PublicRaceRecord, given: readonly LeafBatch[]): string {
  const batches = record.batches ?? [];
  if (given.length !== batches.length)
    throw new Error(`${given.length} batches of receipts for ${batches.length} roots`);
  batches.forEach((batch, index) => {
    const found = given[index];
    if (found?.batch !== batch.batch) throw new Error(`no receipts for batch ${batch.batch}`);
    if (found.leaves.length !== batch.count) {
      throw new Error(`batch ${batch.batch} counts ${batch.count} receipts, ${found.leaves.length} were given`);
    }
    const root = merkleRoot(found.leaves.map((leaf) => leafHashOf(record.id, leaf)));
    if (!equalBytes(root, digestFromHex(batch.root))) {
      throw new Error(`the receipts of batch ${batch.batch} make ${toHex(root)}, its root is ${batch.root}`);
    }
    if (!equalBytes(encodeTotals(sumsOf(found.leaves)), encodeTotals(parseTotals(batch.totals)))) {
      throw new Error(`the totals of batch ${batch.batch} are not those of its receipts`);
    }
  });

  const leaves = given.flatMap((batch) => batch.leaves);
  if (record.kind === 'bet') checkStakes(record, leaves);
  else if (record.picks !== undefined) checkPicks(record, leaves);
  return `${leaves.length} receipts make the batch roots and add up to the record`;
}

function sumsOf(leaves: readonly Leaf[]): PoolSums {
  const sums: Record<string, { gross: bigint; count: number }> = {};
  for (const leaf of leaves) {
    if (leaf.kind !== 'bet') continue;
    const before = sums[leaf.pool];
    sums[leaf.pool] = { gross: (before?.gross ?? 0n) + pointsOf(leaf.stake), count: (before?.count ?? 0) + 1 };
  }
  return sums;
}

function checkStakes(record: PublicRaceRecord, leaves: readonly Leaf[]): void {
  const standing = leaves.filter((leaf) => leaf.kind === 'bet' && !isScratched(leaf.selection, record.scratched));
  if (!equalBytes(encodeTotals(sumsOf(standing)), encodeTotals(withBets(parseTotals(record.totals))))) {
    throw new Error('the totals of the record are not those of its receipts');
  }
  const made = new Map<string, bigint>();
  for (const leaf of standing) {
    if (leaf.kind !== 'bet') continue;
    const key = `${leaf.pool} ${selectionKey(leaf.selection)}`;
    made.set(key, (made.get(key) ?? 0n) + pointsOf(leaf.stake));
  }
  const told = (record.stakes ?? []).filter(({ stake }) => pointsOf(stake) > 0n);
  const equal = told.every(
    ({ pool, selection, stake }) => made.get(`${pool} ${selectionKey(selection)}`) === pointsOf(stake),
  );
  if (!equal || told.length !== made.size) throw new Error('the stakes of the record are not those of its receipts');
}

/** A pool without bets may be told as zero or not at all. */
function withBets(sums: PoolSums): PoolSums {
  return Object.fromEntries(Object.entries(sums).filter(([, { count }]) => count > 0));
}

/**
 * The record names players, receipts bear tags: what can be compared are the horses and votes chosen in all and how many were
 * drawn. That one's own pick is told right, each player sees from his receipt and the record.
 */
function checkPicks(record: PublicRaceRecord, leaves: readonly Leaf[]): void {
  const picks = new Map<string, number | 'drawn'>();
  const votes = new Map<string, number>();
  for (const leaf of leaves) {
    if (leaf.kind === 'pick') picks.set(leaf.tag, leaf.horse);
    if (leaf.kind === 'pick-clear') picks.delete(leaf.tag);
    if (leaf.kind === 'drawn') picks.set(leaf.tag, 'drawn');
    if (leaf.kind === 'vote') votes.set(leaf.tag, leaf.place);
  }
  const told = (record.picks ?? []).map((pick) => (pick.drawn ? 'drawn' : pick.horse));
  if (!contains([...picks.values()], told)) throw new Error('the picks of the record are not those of its receipts');
  const counted = (record.place?.votes ?? []).map((vote) => vote.place);
  if (!contains([...votes.values()], counted)) throw new Error('the votes of the record are not those of its receipts');
}

/** Whether `all` holds everything in `some`, repeats counted: a kick before the close drops a pick or vote whose receipt stays in the tree. */
function contains<T>(all: readonly T[], some: readonly T[]): boolean {
  const left = [...all];
  return some.every((value) => {
    const index = left.indexOf(value);
    if (index >= 0) left.splice(index, 1);
    return index >= 0;
  });
}
