import { createHash } from 'node:crypto';
import { DIVIDEND_STEP, settlePool, UNIT_POINTS } from '../../lib/core/dividend.ts';
import {
  DEFAULT_RATES,
  isScratched,
  openPools,
  type Pool,
  parseSelectionKey,
  poolStands,
  selectionKey,
  winningCombinations,
} from '../../lib/core/pools.ts';
import type { Runner } from '../../lib/core/race-state.ts';
import { createDraws, makeField, simulate } from '../../lib/engine/index.ts';
import {
  commitment,
  deriveSeed,
  drawHorses,
  drawPlace,
  fieldHash,
  foldBatchRoots,
  type Leaf,
  type LeafBatch,
  leafHashOf,
  merkleRoot,
  type PublicRaceRecord,
  parseBatch,
  playerTag,
  raceKey,
  raceTagKey,
  recordHash,
  toHex,
} from '../../lib/fairness/index.ts';

/** Whole races made the way the server makes them, for the verifier's tests. */

export function digest(text: string): Uint8Array {
  return new Uint8Array(createHash('sha256').update(text).digest());
}

const SEED_KEY = digest('seed key');
const TAG_SECRET = digest('tag secret');

export function tagOf(raceId: string, playerId: string): string {
  return toHex(playerTag(raceTagKey(TAG_SECRET, raceId), playerId));
}

function fieldOf(count: number, equal: boolean): Runner[] {
  return makeField({ draws: createDraws(digest(`field of ${count}`), 'test/field'), count, equal }).map((runner) => ({
    ...runner,
    ...(equal ? {} : { morningLine: '4.5' }),
  }));
}

export function nonceOf(text: string): string {
  return toHex(digest(text)).slice(0, 32);
}

export function bet(
  raceId: string,
  player: string,
  pool: Pool,
  horses: number | readonly number[],
  stake: number,
): Leaf {
  const selection = typeof horses === 'number' ? [horses] : horses;
  const commandId = `${player}-${pool}-${selection}-${stake}`;
  const tag = tagOf(raceId, player);
  return { kind: 'bet', tag, commandId, nonce: nonceOf(commandId), pool, selection, stake: String(stake) };
}

export function choice(raceId: string, player: string, kind: 'pick' | 'vote', value: number): Leaf {
  const commandId = `${player}-${kind}-${value}`;
  const own = { tag: tagOf(raceId, player), commandId, nonce: nonceOf(commandId) };
  return kind === 'pick' ? { kind, ...own, horse: value } : { kind, ...own, place: value };
}

export type MadeRace = { readonly record: PublicRaceRecord; readonly leaves: readonly LeafBatch[] };

/** The record's own hash made anew, as a forger would. */
export function seal(record: Omit<PublicRaceRecord, 'recordHash'>): PublicRaceRecord {
  return { ...record, recordHash: toHex(recordHash(record)) };
}

function batchesOf(raceId: string, leaves: readonly LeafBatch[]) {
  return leaves.map((batch) => {
    const totals: Partial<Record<Pool, { gross: string; count: number }>> = {};
    for (const leaf of batch.leaves) {
      if (leaf.kind !== 'bet') continue;
      const before = totals[leaf.pool] ?? { gross: '0', count: 0 };
      totals[leaf.pool] = { gross: String(BigInt(before.gross) + BigInt(leaf.stake)), count: before.count + 1 };
    }
    const root = toHex(merkleRoot(batch.leaves.map((leaf) => leafHashOf(raceId, leaf))));
    return { batch: batch.batch, root, count: batch.leaves.length, totals };
  });
}

function opening(
  raceId: string,
  kind: 'bet' | 'pick',
  horses: number,
  exclusivePicks = false,
  pools: readonly Pool[] = ['win', 'place'],
) {
  const seed = deriveSeed(SEED_KEY, raceId);
  const facts = {
    id: raceId,
    roomId: 'room-1',
    kind,
    number: 1,
    track: 'medium',
    simVersion: 1,
    rulesVersion: 1,
    rules: {
      pools: kind === 'bet' ? openPools(pools, horses).map((pool) => ({ pool, rate: DEFAULT_RATES[pool] })) : [],
      placesPaid: horses >= 8 ? 3 : 2,
      maxStakePerRace: 5000,
      exclusivePicks,
      placeVote: kind === 'pick',
    },
    field: fieldOf(horses, kind === 'pick'),
    previousRecordHash: null as string | null,
  };
  const hash = fieldHash(facts);
  return {
    ...facts,
    fieldHash: toHex(hash),
    commitment: toHex(commitment(seed)),
    seed: toHex(seed),
    secret: seed,
    hash,
  };
}

function runRace(race: ReturnType<typeof opening>, scratched: readonly number[], betsRoot: Uint8Array) {
  const { secret, hash, ...facts } = race;
  const key = raceKey({
    seed: secret,
    raceId: facts.id,
    fieldHash: hash,
    scratches: scratched,
    rulesVersion: facts.rulesVersion,
    betsRoot,
  });
  const horses = facts.field.filter(({ number }) => !scratched.includes(number));
  const { order } = simulate({ simVersion: 1, track: 'medium', horses, key });
  return { facts, key, order };
}

export function betRace(
  options: { raceId?: string; horses?: number; scratched?: number[]; bets?: Leaf[][]; pools?: readonly Pool[] } = {},
): MadeRace {
  const { raceId = 'race-bet-1', horses = 8, scratched = [] } = options;
  const players = ['ann', 'bo', 'chae', 'dan'];
  const bets = options.bets ?? [
    players.flatMap((player, index) => [
      bet(raceId, player, 'win', 1 + index, 500 + 100 * index),
      bet(raceId, player, 'place', horses - index, 300),
    ]),
    Array.from({ length: horses }, (_, index) => bet(raceId, 'eve', 'win', index + 1, 200)),
    Array.from({ length: horses }, (_, index) => bet(raceId, 'fay', 'place', index + 1, 400)),
  ];
  const leaves = bets.map((batch, index) => ({ batch: String(40 + 3 * index), leaves: batch }));
  const batches = batchesOf(raceId, leaves);
  const betsRoot = foldBatchRoots(batches.map(parseBatch));
  const { facts, order } = runRace(opening(raceId, 'bet', horses, false, options.pools), scratched, betsRoot);

  const standing = leaves
    .flatMap((batch) => batch.leaves)
    .filter((leaf) => leaf.kind === 'bet' && !isScratched(leaf.selection, scratched));
  const totals: Partial<Record<Pool, { gross: string; count: number }>> = {};
  const stakes: { pool: Pool; selection: readonly number[]; stake: string }[] = [];
  const dividends: { pool: Pool; selection: number[]; per100: string }[] = [];
  const refunded: Pool[] = [];
  for (const { pool, rate } of facts.rules.pools) {
    const byKey = new Map<string, bigint>();
    for (const leaf of standing) {
      if (leaf.kind !== 'bet' || leaf.pool !== pool) continue;
      const key = selectionKey(leaf.selection);
      byKey.set(key, (byKey.get(key) ?? 0n) + BigInt(leaf.stake));
      const before = totals[pool] ?? { gross: '0', count: 0 };
      totals[pool] = { gross: String(BigInt(before.gross) + BigInt(leaf.stake)), count: before.count + 1 };
    }
    for (const [key, stake] of byKey) stakes.push({ pool, selection: parseSelectionKey(key), stake: String(stake) });
    const stands = poolStands(pool, horses - scratched.length);
    const winners = stands ? winningCombinations(pool, order, facts.rules.placesPaid).map(selectionKey) : [];
    const settled = settlePool({ pool, unit: UNIT_POINTS, step: DIVIDEND_STEP, rate, stakes: byKey, winners });
    if (settled.kind === 'refund') refunded.push(pool);
    else
      for (const [key, per100] of settled.dividends)
        dividends.push({ pool, selection: parseSelectionKey(key), per100: String(per100) });
  }
  const record = seal({
    ...facts,
    phase: 'settled',
    scratched,
    totals,
    stakes,
    batches,
    betsRoot: toHex(betsRoot),
    result: { order, dividends, refunded },
  });
  return { record, leaves };
}

/**
 * Ann and Bo pick (Bo twice), Dan and Hal pick and clear; Chae and Dan are drawn a horse, Hal has gone. Ann, Bo, Chae and
 * Hal vote; Hal's vote does not count.
 */
export function pickRace(
  options: { raceId?: string; exclusive?: boolean; votes?: boolean; scratched?: number[] } = {},
): MadeRace {
  const { raceId = 'race-pick-1', exclusive = false, votes = true, scratched = [] } = options;
  const ballots = votes ? { ann: 1, bo: 2, chae: 9 } : {};
  const leaves: LeafBatch[] = [
    {
      batch: '7',
      leaves: [
        choice(raceId, 'ann', 'pick', 2),
        choice(raceId, 'bo', 'pick', 4),
        ...Object.entries(ballots).map(([player, place]) => choice(raceId, player, 'vote', place)),
      ],
    },
    {
      batch: '9',
      leaves: [
        choice(raceId, 'bo', 'pick', 5),
        choice(raceId, 'dan', 'pick', 3),
        { kind: 'pick-clear', tag: tagOf(raceId, 'dan'), commandId: 'dan-clear', nonce: '' },
        choice(raceId, 'hal', 'pick', 3),
        { kind: 'pick-clear', tag: tagOf(raceId, 'hal'), commandId: 'hal-clear', nonce: '' },
        ...(votes ? [choice(raceId, 'hal', 'vote', 1)] : []),
      ],
    },
    { batch: '10', leaves: ['chae', 'dan'].map((player) => ({ kind: 'drawn' as const, tag: tagOf(raceId, player) })) },
  ];
  const batches = batchesOf(raceId, leaves);
  const betsRoot = foldBatchRoots(batches.map(parseBatch));
  const { facts, key, order } = runRace(opening(raceId, 'pick', 6, exclusive), scratched, betsRoot);
  const running = [1, 2, 3, 4, 5, 6].filter((horse) => !scratched.includes(horse));
  const free = running.filter((horse) => !exclusive || (horse !== 2 && horse !== 5));
  const drawn = drawHorses(key, { players: ['chae', 'dan'], horses: free, exclusive });
  const picks = [
    { playerId: 'ann', horse: 2, drawn: false },
    { playerId: 'bo', horse: 5, drawn: false },
    ...[...drawn].map(([playerId, horse]) => ({ playerId, horse, drawn: true })),
  ];
  const picked = new Set(picks.map(({ horse }) => horse));
  const place = drawPlace(key, Object.values(ballots), picked.size);
  const caughtHorse = order.filter(({ number }) => picked.has(number))[place - 1]?.number;
  const record = seal({
    ...facts,
    phase: 'settled',
    scratched,
    totals: {},
    batches,
    betsRoot: toHex(betsRoot),
    picks,
    place: { drawn: place, votes: Object.entries(ballots).map(([playerId, voted]) => ({ playerId, place: voted })) },
    result: { order, caught: picks.filter(({ horse }) => horse === caughtHorse).map(({ playerId }) => playerId) },
  });
  return { record, leaves };
}
