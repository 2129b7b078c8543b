import { digestFromHex, fromHex, toHex } from './bytes.ts';
import { foldBatchRoots, type PoolSums, verifyPath } from './merkle.ts';
import { leafHashOf, type OwnReceipt } from './receipts.ts';
import { type PublicRaceRecord, parseBatch, parseTotals, recordHash } from './record.ts';
import { commitment, fieldHash } from './seeds.ts';
import { checkLeaves, type LeafBatch } from './verify-leaves.ts';
import {
  checkCaught,
  checkDividends,
  checkDrawnHorses,
  checkOrder,
  checkPayouts,
  checkPlaceDraw,
} from './verify-outcome.ts';

export type StepName =
  | 'commitment'
  | 'field'
  | 'record-link'
  | 'bets-root'
  | 'receipts'
  | 'own-receipt'
  | 'order'
  | 'drawn-horses'
  | 'place-draw'
  | 'caught'
  | 'dividends'
  | 'payout';

/** `detail` says in English what was compared and, where it failed, what differs. */
export type VerifyStep = { readonly step: StepName; readonly ok: boolean; readonly detail: string };

export type Evidence = {
  /** every leaf of the race, by batch */
  readonly leaves?: readonly LeafBatch[];
  /** in the order in which they were given */
  readonly own?: readonly OwnReceipt[];
  /** whose `own` they are: then the record's pick and vote of that player are compared too */
  readonly playerId?: string;
  /** the room's previous record */
  readonly previous?: PublicRaceRecord;
};

/**
 * Recomputes a race from its public record and whatever receipts are at hand; asks nobody else. The steps come in the order
 * of the race's own life, so the first that fails is where the record was changed. Steps that the record or the evidence
 * has nothing for (a void race's order, a bet room's picks) are left out. Never throws: malformed parts fail their step.
 */
export function verifyRace(record: PublicRaceRecord, evidence: Evidence = {}): VerifyStep[] {
  const steps: VerifyStep[] = [];
  const check = (step: StepName, run: () => string): void => {
    try {
      steps.push({ step, ok: true, detail: run() });
    } catch (error) {
      steps.push({ step, ok: false, detail: error instanceof Error ? error.message : String(error) });
    }
  };
  const { leaves, own = [], previous, playerId } = evidence;

  check('commitment', () => checkCommitment(record));
  check('field', () => checkField(record));
  check('record-link', () => checkLink(record, previous));
  if (record.betsRoot !== undefined) check('bets-root', () => checkBetsRoot(record));
  if (leaves !== undefined) check('receipts', () => checkLeaves(record, leaves));
  if (own.length > 0) check('own-receipt', () => checkOwn(record, own, leaves, playerId));
  if (record.result !== undefined || record.phase === 'settled') check('order', () => checkOrder(record));
  if (record.picks !== undefined) check('drawn-horses', () => checkDrawnHorses(record));
  if (record.place !== undefined) check('place-draw', () => checkPlaceDraw(record));
  if (record.result !== undefined && record.kind === 'pick') check('caught', () => checkCaught(record));
  if (record.phase === 'settled' && record.kind === 'bet') check('dividends', () => checkDividends(record));
  if (own.some((receipt) => receipt.returned !== undefined)) check('payout', () => checkPayouts(record, own));
  return steps;
}

function checkCommitment(record: PublicRaceRecord): string {
  const made = toHex(commitment(digestFromHex(record.seed)));
  if (made !== record.commitment)
    throw new Error(`SHA-256 of the seed is ${made}, the commitment ${record.commitment}`);
  return 'the seed is the one that was committed to before betting opened';
}

function checkField(record: PublicRaceRecord): string {
  const made = toHex(fieldHash(record));
  if (made !== record.fieldHash)
    throw new Error(`field and rules hash to ${made}, the record says ${record.fieldHash}`);
  return 'field, track, engine version and rules are those fixed at opening';
}

function checkLink(record: PublicRaceRecord, previous: PublicRaceRecord | undefined): string {
  const made = toHex(recordHash(record));
  if (made !== record.recordHash) throw new Error(`the record hashes to ${made}, it says ${record.recordHash}`);
  if ((record.number === 1) !== (record.previousRecordHash === null)) {
    throw new Error('only the first race of a room has no previous record');
  }
  if (previous === undefined) return 'the record hashes to its own hash; the previous record was not given';
  if (previous.roomId !== record.roomId || previous.number !== record.number - 1) {
    throw new Error('the record given as previous is not the race before this one');
  }
  const before = toHex(recordHash(previous));
  if (before !== record.previousRecordHash) {
    throw new Error(`the previous record hashes to ${before}, this one names ${record.previousRecordHash}`);
  }
  return 'the record hashes to its own hash and names its predecessor';
}

function checkBetsRoot(record: PublicRaceRecord): string {
  const batches = (record.batches ?? []).map(parseBatch);
  const made = toHex(foldBatchRoots(batches));
  if (made !== record.betsRoot) throw new Error(`the batches fold to ${made}, the record says ${record.betsRoot}`);
  checkTotals(
    record,
    batches.map(({ totals }) => totals),
  );
  const count = batches.reduce((sum, batch) => sum + batch.count, 0);
  return `${batches.length} batches with ${count} receipts fold to the root`;
}

/** Without a scratch the record's totals are those of its batches; a scratch can only have taken from them. */
function checkTotals(record: PublicRaceRecord, batches: readonly PoolSums[]): void {
  const placed = new Map<string, { gross: bigint; count: number }>();
  for (const [pool, { gross, count }] of batches.flatMap((totals) => Object.entries(totals))) {
    const before = placed.get(pool);
    placed.set(pool, { gross: (before?.gross ?? 0n) + gross, count: (before?.count ?? 0) + count });
  }
  const told = parseTotals(record.totals);
  for (const pool of new Set([...placed.keys(), ...Object.keys(told)])) {
    const { gross, count } = told[pool] ?? { gross: 0n, count: 0 };
    const most = placed.get(pool) ?? { gross: 0n, count: 0 };
    const exact = record.scratched.length === 0;
    if (exact ? gross !== most.gross || count !== most.count : gross > most.gross || count > most.count) {
      throw new Error(
        `${most.count} bets of ${most.gross} were placed on ${pool}, the totals say ${count} of ${gross}`,
      );
    }
  }
}

function checkOwn(
  record: PublicRaceRecord,
  own: readonly OwnReceipt[],
  leaves: readonly LeafBatch[] | undefined,
  playerId: string | undefined,
): string {
  const published = own.every(({ path }) => path !== undefined)
    ? new Map<string, number>()
    : countLeaves(record, leaves);
  own.forEach((receipt, index) => {
    const hash = leafHashOf(record.id, receipt.leaf);
    const name = `receipt ${index + 1} of ${own.length}`;
    if (receipt.hash !== undefined && toHex(hash) !== receipt.hash) {
      throw new Error(`${name}: its content does not hash to its leaf`);
    }
    if (receipt.path !== undefined) {
      const batch = record.batches?.find(({ batch }) => batch === receipt.batch);
      if (batch === undefined) throw new Error(`${name}: the record has no batch ${receipt.batch}`);
      if (receipt.path.count !== batch.count || !verifyPath(hash, receipt.path, fromHex(batch.root))) {
        throw new Error(`${name}: its path does not lead to the root of batch ${batch.batch}`);
      }
      return;
    }
    const left = published.get(toHex(hash)) ?? 0;
    if (left === 0) throw new Error(`${name}: not among the published receipts`);
    published.set(toHex(hash), left - 1);
  });
  if (playerId !== undefined) checkOwnChoice(record, own, playerId);
  return `${own.length} of your receipts are in the tree`;
}

function countLeaves(record: PublicRaceRecord, batches: readonly LeafBatch[] = []): Map<string, number> {
  const counts = new Map<string, number>();
  for (const leaf of batches.flatMap((batch) => batch.leaves)) {
    const hash = toHex(leafHashOf(record.id, leaf));
    counts.set(hash, (counts.get(hash) ?? 0) + 1);
  }
  return counts;
}

/** The last pick and vote of the player's receipts are what the record shows for him; a vote counts with a horse only. */
function checkOwnChoice(record: PublicRaceRecord, own: readonly OwnReceipt[], playerId: string): void {
  let horse: number | null = null;
  let place: number | null = null;
  for (const { leaf } of own) {
    if (leaf.kind === 'pick') horse = leaf.horse;
    if (leaf.kind === 'pick-clear') horse = null;
    if (leaf.kind === 'vote') place = leaf.place;
  }
  // The server clears it with a leaf that the player has no receipt for.
  if (horse !== null && record.scratched.includes(horse)) horse = null;
  const pick = record.picks?.find((shown) => shown.playerId === playerId && !shown.drawn);
  if (record.picks !== undefined && (pick?.horse ?? null) !== horse) {
    throw new Error(`your last pick is ${horse ?? 'none'}, the record shows ${pick?.horse ?? 'none'}`);
  }
  const vote = record.place?.votes.find((shown) => shown.playerId === playerId);
  const rides = record.picks?.some((shown) => shown.playerId === playerId) ?? false;
  const counts = rides ? place : null;
  if (record.place !== undefined && (vote?.place ?? null) !== counts) {
    throw new Error(`your last vote is ${counts ?? 'none that counts'}, the record shows ${vote?.place ?? 'none'}`);
  }
}
