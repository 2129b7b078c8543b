import type { BetId, RaceId } from '../../lib/core/ids.ts';
import type { Pool } from '../../lib/core/pools.ts';
import { ERRORS, type ErrorCode } from '../../lib/errors.ts';
import type { BatchTotals, LedgerAnswer, LedgerItem, PoolStake } from '../../lib/ports.ts';
import type { Receipt } from '../../lib/protocol.ts';

/** What ledger_commit_batch returns: by item in order, and for each repeat what it was answered the first time. */
export type BatchRow = {
  /** the server's clock under the locks, ms */
  readonly at: bigint;
  readonly codes: readonly string[];
  /** null when nothing was accepted */
  readonly balances: readonly (string | null)[] | null;
  readonly versions: readonly (string | null)[] | null;
  /** points granted, of claims */
  readonly grants: readonly (string | null)[] | null;
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

/** How many columns of the items, and after them the start points and the time by which it must have begun. */
const PARAMETERS = 19 + 2;
export const COMMIT_BATCH = `select at, codes, balances, versions, grants, repeats, batch_id
  from ledger_commit_batch(${Array.from({ length: PARAMETERS }, (_, index) => `$${index + 1}`).join(', ')})`;

const MAX_POINTS = 2n ** 63n - 1n;

/**
 * Items as the columns that ledger_commit_batch takes, in its order: array literals, since the driver would escape every
 * element anew. Stakes beyond int8 go over as 0, which is refused like any other impossible stake.
 */
export function encodeItems(items: readonly LedgerItem[]): (string | null)[] {
  const players = distinct(items.map(({ playerId }) => playerId));
  const races = distinct(items.flatMap((item) => (item.kind === 'claim' ? [] : [item.raceId])));
  const column = (of: (item: LedgerItem) => string | number | undefined): string => {
    let text = '';
    for (const item of items) text += `,${of(item) ?? 'null'}`;
    return `{${text.slice(1)}}`;
  };
  return [
    quoted(players.names),
    quoted(races.names),
    column((item) => players.at.get(item.playerId)),
    column((item) => (item.kind === 'claim' ? undefined : races.at.get(item.raceId))),
    column(({ kind }) => kind),
    column(({ commandId }) => quote(commandId)),
    column(({ bodyHash }) => bytes(bodyHash)),
    column((item) => (item.kind === 'claim' ? undefined : bytes(item.leaf))),
    column((item) => (item.kind === 'claim' ? undefined : bytes(item.tag))),
    column((item) => (item.kind === 'claim' ? undefined : bytes(item.nonce))),
    column((item) => (item.kind === 'bet' ? quote(item.betId) : undefined)),
    column((item) => (item.kind === 'bet' ? item.pool : undefined)),
    column((item) => (item.kind === 'bet' ? `"{${item.selection.join(',')}}"` : undefined)),
    column((item) => (item.kind === 'bet' ? points(item.stake) : undefined)),
    column((item) => (item.kind === 'pick' ? item.horse : item.kind === 'vote' ? item.place : undefined)),
    column((item) => (item.kind === 'claim' ? item.claim : undefined)),
    column((item) => (item.kind === 'claim' ? points(item.amount) : undefined)),
    column((item) => (item.kind === 'claim' ? item.everyMs : undefined)),
    column((item) => (item.kind === 'claim' || item.kind === 'bet' ? item.day : undefined)),
  ];
}

/** Ascending by UTF-16 code units, which for our printable ids is the database's "C". */
function distinct(ids: readonly string[]): { readonly names: readonly string[]; readonly at: Map<string, number> } {
  const names = [...new Set(ids)].sort();
  return { names, at: new Map(names.map((name, index) => [name, index + 1])) };
}

const quoted = (names: readonly string[]): string => `{${names.map(quote).join(',')}}`;

function quote(text: string): string {
  return `"${text.replace(/["\\]/gu, '\\$&')}"`;
}

function bytes(hex: string): string {
  return `"\\\\x${hex}"`;
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
    if (code === 'ok') return accepted(item, index, row);
    const repeat = repeats.get(index);
    if (code === 'repeat' && repeat !== undefined) return repeated(item, repeat);
    if (isErrorCode(code)) return { ok: false, code };
    throw new Error(`ledger_commit_batch answered ${code}`);
  });
}

function isErrorCode(code: string | undefined): code is ErrorCode {
  return code !== undefined && Object.hasOwn(ERRORS, code);
}

function accepted(item: LedgerItem, index: number, row: BatchRow): LedgerAnswer {
  const [balance, version, granted] = [row.balances, row.versions, row.grants].map((column) => column?.[index] ?? null);
  const base = { ok: true, repeated: false, ...money(balance ?? null, version ?? null) } as const;
  if (item.kind === 'claim') return { ...base, granted: BigInt(granted ?? 0) };
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
