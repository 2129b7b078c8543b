import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { until } from '../helpers/until.ts';
import { at, expectBalance, expectVerified, recordOf, setTable, type Table } from '../play/table.ts';
import { PATIENCE, readiesOf, untilBack } from './crowd.ts';

let table: Table;
beforeAll(async () => {
  table = await setTable({ SEAT_SECONDS: '300' });
});
afterAll(() => table?.close());

/** A close that comes later than 60 s is none; a little more, so that it is that late. */
const DOWN_MS = 61_500;

it('[OP66] a race that could not be closed for over a minute is void, and every stake comes back', {
  timeout: 150_000,
}, async () => {
  const bet = await table.room('bet', ['ann', 'ben'], { openSeconds: 100, track: 'short' });
  const pick = await table.room('pick', ['cho', 'dee'], { openSeconds: 100, track: 'short' });
  const [ann, ben, cho, dee] = [at(bet.players, 0), at(bet.players, 1), at(pick.players, 0), at(pick.players, 1)];
  const race = await ann.request('race:start', { roomId: bet.roomId });
  const picking = await cho.request('race:start', { roomId: pick.roomId });
  await ben.request('bet:place', { raceId: race.raceId, pool: 'win', selection: [1], stake: '900' });
  await ben.request('bet:place', { raceId: race.raceId, pool: 'place', selection: [2], stake: '300' });
  await cho.request('pick:choose', { raceId: picking.raceId, horse: 1 });
  const everybody = [ann, ben, cho, dee];
  const readies = readiesOf(everybody);
  await table.server.kill();
  const { closesAt } = race;
  // The only wait for a length of time: a minute without a server, from the later of the two closes on.
  await sleep(Math.max(closesAt, picking.closesAt) + DOWN_MS - Date.now());
  await table.server.restart();
  await untilBack(everybody, readies);

  for (const [client, raceId] of [
    [ann, race.raceId],
    [cho, picking.raceId],
  ] as const) {
    await until(
      'the race is void',
      async () => (await client.request('race:get', { raceId })).phase === 'void',
      PATIENCE,
    );
    const record = await recordOf(table, client, raceId);
    expect(record.voidReason).toBe('late-close');
    expectVerified(record);
  }
  const record = await recordOf(table, ben, race.raceId);
  expect(await expectBalance(ben, [record])).toBe(10_000n);
  expect(
    (await ben.request('bet:mine', { raceId: race.raceId })).bets.map(({ outcome, returned }) => [outcome, returned]),
  ).toEqual([
    ['refunded', '900'],
    ['refunded', '300'],
  ]);
  // The room is as usable as before.
  const again = await ann.request('race:start', { roomId: bet.roomId });
  await ben.request('bet:place', { raceId: again.raceId, pool: 'win', selection: [1], stake: '900' });
});
