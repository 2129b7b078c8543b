import { expect } from 'vitest';
import { payout, settlePool } from '../../lib/core/dividend.ts';
import type { RaceId, RoomId } from '../../lib/core/ids.ts';
import { selectionKey, winningCombinations } from '../../lib/core/pools.ts';
import type { PublicRecord } from '../../lib/core/public-race.ts';
import {
  type Leaf,
  type LeafBatch,
  type OwnReceipt,
  type PublicRaceRecord,
  verifyRace,
} from '../../lib/fairness/index.ts';
import type { MyBet, Reply, RoomEvent } from '../../lib/protocol.ts';
import type { Bot, Sent } from './bot.ts';
import type { Witness } from './world.ts';

/** What each phase is told by, in their order; a void race may miss any but the first, and ends otherwise. */
const PHASES = ['race opened', 'race closed', 'race drawn', 'race running', 'race settled'] as const;

export async function recordsOf(url: string, ids: readonly RaceId[]): Promise<PublicRecord[]> {
  const records: PublicRecord[] = [];
  for (const id of ids) {
    const response = await fetch(`${url}/api/races/${id}`);
    expect(response.status).toBe(200);
    records.push((await response.json()) as PublicRecord);
  }
  return records;
}

// ---- phases ----

/** Facts are numbered without gap from 1 on in every room, and each race has each of its phases once among them. */
export async function expectFacts(witness: Witness, records: readonly PublicRecord[]): Promise<void> {
  type Fact = { room_id: RoomId; version: bigint; event: RoomEvent };
  const facts = await witness.query<Fact>('select room_id, version, event from room_fact order by room_id, version');
  for (const roomId of new Set(records.map((record) => record.roomId))) {
    const own = facts.filter((fact) => fact.room_id === roomId);
    expect(own.map(({ version }) => Number(version))).toEqual(own.map((_, index) => index + 1));
  }
  for (const record of records) {
    const told = facts.map(({ event }) => event).filter((event) => concerns(event, record.id));
    expect(
      told.map(({ type }) => type).filter((type) => type !== 'race closing'),
      record.id,
    ).toEqual(phasesOf(record));
  }
}

function phasesOf(record: PublicRecord): string[] {
  if (record.phase === 'settled') return [...PHASES];
  expect(record.phase).toBe('void');
  expect(record.kind, `void: ${record.voidReason}`).toBe('pick');
  expect(['too-few-picks', 'same-horse']).toContain(record.voidReason);
  return ['race opened', 'race closed', 'race void'];
}

function concerns(event: RoomEvent, raceId: RaceId): boolean {
  if (event.type === 'race opened') return event.race.id === raceId;
  return event.type.startsWith('race ') && 'raceId' in event && event.raceId === raceId;
}

/**
 * The bot was told each phase of each race exactly once, over all epochs: by one event of the log and in order, or, where
 * a crash fell between the fact and its telling, by the snapshot that began the next epoch. Gives how many were so.
 */
export function expectTold(bot: Bot, records: readonly PublicRecord[]): number {
  let bySnapshot = 0;
  for (const record of records) {
    const events = (bot.client.room?.events ?? []).filter((event) => concerns(event, record.id));
    const types: string[] = events.map(({ type }) => type).filter((type) => type !== 'race closing');
    const phases = phasesOf(record);
    expect(types, `race ${record.number} of ${bot.client.id}`).toEqual(phases.filter((type) => types.includes(type)));
    for (const phase of phases.filter((type) => !types.includes(type))) {
      bySnapshot += 1;
      const shown = bot.snapshots.some(({ race }) => race !== null && tells(race, record, phase));
      expect(shown, `${phase} of race ${record.number}, told to ${bot.client.id}`).toBe(true);
    }
    const end = events.find(({ type }) => type === 'race settled');
    if (end?.type === 'race settled') expect(end.result).toEqual(record.result);
  }
  return bySnapshot;
}

type Shown = NonNullable<Bot['snapshots'][number]['race']>;

function tells(race: Shown, record: PublicRecord, phase: string): boolean {
  if (race.id !== record.id) return race.number > record.number;
  switch (phase) {
    case 'race opened':
      return true;
    case 'race closed':
      return race.phase !== 'open';
    case 'race drawn':
      return race.startsAt !== undefined;
    case 'race running':
      return race.phase === 'running' || race.phase === 'settled';
    default:
      return race.phase === record.phase;
  }
}

// ---- results ----

/** Every outcome that was ever seen stored is the one that is published. Gives how many were seen. */
export function expectSameResults(witness: Witness, records: readonly PublicRecord[]): number {
  for (const record of records) {
    const stored = witness.outcomes.get(record.id);
    if (stored === undefined) continue;
    expect(record.phase).toBe('settled');
    expect(record.result?.order).toEqual(stored.order);
    if (record.kind === 'bet') continue;
    expect(record.picks).toEqual(stored.picks);
    expect(record.place).toEqual(stored.place);
    expect(record.result?.caught).toEqual(stored.caught);
  }
  return witness.outcomes.size;
}

/** The race verifies from its record, its predecessor, all of its receipts and those of each player. */
export async function expectVerified(
  witness: Witness,
  records: readonly PublicRecord[],
  bots: readonly Bot[],
): Promise<void> {
  for (const record of records) {
    const previous = records.find((other) => other.roomId === record.roomId && other.number === record.number - 1);
    const evidence = {
      leaves: await leavesOf(witness, record.id),
      ...(previous && { previous: previous as PublicRaceRecord }),
    };
    const members = bots.filter((bot) => bot.roomId === record.roomId);
    expect(members).not.toEqual([]);
    for (const bot of members) {
      const own = await receiptsOf(bot, record);
      const steps = verifyRace(record as PublicRaceRecord, { ...evidence, own, playerId: bot.client.id });
      expect(steps.filter(({ ok }) => !ok)).toEqual([]);
      if (record.phase === 'settled') expect(steps.map(({ step }) => step)).toContain('order');
    }
  }
}

async function leavesOf(witness: Witness, raceId: RaceId): Promise<LeafBatch[]> {
  type Row = {
    batch: bigint;
    kind: Leaf['kind'];
    tag: string;
    commandId: string;
    nonce: string;
    number: number | null;
  } & {
    pool: 'win' | 'place' | null;
    selection: number[] | null;
    stake: bigint | null;
  };
  const rows = await witness.query<Row>(
    `select c.batch, c.kind, encode(c.tag, 'hex') as tag, c.command_id as "commandId", encode(c.nonce, 'hex') as nonce, c.number,
       b.pool, b.selection, b.stake
     from ledger_command c left join bet b on b.id = c.bet_id where c.race_id = $1 order by c.batch, c.ordinal`,
    [raceId],
  );
  const batches = new Map<bigint, Leaf[]>();
  for (const { batch, kind, tag, commandId, nonce, number, pool, selection, stake } of rows) {
    const own = { tag, commandId, nonce };
    const leaf = {
      bet: { ...own, kind: 'bet', pool, selection, stake: String(stake) },
      pick: { ...own, kind: 'pick', horse: number },
      'pick-clear': { ...own, kind: 'pick-clear' },
      vote: { ...own, kind: 'vote', place: number },
      drawn: { kind: 'drawn', tag },
    }[kind] as Leaf;
    batches.set(batch, [...(batches.get(batch) ?? []), leaf]);
  }
  return [...batches].map(([batch, leaves]) => ({ batch: String(batch), leaves }));
}

/** What the player was answered, as a page would keep it. */
async function receiptsOf(bot: Bot, record: PublicRecord): Promise<OwnReceipt[]> {
  if (record.kind === 'bet') {
    const { bets } = await bot.client.request('bet:mine', { raceId: record.id });
    return bets.map(({ pool, selection, stake, receipt: { leaf, ...own }, returned }) => ({
      leaf: { kind: 'bet', tag: own.tag, commandId: own.commandId, nonce: own.nonce, pool, selection, stake },
      hash: leaf,
      ...(returned !== undefined && { returned }),
    }));
  }
  const choices = bot.accepted(record.id, 'pick:choose', 'pick:clear', 'vote:place');
  const receipts = choices.map(({ answer }) => (answer.data as Partial<Reply<'pick:choose'>>).receipt);
  const tag = receipts.find((receipt) => receipt !== undefined)?.tag;
  if (tag === undefined) return [];
  return choices.map(({ name, body, answer }, index): OwnReceipt => {
    const own = { tag, commandId: body.commandId, nonce: receipts[index]?.nonce ?? '' };
    if (name === 'pick:clear') return { leaf: { ...own, kind: 'pick-clear' } };
    const leaf: Leaf =
      name === 'vote:place'
        ? { ...own, kind: 'vote', place: Number(body['place']) }
        : { ...own, kind: 'pick', horse: (answer.data as Reply<'pick:choose'>).horse };
    return { leaf, hash: receipts[index]?.leaf ?? '' };
  });
}

// ---- commands ----

/** Accepted is there, once and as it was; refused is not; and nothing is there that was never sent. */
export async function expectCommands(bot: Bot, records: readonly PublicRecord[]): Promise<void> {
  for (const record of records.filter(({ roomId }) => roomId === bot.roomId)) {
    const mine = await bot.client.request('bet:mine', { raceId: record.id });
    const accepted = bot.accepted(record.id, 'bet:place');
    const byCommand = (a: { readonly command: string }, b: { readonly command: string }): number =>
      a.command < b.command ? -1 : 1;
    const sent = accepted.map(({ body, answer }) => ({
      command: body.commandId,
      betId: (answer.data as Reply<'bet:place'>).betId,
      on: `${String(body['pool'])} ${String(body['selection'])} ${String(body['stake'])}`,
    }));
    const there = mine.bets.map(({ receipt, betId, pool, selection, stake }) => ({
      command: receipt.commandId as string,
      betId,
      on: `${pool} ${String(selection)} ${stake}`,
    }));
    expect(there.sort(byCommand), `bets of ${bot.client.id} in race ${record.number}`).toEqual(sent.sort(byCommand));
    if (record.kind === 'pick') expectChoices(bot, record, mine);
  }
}

/** The last accepted pick and vote stand; who has none has at most a horse drawn at the close. */
function expectChoices(bot: Bot, record: PublicRecord, mine: Reply<'bet:mine'>): void {
  const what = `of ${bot.client.id} in race ${record.number}`;
  const pick = bot.accepted(record.id, 'pick:choose', 'pick:clear').at(-1);
  if (pick?.name === 'pick:choose') {
    const { horse, receipt } = pick.answer.data as Reply<'pick:choose'>;
    expect(mine.pick, `pick ${what}`).toEqual({ horse, receipt });
    const shown = record.picks?.find(({ playerId }) => playerId === bot.client.id);
    if (record.picks !== undefined) expect(shown, `pick ${what}`).toMatchObject({ horse, drawn: false });
  } else expect(mine.pick?.horse ?? null, `pick ${what}`).toBeNull();
  const vote = bot.accepted(record.id, 'vote:place').at(-1);
  const place = vote === undefined ? undefined : Number(vote.body['place']);
  expect(mine.vote?.place, `vote ${what}`).toBe(place);
}

/** Asked once more after everything: the same answer as the first time. */
export async function expectRepeats(bot: Bot, sample: readonly Sent[]): Promise<void> {
  for (const { name, body, answer } of sample) {
    expect(await bot.client.raw(name, body), `${name} of ${bot.client.id}`).toEqual(answer);
  }
}

// ---- points ----

/** What a bet brings back by the public record and core/dividend alone. */
export function returnOf(record: PublicRecord, bet: Pick<MyBet, 'pool' | 'selection' | 'stake'>): bigint {
  const stake = BigInt(bet.stake);
  const settled = settledPool(record, bet.pool);
  if (record.phase === 'void' || settled.kind === 'refund') return stake;
  const dividend = settled.dividends.get(selectionKey(bet.selection));
  return dividend === undefined ? 0n : payout(stake, dividend);
}

function settledPool(record: PublicRecord, pool: MyBet['pool']) {
  const rate = record.rules.pools.find((open) => open.pool === pool)?.rate;
  if (rate === undefined) throw new Error(`race ${record.id} has no pool ${pool}`);
  const stakes = (record.stakes ?? []).filter((line) => line.pool === pool);
  return settlePool({
    pool,
    unit: 100n,
    step: 10n,
    rate,
    stakes: new Map(stakes.map(({ selection, stake }) => [selectionKey(selection), BigInt(stake)])),
    winners: winningCombinations(pool, record.result?.order ?? [], record.rules.placesPaid).map(selectionKey),
  });
}

/** Points that the pools of these races kept, by record alone. */
function keptOf(records: readonly PublicRecord[]): bigint {
  let kept = 0n;
  for (const record of records) {
    if (record.phase !== 'settled') continue;
    for (const pool of record.pools) {
      const settled = settledPool(record, pool);
      if (settled.kind === 'paid') kept += settled.gross - settled.paid;
    }
  }
  return kept;
}

/** Every bet came back as computed, every balance is what is left of it all, and no point came or went in between. */
export async function expectPoints(
  witness: Witness,
  bots: readonly Bot[],
  records: readonly PublicRecord[],
): Promise<void> {
  const staked = new Map<string, bigint>();
  let [granted, balances] = [0n, 0n];
  for (const bot of bots) {
    const claims = bot.sent.filter(({ name, answer }) => name === 'wallet:claim' && answer?.ok === true);
    const grants = claims.map(({ answer }) =>
      BigInt((answer as { data: Reply<'wallet:claim'> } | null)?.data.granted ?? 0),
    );
    let balance = 10_000n + grants.reduce((sum, points) => sum + points, 0n);
    granted += balance;
    for (const record of records.filter(({ roomId }) => roomId === bot.roomId)) {
      const { bets } = await bot.client.request('bet:mine', { raceId: record.id });
      for (const bet of bets) {
        expect(bet.returned, `${bet.pool} ${bet.selection} of ${bot.client.id} in race ${record.number}`).toBe(
          String(returnOf(record, bet)),
        );
        balance += BigInt(bet.returned ?? 0) - BigInt(bet.stake);
        const key = `${record.id} ${bet.pool} ${selectionKey(bet.selection)}`;
        staked.set(key, (staked.get(key) ?? 0n) + BigInt(bet.stake));
      }
    }
    expect((await bot.client.request('wallet:get', {})).balance, bot.client.id).toBe(String(balance));
    balances += balance;
  }
  const told = records.flatMap((record) =>
    (record.stakes ?? []).map(
      ({ pool, selection, stake }) => [`${record.id} ${pool} ${selectionKey(selection)}`, BigInt(stake)] as const,
    ),
  );
  expect([...staked].sort()).toEqual(told.sort());
  expect(balances + keptOf(records)).toBe(granted);
  expect(await witness.query('select * from ledger_audit')).toEqual([]);
}
