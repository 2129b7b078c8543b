import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { RaceOutcome } from '../../lib/core/race-state.ts';
import { until } from '../helpers/until.ts';
import {
  bet,
  closeRace,
  createStage,
  newRace,
  openRace,
  order,
  player,
  runRace,
  type Stage,
  settlementOf,
} from '../ledger/stage.ts';

let stage: Stage;
beforeAll(async () => {
  stage = await createStage();
});
afterAll(async () => {
  expect(await stage.audit()).toEqual([]);
  await stage.drop();
});

const FINISH = order([1, 1], [2, 2], [3, 3], [4, 4], [5, 5], [6, 6], [7, 7], [8, 8]);
const OUTCOME: RaceOutcome = { order: FINISH, durationMs: 1_000 };
const event = () => ({ type: 'race opened', race: {} }) as never;
const facts = async (roomId: string) =>
  (
    await stage.query<{ version: bigint; type: string }>(
      "select version, event ->> 'type' as type from room_fact where room_id = $1 order by version",
      [roomId],
    )
  ).map(({ version, type }) => `${version} ${type}`);

describe('opening', () => {
  it('[LG20] a room has one unfinished race; a repeat answers as the first time; numbers and records follow each other', async () => {
    const first = await newRace(stage);
    const second = await newRace(stage, { roomId: first.roomId });
    const both = await Promise.all([stage.races.open(first, event), stage.races.open(second, event)]);
    const kinds = both.map(({ kind }) => kind).sort();
    expect(kinds).toEqual(['opened', 'unfinished']);
    const opened = kinds && both[0]?.kind === 'opened' ? first : second;
    expect(both.find(({ kind }) => kind === 'unfinished')).toEqual({ kind: 'unfinished', raceId: opened.id });
    expect(await stage.races.open(opened, event)).toMatchObject({
      kind: 'opened',
      row: { id: opened.id, phase: 'open', number: 1 },
    });
    expect(await facts(first.roomId)).toEqual(['1 race opened']);

    await stage.races.voidRace(opened.id, 'admin', 'cd', 'record-1', null);
    const next = await newRace(stage, { roomId: first.roomId });
    expect(next).toMatchObject({ number: 2, previousRecordHash: 'record-1' });
    expect(await stage.races.open({ ...next, previousRecordHash: 'other' }, event)).toEqual({ kind: 'stale' });
    expect(await stage.races.open({ ...next, number: 3 }, event)).toEqual({ kind: 'stale' });
    expect(await stage.races.open(next, event)).toMatchObject({ kind: 'opened' });
    expect((await stage.races.latest(first.roomId))?.row).toMatchObject({ id: next.id, number: 2 });
  });

  it('[LG21] no race opens in a closed room, and a room does not expire under a race', async () => {
    const race = await openRace(stage);
    expect(await stage.query("select room_close($1, 'expired') as outcome", [race.roomId])).toEqual([
      { outcome: 'racing' },
    ]);
    await stage.races.voidRace(race.id, 'admin', 'cd', 'ab', null);
    await stage.query("select room_close($1, 'expired')", [race.roomId]);
    expect(await stage.races.open(await newRace(stage, { roomId: race.roomId }), event)).toEqual({
      kind: 'room-closed',
    });
  });

  it('[LG22] what is fixed at opening cannot be changed, what is set on the way cannot be changed again, a finished race not at all', async () => {
    const { id } = await openRace(stage);
    const change = (text: string) => stage.query(`update race set ${text} where id = $1`, [id]);
    for (const text of [
      "rules = '{}'",
      "field = '[]'",
      "field_hash = 'x'",
      "commitment = 'x'",
      "seed_key_id = 'x'",
      'number = 7',
      "participants = '{x}'",
      'max_stake = 1',
      "pools = '{}'",
      'exclusive = not exclusive',
      'opened_at = 0',
      'sim_version = 2',
      "previous_record_hash = 'x'",
    ]) {
      await expect(change(text), text).rejects.toThrow('fixed at opening');
    }
    await expect(change('closes_at = closes_at + 1')).rejects.toThrow('nearer');
    await expect(stage.query('delete from race where id = $1', [id])).rejects.toThrow('for ever');
    await closeRace(stage, id);
    for (const text of ["totals = '{}'::jsonb || '{\"win\":1}'", "bets_root = 'x'", 'closed_at = 0'])
      await expect(change(text), text).rejects.toThrow('on the way');
    await expect(change('closes_at = closes_at - 1')).rejects.toThrow('nearer');
    await expect(change("phase = 'open'")).rejects.toThrow('back');
    expect(await stage.races.draw(id, OUTCOME, 0, 60_000, 1_000)).toBe('moved');
    for (const text of ["outcome = '{}'", 'starts_at = 0', 'ends_at = 0'])
      await expect(change(text), text).rejects.toThrow('on the way');
    await stage.races.voidRace(id, 'admin', 'cd', 'ab', null);
    await expect(change("seed = 'other'")).rejects.toThrow('over');
  });
});

describe('phases', () => {
  it('[LG23] a race goes through its phases once each, by the clock, and leaves one numbered fact each', async () => {
    const race = await openRace(stage);
    const { races } = stage;
    expect(await races.close(race.id, [])).toBe('early');
    expect(await races.draw(race.id, OUTCOME, 0, 0, 0)).toBe('early');
    expect(await races.run(race.id)).toBe('early');
    expect(await races.close('nowhere' as never, [])).toBe('absent');
    await closeRace(stage, race.id);
    expect(await races.close(race.id, [])).toBe('already');
    expect(await races.run(race.id)).toBe('early');

    const draws = await Promise.all([1, 2, 3].map(() => races.draw(race.id, OUTCOME, 0, 1_000, 1_500)));
    expect(draws.sort()).toEqual(['already', 'already', 'moved']);
    const drawn = (await races.get(race.id))?.row;
    expect(drawn).toMatchObject({ phase: 'closed', outcome: OUTCOME });
    expect((drawn?.startsAt ?? 0) - (drawn?.closedAt ?? 0)).toBeGreaterThanOrEqual(1_000);
    expect((drawn?.endsAt ?? 0) - (drawn?.startsAt ?? 0)).toBe(1_500);
    expect(await races.run(race.id)).toBe('early');
    await until('it runs', async () => (await races.run(race.id)) === 'moved', { everyMs: 2 });
    expect(await races.run(race.id)).toBe('already');
    const settlement = { ...(await settlementOf(stage, race, FINISH)), nextOpensAfterMs: 5_000 };
    expect(await races.settle(race.id, settlement)).toBe('early');
    await until('it is settled', async () => (await races.settle(race.id, settlement)) === 'moved', { everyMs: 2 });

    const over = await races.get(race.id);
    expect(over?.row).toMatchObject({
      phase: 'settled',
      seed: settlement.result.seed,
      recordHash: settlement.recordHash,
    });
    expect(over?.result).toEqual(settlement.result);
    expect(await facts(race.roomId)).toEqual([
      '1 race opened',
      '2 race closing',
      '3 race closed',
      '4 race drawn',
      '5 race running',
      '6 race settled',
    ]);
    const [last] = await stage.query<{ event: { nextOpensAt: number } }>(
      'select event from room_fact where room_id = $1 order by version desc limit 1',
      [race.roomId],
    );
    expect(last?.event).toEqual({
      type: 'race settled',
      raceId: race.id,
      result: settlement.result,
      nextOpensAt: (over?.row.endedAt ?? 0) + 5_000,
    });
    expect(await races.unfinished()).not.toContainEqual(expect.objectContaining({ raceId: race.id }));
  });

  it('[LG24] the close comes nearer and never goes back', async () => {
    const race = await openRace(stage);
    expect(await stage.races.bringForward(race.id, race.closesAt + 1_000)).toEqual({
      move: 'already',
      closesAt: race.closesAt,
    });
    expect(await stage.races.bringForward(race.id, race.closesAt - 1_000)).toEqual({
      move: 'moved',
      closesAt: race.closesAt - 1_000,
    });
    expect(await stage.races.bringForward(race.id, race.closesAt - 1_000)).toEqual({
      move: 'already',
      closesAt: race.closesAt - 1_000,
    });
    const { move, closesAt } = await stage.races.bringForward(race.id, 0);
    expect(move).toBe('moved');
    expect(closesAt).toBeGreaterThan(race.openedAt);
    await until('closed', async () => (await stage.races.close(race.id, [])) === 'moved', { everyMs: 2 });
    expect((await stage.races.bringForward(race.id, 0)).move).toBe('already');
  });

  it('[LG49] a close that is brought to this moment lies behind everything that was taken in it', async () => {
    // A millisecond is long enough for a bet and a move: some of these meet in one.
    for (let round = 0; round < 60; round++) {
      const race = await openRace(stage);
      const { answers } = await stage.ledger.commitBatch([bet(race.id, `soon-${round}`, 1, 100n)]);
      const { closesAt } = await stage.races.bringForward(race.id, 0);
      expect(answers[0]?.ok).toBe(true);
      const [taken] = await stage.query<{ at: bigint }>('select at from ledger_command where race_id = $1', [race.id]);
      expect(BigInt(closesAt)).toBeGreaterThan(taken?.at ?? 0n);
    }
  });

  it('[LG25] a race that nobody closed for a minute is not closed but voided, and an early or late word of it changes nothing', async () => {
    const late = await openRace(stage, { closesInMs: -61_000 });
    const due = await openRace(stage, { closesInMs: -50_000 });
    expect(await stage.races.voidRace(due.id, 'late-close', 'cd', 'ab', null)).toBe('early');
    expect(await stage.races.close(due.id, [])).toBe('moved');
    expect(await stage.races.voidRace(due.id, 'late-close', 'cd', 'ab', null)).toBe('already');
    expect(await stage.races.close(late.id, [])).toBe('late');
    expect(await stage.races.voidRace(late.id, 'late-close', 'cd', 'ab', null)).toBe('moved');
    expect(await stage.races.close(late.id, [])).toBe('already');
    expect(await facts(late.roomId)).toEqual(['1 race opened', '2 race void']);
  });

  it('[LG26] overdue races are found in every phase, without their locks', async () => {
    const open = await openRace(stage, { closesInMs: -1 });
    const waiting = await openRace(stage);
    const running = await openRace(stage);
    await runRace(stage, running.id, FINISH);
    const client = await stage.pool.connect();
    try {
      await client.query('begin');
      await client.query('select pg_advisory_xact_lock(race_lock_key($1))', [open.id]);
      const found = (await stage.races.overdue(1_000)).map(({ raceId }) => raceId);
      expect(found).toEqual(expect.arrayContaining([open.id, running.id]));
      expect(found).not.toContain(waiting.id);
      expect(await stage.races.close(open.id, [])).toBe('busy');
      expect(await stage.races.voidRace(open.id, 'admin', 'cd', 'ab', null)).toBe('busy');
      await client.query('rollback');
    } finally {
      client.release();
    }
    expect(await stage.races.overdue(1)).toHaveLength(1);
  });

  it('[LG27] the history of a room goes by pages, newest first, with order and who was caught', async () => {
    const roomId = await stage.room();
    const ids: string[] = [];
    for (let round = 0; round < 5; round += 1) {
      const race = await openRace(stage, { roomId, kind: 'pick' });
      await runRace(stage, race.id, FINISH);
      const settlement = await settlementOf(stage, { ...race, rules: { ...race.rules, pools: [] } }, FINISH);
      await stage.races.settle(race.id, {
        ...settlement,
        result: { order: FINISH, caught: [player('c')], seed: 'cd' },
      });
      ids.unshift(race.id);
    }
    const first = await stage.races.history(roomId, null, 3);
    expect(first.races.map(({ id }) => id)).toEqual(ids.slice(0, 3));
    expect(first.races[0]).toMatchObject({
      number: 5,
      phase: 'settled',
      caught: ['c'],
      order: FINISH.map(({ number, place }) => ({ number, place })),
    });
    const rest = await stage.races.history(roomId, first.next ?? null, 3);
    expect(rest.races.map(({ id }) => id)).toEqual(ids.slice(3));
    expect(rest.next).toBeUndefined();
  });
});
