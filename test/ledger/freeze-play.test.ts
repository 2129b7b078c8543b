import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { RaceId } from '../../lib/core/ids.ts';
import { admin } from '../helpers/admin.ts';
import type { TestClient } from '../helpers/client.ts';
import { until } from '../helpers/until.ts';
import { type House, openHouse } from '../hunt/house.ts';
import {
  at,
  ended,
  expectVerified,
  hurry,
  opened,
  PATIENCE,
  recordOf,
  runAudit,
  setTable,
  type Table,
} from '../play/table.ts';

/** A race is open for a minute: commands of another process take their time on a busy machine. */
const SCALE = '5';

let table: Table;
beforeAll(async () => {
  table = await setTable({ TIME_SCALE: SCALE });
});
afterAll(() => table?.close());

const say = (...words: string[]) => admin({ dataDir: table.server.dataDir, timeScale: SCALE }, ...words);
const win = (raceId: RaceId, horse: number) => ({ raceId, pool: 'win' as const, selection: [horse], stake: '100' });
const SETTINGS = { openSeconds: 300, resultSeconds: 10, track: 'short', maxStakePerRace: 10_000 };

/** The whole field is backed: some of it is paid. */
async function backAll(client: TestClient, raceId: RaceId): Promise<void> {
  for (let horse = 1; horse <= 8; horse += 1) await client.request('bet:place', win(raceId, horse));
}

const settledFor = (client: TestClient, raceId: RaceId) =>
  client.messages.filter(({ name, data }) => name === 'bet:settled' && (data as { raceId: string }).raceId === raceId);

describe('what operators freeze and thaw beside a running server', { timeout: 150_000 }, () => {
  it('[LG153] a frozen race takes no bets, ends with its result and is followed by the next one; thawed it pays, and everybody is told', async () => {
    const { roomId, players } = await table.room('bet', ['hal', 'ida'], SETTINGS);
    const [hal, ida] = [at(players, 0), at(players, 1)];
    const { raceId } = await hal.request('race:start', { roomId });
    await opened(ida, 1);
    await backAll(ida, raceId);
    expect(await say('freeze', 'race', raceId, '--reason', 'a look at it')).toEqual({
      code: 0,
      out: `race ${raceId} is frozen\n`,
      err: '',
    });
    expect((await say('freeze', 'race', raceId, '--reason', 'again')).out).toContain('was frozen before');
    expect((await ida.refused('bet:place', win(raceId, 1))).code).toBe('FROZEN');
    expect((await say('race', 'scratch', raceId, '1')).err).toContain('it is frozen');

    await hurry(hal, roomId);
    expect(await ended(ida, raceId)).toBe('settled');
    expect(await ida.event('race settled')).toMatchObject({ payoutsHeld: true, result: { order: expect.any(Array) } });
    expect(await recordOf(table, ida, raceId)).toMatchObject({
      phase: 'settled',
      payoutsHeld: true,
      seed: expect.any(String),
    });
    const { raceId: next } = await hal.request('race:start', { roomId });
    await hal.request('bet:place', win(next, 1));
    expect(await ida.request('wallet:get', {})).toMatchObject({ balance: '9200' });
    expect(settledFor(ida, raceId)).toEqual([]);
    expect(await runAudit(table.server.dataDir)).toContain('the ledger is sound');

    expect((await say('thaw', 'race', raceId)).out).toBe(
      `race ${raceId} is thawed\nrace ${raceId}: its payouts and refunds are made\n`,
    );
    await ida.event('race paid', (event) => event.raceId === raceId);
    const { bets } = await ida.message('bet:settled', (settled) => settled.raceId === raceId);
    expect(bets).toHaveLength(8);
    const { balance } = await ida.request('wallet:get', {});
    expect(BigInt(balance)).toBeGreaterThan(9_200n);
    await ida.message('wallet:update', (update) => update.cause === 'payout' && update.balance === balance);
    const record = await until('shown as paid', async () => {
      const read = await recordOf(table, ida, raceId);
      return read.payoutsHeld === undefined ? read : null;
    });
    expectVerified(record);
    expect((await say('thaw', 'race', raceId)).out).toBe(`race ${raceId} was not frozen\n`);
    expect(settledFor(ida, raceId)).toHaveLength(1);
    await hurry(hal, roomId);
    await ended(hal, next);
  });

  it('[LG154] a frozen wallet is refused until it is thawed, and commands say what they did or why not', async () => {
    const { roomId, players } = await table.room('bet', ['joe', 'kim'], SETTINGS);
    const [joe, kim] = [at(players, 0), at(players, 1)];
    const { raceId } = await joe.request('race:start', { roomId });
    await kim.request('bet:place', win(raceId, 1));
    expect((await say('freeze', 'wallet', kim.id, '--reason', 'two accounts')).out).toContain('is frozen');
    expect((await kim.refused('bet:place', win(raceId, 1))).code).toBe('FROZEN');
    expect((await kim.refused('wallet:claim', { kind: 'daily' })).code).toBe('FROZEN');
    await joe.request('bet:place', win(raceId, 1));
    expect((await say('thaw', 'wallet', kim.id)).out).toContain('is thawed');
    await kim.request('bet:place', win(raceId, 1));
    expect(await say('freeze', 'wallet', 'nobody', '--reason', 'x')).toMatchObject({
      code: 1,
      err: expect.stringContaining('no such player'),
    });
    expect(await say('thaw', 'race', 'none')).toMatchObject({ code: 1, err: expect.stringContaining('no such race') });
    expect(await say('freeze', 'race', raceId)).toMatchObject({ code: 2, err: expect.stringContaining('--reason') });
    await hurry(joe, roomId);
    await ended(joe, raceId);
  });
});

describe('a race on hold in a room that is closed', { timeout: 60_000 }, () => {
  let house: House;
  beforeAll(async () => {
    house = await openHouse();
  });
  afterAll(() => house.close());

  it('[LG155] is paid once it is thawed, and its players are told though nobody reads that log any more', async () => {
    const host = await house.player('host');
    const guest = await house.player('guest');
    const { room } = await host.request('room:create', { kind: 'bet', settings: { openSeconds: 200, track: 'short' } });
    await guest.request('room:join', { roomId: room.id });
    const { raceId } = await host.request('race:start', { roomId: room.id });
    await backAll(guest, raceId);
    expect(await house.records.freezing.freeze({ kind: 'race', id: raceId }, 'by-hand', 'x', true)).toBe('frozen');
    await host.request('race:start', { roomId: room.id });
    await guest.event('race running', (event) => event.raceId === raceId);
    await host.request('room:close', { roomId: room.id });
    const phase = async () => (await house.records.races.get(raceId))?.row.phase;
    await until('settled', async () => (await phase()) === 'settled', PATIENCE);
    expect(settledFor(guest, raceId)).toEqual([]);
    expect(await house.records.freezing.thaw({ kind: 'race', id: raceId }, 'tester')).toEqual({
      move: 'thawed',
      paid: true,
    });
    const { bets } = await guest.message('bet:settled', (settled) => settled.raceId === raceId);
    expect(bets).toHaveLength(8);
    expect(await house.records.freezing.standing()).toEqual({ races: 0, wallets: 0 });
  });
});
