import { spawn } from 'node:child_process';
import { expect } from 'vitest';
import { payout, settlePool } from '../../lib/core/dividend.ts';
import type { RaceId } from '../../lib/core/ids.ts';
import { type Pool, selectionKey, winningCombinations } from '../../lib/core/pools.ts';
import type { PublicRecord } from '../../lib/core/public-race.ts';
import { type OwnReceipt, type PublicRaceRecord, verifyRace } from '../../lib/fairness/index.ts';
import type { RaceRecord, Reply, RoomEvent } from '../../lib/protocol.ts';
import { type ConnectOptions, connect, type TestClient } from '../helpers/client.ts';
import { PROJECT } from '../helpers/process.ts';
import { startServer, type TestServer } from '../helpers/server.ts';
import { groupsOf, winnersByHand } from '../helpers/strict-orders.ts';
import { until } from '../helpers/until.ts';

/** For a hang, not for a speed. */
export const PATIENCE = { deadlineMs: 30_000 };
export const SCALE = 20;
export const START_POINTS = 10_000n;

/** Limits that a test of many players behind one address would meet; everything else as it is for everybody. */
const ROOMY = {
  TIME_SCALE: String(SCALE),
  NEW_PLAYERS_PER_ADDRESS_AND_DAY: '100000',
  ROOMS_PER_MINUTE: '1000',
  FINDS_PER_MINUTE: '1000',
  REQUESTS_PER_SECOND: '1000',
  REQUEST_BURST: '1000',
  BETS_PER_SECOND: '1000',
  CHAT_PER_SECOND: '1000',
  // A machine that runs other tests as well is slow, not broken.
  LEDGER_ANSWER_MS: '10000',
  LEDGER_QUEUE_MS: '10000',
  REQUEST_DEADLINE_MS: '15000',
};

export function startPlayServer(env: Readonly<Record<string, string>> = {}): Promise<TestServer> {
  return startServer({ env: { ...ROOMY, ...env } });
}

export type Table = {
  readonly server: TestServer;
  player(nickname: string, options?: ConnectOptions): Promise<TestClient>;
  /** A room of the first name, with the others in it. */
  room(
    kind: 'bet' | 'pick',
    names: readonly string[],
    settings?: Record<string, unknown>,
  ): Promise<{ roomId: Room; code: string; players: readonly TestClient[] }>;
  /** Every client goes, and the server stops; fails where the ledger is not sound or something was logged as an error. */
  close(): Promise<void>;
};

export type Room = NonNullable<TestClient['room']>['snapshot']['id'];

/** A server with everybody who came to it. */
export async function setTable(env: Readonly<Record<string, string>> = {}): Promise<Table> {
  const server = await startPlayServer(env);
  const clients: TestClient[] = [];
  const player = async (nickname: string, options: ConnectOptions = {}) => {
    const client = await connect(server.url, { nickname, locale: 'en', ...options });
    clients.push(client);
    return client;
  };
  return {
    server,
    player,
    async room(kind, names, settings = {}) {
      const players = await Promise.all(names.map((name) => player(name)));
      const [host, ...others] = players;
      if (host === undefined) throw new Error('a room has a host');
      const { room } = await host.request('room:create', { kind, settings });
      // One after the other: who is longest in the room is then known.
      for (const other of others) await other.request('room:join', { roomId: room.id });
      return { roomId: room.id, code: room.code, players };
    },
    async close() {
      for (const client of clients) client.close();
      const audit = await runAudit(server.dataDir);
      expect(await server.stop()).toBe(0);
      expect(audit).toContain('the ledger is sound');
      expect(server.lines().filter(({ level }) => level >= 50)).toEqual([]);
    },
  };
}

/** What `npm run audit` says of the running server's database. */
export function runAudit(dataDir: string): Promise<string> {
  const child = spawn(process.execPath, ['--import', 'tsx', 'cmd/audit.ts'], {
    cwd: PROJECT,
    env: { ...process.env, NODE_ENV: 'test', DATA_DIR: dataDir },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let said = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => (said += chunk.toString()));
  return new Promise((resolve) => child.once('close', () => resolve(said)));
}

/** The one at this position, who is there. */
export function at<T>(list: readonly T[], index: number): T {
  const found = list.at(index);
  if (found === undefined) throw new Error(`nothing at ${index}`);
  return found;
}

// ---- the log ----

export const eventsOf = (client: TestClient): readonly RoomEvent[] => client.room?.events ?? [];

/** Every event numbered after the one before, and everybody has the same ones from where the last of them came in. */
export function expectOneSequence(clients: readonly TestClient[]): void {
  const logs = clients.map(eventsOf);
  for (const events of logs) {
    expect(events.map(({ seq }) => seq)).toEqual(events.map((_, index) => (events[0]?.seq ?? 0) + index));
  }
  const from = Math.max(...logs.map((events) => events[0]?.seq ?? 0));
  const to = Math.min(...logs.map((events) => events.at(-1)?.seq ?? 0));
  const shared = logs.map((events) => events.filter(({ seq }) => from <= seq && seq <= to));
  expect(to).toBeGreaterThan(from);
  for (const events of shared) expect(events).toEqual(shared[0]);
}

/** Waits until all have as much of the log as the one that has most of it. */
export async function untilLevel(clients: readonly TestClient[]): Promise<void> {
  await until(
    'all are at the same seq',
    () => new Set(clients.map(({ room }) => `${room?.epoch} ${room?.seq}`)).size === 1,
    PATIENCE,
  );
}

// ---- races ----

export async function opened(client: TestClient, number: number) {
  const { race } = await client.event('race opened', (event) => event.race.number === number);
  return race;
}

/** The race's end, by either event. */
export async function ended(client: TestClient, raceId: RaceId): Promise<'settled' | 'void'> {
  const event = await until(
    `end of race ${raceId} for ${client.id}`,
    () =>
      eventsOf(client).find(
        (one) => (one.type === 'race settled' || one.type === 'race void') && one.raceId === raceId,
      ),
    PATIENCE,
  );
  return event.type === 'race settled' ? 'settled' : 'void';
}

/** Brings the close forward, as a host does who has waited long enough. */
export async function hurry(host: TestClient, roomId: Room): Promise<void> {
  await host.request('race:start', { roomId });
}

/** The record as anybody can read it over HTTP; members read the same by `race:get`. */
export async function recordOf(table: Table, client: TestClient, raceId: RaceId): Promise<PublicRecord> {
  const response = await fetch(`${table.server.url}/api/races/${raceId}`);
  expect(response.status).toBe(200);
  const record = (await response.json()) as RaceRecord;
  expect(await client.request('race:get', { raceId })).toEqual(record);
  return record as PublicRecord;
}

export type Mine = Reply<'bet:mine'>;

/** A player's own receipts as the verifier takes them. */
export function ownReceipts(mine: Mine): OwnReceipt[] {
  return mine.bets.map(({ pool, selection, stake, receipt, returned }) => ({
    leaf: {
      kind: 'bet',
      tag: receipt.tag,
      commandId: receipt.commandId,
      nonce: receipt.nonce,
      pool,
      selection,
      stake,
    },
    hash: receipt.leaf,
    ...(returned === undefined ? {} : { returned }),
  }));
}

/** The verifier finds nothing wrong. */
export function expectVerified(record: RaceRecord, previous?: RaceRecord): void {
  const steps = verifyRace(record as PublicRaceRecord, {
    ...(previous && { previous: previous as PublicRaceRecord }),
  });
  expect(steps.filter(({ ok }) => !ok)).toEqual([]);
  const told = steps.map(({ step }) => step);
  expect(told).toEqual(expect.arrayContaining(['commitment', 'field', 'record-link']));
  if (record.phase === 'settled') expect(told).toEqual(expect.arrayContaining(['bets-root', 'order']));
}

/** Points per 100 of one winning stake, by hand: (W + D/P) × R, down to tens, at least what was staked. */
function dividendByHand(
  { num, den }: { readonly num: number; readonly den: number },
  gross: bigint,
  onWinners: readonly bigint[],
  own: bigint,
): bigint {
  const winners = BigInt(onWinners.length);
  const losing = gross - onWinners.reduce((sum, stake) => sum + stake, 0n);
  const exact = ((own * winners + losing) * BigInt(num) * 100n) / (winners * BigInt(den) * own);
  const stepped = (exact / 10n) * 10n;
  return stepped > 100n ? stepped : 100n;
}

/** What each selection of the settled race pays per 100, from its stakes and its order alone; null: the pool is refunded. */
function paysByHand(record: PublicRecord, pool: Pool): ReadonlyMap<string, bigint> | null {
  const places = record.field.length >= 8 ? 3 : 2;
  const won = winnersByHand(pool, groupsOf(record.result?.order ?? []), places);
  const stakes = (record.stakes ?? []).filter((line) => line.pool === pool);
  const gross = stakes.reduce((sum, { stake }) => sum + BigInt(stake), 0n);
  const backed = stakes.filter(({ selection }) => won.has(selection.join('-')));
  const left = record.field.length - record.scratched.length;
  if (backed.length === 0 || left < LEAST[pool]) return null;
  const onWinners = backed.map(({ stake }) => BigInt(stake));
  const { rate } = at(
    record.rules.pools.filter((open) => open.pool === pool),
    0,
  );
  return new Map(
    backed.map(({ selection, stake }) => [selection.join('-'), dividendByHand(rate, gross, onWinners, BigInt(stake))]),
  );
}

/** Runners that a pool needs. */
const LEAST = { win: 2, place: 5, quinella: 3, exacta: 3, 'quinella-place': 4, trio: 6, trifecta: 6 } as const;

/** The record's dividends are what the stakes and the order make, computed twice over: by hand and by core/dividend. */
export function expectDividends(record: PublicRecord): void {
  for (const pool of record.pools) {
    const told = new Map(
      (record.result?.dividends ?? [])
        .filter((line) => line.pool === pool)
        .map(({ selection, per100 }) => [selection.join('-'), BigInt(per100)]),
    );
    const byHand = paysByHand(record, pool);
    expect([...told].sort()).toEqual([...(byHand ?? new Map())].sort());
    const stakes = (record.stakes ?? []).filter((line) => line.pool === pool);
    const settled = settlePool({
      pool,
      unit: 100n,
      step: 10n,
      rate: at(
        record.rules.pools.filter((open) => open.pool === pool),
        0,
      ).rate,
      stakes: new Map(stakes.map(({ selection, stake }) => [selectionKey(selection), BigInt(stake)])),
      winners:
        record.field.length - record.scratched.length < LEAST[pool]
          ? []
          : winningCombinations(pool, record.result?.order ?? [], record.rules.placesPaid).map(selectionKey),
    });
    expect(settled.kind === 'paid' ? [...settled.dividends.values()].sort() : []).toEqual([...told.values()].sort());
    const refunded = record.result?.refunded?.includes(pool) ?? false;
    expect(refunded).toBe(byHand === null && stakes.length > 0);
  }
}

/** What a bet brings back by the record alone. */
export function returnOf(record: PublicRecord, bet: Mine['bets'][number]): bigint {
  const stake = BigInt(bet.stake);
  if (record.phase === 'void') return stake;
  const pays = paysByHand(record, bet.pool);
  if (pays === null || wasScratched(record, bet)) return stake;
  const per100 = pays.get(bet.selection.join('-'));
  return per100 === undefined ? 0n : payout(stake, per100);
}

const wasScratched = (record: PublicRecord, { selection }: Mine['bets'][number]): boolean =>
  selection.some((number) => record.scratched.includes(number));

/** Every bet of the player in these races came back as the record says, and the balance is what is left of it all. */
export async function expectBalance(
  client: TestClient,
  records: readonly PublicRecord[],
  granted = 0n,
): Promise<bigint> {
  let balance = START_POINTS + granted;
  for (const record of records) {
    const mine = await client.request('bet:mine', { raceId: record.id });
    for (const bet of mine.bets) {
      const back = returnOf(record, bet);
      expect(BigInt(bet.returned ?? '-1'), `${bet.pool} ${bet.selection} of ${client.id}`).toBe(back);
      const outcome =
        record.phase === 'void' || paysByHand(record, bet.pool) === null || wasScratched(record, bet)
          ? 'refunded'
          : back > 0n
            ? 'paid'
            : 'lost';
      expect(bet.outcome).toBe(outcome);
      balance += back - BigInt(bet.stake);
    }
  }
  expect(BigInt((await client.request('wallet:get', {})).balance)).toBe(balance);
  return balance;
}

/** The newest balance the client was told, without asking for it. */
export function toldBalance(client: TestClient): string | null {
  const told = client.messages
    .filter(({ name }) => name === 'wallet:update')
    .map(({ data }) => data as { balance: string; version: number });
  return (
    [...client.answered, ...told].sort((a, b) => a.version - b.version).at(-1)?.balance ??
    client.ready?.player.balance ??
    null
  );
}
