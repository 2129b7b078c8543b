import { describe, expect, it } from 'vitest';
import type { RaceId } from '../../lib/core/ids.ts';
import { publicRace } from '../../lib/core/public-race.ts';
import {
  dueRerun,
  exclusiveNext,
  nextDeadline,
  nextOpensAt,
  nextStep,
  type PreviousRace,
  planOpening,
  rerunParticipants,
} from '../../lib/core/race.ts';
import { createTiming } from '../../lib/core/race-timing.ts';
import { applyToRace, isFact } from '../../lib/core/race-view.ts';
import { DEFAULT_SETTINGS } from '../../lib/core/room-settings.ts';
import type { Member, RoomKind, RoomSettings } from '../../lib/core/room-state.ts';
import type { RaceView, RoomEventBody } from '../../lib/protocol.ts';
import { detailsOf, OUTCOME, player, RESULT, rowOf, rules } from './race-fixtures.ts';

const document = (kind: RoomKind, players: number, settings: Partial<RoomSettings> = {}) => ({
  kind,
  settings: { ...DEFAULT_SETTINGS[kind], ...settings },
  members: Array.from(
    { length: players },
    (_, index): Member => ({ id: player(`p${index}`), nickname: '', role: 'player', ready: true, joinedAt: index }),
  ),
});
const raceId = 'race-1' as RaceId;
const previous = (more: Partial<PreviousRace> = {}): PreviousRace => ({
  id: raceId,
  kind: 'pick',
  phase: 'settled',
  rules: rules(),
  ...more,
});
const twoCaught = { caught: [player('p0'), player('p1')] };

describe('what a race is opened with', () => {
  it('[RC27] bet rooms: unequal horses, the pools their field can have, eight unless told', () => {
    expect(planOpening({ document: document('bet', 0), previous: null })).toMatchObject({
      horses: 8,
      equal: false,
      rules: { placesPaid: 3, pools: [{ pool: 'win' }, { pool: 'place' }] },
    });
    expect(planOpening({ document: document('bet', 0, { horses: 'auto' }), previous: null })).toMatchObject({
      horses: 8,
    });
    expect(planOpening({ document: document('bet', 0, { horses: 4 }), previous: null })).toMatchObject({
      horses: 4,
      rules: { pools: [{ pool: 'win' }] },
    });
    expect(planOpening({ document: document('bet', 0, { exclusivePicks: true }), previous: null })).toMatchObject({
      rules: { exclusivePicks: false, placeVote: false },
    });
  });

  it('[RC28] pick rooms: equal horses, one for each ready player, at least 4 and at most 12', () => {
    const horses = (players: number) => planOpening({ document: document('pick', players), previous: null });
    expect(horses(1)).toEqual({ error: 'NOT_ENOUGH_PLAYERS' });
    expect([2, 4, 7, 12, 20].map((players) => (horses(players) as { horses: number }).horses)).toEqual([
      4, 4, 7, 12, 12,
    ]);
    expect(horses(5)).toMatchObject({ equal: true, rules: { pools: [], placeVote: true } });
    expect(planOpening({ document: document('pick', 5, { horses: 4 }), previous: null })).toMatchObject({ horses: 4 });
  });

  it('[RC33] exclusive picks need a horse for each', () => {
    const plan = (players: number, horses: number | 'auto') =>
      planOpening({ document: document('pick', players, { horses, exclusivePicks: true }), previous: null });
    expect(plan(5, 4)).toEqual({ error: 'NOT_ENOUGH_HORSES' });
    expect(plan(13, 'auto')).toEqual({ error: 'NOT_ENOUGH_HORSES' });
    expect(plan(5, 'auto')).toMatchObject({ horses: 5 });
  });

  it('[RC37] after all were on one horse picks are exclusive, with horses enough', () => {
    const same = previous({ phase: 'void', voidReason: 'same-horse' });
    expect(exclusiveNext(same)).toBe(true);
    expect(exclusiveNext(previous({ phase: 'void', voidReason: 'too-few-picks' }))).toBe(false);
    expect(planOpening({ document: document('pick', 6, { horses: 4 }), previous: same })).toMatchObject({
      horses: 6,
      rules: { exclusivePicks: true },
    });
    expect(planOpening({ document: document('pick', 14), previous: same })).toMatchObject({
      horses: 12,
      rules: { exclusivePicks: false },
    });
  });

  it('[RC38] a rerun is of the newest race, among several caught, or of a rerun that fell through', () => {
    expect(rerunParticipants(previous(twoCaught), raceId)).toEqual(['p0', 'p1']);
    expect(rerunParticipants(previous({ caught: [player('p0')] }), raceId)).toBeNull();
    expect(rerunParticipants(previous(twoCaught), 'another' as RaceId)).toBeNull();
    expect(rerunParticipants(previous({ ...twoCaught, phase: 'running' }), raceId)).toBeNull();
    expect(rerunParticipants(null, raceId)).toBeNull();
    const fellThrough = previous({
      phase: 'void',
      voidReason: 'same-horse',
      participants: [player('p0'), player('p1')],
    });
    expect(dueRerun(fellThrough)).toBe(raceId);
    expect(dueRerun(previous({ phase: 'void', voidReason: 'same-horse' }))).toBeUndefined();
    const plan = planOpening({ document: document('pick', 5), previous: previous(twoCaught), rerunOf: raceId });
    expect(plan).toMatchObject({ horses: 4, participants: ['p0', 'p1'], rerunOf: raceId });
    expect(planOpening({ document: document('pick', 5), previous: previous(), rerunOf: raceId })).toEqual({
      error: 'FORBIDDEN',
    });
    expect(
      planOpening({ document: document('bet', 5), previous: previous({ ...twoCaught, kind: 'bet' }), rerunOf: raceId }),
    ).toEqual({ error: 'FORBIDDEN' });
  });
});

describe('what is due', () => {
  it('[RC20] phases follow their deadlines and nothing else', () => {
    const open = rowOf();
    expect(nextStep(open, 30_999)).toEqual({ kind: 'wait', until: 31_000 });
    expect(nextStep(open, 31_000)).toEqual({ kind: 'close' });
    const closed = rowOf({ phase: 'closed', betsRoot: '00' });
    expect(nextStep(closed, 0)).toEqual({ kind: 'draw' });
    const drawn = rowOf({ phase: 'closed', outcome: OUTCOME, startsAt: 36_000, endsAt: 59_678 });
    expect(nextStep(drawn, 35_999)).toEqual({ kind: 'wait', until: 36_000 });
    expect(nextStep(drawn, 36_000)).toEqual({ kind: 'run' });
    const running = { ...drawn, phase: 'running' } as const;
    expect(nextStep(running, 59_677)).toEqual({ kind: 'wait', until: 59_678 });
    expect(nextStep(running, 99_999)).toEqual({ kind: 'settle' });
    expect(nextStep({ ...drawn, phase: 'settled' }, 0)).toEqual({ kind: 'over' });
    expect(nextStep({ ...drawn, phase: 'void' }, 0)).toEqual({ kind: 'over' });
  });

  it('[RC45] more than 60 s after the close it is void, whatever the scale', () => {
    expect(nextStep(rowOf(), 91_000)).toEqual({ kind: 'close' });
    expect(nextStep(rowOf(), 91_001)).toEqual({ kind: 'void-late' });
  });

  it('[RC29] the time scale divides every length of a round', () => {
    const one = createTiming(1);
    const fifty = createTiming(50);
    expect([one.closedMs, one.leastLeadMs, one.hostLeavesMs, one.lastPickLeavesMs, one.runsForMs(30_000)]).toEqual([
      5_000, 3_000, 10_000, 3_000, 32_000,
    ]);
    expect([
      fifty.closedMs,
      fifty.leastLeadMs,
      fifty.hostLeavesMs,
      fifty.lastPickLeavesMs,
      fifty.runsForMs(30_000),
    ]).toEqual([100, 60, 200, 60, 640]);
    expect(nextOpensAt(rowOf({ endedAt: 70_000 }), fifty)).toBe(70_200);
    expect(nextOpensAt(rowOf(), one)).toBeNull();
    for (const scale of [0, 0.5, 51, Number.NaN]) expect(() => createTiming(scale)).toThrow(RangeError);
  });
});

describe('a race as its room is told of it', () => {
  const opened = publicRace(detailsOf(rowOf()), 0);
  const closes: RoomEventBody = { type: 'race closing', raceId, closesAt: 20_000 };
  const story: RoomEventBody[] = [
    { type: 'race opened', race: opened },
    { type: 'pick made', raceId, playerId: player('ann'), picked: true },
    { type: 'pick made', raceId, playerId: player('ben'), picked: true },
    { type: 'pick made', raceId, playerId: player('ben'), picked: false },
    closes,
    { type: 'race closed', raceId, betsRoot: 'ab', totals: {} },
    {
      type: 'race drawn',
      raceId,
      picks: OUTCOME.picks ?? [],
      ...(OUTCOME.place && { place: OUTCOME.place }),
      startsAt: 36_000,
    },
    { type: 'race running', raceId, startsAt: 36_000, endsAt: 59_678 },
    { type: 'race settled', raceId, result: RESULT },
  ];
  const told = (events: readonly RoomEventBody[], from: RaceView | null = null) => events.reduce(applyToRace, from);

  it('[RC49] event by event it becomes what the row says', () => {
    expect(told(story.slice(0, 4))).toEqual({ ...opened, picked: ['ann'] });
    const row = rowOf({
      phase: 'settled',
      closesAt: 20_000,
      betsRoot: 'ab',
      outcome: OUTCOME,
      startsAt: 36_000,
      endsAt: 59_678,
      endedAt: 59_700,
    });
    const picks = (OUTCOME.picks ?? []).map(({ playerId, horse }) => ({ playerId, horse }));
    expect(told(story)).toEqual(publicRace(detailsOf(row, { picks, result: RESULT }), 59_700));
  });

  it('[LG156] a race on hold becomes what the row says while its payouts wait, and once they are made', () => {
    const held = told(
      story.map((event) => (event.type === 'race settled' ? ({ ...event, payoutsHeld: true } as const) : event)),
    );
    expect(held).toEqual({ ...told(story), payoutsHeld: true });
    expect(told([{ type: 'race paid', raceId: 'another' as RaceId }], held)).toEqual(held);
    expect(told([{ type: 'race paid', raceId }], held)).toEqual(told(story));
  });

  it('[RC49] events that a fresher view holds already change nothing back', () => {
    const end = told(story);
    for (let from = 0; from < story.length; from += 1) expect(told(story.slice(from), end)).toEqual(end);
    expect(told([{ ...closes, closesAt: 25_000 }], told(story.slice(0, 5)))).toMatchObject({ closesAt: 20_000 });
    expect(told([{ type: 'race closed', raceId: 'another' as RaceId, betsRoot: 'x', totals: {} }], opened)).toEqual(
      opened,
    );
    expect(told([{ type: 'race void', raceId, reason: 'admin', seed: 'ab' }], opened)).toMatchObject({
      phase: 'void',
      voidReason: 'admin',
    });
    expect(nextDeadline(end as RaceView)).toBeNull();
  });

  it('[RC49] facts are told from talk', () => {
    expect(story.map(isFact)).toEqual([true, false, false, false, true, true, true, true, true]);
    expect(isFact({ type: 'race paused', phase: 'open' })).toBe(false);
  });
});
