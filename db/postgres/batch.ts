import type { BetId, RaceId } from '../../lib/core/ids.ts';
import type { Pool } from '../../lib/core/pools.ts';
import { ERRORS, type ErrorCode } from '../../lib/errors.ts';
import type { BatchTotals, LedgerAnswer, LedgerItem, PoolStake } from '../../lib/ports.ts';
import type { Receipt } from '../../lib/protocol.ts';
import { jsonb } from './query.ts';

/** What ledger_commit_batch returns: by item in order, and for each repeat what it was answered the first time. */
export type BatchRow = {
  /** the server's clock under the locks, ms */
  readonly at: bigint;
  readonly codes: readonly string[];
  /** null when nothing was accepted */
  readonly balances: readonly (string | null)[] | null;
  readonly versions: readonly (string | null)[] | null;
  readonly repeats: readonly Repeat[] | null;
  /** of what was accepted; null when nothing was */
  readonly batch_id: bigint | null;
};

type Repeat = {
  /** position in the batch, from 1 */
  readonly n: number;
  readonly race: RaceId | null;
  readonly leaf: string | null;
  readonly tag: string | null;
  readonly nonce: string | null;
  readonly bet: BetId | null;
  readonly number: number | null;
  readonly granted: string | null;
  readonly balance: string;
  readonly version: number;
};

const MAX_POINTS = 2n ** 63n - 1n;

/** Items as SQL's ledger_item. Stakes beyond int8 go over as 0, which is refused like any other impossible stake. */
export function encodeItems(items: readonly LedgerItem[]): string {
  return jsonb(items.map(encodeItem));
}

function encodeItem(item: LedgerItem): object {
  const base = { kind: item.kind, player: item.playerId, command: item.commandId, body: item.bodyHash };
  if (item.kind === 'claim') return { ...base, amount: points(item.amount), day: item.day };
  const leaf = { ...base, race: item.raceId, leaf: item.leaf, tag: item.tag, nonce: item.nonce };
  switch (item.kind) {
    case 'bet':
      return { ...leaf, bet: item.betId, pool: item.pool, horses: item.selection, stake: points(item.stake) };
    case 'pick':
      return { ...leaf, number: item.horse };
    case 'vote':
      return { ...leaf, number: item.place };
    case 'pick-clear':
      return leaf;
  }
}

function points(value: bigint): string {
  return value < 0n || value > MAX_POINTS ? '0' : value.toString();
}

/** Throws when the database answers with something that this version does not know. */
export function decodeAnswers(items: readonly LedgerItem[], row: BatchRow): LedgerAnswer[] {
  const repeats = new Map((row.repeats ?? []).map((repeat) => [repeat.n - 1, repeat]));
  return items.map((item, index) => {
    const code = row.codes[index];
    if (code === 'again') return { ok: 'again' };
    if (code === 'ok') return accepted(item, row.balances?.[index] ?? null, row.versions?.[index] ?? null);
    const repeat = repeats.get(index);
    if (code === 'repeat' && repeat !== undefined) return repeated(item, repeat);
    if (isErrorCode(code)) return { ok: false, code };
    throw new Error(`ledger_commit_batch answered ${code}`);
  });
}

function isErrorCode(code: string | undefined): code is ErrorCode {
  return code !== undefined && Object.hasOwn(ERRORS, code);
}

function accepted(item: LedgerItem, balance: string | null, version: string | null): LedgerAnswer {
  const base = { ok: true, repeated: false, ...money(balance, version) } as const;
  if (item.kind === 'claim') return { ...base, granted: item.amount };
  const { raceId, leaf, tag, nonce, commandId } = item;
  return { ...base, receipt: { raceId, leaf, tag, nonce, commandId }, ...result(item) };
}

function result(item: LedgerItem): { betId?: BetId; horse?: number } {
  if (item.kind === 'bet') return { betId: item.betId };
  return item.kind === 'pick' ? { horse: item.horse } : {};
}

function repeated(item: LedgerItem, repeat: Repeat): LedgerAnswer {
  const { race: raceId, leaf, tag, nonce } = repeat;
  const receipt: Receipt | null =
    raceId === null || leaf === null || tag === null || nonce === null
      ? null
      : { raceId, leaf, tag, nonce, commandId: item.commandId };
  return {
    ok: true,
    repeated: true,
    ...money(repeat.balance, String(repeat.version)),
    ...(receipt && { receipt }),
    ...(repeat.bet !== null && { betId: repeat.bet }),
    ...(item.kind === 'pick' && repeat.number !== null && { horse: repeat.number }),
    ...(repeat.granted !== null && { granted: BigInt(repeat.granted) }),
  };
}

function money(balance: string | null, version: string | null): { balance?: bigint; balanceVersion?: number } {
  if (balance === null || version === null) return {};
  return { balance: BigInt(balance), balanceVersion: Number(version) };
}

/** The stakes that the batch added, by race, pool and selection. */
export function addedStakes(
  items: readonly LedgerItem[],
  answers: readonly LedgerAnswer[],
  batch: bigint,
): BatchTotals[] {
  const races = new Map<RaceId, Map<string, PoolStake>>();
  items.forEach((item, index) => {
    const answer = answers[index];
    if (item.kind !== 'bet' || answer?.ok !== true || answer.repeated) return;
    const stakes = races.get(item.raceId) ?? new Map<string, PoolStake>();
    races.set(item.raceId, stakes);
    const key = stakeKey(item.pool, item.selection);
    const before = stakes.get(key);
    stakes.set(key, {
      pool: item.pool,
      selection: item.selection,
      stake: (before?.stake ?? 0n) + item.stake,
      count: (before?.count ?? 0) + 1,
    });
  });
  return [...races].map(([raceId, stakes]) => ({ raceId, batch, stakes: [...stakes.values()] }));
}

function stakeKey(pool: Pool, selection: readonly number[]): string {
  return `${pool} ${selection.join('-')}`;
}
