import { createHash, randomBytes, randomUUID } from 'node:crypto';
import type { Pool } from 'pg';
import { createAudit } from '../../db/postgres/audit.ts';
import { createLedger } from '../../db/postgres/ledger.ts';
import { createRaceRecords } from '../../db/postgres/races.ts';
import { type PoolSettlement as Settled, settlePool } from '../../lib/core/dividend.ts';
import type { BetId, CommandId, PlayerId, RaceId, RoomId } from '../../lib/core/ids.ts';
import { type Pool as BetPool, parseSelectionKey, selectionKey, winningCombinations } from '../../lib/core/pools.ts';
import type { Placing, RaceResult, RaceRules, Runner } from '../../lib/core/race-state.ts';
import { leafHashOf, playerTag, raceTagKey, toHex } from '../../lib/fairness/index.ts';
import type { LedgerAnswer, LedgerItem, NewRace, PoolSettlement, RaceRecords } from '../../lib/ports.ts';
import { createTestDatabase, type TestDatabase, type TestPostgres } from '../helpers/postgres.ts';
import { until } from '../helpers/until.ts';

const SECRET = new Uint8Array(32).fill(7);
const HASH = 'ab'.repeat(32);

export const id = <Id extends string>(name: string): Id => `${name}-${randomBytes(6).toString('hex')}` as Id;
export const player = (name: string): PlayerId => name as PlayerId;
export const command = (): CommandId => randomUUID() as CommandId;
export const code = (answer: LedgerAnswer | undefined): string =>
  answer === undefined
    ? 'none'
    : answer.ok === true
      ? answer.repeated
        ? 'repeat'
        : 'ok'
      : answer.ok === false
        ? answer.code
        : 'again';

export type Stage = Awaited<ReturnType<typeof createStage>>;

/** A migrated database of its own with ledger and races on it. */
export async function createStage(
  options: { startPoints?: number; max?: number; postgres?: TestPostgres; timeZone?: string } = {},
) {
  const database: TestDatabase = await (options.postgres?.createDatabase ?? createTestDatabase)({ migrate: true });
  const pool: Pool = database.pool({ max: options.max ?? 10 });
  const ledger = createLedger(pool, { startPoints: options.startPoints ?? 10_000 });
  const races = createRaceRecords(pool, { timeZone: options.timeZone ?? 'Asia/Seoul' });
  await pool.query("insert into seed_key (id, wrapped, hash, created_at) values ('key', '', 'hash', 0)");

  const query = async <Row = Record<string, unknown>>(text: string, values: unknown[] = []): Promise<Row[]> =>
    (await pool.query(text, values)).rows as Row[];
  const balanceOf = async (name: string) => (await ledger.wallet(player(name)))?.balance;
  const audit = () => createAudit(database.target).audit();

  async function room(): Promise<RoomId> {
    const roomId = id<RoomId>('room');
    await pool.query(
      `insert into room (id, code, kind, house, locale, name, settings, created_at, expires_at) values ($1, $1, 'bet', false, 'ko', 'r', '{}', 0, 0)`,
      [roomId],
    );
    return roomId;
  }

  return { database, pool, ledger, races, query, balanceOf, audit, room, drop: database.drop };
}

export const field = (runners: number): Runner[] =>
  Array.from({ length: runners }, (_, index) => ({
    number: index + 1,
    name: { ko: '말', en: 'Horse' },
    silks: { pattern: 'plain', colours: ['#000000', '#ffffff'] },
    style: 'stalker',
    form: [1, 2, 3, 4, 5],
    ability: 0,
    stamina: 0,
  })) as unknown as Runner[];

export const rules = (more: Partial<RaceRules> = {}): RaceRules => ({
  pools: [
    { pool: 'win', rate: { num: 80, den: 100 } },
    { pool: 'place', rate: { num: 80, den: 100 } },
  ],
  placesPaid: 3,
  maxStakePerRace: 1_000_000_000_000,
  exclusivePicks: false,
  placeVote: true,
  openSeconds: 30,
  resultSeconds: 10,
  ...more,
});

export type RaceOptions = {
  kind?: 'bet' | 'pick';
  runners?: number;
  rules?: Partial<RaceRules>;
  roomId?: RoomId;
  closesInMs?: number;
  participants?: PlayerId[];
};

export async function newRace(stage: Stage, options: RaceOptions = {}): Promise<NewRace> {
  const roomId = options.roomId ?? (await stage.room());
  const latest = await stage.races.latest(roomId);
  const now = Date.now();
  return {
    id: id<RaceId>('race'),
    roomId,
    kind: options.kind ?? 'bet',
    number: (latest?.row.number ?? 0) + 1,
    previousRecordHash: latest?.row.recordHash ?? null,
    track: 'medium',
    rules: rules(options.rules),
    field: field(options.runners ?? 8),
    fieldHash: HASH,
    simVersion: 1,
    rulesVersion: 1,
    seedKeyId: 'key',
    commitment: HASH,
    participants: options.participants ?? null,
    rerunOf: null,
    openedAt: now,
    closesAt: now + (options.closesInMs ?? 60_000),
  };
}

export async function openRace(stage: Stage, options: RaceOptions = {}): Promise<NewRace> {
  const race = await newRace(stage, options);
  const opened = await stage.races.open(race, (row) => ({ type: 'race opened', race: { id: row.id } as never }));
  if (opened.kind !== 'opened') throw new Error(opened.kind);
  return race;
}

/** The day of bets where a test says no other. */
export const DAY = '2026-11-20';

const hashOf = (body: unknown) => createHash('sha256').update(JSON.stringify(body)).digest('hex');
const tagOf = (raceId: RaceId, playerId: PlayerId) => toHex(playerTag(raceTagKey(SECRET, raceId), playerId));

export function bet(
  raceId: RaceId,
  name: string,
  horses: number | readonly number[],
  stake: bigint,
  more: { pool?: BetPool; commandId?: CommandId; day?: string } = {},
): LedgerItem {
  const pool = more.pool ?? 'win';
  const selection = typeof horses === 'number' ? [horses] : horses;
  const commandId = more.commandId ?? command();
  const tag = tagOf(raceId, player(name));
  const nonce = randomBytes(8).toString('hex');
  const leaf = toHex(
    leafHashOf(raceId, {
      kind: 'bet',
      tag,
      commandId,
      nonce,
      pool,
      selection,
      stake: (stake < 0n || stake >= 2n ** 63n ? 0n : stake).toString(),
    }),
  );
  return {
    kind: 'bet',
    playerId: player(name),
    commandId,
    bodyHash: hashOf([raceId, pool, horses, `${stake}`]),
    raceId,
    leaf,
    tag,
    nonce,
    betId: id<BetId>('bet'),
    pool,
    selection,
    stake,
    day: more.day ?? DAY,
  };
}

export function pick(raceId: RaceId, name: string, horse: number, commandId = command()): LedgerItem {
  const tag = tagOf(raceId, player(name));
  const leaf = toHex(leafHashOf(raceId, { kind: 'pick', tag, commandId, nonce: '', horse }));
  return {
    kind: 'pick',
    playerId: player(name),
    commandId,
    bodyHash: hashOf([raceId, horse]),
    raceId,
    leaf,
    tag,
    nonce: '',
    horse,
  };
}

export function clear(raceId: RaceId, name: string, commandId = command()): LedgerItem {
  const tag = tagOf(raceId, player(name));
  const leaf = toHex(leafHashOf(raceId, { kind: 'pick-clear', tag, commandId, nonce: '' }));
  return {
    kind: 'pick-clear',
    playerId: player(name),
    commandId,
    bodyHash: hashOf([raceId, 'clear']),
    raceId,
    leaf,
    tag,
    nonce: '',
  };
}

export function vote(raceId: RaceId, name: string, place: number, commandId = command()): LedgerItem {
  const tag = tagOf(raceId, player(name));
  const leaf = toHex(leafHashOf(raceId, { kind: 'vote', tag, commandId, nonce: '', place }));
  return {
    kind: 'vote',
    playerId: player(name),
    commandId,
    bodyHash: hashOf([raceId, 'vote', place]),
    raceId,
    leaf,
    tag,
    nonce: '',
    place,
  };
}

export function claim(name: string, day: string, amount = 2_000n, commandId = command()): LedgerItem {
  return {
    kind: 'claim',
    playerId: player(name),
    commandId,
    bodyHash: hashOf(['daily']),
    claim: 'daily',
    amount,
    everyMs: 0,
    day,
  };
}

export function relief(name: string, upTo = 1_000n, everyMs = 4 * 3_600_000, commandId = command()): LedgerItem {
  const base = { kind: 'claim', playerId: player(name), commandId, bodyHash: hashOf(['relief']) } as const;
  return { ...base, claim: 'relief', amount: upTo, everyMs, day: DAY };
}

export function drawn(raceId: RaceId, name: string) {
  const tag = tagOf(raceId, player(name));
  return { playerId: player(name), tag, leaf: toHex(leafHashOf(raceId, { kind: 'drawn', tag })) };
}

/** Finishes in the order given; places may be shared. */
export const order = (...places: [number, number][]): Placing[] =>
  places.map(([number, place]) => ({ number, place, finishMs: 20_000 + place * 100 }));

/** Brings the close to now, waits for it, closes, draws and runs to the end. */
export async function runRace(stage: Stage, raceId: RaceId, finish: Placing[]): Promise<void> {
  const { races } = stage;
  await closeRace(stage, raceId);
  if ((await races.draw(raceId, { order: finish, durationMs: 0 }, 0, 0, 0)) !== 'moved') throw new Error('not drawn');
  await until('the race runs', async () => (await races.run(raceId)) === 'moved');
}

export async function closeRace(stage: Stage, raceId: RaceId): Promise<void> {
  await stage.races.bringForward(raceId, 0);
  await until('the race is closed', async () => (await stage.races.close(raceId, [])) === 'moved', { everyMs: 2 });
}

/** The settlement as core/dividend computes it from the closed stakes. */
export async function settlementOf(
  stage: Stage,
  race: NewRace,
  finish: Placing[],
): Promise<Parameters<RaceRecords['settle']>[1]> {
  const stakes = await stage.races.stakes(race.id);
  const pools: PoolSettlement[] = race.rules.pools.map(({ pool, rate }) => {
    const of = new Map(
      stakes.filter((stake) => stake.pool === pool).map((stake) => [selectionKey(stake.selection), stake.stake]),
    );
    const winners = winningCombinations(pool, finish, race.rules.placesPaid).map(selectionKey);
    const settled: Settled = settlePool({ unit: 100n, step: 10n, rate, pool, stakes: of, winners });
    if (settled.kind === 'refund')
      return { pool, dividends: null, gross: settled.gross, paid: 0n, takeout: 0n, breakage: 0n };
    const dividends = [...settled.dividends].map(([key, per100]) => ({ selection: parseSelectionKey(key), per100 }));
    return {
      pool,
      dividends,
      gross: settled.gross,
      paid: settled.paid,
      takeout: settled.takeout,
      breakage: settled.breakage,
    };
  });
  const result: RaceResult = {
    order: finish,
    dividends: pools.flatMap(({ pool, dividends }) =>
      (dividends ?? []).map(({ selection, per100 }) => ({ pool, selection, per100: per100.toString() })),
    ),
    refunded: pools.filter(({ dividends }) => dividends === null).map(({ pool }) => pool),
    seed: 'cd'.repeat(32),
  };
  return { result, pools, recordHash: HASH, nextOpensAfterMs: null };
}
