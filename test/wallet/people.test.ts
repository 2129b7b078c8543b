import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { codeOf } from '../hunt/house.ts';
import { setTable, type Table } from '../play/table.ts';

const HOUR_MS = 3_600_000;
const START = 800n;

let table: Table;
beforeAll(async () => {
  table = await setTable({ START_POINTS: String(START) });
});
afterAll(() => table.close());

/** A player with two devices. */
async function twoDevices(nickname: string) {
  const laptop = await table.player(nickname);
  const { code } = await laptop.request('session:link', {});
  return { laptop, phone: await table.player(nickname, { link: code }) };
}

/** A race that takes bets for long. */
async function openRound(nickname: string, settings: Record<string, unknown> = {}) {
  const { roomId, players } = await table.room('bet', [`host of ${nickname}`], { openSeconds: 300, ...settings });
  const [host] = players;
  if (host === undefined) throw new Error('no host');
  const { raceId } = await host.request('race:start', { roomId });
  return { roomId, raceId, host };
}

describe('relief', () => {
  test('[LG120] fills balance and open stakes up to 1,000, once in four hours, whichever device asks', async () => {
    const { laptop, phone } = await twoDevices('ann');
    const { roomId, raceId } = await openRound('ann');
    for (const device of [laptop, phone]) await device.request('room:join', { roomId });
    await laptop.request('bet:place', { raceId, pool: 'win', selection: [1], stake: '300' });
    const asked = await phone.request('wallet:get', {});
    expect(asked).toMatchObject({ balance: '500', relief: { granted: '200', upTo: '1000' } });
    expect(asked.relief.claimableAt).toBeLessThanOrEqual(Date.now());
    const attempts = await Promise.all(
      [laptop, phone, laptop, phone].map(async (device) => {
        const commandId = randomUUID();
        return { commandId, answer: await device.ask('wallet:claim', { kind: 'relief', commandId }) };
      }),
    );
    const granted = attempts.filter(({ answer }) => answer.ok);
    expect(attempts.map(({ answer }) => codeOf(answer)).sort()).toEqual([
      'LIMIT_REACHED',
      'LIMIT_REACHED',
      'LIMIT_REACHED',
      'OK',
    ]);
    const [given] = granted;
    expect(given?.answer).toMatchObject({ data: { balance: '700', granted: '200' } });
    // A repeat is answered as the first time; the same id for something else is not.
    expect(await phone.ask('wallet:claim', { kind: 'relief', commandId: given?.commandId ?? '' })).toEqual(
      given?.answer,
    );
    expect(codeOf(await phone.ask('wallet:claim', { kind: 'daily', commandId: given?.commandId ?? '' }))).toBe(
      'COMMAND_CONFLICT',
    );
    for (const device of [laptop, phone])
      expect(await device.message('wallet:update', ({ cause }) => cause === 'grant')).toMatchObject({ balance: '700' });

    const after = await laptop.request('wallet:get', {});
    expect(after.relief).toMatchObject({ granted: '0' });
    expect(after.relief.claimableAt).toBeGreaterThan(Date.now() + 3.9 * HOUR_MS);
    expect(after.relief.claimableAt).toBeLessThanOrEqual(Date.now() + 4 * HOUR_MS);
    expect(codeOf(await laptop.ask('wallet:claim', { kind: 'relief' }))).toBe('LIMIT_REACHED');
    const { entries } = await phone.request('wallet:history', {});
    expect(entries.map(({ kind, amount, balance }) => [kind, amount, balance])).toEqual([
      ['relief', '200', '700'],
      ['stake', '-300', '500'],
      ['start', '800', '800'],
    ]);
  });

  test('[LG121] the wallet says what relief would give and from when, also before it was ever used', async () => {
    const bea = await table.player('bea');
    const first = await bea.request('wallet:get', {});
    expect(first).toMatchObject({
      balance: '800',
      balanceVersion: 0,
      relief: { granted: '200', upTo: '1000' },
      limits: { dailyStake: null },
    });
    expect(await bea.request('wallet:history', {})).toEqual({ entries: [] });
    expect(await bea.request('bet:history', {})).toEqual({ bets: [] });
    await bea.request('wallet:claim', { kind: 'daily' });
    expect((await bea.request('wallet:get', {})).relief).toMatchObject({ granted: '0' });
    // Enough points: refused, and the four hours do not begin.
    expect(codeOf(await bea.ask('wallet:claim', { kind: 'relief' }))).toBe('LIMIT_REACHED');
    expect((await bea.request('wallet:get', {})).relief.claimableAt).toBeLessThanOrEqual(Date.now());
  });
});

describe('own limits', () => {
  test('[LG130] set on one device they bind the other, are told to their player and to nobody else', async () => {
    const { laptop, phone } = await twoDevices('cem');
    const { roomId, raceId, host } = await openRound('cem');
    for (const device of [laptop, phone]) await device.request('room:join', { roomId });
    const stake = (points: string) => ({ raceId, pool: 'win' as const, selection: [2], stake: points });
    await laptop.request('bet:place', stake('200'));
    const { limits } = await phone.request('profile:update', { limits: { dailyStake: '300' } });
    expect(limits).toEqual({ dailyStake: '300', stakedToday: '200' });
    expect(codeOf(await laptop.ask('bet:place', stake('200')))).toBe('LIMIT_REACHED');
    await laptop.request('bet:place', stake('100'));
    for (const { limits: told } of [
      await laptop.request('wallet:get', {}),
      await laptop.request('profile:get', {}),
      await laptop.request('profile:get', { playerId: laptop.id }),
    ])
      expect(told).toEqual({ dailyStake: '300', stakedToday: '300' });
    expect(await host.request('profile:get', { playerId: laptop.id })).not.toHaveProperty('limits');

    const rest = await laptop.request('profile:update', { limits: { coolOffHours: 2 } });
    expect(rest.limits?.coolOffUntil).toBeGreaterThan(Date.now() + 1.9 * HOUR_MS);
    expect(codeOf(await phone.ask('bet:place', stake('100')))).toBe('COOL_OFF');
    // Everything else goes on.
    expect(codeOf(await phone.ask('wallet:claim', { kind: 'daily' }))).toBe('OK');
    expect(codeOf(await phone.ask('chat:send', { roomId, text: 'a break' }))).toBe('OK');
  });

  test('[LG131] a change outlives a restart of the server, and its repeat after it changes nothing', async () => {
    const dee = await table.player('dee');
    const body = { commandId: randomUUID(), limits: { coolOffHours: 24, dailyStake: '500' } };
    const first = await dee.request('profile:update', body);
    expect(await dee.request('profile:update', body)).toEqual(first);
    await table.server.restart();
    const again = await table.player('dee', { token: dee.ready?.token ?? '' });
    expect(await again.request('profile:update', body)).toEqual(first);
    expect(codeOf(await again.ask('profile:update', { ...body, limits: { coolOffHours: 48 } }))).toBe(
      'COMMAND_CONFLICT',
    );
    expect((await again.request('wallet:get', {})).limits).toEqual(first.limits);
  });

  test('[LG132] whatever is no limit is BAD_REQUEST, and a refused name leaves the limits as they are', async () => {
    const eli = await table.player('eli');
    const wrong: [object, string][] = [
      [{ dailyStake: 100 }, 'limits.dailyStake'],
      [{ dailyStake: '-1' }, 'limits.dailyStake'],
      [{ dailyStake: '1e3' }, 'limits.dailyStake'],
      [{ dailyStake: '01' }, 'limits.dailyStake'],
      [{ dailyStake: '1'.repeat(19) }, 'limits.dailyStake'],
      [{ coolOffHours: 0 }, 'limits.coolOffHours'],
      [{ coolOffHours: 721 }, 'limits.coolOffHours'],
      [{ coolOffHours: 1.5 }, 'limits.coolOffHours'],
      [{ coolOffUntil: 1 }, 'limits'],
    ];
    for (const [limits, path] of wrong) {
      const answer = await eli.raw('profile:update', { commandId: randomUUID(), limits });
      expect(answer, JSON.stringify(limits)).toMatchObject({ ok: false, code: 'BAD_REQUEST' });
      expect(String((answer as { path?: string }).path)).toContain(path);
    }
    for (const before of ['x', '1', '1.2', '-1.2.3', `${'9'.repeat(19)}.1.1`])
      expect(await eli.raw('wallet:history', { before })).toMatchObject({ code: 'BAD_REQUEST', path: 'before' });
    expect(await eli.raw('bet:history', { before: '1.1.1' })).toMatchObject({ code: 'BAD_REQUEST', path: 'before' });
    expect(codeOf(await eli.ask('profile:update', { nickname: 'x'.repeat(17), limits: { dailyStake: '100' } }))).toBe(
      'NAME_INVALID',
    );
    expect((await eli.request('wallet:get', {})).limits).toEqual({ dailyStake: null });
    expect(await eli.request('profile:update', { nickname: 'Eli', limits: { dailyStake: '9'.repeat(18) } })).toEqual({
      nickname: 'Eli',
      locale: 'en',
      limits: { dailyStake: '9'.repeat(18), stakedToday: '0' },
    });
  });
});

describe('what became of bets', () => {
  test('[LG133] a round’s stakes and returns are in the statement, its bets in the history with horses and outcome', async () => {
    const { roomId, raceId, host } = await openRound('fay');
    const fay = await table.player('fay');
    await fay.request('room:join', { roomId });
    for (const horse of [1, 2, 3]) {
      for (const client of [fay, host])
        await client.request('bet:place', { raceId, pool: 'place', selection: [horse], stake: '100' });
    }
    const pending = await fay.request('bet:history', {});
    expect(pending.bets.map(({ outcome, selection }) => [outcome, selection])).toEqual(
      [3, 2, 1].map((n) => [undefined, [n]]),
    );
    await host.request('race:start', { roomId });
    const settled = await fay.message('bet:settled', (message) => message.raceId === raceId);
    const { bets } = await fay.request('bet:history', {});
    const race = await fay.request('race:get', { raceId });
    for (const bet of bets) {
      const told = settled.bets.find(({ betId }) => betId === bet.betId);
      expect(bet).toMatchObject({ outcome: told?.outcome, returned: told?.returned, raceNumber: 1 });
      const horses = bet.selection.map((number) => race.field.find((runner) => runner.number === number));
      expect(bet.horses).toEqual(horses.map((runner) => ({ number: runner?.number, name: runner?.name })));
    }
    const { entries } = await fay.request('wallet:history', {});
    const returned = settled.bets.filter(({ outcome }) => outcome !== 'lost');
    expect(entries).toHaveLength(4 + returned.length);
    expect(entries[0]?.balance).toBe((await fay.request('wallet:get', {})).balance);
    expect(entries.reduce((sum, { amount }) => sum + BigInt(amount), 0n)).toBe(BigInt(entries[0]?.balance ?? 0));
    for (const { betId, amount, kind } of entries.filter((entry) => entry.kind !== 'start' && entry.kind !== 'stake')) {
      const told = returned.find((bet) => bet.betId === betId);
      expect([amount, kind]).toEqual([told?.returned, told?.outcome === 'paid' ? 'payout' : 'refund']);
    }
  });
});
