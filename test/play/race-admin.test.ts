import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { PublicRaceRecord } from '../../lib/fairness/index.ts';
import { admin } from '../helpers/admin.ts';
import type { TestClient } from '../helpers/client.ts';
import { until } from '../helpers/until.ts';
import { betOn, expectSound, oddsOf, SEVEN } from './seven.ts';
import {
  at,
  ended,
  eventsOf,
  expectBalance,
  expectDividends,
  expectVerified,
  hurry,
  opened,
  PATIENCE,
  recordOf,
  setTable,
  type Table,
  toldBalance,
} from './table.ts';

/** A race is open for a minute: commands of another process take their time on a busy machine. */
const SCALE = '5';

let table: Table;
beforeAll(async () => {
  table = await setTable({ TIME_SCALE: SCALE });
});
afterAll(() => table?.close());

describe('what admins do to races', { timeout: 120_000 }, () => {
  const say = (...words: string[]) => admin({ dataDir: table.server.dataDir, timeScale: SCALE }, ...words);

  it('[BT48] a scratched horse is told, its bets come back at once, and the race goes on without it', async () => {
    const { roomId, players } = await table.room('bet', ['hal', 'ida'], SEVEN);
    const [hal, ida] = [at(players, 0), at(players, 1)];
    const { raceId } = await hal.request('race:start', { roomId });
    await opened(ida, 1);
    await betOn(ida, raceId, 'win', [4], 700);
    await betOn(ida, raceId, 'trio', [4, 2, 8], 300);
    await betOn(ida, raceId, 'place', [1], 500);
    expect((await say('race', 'scratch', raceId, '9')).err).toContain('no such horse');
    const said = await say('race', 'scratch', raceId, '4');
    expect(said).toMatchObject({ code: 0, err: '' });
    expect(said.out).toContain('horse 4 is scratched, 7 left');
    for (const client of players) expect(await client.event('horse scratched')).toMatchObject({ raceId, number: 4 });
    // Told by the server within a second of it, though another process did it.
    const { bets } = await ida.message('bet:settled');
    expect(bets.map(({ pool, outcome, returned }) => [pool, outcome, returned])).toEqual([
      ['win', 'refunded', '700'],
      ['trio', 'refunded', '300'],
    ]);
    await ida.message('wallet:update', ({ cause, balance }) => cause === 'refund' && balance === '9500');
    const shown = await until('odds without it', () => {
      const last = oddsOf(ida, raceId).at(-1);
      return last !== undefined && last.totals.win === undefined ? last : null;
    });
    expect(shown.totals).toEqual({ place: { gross: '500', count: 1 } });
    for (const [pool, selection] of [
      ['win', [4]],
      ['exacta', [1, 4]],
      ['trifecta', [4, 1, 2]],
    ] as const) {
      const order = { raceId, pool, selection: [...selection], stake: '100' };
      expect((await ida.refused('bet:place', order)).code).toBe('SELECTION_INVALID');
      expect((await ida.refused('bet:quote', order)).code).toBe('SELECTION_INVALID');
    }
    expect((await say('race', 'scratch', raceId, '4')).out).toContain('was scratched before');
    await hurry(hal, roomId);
    expect(await ended(ida, raceId)).toBe('settled');
    const record = await recordOf(table, ida, raceId);
    expect(record.scratched).toEqual([4]);
    expect(record.result?.order.map(({ number }) => number).sort()).toEqual([1, 2, 3, 5, 6, 7, 8]);
    expectVerified(record);
    expectDividends(record);
    await expectBalance(ida, [record]);
    await expectSound(ida, record as PublicRaceRecord);
    expect(await say('race', 'scratch', raceId, '5')).toMatchObject({ code: 1, out: '' });
  });

  it('[BT48] too few runners left make the race void', async () => {
    const { roomId, players } = await table.room('bet', ['jon', 'kim'], { ...SEVEN, horses: 4 });
    const [jon, kim] = [at(players, 0), at(players, 1)];
    const { raceId } = await jon.request('race:start', { roomId });
    const race = await opened(kim, 1);
    expect(race.pools).toEqual(['win', 'quinella', 'exacta', 'quinella-place']);
    await betOn(kim, raceId, 'exacta', [2, 1], 300);
    await betOn(kim, raceId, 'win', [1], 200);
    for (const horse of ['2', '3']) expect((await say('race', 'scratch', raceId, horse)).code).toBe(0);
    await kim.event('horse scratched', ({ number }) => number === 3);
    // Two are left: there is a race, but no quinella any more.
    expect((await kim.refused('bet:place', { raceId, pool: 'quinella', selection: [1, 4], stake: '100' })).code).toBe(
      'SELECTION_INVALID',
    );
    expect((await say('race', 'scratch', raceId, '4')).out).toContain('it is void');
    expect(await ended(kim, raceId)).toBe('void');
    const record = await recordOf(table, kim, raceId);
    expect(record).toMatchObject({ voidReason: 'too-few-runners', scratched: [2, 3, 4] });
    expectVerified(record);
    expect(await expectBalance(kim, [record])).toBe(10_000n);
  });

  it('[BT48] in a pick room who was on the horse is told and may pick again, or gets one drawn at the close', async () => {
    const { roomId, players } = await table.room('pick', ['leo', 'mia', 'nia'], {
      horses: 6,
      openSeconds: 300,
      track: 'short',
    });
    const [leo, mia, nia] = [at(players, 0), at(players, 1), at(players, 2)];
    const { raceId } = await leo.request('race:start', { roomId });
    await opened(nia, 1);
    await mia.request('pick:choose', { raceId, horse: 3 });
    await nia.request('pick:choose', { raceId, horse: 3 });
    expect((await say('race', 'scratch', raceId, '3')).code).toBe(0);
    const scratched = await leo.event('horse scratched');
    expect([...(scratched.unpicked ?? [])].sort()).toEqual([mia.id, nia.id].sort());
    expect((await mia.request('bet:mine', { raceId })).pick).toBeUndefined();
    expect((await mia.refused('pick:choose', { raceId, horse: 3 })).code).toBe('SELECTION_INVALID');
    await mia.request('pick:choose', { raceId, horse: 5 });
    await leo.request('pick:choose', { raceId, horse: 1 });
    await hurry(leo, roomId);
    expect(await ended(leo, raceId)).toBe('settled');
    const record = await recordOf(table, leo, raceId);
    expectVerified(record);
    const of = (client: TestClient) => record.picks?.find(({ playerId }) => playerId === client.id);
    expect(of(mia)).toMatchObject({ horse: 5, drawn: false });
    expect(of(nia)).toMatchObject({ drawn: true });
    expect(record.picks?.map(({ horse }) => horse)).not.toContain(3);
  });

  it('[BT49] a voided race ends for everybody at once, with its seed and every stake back, whatever its phase', async () => {
    const { roomId, players } = await table.room('bet', ['oto', 'pia'], SEVEN);
    const [oto, pia] = [at(players, 0), at(players, 1)];
    const records = [];
    for (const phase of ['open', 'running'] as const) {
      const { raceId } = await oto.request('race:start', { roomId });
      await opened(pia, records.length + 1);
      await betOn(pia, raceId, 'win', [1], 400);
      await betOn(pia, raceId, 'trifecta', [3, 2, 1], 600);
      if (phase === 'running') {
        await hurry(oto, roomId);
        await pia.event('race running', (event) => event.raceId === raceId);
      }
      const said = await say('race', 'void', raceId, '--reason', 'admin');
      expect(said, phase).toMatchObject({ code: 0, err: '' });
      expect(await ended(pia, raceId)).toBe('void');
      const told = eventsOf(pia).find((event) => event.type === 'race void' && event.raceId === raceId);
      const record = await recordOf(table, pia, raceId);
      expect(told).toMatchObject({ reason: 'admin', seed: record.seed });
      expect(record).toMatchObject({ phase: 'void', voidReason: 'admin' });
      expect(record.result).toBeUndefined();
      expectVerified(record, records.at(-1));
      records.push(record);
      await until('told of the refund', () => toldBalance(pia) === '10000', PATIENCE);
      expect(await say('race', 'void', raceId)).toMatchObject({ code: 1, out: '' });
    }
    expect(await expectBalance(pia, records)).toBe(10_000n);
    expect((await say('race', 'void', 'nothing')).err).toContain('no such race');
    expect((await say('race', 'explode', 'x')).code).toBe(2);
    expect((await say('race', 'scratch', 'x')).code).toBe(2);
  });
});
