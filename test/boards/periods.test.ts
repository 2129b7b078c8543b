import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createRaceRecords } from '../../db/postgres/races.ts';
import { neighbour, periodOf, WINDOWS } from '../../lib/core/boards.ts';
import { dayOf, startOfDay, startOfNextDay } from '../../lib/service/calendar.ts';
import { bet, createStage, openRace, order, runRace, type Stage, settlementOf } from '../ledger/stage.ts';
import { boardAudit, periodsOf } from './rounds.ts';

const FINISH = order([1, 1], [2, 2], [3, 3], [4, 4], [5, 5], [6, 6], [7, 7], [8, 8]);

let stage: Stage;
beforeAll(async () => {
  stage = await createStage({ startPoints: 100_000_000 });
  // The clock of this database stands where a test puts it, once it has put it somewhere.
  await stage.pool.query(`
    create table test_clock (at bigint);
    create or replace function now_ms() returns bigint language sql volatile as
      $$ select coalesce((select at from test_clock), floor(extract(epoch from clock_timestamp()) * 1000)::bigint) $$`);
});
afterAll(async () => {
  expect(await boardAudit(stage)).toEqual([]);
  await stage.drop();
});

async function atTime<T>(at: number, work: () => Promise<T>): Promise<T> {
  await stage.query('insert into test_clock values ($1)', [at]);
  try {
    return await work();
  } finally {
    await stage.query('delete from test_clock');
  }
}

/** A race of three that is over and waits for its settlement. */
async function ready(name = 'a') {
  const race = await openRace(stage);
  await stage.ledger.commitBatch([1, 2, 3].map((horse) => bet(race.id, `${name}${horse}`, horse, 1_000n)));
  await runRace(stage, race.id, FINISH);
  return { race, settlement: await settlementOf(stage, race, FINISH) };
}

async function storedPeriods(raceId: string): Promise<readonly (readonly [string, string])[]> {
  const [row] = await stage.query<{ day: string; week: string; season: string }>(
    'select day, week, season from race_period where race_id = $1',
    [raceId],
  );
  return [
    ['day', row?.day ?? ''],
    ['week', row?.week ?? ''],
    ['season', row?.season ?? ''],
    ['all', ''],
  ];
}

/** The moments at which something ends, none of them in the past of the machine. */
const BOUNDARIES: [string, string, string][] = [
  ['a day in Seoul', 'Asia/Seoul', '2027-05-12T15:00:00Z'],
  ['a week in Seoul', 'Asia/Seoul', '2027-05-16T15:00:00Z'],
  ['a season and a year in Seoul', 'Asia/Seoul', '2026-12-31T15:00:00Z'],
  ['a season in Seoul', 'Asia/Seoul', '2027-06-30T15:00:00Z'],
  ['the day of 25 hours in New York', 'America/New_York', '2027-11-08T05:00:00Z'],
  ['the day before it', 'America/New_York', '2027-11-07T04:00:00Z'],
  ['the day of 23 hours in New York', 'America/New_York', '2027-03-15T04:00:00Z'],
  ['the day before that', 'America/New_York', '2027-03-14T05:00:00Z'],
  ['a day without a midnight in Santiago', 'America/Santiago', '2027-09-05T04:00:00Z'],
];

describe('periods of settlements', () => {
  it.each(BOUNDARIES)('[BD9] %s ends with its last millisecond', async (_name, timeZone, text) => {
    const boundary = Date.parse(text);
    expect(startOfNextDay(boundary - 1, timeZone)).toBe(boundary);
    expect(startOfDay(boundary, timeZone)).toBe(boundary);
    const records = createRaceRecords(stage.pool, { timeZone });
    for (const at of [boundary - 1, boundary, boundary + 1]) {
      const { race, settlement } = await ready();
      expect(await atTime(at, () => records.settle(race.id, settlement))).toBe('moved');
      const wanted = periodsOf(at, timeZone);
      expect(await storedPeriods(race.id), `${at - boundary}`).toEqual(wanted);
      expect(WINDOWS.map((window) => [window, periodOf(window, dayOf(at, timeZone))])).toEqual(wanted);
    }
    const [before, after] = [boundary - 1, boundary].map((at) => dayOf(at, timeZone));
    expect(neighbour('day', before ?? '', 1)).toBe(after);
  });

  it('[BD10] two instances that settle around the end of a season count every race once, in one season', async () => {
    const boundary = Date.parse('2027-09-30T15:00:00Z');
    const other = createRaceRecords(stage.database.pool());
    const waiting = [];
    for (let index = 0; index < 8; index += 1) waiting.push(await ready('s'));
    await stage.query('insert into test_clock values ($1)', [boundary - 1]);
    const moves = waiting.map(({ race, settlement }, index) => {
      const both = () =>
        Promise.all([stage.races, other].map((records) => records.settle(race.id, settlement).catch(String)));
      return index === 3 ? stage.query('update test_clock set at = $1', [boundary]).then(both) : both();
    });
    for (const two of await Promise.all(moves)) expect(two).toContain('moved');
    // Again, all of them, after the roll-over.
    for (const { race, settlement } of waiting) expect(await other.settle(race.id, settlement)).toBe('already');
    await stage.query('delete from test_clock');
    const seasons = await stage.query<{ period: string; races: number }>(
      "select period, races from board_row where scope = '' and span = 'season' and player_id = 's1' order by period",
    );
    expect(seasons.map(({ period }) => period).filter((period) => !['2027-Q3', '2027-Q4'].includes(period))).toEqual(
      [],
    );
    expect(seasons.reduce((sum, { races }) => sum + races, 0)).toBe(8);
    const [all] = await stage.query<{ races: number }>(
      "select races from board_row where scope = '' and span = 'all' and player_id = 's1'",
    );
    expect(all?.races).toBe(8);
    expect(await boardAudit(stage)).toEqual([]);
  });
});
