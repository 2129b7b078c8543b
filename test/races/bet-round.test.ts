import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { PlayerId, RaceId } from '../../lib/core/ids.ts';
import { verifyRace } from '../../lib/fairness/verify.ts';
import type { RoomEvent } from '../../lib/protocol.ts';
import { until } from '../helpers/until.ts';
import { type Arena, callerOf, createArena } from './arena.ts';

let arena: Arena;
beforeAll(async () => {
  arena = await createArena();
});
afterAll(async () => {
  await arena.close();
});

const PHASES = ['race opened', 'race closed', 'race drawn', 'race running', 'race settled'];
const phasesOf = (events: readonly RoomEvent[]): string[] =>
  events.map(({ type }) => type).filter((type) => type.startsWith('race ') && type !== 'race closing');

describe('a round of a bet room', () => {
  it('[RC20] runs from race:start to the payout by itself, each phase told once', async () => {
    const server = await arena.instance();
    const roomId = await arena.room('bet');
    for (const name of ['host', 'ann', 'ben']) await server.join(roomId, name);
    const { raceId, closesAt } = await server.start(roomId, 'host');
    expect(closesAt - Date.now()).toBeGreaterThan(100);
    await server.until(roomId, 'race opened');
    const opened = server.view(roomId);
    expect(opened?.field).toHaveLength(8);
    expect(opened?.field.every(({ morningLine }) => /^\d+\.\d$/.test(morningLine ?? ''))).toBe(true);

    await server.bet(raceId, 'ann', 1, 500);
    await server.bet(raceId, 'ben', 2, 300);
    for (let horse = 1; horse <= 8; horse += 1) await server.bet(raceId, 'host', horse, 100);
    expect(await server.bets.quote(callerOf('ann'), { raceId, pool: 'win', selection: [1], stake: '100' })).toEqual({
      low: '190',
      high: '190',
    });

    await server.closeSoon(roomId);
    const settled = await server.until(roomId, 'race settled');
    expect(phasesOf(server.eventsOf(roomId))).toEqual(PHASES);
    if (settled.type !== 'race settled') throw new Error('unreachable');
    const winner = settled.result.order[0]?.number ?? 0;
    const dividend = BigInt(settled.result.dividends?.find(({ selection }) => selection[0] === winner)?.per100 ?? '0');
    expect(dividend).toBeGreaterThanOrEqual(100n);
    const onWinner: Record<string, bigint> = { ann: winner === 1 ? 5n : 0n, ben: winner === 2 ? 3n : 0n, host: 1n };
    const staked: Record<string, bigint> = { ann: 500n, ben: 300n, host: 800n };
    for (const name of ['ann', 'ben', 'host']) {
      expect(await arena.balance(name), name).toBe(10_000n - (staked[name] ?? 0n) + (onWinner[name] ?? 0n) * dividend);
    }
    expect(await arena.audit()).toEqual([]);

    await until('the players are told', () => server.messages('bet:settled').length === 3);
    const told = server
      .messages('wallet:update')
      .filter(({ to }) => to === 'host')
      .at(-1)?.message as { balance: string };
    expect(BigInt(told.balance)).toBe(await arena.balance('host'));
    expect(arena.lines).toEqual([]);
  });

  it('[RC21] its record verifies, step by step, and names the record before it', async () => {
    const server = await arena.instance();
    const roomId = await arena.room('bet');
    await server.join(roomId, 'host');
    const first = await server.start(roomId, 'host');
    await server.bet(first.raceId, 'host', 3, 200, 'place');
    await server.closeSoon(roomId);
    await server.until(roomId, 'race settled');
    const second = await server.start(roomId, 'host');
    await server.bet(second.raceId, 'host', 4, 100);
    await server.closeSoon(roomId);
    await server.until(roomId, 'race settled', 2);
    const previous = await server.races.get(callerOf('x'), { raceId: first.raceId });
    const record = await server.races.get(callerOf('x'), { raceId: second.raceId });
    const steps = verifyRace(record as never, { previous: previous as never });
    expect(steps.filter(({ ok }) => !ok)).toEqual([]);
    expect(steps.map(({ step }) => step)).toEqual([
      'commitment',
      'field',
      'record-link',
      'bets-root',
      'order',
      'dividends',
    ]);
    expect(verifyRace(previous as never).filter(({ ok }) => !ok)).toEqual([]);
  });

  it('[RC22] a repeated race:start names the same race, also after a restart and when it is over', async () => {
    const server = await arena.instance();
    const roomId = await arena.room('bet');
    await server.join(roomId, 'host');
    const command = { commandId: crypto.randomUUID() as never, roomId };
    const first = await server.races.start(callerOf('host'), command);
    expect(await server.races.start(callerOf('host'), command)).toEqual(first);
    await server.closeSoon(roomId);
    await server.until(roomId, 'race settled');
    const other = await arena.instance();
    await other.join(roomId, 'host');
    expect(await other.races.start(callerOf('host'), command)).toEqual(first);
    expect((await server.races.history(callerOf('host'), { roomId })).races).toHaveLength(1);
  });

  it('[RC22] so does one that only brought the close forward, or came when the close was near already', async () => {
    const server = await arena.instance({ timeScale: 4 });
    const roomId = await arena.room('bet', { openSeconds: 60, track: 'short' });
    await server.join(roomId, 'host');
    const host = callerOf('host');
    const { raceId } = await server.start(roomId, 'host');
    const commands = [1, 2].map(() => ({ commandId: crypto.randomUUID() as never, roomId }));
    const answers = [];
    for (const command of commands) answers.push(await server.races.start(host, command));
    expect(answers.map((answer) => answer.raceId)).toEqual([raceId, raceId]);
    // While it is open and when it is over, on instances that were not asked before.
    for (const phase of ['race closing', 'race settled'] as const) {
      await server.until(roomId, phase);
      const other = await arena.instance({ timers: false });
      await other.join(roomId, 'host');
      for (const [index, command] of commands.entries())
        expect([phase, await other.races.start(host, command)]).toEqual([phase, answers[index]]);
    }
    expect((await server.races.history(host, { roomId })).races).toHaveLength(1);
  });

  it('[RC23] while a race is open its host brings the close forward once, and nobody else starts anything', async () => {
    const server = await arena.instance({ timeScale: 4 });
    const roomId = await arena.room('bet', { openSeconds: 60 });
    await server.join(roomId, 'host');
    await server.join(roomId, 'ann');
    await expect(server.start(roomId, 'ann')).rejects.toMatchObject({ refusal: { code: 'NOT_HOST' } });
    await expect(server.start(roomId, 'stranger')).rejects.toMatchObject({ refusal: { code: 'NOT_MEMBER' } });
    const first = await server.start(roomId, 'host');
    const before = Date.now();
    const second = await server.start(roomId, 'host');
    expect(second.raceId).toBe(first.raceId);
    expect(second.closesAt).toBeLessThan(first.closesAt);
    expect(second.closesAt).toBeGreaterThanOrEqual(before + 2_500);
    const third = await server.start(roomId, 'host');
    expect(third.closesAt).toBe(second.closesAt);
    await server.until(roomId, 'race closing');
    await server.until(roomId, 'race closed');
    await expect(server.start(roomId, 'host')).rejects.toMatchObject({ refusal: { code: 'RACE_IN_PROGRESS' } });
    expect(server.eventsOf(roomId).filter(({ type }) => type === 'race closing')).toHaveLength(1);
  });

  it('[RC24] nobody bets: the race runs and nothing is paid', async () => {
    const server = await arena.instance();
    const roomId = await arena.room('bet');
    await server.join(roomId, 'host');
    await server.start(roomId, 'host');
    await server.closeSoon(roomId);
    const settled = await server.until(roomId, 'race settled');
    expect(settled).toMatchObject({ result: { dividends: [] } });
    expect(await arena.audit()).toEqual([]);
  });

  it('[RC25] bets are refused by role, pool, horse, unit, cap and phase, each with its own code', async () => {
    const server = await arena.instance();
    const roomId = await arena.room('bet', { maxStakePerRace: 1_000, pools: ['win'] });
    await server.join(roomId, 'host');
    await server.join(roomId, 'watcher', 'spectator');
    const { raceId } = await server.start(roomId, 'host');
    const refused = async (call: Promise<unknown>, code: string) =>
      expect(call).rejects.toMatchObject({ refusal: { code } });
    await refused(server.bet('no-such-race' as RaceId, 'host', 1, 100), 'NOT_FOUND');
    await refused(server.bet(raceId, 'stranger', 1, 100), 'NOT_MEMBER');
    await refused(server.bet(raceId, 'watcher', 1, 100), 'FORBIDDEN');
    await refused(server.bet(raceId, 'host', 1, 100, 'place'), 'SELECTION_INVALID');
    await refused(server.bet(raceId, 'host', 9, 100), 'SELECTION_INVALID');
    await refused(server.bet(raceId, 'host', 1, 150), 'STAKE_INVALID');
    await refused(server.bet(raceId, 'host', 1, 1_100), 'LIMIT_REACHED');
    await refused(server.pick(raceId, 'host', 1), 'FORBIDDEN');
    const id = crypto.randomUUID() as never;
    const placed = await server.bet(raceId, 'host', 1, 600, 'win', id);
    await refused(server.bet(raceId, 'host', 1, 600), 'LIMIT_REACHED');
    await server.closeSoon(roomId);
    await server.until(roomId, 'race closed');
    await refused(server.bet(raceId, 'host', 1, 100), 'PHASE_CLOSED');
    expect(await server.bet(raceId, 'host', 1, 600, 'win', id)).toEqual(placed);
    await refused(server.bet(raceId, 'host', 2, 600, 'win', id), 'COMMAND_CONFLICT');
    expect((await server.bets.mine(callerOf('host'), { raceId })).bets).toMatchObject([
      { stake: '600', selection: [1], receipt: placed.receipt },
    ]);
  });

  it('[RC26] an automatic room opens while somebody connected is there, and again after the result', async () => {
    const server = await arena.instance({ timeScale: 50 });
    const roomId = await arena.room('bet', { mode: 'auto', openSeconds: 10 }, null);
    await server.rooms.serve(roomId);
    await server.raceClock?.considerOpening(roomId);
    expect(server.eventsOf(roomId)).toEqual([]);
    await server.join(roomId, 'ann');
    const first = await server.until(roomId, 'race settled');
    expect(first).toHaveProperty('nextOpensAt');
    expect(server.races.nextOpensAt(roomId)).toBe((first as { nextOpensAt?: number }).nextOpensAt);
    const second = await server.until(roomId, 'race opened', 2);
    expect(second.at).toBeGreaterThanOrEqual((first as { nextOpensAt?: number }).nextOpensAt ?? 0);
    await server.leave(roomId, 'ann');
    await server.until(roomId, 'race settled', 2);
    await server.raceClock?.considerOpening(roomId);
    expect(server.eventsOf(roomId).filter(({ type }) => type === 'race opened')).toHaveLength(2);
    expect((await arena.records.latest(roomId))?.row.number).toBe(2);
    await expect(server.start(roomId, 'ann')).rejects.toMatchObject({ refusal: { code: 'NOT_MEMBER' } });
    expect(server.rooms.state(roomId)?.connected.has('ann' as PlayerId)).toBe(false);
  });
});
