import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  awaited,
  caughtHorses,
  caughtPlayers,
  checkHorse,
  checkPicker,
  checkVote,
  drawnForAtClose,
  drawPicks,
  everybodyPicked,
  freeHorses,
  readyPlayers,
} from '../../lib/core/picks.ts';
import { publicRace } from '../../lib/core/public-race.ts';
import type { Placing } from '../../lib/core/race-state.ts';
import type { Member } from '../../lib/core/room-state.ts';
import { bytes, detailsOf, player, rowOf, rules } from './race-fixtures.ts';

const member = (name: string, more: Partial<Member> = {}): Member => ({
  id: player(name),
  nickname: name,
  role: 'player',
  ready: true,
  joinedAt: 0,
  ...more,
});
const race = (more: Parameters<typeof rowOf>[0] = {}) => publicRace(detailsOf(rowOf(more)), 0);
const placings = (...times: readonly (readonly [number, number])[]): Placing[] =>
  times.map(([number, finishMs]) => ({
    number,
    finishMs,
    place: 1 + times.filter(([, other]) => other < finishMs).length,
  }));
const choice = (name: string, horse: number | null) => ({ playerId: player(name), horse });

describe('who may pick', () => {
  it('[RC31] members that play and are ready; in a rerun its participants, ready or not', () => {
    expect(checkPicker({ member: undefined, race: race() })).toBe('NOT_MEMBER');
    expect(checkPicker({ member: member('ann', { role: 'spectator' }), race: race() })).toBe('FORBIDDEN');
    expect(checkPicker({ member: member('ann'), race: race({ kind: 'bet' }) })).toBe('FORBIDDEN');
    expect(checkPicker({ member: member('ann', { ready: false }), race: race() })).toBe('NOT_READY');
    expect(checkPicker({ member: member('ann'), race: race() })).toBeNull();
    const rerun = race({ participants: [player('ann'), player('ben')] });
    expect(checkPicker({ member: member('cat'), race: rerun })).toBe('FORBIDDEN');
    expect(checkPicker({ member: member('ann', { ready: false }), race: rerun })).toBeNull();
  });

  it('[RC31] any horse that runs, any place of the field', () => {
    const scratched = race({ scratched: [2] });
    expect([0, 1, 2, 6, 7].map((horse) => checkHorse(scratched, horse))).toEqual([
      'SELECTION_INVALID',
      null,
      'SELECTION_INVALID',
      null,
      'SELECTION_INVALID',
    ]);
    expect([1, 6, 7].map((place) => checkVote(race(), place))).toEqual([null, null, 'SELECTION_INVALID']);
    expect(checkVote(race({ rules: rules({ placeVote: false }) }), 1)).toBe('FORBIDDEN');
  });

  it('[RC32] taken horses are free for others only where picks are shared', () => {
    expect(freeHorses(race({ scratched: [2] }), [1, 3])).toEqual([1, 3, 4, 5, 6]);
    expect(freeHorses(race({ scratched: [2], rules: rules({ exclusivePicks: true }) }), [1, 3])).toEqual([4, 5, 6]);
  });
});

describe('who is waited for', () => {
  const members = [
    member('ann'),
    member('ben', { ready: false }),
    member('cat', { role: 'spectator' }),
    member('dan'),
    member('eve'),
  ];
  const connected = new Set(['ann', 'ben', 'cat', 'dan'].map(player));

  it('[RC30] ready, connected players; in a rerun its connected participants', () => {
    expect(readyPlayers({ members })).toEqual(['ann', 'dan', 'eve']);
    expect(awaited({ members }, connected, {})).toEqual(['ann', 'dan']);
    expect(awaited({ members }, connected, { participants: [player('ben'), player('eve'), player('gone')] })).toEqual([
      'ben',
    ]);
  });

  it('[RC30] the round hurries once all of them have picked, and but in a rerun never for one pick', () => {
    const ids = (...names: string[]) => names.map(player);
    expect(everybodyPicked(ids('ann', 'dan'), ids('ann'), false)).toBe(false);
    expect(everybodyPicked(ids('ann', 'dan'), ids('ann', 'dan'), false)).toBe(true);
    expect(everybodyPicked(ids('ann'), ids('ann'), false)).toBe(false);
    expect(everybodyPicked(ids('ann'), ids('ann'), true)).toBe(true);
    expect(everybodyPicked(ids('ann'), ids('ann', 'gone'), false)).toBe(true);
    expect(everybodyPicked([], ids('gone', 'left'), false)).toBe(false);
  });

  it('[RC34] those without a pick get one drawn: the ready and connected; in a rerun all but who was kicked since', () => {
    const people = { document: { members, kickedAt: {} as Record<string, number> }, connected };
    expect(drawnForAtClose({ participants: null, openedAt: 0 }, [player('ann')], people)).toEqual(['dan']);
    expect(drawnForAtClose({ participants: null, openedAt: 0 }, [], null)).toEqual([]);
    const participants = ['ann', 'eve', 'left'].map(player);
    expect(drawnForAtClose({ participants, openedAt: 50 }, [player('ann')], people)).toEqual(['eve', 'left']);
    expect(drawnForAtClose({ participants, openedAt: 50 }, [], null)).toEqual(['ann', 'eve', 'left']);
    people.document.kickedAt = { left: 60, eve: 40 };
    expect(drawnForAtClose({ participants, openedAt: 50 }, [player('ann')], people)).toEqual(['eve']);
  });
});

describe('the draw', () => {
  const base = { key: bytes(7), votes: [], runners: [1, 2, 3, 4], exclusive: false } as const;

  it('[RC36] fewer than two picks make no race; [RC37] nor do picks of one horse', () => {
    expect(drawPicks({ ...base, picks: [] })).toMatchObject({ kind: 'void', reason: 'too-few-picks' });
    expect(drawPicks({ ...base, picks: [choice('ann', 1)] })).toMatchObject({ kind: 'void', reason: 'too-few-picks' });
    expect(drawPicks({ ...base, picks: [choice('ann', 2), choice('ben', 2)] })).toMatchObject({
      kind: 'void',
      reason: 'same-horse',
    });
  });

  it('[RC34] drawn horses come from the key: free and distinct ones where picks are exclusive', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 1e9 }),
        fc.integer({ min: 4, max: 12 }),
        fc.boolean(),
        fc.array(fc.boolean(), { minLength: 2, maxLength: 12 }),
        (seed, count, exclusive, waits) => {
          const runners = Array.from({ length: count }, (_, index) => index + 1);
          const picks = waits
            .map((wait, index) => choice(`p${index}`, wait ? null : exclusive ? index + 1 : 1 + (index % count)))
            .filter(({ horse }) => horse === null || horse <= count);
          const drawn = drawPicks({ ...base, key: bytes(seed), picks, runners, exclusive });
          const horses = drawn.picks.map(({ horse }) => horse);
          expect(horses.every((horse) => runners.includes(horse))).toBe(true);
          if (exclusive) expect(new Set(horses).size).toBe(horses.length);
          expect(drawn.picks.length).toBe(
            exclusive
              ? Math.min(picks.length, Math.max(count, picks.filter(({ horse }) => horse !== null).length))
              : picks.length,
          );
          for (const { playerId, horse } of picks)
            if (horse !== null) expect(drawn.picks).toContainEqual({ playerId, horse, drawn: false });
          expect(drawPicks({ ...base, key: bytes(seed), picks: picks.toReversed(), runners, exclusive })).toEqual(
            drawn,
          );
        },
      ),
    );
  });

  it('[RC18] votes of players without a horse do not count; one above the picked horses is last; none is last', () => {
    const picks = [choice('ann', 1), choice('ben', 2), choice('cat', 3)];
    const drawn = (votes: readonly { name: string; place: number }[]) =>
      drawPicks({ ...base, picks, votes: votes.map(({ name, place }) => ({ playerId: player(name), place })) });
    expect(drawn([])).toMatchObject({ place: { drawn: 3, votes: [] } });
    expect(drawn([{ name: 'ann', place: 9 }])).toMatchObject({
      place: { drawn: 3, votes: [{ playerId: 'ann', place: 9 }] },
    });
    expect(
      drawn([
        { name: 'ann', place: 1 },
        { name: 'stranger', place: 2 },
      ]),
    ).toMatchObject({ place: { drawn: 1, votes: [{ playerId: 'ann', place: 1 }] } });
  });
});

describe('who is caught', () => {
  it('[RC19] places are counted among picked horses only', () => {
    const order = placings([4, 10], [2, 20], [1, 30], [3, 40], [5, 50]);
    const picked = new Set([1, 2, 5]);
    expect([1, 2, 3].map((place) => caughtHorses(order, picked, place))).toEqual([[2], [1], [5]]);
    expect(
      caughtPlayers(
        order,
        [
          { playerId: player('ann'), horse: 1, drawn: false },
          { playerId: player('ben'), horse: 5, drawn: true },
          { playerId: player('cat'), horse: 1, drawn: false },
        ],
        1,
      ),
    ).toEqual(['ann', 'cat']);
  });

  it('[RC19] in a dead heat over the drawn place all of its horses are caught', () => {
    const order = placings([1, 10], [2, 20], [3, 20], [4, 20], [5, 30]);
    const picked = new Set([1, 2, 4, 5]);
    expect([1, 2, 3, 4].map((place) => caughtHorses(order, picked, place))).toEqual([[1], [2, 4], [2, 4], [5]]);
    expect(caughtHorses(placings([1, 10], [2, 10]), new Set([1, 2]), 2)).toEqual([1, 2]);
  });

  it('[RC19] whatever is drawn catches somebody, and each place its own horses', () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 1, max: 6 }), { minLength: 4, maxLength: 12 }),
        fc.integer({ min: 0, max: 1e9 }),
        (times, seed) => {
          const order = placings(...times.map((time, index) => [index + 1, 20_000 + time] as const)).sort(
            (a, b) => a.finishMs - b.finishMs,
          );
          const picked = new Set(order.filter((_, index) => (seed >> index) & 1).map(({ number }) => number));
          const all = Array.from({ length: picked.size }, (_, index) => caughtHorses(order, picked, index + 1));
          expect(all.every((horses) => horses.length > 0 && horses.every((horse) => picked.has(horse)))).toBe(true);
          expect(new Set(all.flat()).size).toBe(picked.size);
        },
      ),
    );
  });
});
