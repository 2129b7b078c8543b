import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { POOLS, type Pool } from '../../lib/core/pools.ts';
import type { PublicRaceRecord } from '../../lib/fairness/index.ts';
import { betOn, expectSound, oddsOf, SEVEN } from './seven.ts';
import {
  at,
  ended,
  expectBalance,
  expectDividends,
  expectVerified,
  hurry,
  opened,
  recordOf,
  setTable,
  type Table,
  toldBalance,
} from './table.ts';

let table: Table;
beforeAll(async () => {
  table = await setTable({ RETURN_RATES: 'exacta=75.5, trifecta=70' });
});
afterAll(() => table?.close());

describe.concurrent('rooms with all pools', { timeout: 120_000 }, () => {
  it('[BT46] all seven pools go from the bet to the payout, unsorted selections too, at the rates of the settings', async () => {
    const { roomId, players } = await table.room('bet', ['ann', 'ben', 'cho'], SEVEN);
    const [ann, ben, cho] = [at(players, 0), at(players, 1), at(players, 2)];
    const { raceId } = await ann.request('race:start', { roomId });
    const race = await opened(cho, 1);
    expect(race.pools).toEqual(POOLS);
    expect(race.rules.pools.map(({ rate }) => (100 * rate.num) / rate.den)).toEqual([80, 80, 77.5, 75.5, 77.5, 75, 70]);
    // What it would pay says what it is: alone in its pool a bet gets itself back.
    for (const pool of POOLS) {
      const selection = [5, 3, 1].slice(0, pool === 'win' || pool === 'place' ? 1 : pool.startsWith('t') ? 3 : 2);
      expect(await ann.request('bet:quote', { raceId, pool, selection, stake: '200' }), pool).toEqual({
        low: '200',
        high: '200',
      });
    }
    await betOn(ben, raceId, 'quinella', [7, 2], 100);
    await betOn(ben, raceId, 'quinella', [2, 7], 200);
    await betOn(ben, raceId, 'trio', [8, 1, 4], 300);
    await betOn(ben, raceId, 'exacta', [7, 2], 100);
    const { bets } = await ben.request('bet:mine', { raceId });
    expect(bets.map(({ pool, selection }) => `${pool} ${selection}`)).toEqual([
      'quinella 2,7',
      'quinella 2,7',
      'trio 1,4,8',
      'exacta 7,2',
    ]);
    expect(await cho.request('bet:quote', { raceId, pool: 'exacta', selection: [2, 7], stake: '100' })).toEqual({
      low: '150',
      high: '150',
    });
    // Everything that can win in the small pools is backed, so that each of them pays.
    for (let a = 1; a <= 8; a += 1) {
      await betOn(ann, raceId, 'win', [a], 100);
      await betOn(cho, raceId, 'place', [a], 100);
      const rest = [1, 2, 3, 4, 5, 6, 7, 8].filter((other) => other > a);
      await Promise.all(
        rest.flatMap((b) => [
          betOn(ann, raceId, 'quinella', [b, a], 100),
          betOn(cho, raceId, 'quinella-place', [b, a], 100),
          betOn(ben, raceId, 'exacta', [a, b], 100),
          betOn(ann, raceId, 'exacta', [b, a], 100),
        ]),
      );
    }
    await betOn(ann, raceId, 'trifecta', [1, 2, 3], 100);
    await hurry(ann, roomId);
    expect(await ended(cho, raceId)).toBe('settled');
    const record = await recordOf(table, ann, raceId);
    expectVerified(record);
    expectDividends(record);
    const paying = new Set(record.result?.dividends?.map(({ pool }) => pool));
    for (const pool of ['win', 'place', 'quinella', 'exacta', 'quinella-place'] as const)
      expect(paying).toContain(pool);
    for (const client of players) {
      expect(toldBalance(client)).toBe(String(await expectBalance(client, [record])));
      await expectSound(client, record as PublicRaceRecord);
    }

    // The last odds hold all pools, in parts of one version, before the gates open; no message is longer than 1 KB.
    const finals = oddsOf(cho, raceId).filter(({ final }) => final);
    expect(finals.map(({ part }) => part)).toEqual(finals.map((_, index) => [index + 1, finals.length]));
    expect(finals.length).toBeGreaterThan(1);
    expect(new Set(finals.map(({ version }) => version)).size).toBe(1);
    expect(Object.assign({}, ...finals.map(({ totals }) => totals))).toEqual(record.totals);
    expect(Object.keys(Object.assign({}, ...finals.map(({ top }) => top ?? {}))).sort()).toEqual(POOLS.slice(2).sort());
    const all = oddsOf(cho, raceId);
    for (const odds of all)
      expect(Buffer.byteLength(`42["race:odds",${JSON.stringify(odds)}]`)).toBeLessThanOrEqual(1_024);
    // Four a second, by what left the server: its versions are its times, each of as many parts.
    const live = all.filter((odds) => !odds.final && (odds.part?.[0] ?? 1) === 1);
    for (const [index, odds] of live.entries()) {
      const next = live[index + 1];
      if (next) expect(next.version - odds.version).toBeGreaterThanOrEqual(240 * (odds.part?.[1] ?? 1));
    }
  });

  it('[BT46] one bettor in each pool: who is right gets the stake back, who is wrong too', async () => {
    const { roomId, players } = await table.room('bet', ['dan', 'eva'], SEVEN);
    const [dan, eva] = [at(players, 0), at(players, 1)];
    const { raceId } = await dan.request('race:start', { roomId });
    await opened(eva, 1);
    for (const [index, pool] of POOLS.entries()) {
      const size = pool === 'win' || pool === 'place' ? 1 : pool.startsWith('t') ? 3 : 2;
      await betOn(eva, raceId, pool, [1, 2, 3].slice(0, size), 100 * (index + 1));
    }
    await hurry(dan, roomId);
    expect(await ended(eva, raceId)).toBe('settled');
    const record = await recordOf(table, eva, raceId);
    expectDividends(record);
    expect(await expectBalance(eva, [record])).toBe(10_000n);
    const { bets } = await eva.message('bet:settled');
    expect(bets.map(({ stake, returned }) => [stake, returned])).toEqual(
      POOLS.map((_, index) => [String(100 * (index + 1)), String(100 * (index + 1))]),
    );
  });

  it('[BT47] garbage as a selection or stake is refused, in every pool, and leaves nothing', async () => {
    const { roomId, players } = await table.room('bet', ['fin', 'gus'], SEVEN);
    const [fin, gus] = [at(players, 0), at(players, 1)];
    const { raceId } = await fin.request('race:start', { roomId });
    await opened(gus, 1);
    const place = async (pool: unknown, selection: unknown, stake: unknown = '100') => {
      const commandId = crypto.randomUUID();
      return (await gus.raw('bet:place', { commandId, raceId, pool, selection, stake })) as {
        ok: boolean;
        code?: string;
      };
    };
    const rules: readonly (readonly [Pool, readonly number[]])[] = [
      ['win', [9]],
      ['win', [1, 2]],
      ['place', [1, 1]],
      ['quinella', [3]],
      ['quinella', [3, 3]],
      ['quinella', [3, 9]],
      ['quinella', [1, 2, 3]],
      ['exacta', [2, 2]],
      ['quinella-place', [12, 1]],
      ['trio', [1, 2]],
      ['trio', [1, 2, 1]],
      ['trifecta', [1, 2, 10]],
      ['trifecta', [4, 4, 4]],
    ];
    for (const [pool, selection] of rules)
      expect(await place(pool, selection), `${pool} ${selection}`).toMatchObject({
        ok: false,
        code: 'SELECTION_INVALID',
      });
    const shapes = [
      [],
      [0],
      [-1],
      [1.5],
      ['1'],
      [null],
      [13],
      [1, 2, 3, 4],
      '1',
      1,
      null,
      undefined,
      {},
      [Number.NaN],
      [[1]],
      { 0: 1 },
    ];
    for (const selection of shapes)
      expect(await place('trio', selection), JSON.stringify(selection)).toMatchObject({
        ok: false,
        code: 'BAD_REQUEST',
      });
    for (const pool of ['tierce', 'Win', '', null, 7, ['win'], 'quinella_place'])
      expect(await place(pool, [1]), String(pool)).toMatchObject({ ok: false, code: 'BAD_REQUEST' });
    const stakes = [
      100,
      100.5,
      '1e3',
      '-100',
      '0',
      '0100',
      '9223372036854775808',
      'NaN',
      Number.NaN,
      '',
      ' 100',
      '100.0',
      null,
      [100],
    ];
    for (const stake of stakes)
      expect(await place('exacta', [1, 2], stake), String(stake)).toMatchObject({ ok: false, code: 'BAD_REQUEST' });
    for (const stake of ['1', '150', '99999'])
      expect(await place('exacta', [1, 2], stake), stake).toMatchObject({ ok: false, code: 'STAKE_INVALID' });
    expect((await gus.request('bet:mine', { raceId })).bets).toEqual([]);
    expect((await gus.request('wallet:get', {})).balance).toBe('10000');
    await hurry(fin, roomId);
    expect(await ended(gus, raceId)).toBe('settled');
  });
});
