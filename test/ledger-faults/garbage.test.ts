import { randomUUID } from 'node:crypto';
import { inspect } from 'node:util';
import type { Pool } from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createRaceRecords } from '../../db/postgres/races.ts';
import type { RaceId } from '../../lib/core/ids.ts';
import { connect, type TestClient } from '../helpers/client.ts';
import { startTestPostgres, type TestDatabase, type TestPostgres } from '../helpers/postgres.ts';
import { startServer, type TestServer } from '../helpers/server.ts';

let postgres: TestPostgres;
let database: TestDatabase;
let pool: Pool;
let server: TestServer;
let client: TestClient;
let raceId: RaceId;
beforeAll(async () => {
  postgres = await startTestPostgres();
  database = await postgres.createDatabase({ migrate: true });
  pool = database.pool({ max: 2 });
  server = await startServer({
    env: {
      DATABASE_URL: database.url,
      REQUESTS_PER_SECOND: '100000',
      REQUEST_BURST: '100000',
      BETS_PER_SECOND: '100000',
    },
  });
  client = await connect(server.url, { nickname: 'tester', locale: 'en' });
  const pools = ['win', 'place', 'quinella', 'exacta', 'quinella-place', 'trio', 'trifecta'] as const;
  const settings = { openSeconds: 300, horses: 8, pools: [...pools], maxStakePerRace: 50_000 };
  const { room } = await client.request('room:create', { kind: 'bet', settings });
  raceId = (await client.request('race:start', { roomId: room.id })).raceId as RaceId;
});
afterAll(async () => {
  client.close();
  await server.stop();
  await database.drop();
  await postgres.stop();
});

const place = async (body: object, of = client): Promise<string> => {
  const answer = (await of.raw('bet:place', {
    commandId: randomUUID(),
    raceId,
    pool: 'win',
    selection: [1],
    stake: '100',
    ...body,
  })) as {
    ok: boolean;
    code?: string;
    path?: string;
  };
  return answer.ok ? 'OK' : [answer.code, answer.path].filter((part) => part !== undefined).join(' ');
};
const moved = async () =>
  (await pool.query("select count(*) as transfers, coalesce(max(id), 0) as last from transfer where kind <> 'start'"))
    .rows[0] as object;

describe('what no page sends', () => {
  it('[LG171] stakes that are no whole units of points are refused by what is wrong with them, over a real socket, and nothing moves', async () => {
    // The wallet is made by the first bet.
    expect(await place({})).toBe('OK');
    const before = await moved();
    const shapes: unknown[] = [
      100,
      1.5,
      0.1,
      -100,
      1e21,
      Number.NaN,
      Number.POSITIVE_INFINITY,
      null,
      true,
      [],
      ['100'],
      {},
      { toString: '100' },
      Buffer.from('100'),
      undefined,
    ];
    const texts = [
      '',
      '0',
      '00100',
      '-100',
      '+100',
      '1e3',
      '1E3',
      '100.0',
      '100,0',
      ' 100',
      '100 ',
      '0x64',
      'NaN',
      'Infinity',
      '١٠٠',
      '１００',
      '100\u0000',
      'null',
    ];
    const beyond = [2n ** 63n, 2n ** 63n - 8n, 2n ** 64n + 100n, 10n ** 40n].map(String);
    const told: Record<string, string> = {};
    for (const stake of [...shapes, ...texts, ...beyond])
      told[`${typeof stake} ${inspect(stake)}`] = await place({ stake });
    expect(told).toEqual(Object.fromEntries(Object.keys(told).map((key) => [key, 'BAD_REQUEST stake'])));
    const rules: Record<string, string> = {};
    for (const stake of ['1', '99', '150', '100000000000000001']) rules[stake] = await place({ stake });
    expect(rules).toEqual(Object.fromEntries(Object.keys(rules).map((key) => [key, 'STAKE_INVALID'])));
    expect(await place({ stake: '999999999999999900' })).toBe('LIMIT_REACHED');
    expect(await place({ stake: '50100' })).toBe('LIMIT_REACHED');
    expect(await place({ stake: '50000' })).toBe('LIMIT_REACHED');
    expect(await place({ stake: '49900' })).toBe('INSUFFICIENT_POINTS');
    expect(await moved()).toEqual(before);
    expect((await client.request('wallet:get', {})).balance).toBe('9900');
    console.log(`${Object.keys(told).length + Object.keys(rules).length} stakes refused`);
  });

  it('[LG172] selections are refused where they repeat, lie outside the field, are scratched or of a wrong length, and normalised where their order says nothing', async () => {
    expect(await createRaceRecords(pool).scratchHorse(raceId, 3, 0)).toMatchObject({ move: 'moved', left: 7 });
    await client.event('horse scratched');
    const before = await moved();
    const cases: readonly (readonly [string, unknown, string])[] = [
      ['win', [], 'BAD_REQUEST selection'],
      ['win', '1', 'BAD_REQUEST selection'],
      ['win', { 0: 1, length: 1 }, 'BAD_REQUEST selection'],
      ['win', ['1'], 'BAD_REQUEST selection.0'],
      ['win', [1.5], 'BAD_REQUEST selection.0'],
      ['win', [Number.NaN], 'BAD_REQUEST selection.0'],
      ['win', [0], 'BAD_REQUEST selection.0'],
      ['win', [-1], 'BAD_REQUEST selection.0'],
      ['win', [13], 'BAD_REQUEST selection.0'],
      ['exacta', [1, 2 ** 53], 'BAD_REQUEST selection.1'],
      ['trio', [1, 2, 4, 5], 'BAD_REQUEST selection'],
      ['trio', Array.from({ length: 1_000 }, () => 1), 'BAD_REQUEST selection'],
      ['show', [1], 'BAD_REQUEST pool'],
      ['', [1], 'BAD_REQUEST pool'],
      ['win', [9], 'SELECTION_INVALID'],
      ['win', [12], 'SELECTION_INVALID'],
      ['win', [1, 2], 'SELECTION_INVALID'],
      ['win', [1, 1], 'SELECTION_INVALID'],
      ['place', [1, 2, 4], 'SELECTION_INVALID'],
      ['quinella', [1], 'SELECTION_INVALID'],
      ['quinella', [2, 2], 'SELECTION_INVALID'],
      ['quinella', [1, 2, 4], 'SELECTION_INVALID'],
      ['exacta', [4, 4], 'SELECTION_INVALID'],
      ['quinella-place', [1, 9], 'SELECTION_INVALID'],
      ['trio', [1, 2], 'SELECTION_INVALID'],
      ['trio', [1, 2, 1], 'SELECTION_INVALID'],
      ['trifecta', [1, 2, 2], 'SELECTION_INVALID'],
      // Scratched, wherever it stands.
      ['win', [3], 'SELECTION_INVALID'],
      ['place', [3], 'SELECTION_INVALID'],
      ['quinella', [1, 3], 'SELECTION_INVALID'],
      ['exacta', [3, 1], 'SELECTION_INVALID'],
      ['trifecta', [1, 2, 3], 'SELECTION_INVALID'],
    ];
    const told: unknown[] = [];
    for (const [name, selection] of cases) told.push([name, selection, await place({ pool: name, selection })]);
    expect(told).toEqual(cases);
    expect(await moved()).toEqual(before);

    const accepted: readonly (readonly [string, number[], number[]])[] = [
      ['quinella', [7, 2], [2, 7]],
      ['quinella', [2, 7], [2, 7]],
      ['quinella-place', [8, 1], [1, 8]],
      ['trio', [6, 1, 4], [1, 4, 6]],
      ['exacta', [7, 2], [7, 2]],
      ['trifecta', [6, 1, 4], [6, 1, 4]],
    ];
    for (const [name, selection] of accepted) expect(await place({ pool: name, selection })).toBe('OK');
    const { bets } = await client.request('bet:mine', { raceId });
    const kept = bets.map(({ pool: name, selection }) => [name, selection]);
    for (const [name, , normal] of accepted) expect(kept).toContainEqual([name, normal]);
  });

  it("[LG173] a bet with a body that is none, or is another player's, is answered and places nothing", async () => {
    const other = await connect(server.url, { nickname: 'stranger', locale: 'en' });
    const before = await moved();
    const told: Record<string, string> = {};
    for (const [name, body] of Object.entries({
      extra: { extra: 1 },
      prototype: JSON.parse('{"__proto__":{"stake":"100"},"stake":1}') as object,
      nonce: { nonce: 'zz' },
      command: { commandId: 'not-a-uuid' },
      race: { raceId: 'nowhere' },
      races: { raceId: ['x'] },
      player: { playerId: 'somebody' },
    }))
      told[name] = await place(body);
    expect(told).toEqual({
      extra: 'BAD_REQUEST extra',
      prototype: expect.stringMatching(/^BAD_REQUEST/) as string,
      nonce: 'BAD_REQUEST nonce',
      command: 'BAD_REQUEST commandId',
      race: 'NOT_FOUND',
      races: 'BAD_REQUEST raceId',
      player: 'BAD_REQUEST playerId',
    });
    expect(await place({}, other)).toBe('NOT_MEMBER');
    for (const whole of [null, 5, 'x', [], [[]], true])
      expect(await client.raw('bet:place', whole)).toMatchObject({ ok: false, code: 'BAD_REQUEST' });
    expect(await moved()).toEqual(before);
    other.close();
  });
});
