import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createLedger } from '../../db/postgres/ledger.ts';
import { createStatements } from '../../db/postgres/statement.ts';
import type { CommandId } from '../../lib/core/ids.ts';
import type { RefusedError } from '../../lib/errors.ts';
import type { Statements } from '../../lib/ports.ts';
import type { OwnLimits } from '../../lib/protocol.ts';
import { createBatcher } from '../../lib/run/batcher.ts';
import { startOfNextDay } from '../../lib/service/calendar.ts';
import { createOwnLimits } from '../../lib/service/own-limits.ts';
import { quietLog } from '../helpers/postgres.ts';
import { bet, code, createStage, openRace, player, type Stage } from '../ledger/stage.ts';

const SEOUL = 'Asia/Seoul';
const HOUR_MS = 3_600_000;
const log = { ...quietLog, debug: () => {} };

let stage: Stage;
let statements: Statements;
beforeAll(async () => {
  stage = await createStage();
  statements = createStatements(stage.pool, { startPoints: 10_000 });
});
afterAll(async () => {
  expect(await stage.audit()).toEqual([]);
  await stage.drop();
});

/** The service of one process, at a time of the test's choosing. */
function processAt(now: () => number) {
  const service = createOwnLimits({ statements, clock: { now }, timeZone: SEOUL });
  return {
    get: (name: string) => service.get(player(name)),
    set: (
      name: string,
      limits: { dailyStake?: string | null; coolOffHours?: number },
      commandId = randomUUID(),
    ): Promise<OwnLimits> => service.change(player(name), { commandId: commandId as CommandId, limits }),
  };
}

const place = async (item: Parameters<Stage['ledger']['commitBatch']>[0][number]) => {
  for (;;) {
    const given = code((await stage.ledger.commitBatch([item])).answers[0]);
    if (given !== 'again') return given;
  }
};
const dayInSeoul = (at: number) => new Intl.DateTimeFormat('en-CA', { timeZone: SEOUL }).format(at);
/** The database's clock decides when a bet is placed: days of these tests begin with its own. */
const today = () => dayInSeoul(Date.now());

describe('an own daily limit', () => {
  test('[LG122] binds at once and counts what was staked that day before it was set', async () => {
    const race = await openRace(stage);
    const limits = processAt(Date.now);
    const day = today();
    expect(await place(bet(race.id, 'early', 1, 2_000n, { day }))).toBe('ok');
    expect(await limits.set('early', { dailyStake: '3000' })).toEqual({ dailyStake: '3000', stakedToday: '2000' });
    expect(await place(bet(race.id, 'early', 1, 1_100n, { day }))).toBe('LIMIT_REACHED');
    expect(await place(bet(race.id, 'early', 2, 1_000n, { day }))).toBe('ok');
    expect(await place(bet(race.id, 'early', 2, 100n, { day }))).toBe('LIMIT_REACHED');
    expect(await limits.get('early')).toEqual({ dailyStake: '3000', stakedToday: '3000' });
    // Lower than what has been staked already: nothing more today, and no error.
    expect(await limits.set('early', { dailyStake: '500' })).toEqual({ dailyStake: '500', stakedToday: '3000' });
    expect(await place(bet(race.id, 'early', 2, 100n, { day }))).toBe('LIMIT_REACHED');
    expect(await limits.set('early', { dailyStake: '0' })).toEqual({ dailyStake: '0', stakedToday: '3000' });
    // Another race, another pool: the day is the same.
    const other = await openRace(stage);
    expect(await place(bet(other.id, 'early', 2, 100n, { day, pool: 'place' }))).toBe('LIMIT_REACHED');
    expect(await place(bet(other.id, 'someone', 2, 100n, { day }))).toBe('ok');
  });

  test('[LG122] is met to the point by many small bets from two processes at once', async () => {
    const race = await openRace(stage);
    const more = await openRace(stage);
    await processAt(Date.now).set('eager', { dailyStake: '1500' });
    const processes = [0, 1].map(() => {
      const pool = stage.database.pool({ max: 4 });
      const ledger = createLedger(pool, { startPoints: 10_000 });
      return createBatcher({
        ledger,
        log,
        limits: { ledgerQueue: 1_000, ledgerAnswerMs: 10_000, ledgerQueueMs: 10_000 },
      });
    });
    const codes = await Promise.all(
      Array.from({ length: 60 }, async (_, n) => {
        const item = bet(n % 3 === 0 ? more.id : race.id, 'eager', (n % 8) + 1, 100n, { day: today() });
        const queue = processes[n % 2];
        return queue?.submit(item).then(
          () => 'ok',
          (error: RefusedError) => error.refusal.code,
        );
      }),
    );
    await Promise.all(processes.map((batcher) => batcher.close()));
    const count = (wanted: string) => codes.filter((one) => one === wanted).length;
    expect({ ok: count('ok'), over: count('LIMIT_REACHED') }).toEqual({ ok: 15, over: 45 });
    expect(await stage.balanceOf('eager')).toBe(8_500n);
    expect((await processAt(Date.now).get('eager')).stakedToday).toBe('1500');
  });

  test('[LG122] set while bets are under way, none is taken beyond it afterwards', async () => {
    for (let round = 0; round < 8; round += 1) {
      const name = `busy${round}`;
      const race = await openRace(stage);
      const bets = Array.from({ length: 20 }, () => place(bet(race.id, name, 1, 100n, { day: today() })));
      const set = processAt(Date.now).set(name, { dailyStake: '500' });
      const { stakedToday = '0' } = await set;
      const codes = await Promise.all(bets);
      const staked = 100n * BigInt(codes.filter((one) => one === 'ok').length);
      // What was in before may be more than the limit; after it, nothing comes that is beyond both.
      const atMost = BigInt(stakedToday) > 500n ? BigInt(stakedToday) : 500n;
      expect(staked).toBe(atMost);
    }
  });

  test('[LG123] is wider from the next midnight in Seoul on, not a moment before, and narrower at once', async () => {
    const race = await openRace(stage);
    const midnight = startOfNextDay(Date.now(), SEOUL);
    expect(new Date(midnight).toISOString()).toContain('T15:00:00.000Z');
    let now = midnight - 1;
    const limits = processAt(() => now);
    expect(await limits.set('night', { dailyStake: '300' })).toEqual({
      dailyStake: '300',
      stakedToday: expect.any(String),
    });
    expect(await limits.set('night', { dailyStake: '900' })).toMatchObject({
      dailyStake: '300',
      next: { dailyStake: '900', from: midnight },
    });
    const friday = { day: dayInSeoul(now) };
    // The first bet of a new player: nothing was staked before.
    expect(await place(bet(race.id, 'night', 1, 400n, friday))).toBe('LIMIT_REACHED');
    expect(await place(bet(race.id, 'night', 1, 300n, friday))).toBe('ok');
    now = midnight;
    const saturday = { day: dayInSeoul(now) };
    expect(saturday.day > friday.day).toBe(true);
    expect(await limits.get('night')).toEqual({ dailyStake: '900', stakedToday: '0' });
    expect(await place(bet(race.id, 'night', 1, 1_000n, saturday))).toBe('LIMIT_REACHED');
    expect(await place(bet(race.id, 'night', 1, 900n, saturday))).toBe('ok');
    // A bet that was sent before midnight still counts for its own day.
    expect(await place(bet(race.id, 'night', 1, 100n, friday))).toBe('LIMIT_REACHED');

    // Removing is widening too, and the last word counts.
    expect(await limits.set('night', { dailyStake: null })).toMatchObject({
      dailyStake: '900',
      next: { dailyStake: null, from: midnight + 24 * HOUR_MS },
    });
    expect((await limits.set('night', { dailyStake: '900' })).next).toBeUndefined();
    await limits.set('night', { dailyStake: null });
    now += 24 * HOUR_MS;
    const sunday = { day: dayInSeoul(now) };
    expect(await limits.get('night')).toEqual({ dailyStake: null });
    expect(await place(bet(race.id, 'night', 1, 5_000n, sunday))).toBe('ok');
    // Set again, what was staked without a limit counts.
    expect(await limits.set('night', { dailyStake: '5000' })).toEqual({ dailyStake: '5000', stakedToday: '5000' });
    expect(await place(bet(race.id, 'night', 1, 100n, sunday))).toBe('LIMIT_REACHED');
  });
});

describe('a cool-off', () => {
  test('[LG124] begins at once by the ledger’s clock, is never shortened, and a repeat does not lengthen it', async () => {
    const race = await openRace(stage);
    const limits = processAt(Date.now);
    const commandId = randomUUID();
    const from = Date.now();
    const first = await limits.set('tired', { coolOffHours: 24 }, commandId);
    const until = first.coolOffUntil ?? 0;
    expect(until).toBeGreaterThanOrEqual(from + 24 * HOUR_MS);
    expect(until).toBeLessThanOrEqual(Date.now() + 24 * HOUR_MS);
    expect(await place(bet(race.id, 'tired', 1, 100n, { day: today() }))).toBe('COOL_OFF');
    expect(await limits.set('tired', { coolOffHours: 24 }, commandId)).toEqual(first);
    expect((await limits.set('tired', { coolOffHours: 1 })).coolOffUntil).toBe(until);
    const longer = (await limits.set('tired', { coolOffHours: 72 })).coolOffUntil ?? 0;
    expect(longer).toBeGreaterThan(until + 47 * HOUR_MS);
    // A repeat of the first command is answered as then, and takes nothing back.
    expect(await limits.set('tired', { coolOffHours: 24 }, commandId)).toEqual(first);
    expect((await limits.get('tired')).coolOffUntil).toBe(longer);
    // A break says nothing about a daily limit, and the other way round.
    expect((await limits.set('tired', { dailyStake: '1000' })).coolOffUntil).toBe(longer);
    expect((await limits.get('tired')).dailyStake).toBe('1000');
    await stage.query('update player_limit set cool_off_until = $1 where player_id = $2', [Date.now() - 1, 'tired']);
    expect(await limits.get('tired')).toEqual({ dailyStake: '1000', stakedToday: '0' });
    expect(await place(bet(race.id, 'tired', 1, 100n, { day: today() }))).toBe('ok');
  });
});

describe('a change of limits', () => {
  test('[LG125] is made once for each command id on whatever process, and another body is a conflict', async () => {
    const [here, there] = [processAt(Date.now), processAt(Date.now)];
    const commandId = randomUUID();
    const answers = await Promise.all(
      Array.from({ length: 8 }, (_, n) =>
        (n % 2 ? here : there).set('twice', { dailyStake: '2000', coolOffHours: 1 }, commandId),
      ),
    );
    for (const answer of answers) expect(answer).toEqual(answers[0]);
    const rows = await stage.query('select 1 from player_limit_change where player_id = $1', ['twice']);
    expect(rows).toHaveLength(1);
    await here.set('twice', { dailyStake: '1000' });
    expect(await there.set('twice', { dailyStake: '2000', coolOffHours: 1 }, commandId)).toEqual(answers[0]);
    expect(await here.get('twice')).toMatchObject({ dailyStake: '1000' });
    await expect(there.set('twice', { dailyStake: '3000' }, commandId)).rejects.toMatchObject({
      refusal: { code: 'COMMAND_CONFLICT' },
    });
    await expect(stage.query('delete from player_limit_change')).rejects.toThrow('for ever');
    await expect(stage.query('update player_limit_change set at = 0')).rejects.toThrow('for ever');
  });

  test('[LG126] makes the wallet where there is none, with one start grant however many ask at once', async () => {
    const race = await openRace(stage);
    for (let round = 0; round < 5; round += 1) {
      const name = `fresh${round}`;
      const limits = processAt(Date.now);
      const [first, second, placed] = await Promise.all([
        limits.set(name, { dailyStake: '700' }),
        limits.set(name, { dailyStake: '600' }),
        place(bet(race.id, name, 1, 500n, { day: today() })),
      ]);
      expect([first.dailyStake, second.dailyStake].sort()).toContain('600');
      expect(placed).toBe('ok');
      expect(await stage.balanceOf(name)).toBe(9_500n);
      const grants = await stage.query("select 1 from transfer where player_id = $1 and kind = 'start'", [name]);
      expect(grants).toHaveLength(1);
      expect(await place(bet(race.id, name, 1, 300n, { day: today() }))).toBe('LIMIT_REACHED');
    }
  });
});
