import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { RaceId } from '../../lib/core/ids.ts';
import type { PublicRecord } from '../../lib/core/public-race.ts';
import type { TestClient } from '../helpers/client.ts';
import { until } from '../helpers/until.ts';
import {
  at,
  ended,
  expectBalance,
  hurry,
  type Room,
  recordOf,
  setTable,
  type Table,
  toldBalance,
} from '../play/table.ts';

let table: Table;
let roomId: Room;
let players: readonly TestClient[];
let records: PublicRecord[];

/** Boards are read at most this often. */
const FRESH = { deadlineMs: 20_000 };
const PICK_NAMES = ['pia', 'quin', 'ros'];

async function round(wishes: readonly (readonly [TestClient, number, number])[]): Promise<RaceId> {
  const host = at(players, 0);
  const { raceId } = await host.request('race:start', { roomId });
  for (const [client, horse, stake] of wishes)
    await client.request('bet:place', { raceId, pool: 'win', selection: [horse], stake: String(stake) });
  await hurry(host, roomId);
  expect(await ended(host, raceId)).toBe('settled');
  return raceId;
}

beforeAll(async () => {
  table = await setTable();
  const set = await table.room('bet', ['ann', 'ben', 'cho', 'dee'], { track: 'short' });
  roomId = set.roomId;
  players = set.players;
  const [ann, ben, cho] = [at(players, 0), at(players, 1), at(players, 2)];
  const raceIds: RaceId[] = [];
  // Every horse is backed in the first, so that somebody wins; the third is a thin one.
  raceIds.push(
    await round(
      Array.from({ length: 8 }, (_, index) => [at([ann, ben, cho], index % 3), index + 1, 100 * (index + 1)]),
    ),
  );
  raceIds.push(
    await round([
      [ann, 1, 500],
      [ben, 2, 300],
      [cho, 3, 200],
    ]),
  );
  raceIds.push(
    await round([
      [ann, 1, 700],
      [ben, 2, 900],
    ]),
  );
  records = await Promise.all(raceIds.map((raceId) => recordOf(table, ann, raceId)));
});
afterAll(() => table?.close());

/** Profit of the races that count, from the player's own bets. */
async function profitOf(client: TestClient): Promise<{ races: number; profit: bigint; hits: number }> {
  let [races, hits, profit] = [0, 0, 0n];
  for (const record of records.slice(0, 2)) {
    const { bets } = await client.request('bet:mine', { raceId: record.id });
    const counted = bets.filter(({ outcome }) => outcome !== 'refunded');
    races += counted.length > 0 ? 1 : 0;
    hits += counted.some(({ outcome }) => outcome === 'paid') ? 1 : 0;
    for (const { stake, returned } of counted) profit += BigInt(returned ?? '0') - BigInt(stake);
  }
  return { races, profit, hits };
}

describe('boards over sockets', () => {
  it('[BD17] the board of a room ranks its players by what they won, and each profile says the same', async () => {
    const wanted = await Promise.all(
      players.slice(0, 3).map(async (one) => ({ id: one.id, ...(await profitOf(one)) })),
    );
    for (const [index, { id, races, profit, hits }] of wanted.entries()) {
      const viewer = at(players, (index + 1) % 4);
      const board = await until(
        'a fresh board',
        async () => {
          const shown = await viewer.request('board:get', { metric: 'profit', window: 'day', roomId });
          return shown.rows.length === 3 ? shown : null;
        },
        FRESH,
      );
      const row = board.rows.find(({ playerId }) => playerId === id);
      expect(row).toMatchObject({ nickname: at(['ann', 'ben', 'cho'], index), value: String(profit), races, hits });
      const ranks = [...new Set(wanted.map((one) => one.profit))].sort((a, b) => (a < b ? 1 : -1));
      expect(row?.rank).toBe(ranks.indexOf(profit) + 1);
      const profile = await viewer.request('profile:get', { playerId: at(players, index).id as never });
      expect(profile.statistics).toMatchObject({ races, hits, profit: String(profit) });
    }
    // Whoever has not raced has no place.
    expect((await at(players, 3).request('board:get', { metric: 'profit', window: 'all' })).mine).toBeUndefined();
    const own = await at(players, 0).request('board:get', { metric: 'profit', window: 'all' });
    expect(own.mine?.around.map(({ playerId }) => playerId)).toContain(at(players, 0).id);
  });

  it("[BD18] neither a board nor a profile tells another's balance; one's own curve ends in one's balance", async () => {
    for (const client of players.slice(0, 3)) {
      const balance = await expectBalance(client, records);
      const own = await client.request('profile:get', {});
      expect(own.curve?.at(-1)?.balance).toBe(String(balance));
      expect(own.curve?.[0]?.balance).toBe('10000');
      expect(await toldBalance(client)).toBe(String(balance));
      for (const other of players.filter((one) => one !== client)) {
        const profile = await other.request('profile:get', { playerId: client.id as never });
        expect(Object.keys(profile).sort()).toEqual(['createdAt', 'locale', 'nickname', 'playerId', 'statistics']);
        expect(JSON.stringify(profile)).not.toContain('alance');
        for (const metric of ['profit', 'hit-rate', 'races', 'best-dividend', 'streak'] as const) {
          const board = await other.request('board:get', { metric, window: 'all' });
          expect(JSON.stringify(board)).not.toContain('alance');
          for (const row of [...board.rows, ...(board.mine?.around ?? [])])
            expect(Object.keys(row).sort()).toEqual(['hits', 'nickname', 'playerId', 'races', 'rank', 'value']);
        }
      }
    }
  });

  it('[BD17] what is no period, metric, window or cursor is refused by its path', async () => {
    const ask = (more: object) =>
      at(players, 0).ask('board:get', { metric: 'profit', window: 'day', ...more } as never) as Promise<object>;
    expect(await ask({ period: '2026-02-30' })).toMatchObject({ code: 'BAD_REQUEST', path: 'period' });
    expect(await ask({ period: '2026-Q1' })).toMatchObject({ code: 'BAD_REQUEST', path: 'period' });
    expect(await ask({ period: "'; drop table bet" })).toMatchObject({ code: 'BAD_REQUEST', path: 'period' });
    expect(await ask({ metric: 'balance' })).toMatchObject({ code: 'BAD_REQUEST', path: 'metric' });
    expect(await ask({ window: 'hour' })).toMatchObject({ code: 'BAD_REQUEST', path: 'window' });
    expect(await ask({ after: 'x' })).toMatchObject({ code: 'BAD_REQUEST', path: 'after' });
    expect(await ask({ after: `-${'9'.repeat(18)}.zzz` })).toMatchObject({ ok: true, data: { rows: [] } });
    expect(await ask({ period: '0001-01-01' })).toMatchObject({ ok: true, data: { rows: [] } });
    expect(await ask({ roomId: 'nowhere' })).toMatchObject({ ok: true, data: { rows: [] } });
  });

  it('[BD7] a round in a pick room is a game for who ran, and caught for who was', async () => {
    const set = await table.room('pick', PICK_NAMES, { track: 'short' });
    const host = at(set.players, 0);
    for (const client of set.players) await client.request('room:ready', { roomId: set.roomId, ready: true });
    const { raceId } = await host.request('race:start', { roomId: set.roomId });
    for (const [index, client] of set.players.entries())
      await client.request('pick:choose', { raceId, horse: index + 1 });
    expect(await ended(host, raceId)).toBe('settled');
    const { result } = await recordOf(table, host, raceId);
    for (const client of set.players) {
      const { statistics } = await host.request('profile:get', { playerId: client.id as never });
      expect(statistics).toMatchObject({
        games: 1,
        caught: result?.caught?.includes(client.id as never) ? 1 : 0,
        races: 0,
      });
    }
  });
});
