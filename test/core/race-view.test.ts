import { describe, expect, it } from 'vitest';
import { publicRace } from '../../lib/core/public-race.ts';
import { applyToRace, isFact } from '../../lib/core/race-view.ts';
import type { OddsView, RoomEvent, RoomEventBody } from '../../lib/protocol.ts';
import { applyEvent, type RoomState } from '../../public/src/state/feed.ts';
import {
  inNormalOrder,
  isComplete,
  mergeOdds,
  oddsKeys,
  oddsShown,
  selectionText,
  toggled,
} from '../../public/src/state/odds.ts';
import { detailsOf, player, rowOf, rules } from './race-fixtures.ts';

const picks = ['ann', 'ben', 'cho'].map((name, index) => ({ playerId: player(name), horse: index === 1 ? 2 : 4 }));
const race = publicRace({ ...detailsOf(rowOf({ rules: rules({ exclusivePicks: true }) })), picks }, 0);
const scratched = (number: number, unpicked: string[] = [], raceId = race.id): RoomEventBody => ({
  type: 'horse scratched',
  raceId,
  number,
  ...(unpicked.length > 0 && { unpicked: unpicked.map(player) }),
});

describe('a scratch in the view of a race', () => {
  it('[BT51] is a fact: the horse is out, whoever picked it has not, and nobody has the horse', () => {
    expect(isFact(scratched(4))).toBe(true);
    expect(race).toMatchObject({ picked: ['ann', 'ben', 'cho'], taken: [2, 4, 4] });
    const after = applyToRace(race, scratched(4, ['ann', 'cho']));
    expect(after).toMatchObject({ phase: 'open', scratched: [4], picked: ['ben'] });
    expect(after?.taken?.filter((horse) => horse === 4)).toEqual([]);
    expect(applyToRace(after, scratched(4, ['ann', 'cho']))).toEqual(after);
    expect(applyToRace(after, scratched(1))?.scratched).toEqual([4, 1]);
    expect(applyToRace(race, scratched(4, [], 'another' as typeof race.id))).toBe(race);
  });

  it('[BT51] a view that is past it already has it from its row', () => {
    const closed = { ...race, phase: 'closed' as const, scratched: [4] };
    expect(applyToRace(closed, scratched(4))).toBe(closed);
  });

  it('[BT51] is the same on the page', () => {
    const room = { race, seq: 1 } as unknown as RoomState;
    const event = { ...scratched(4, ['ann', 'cho']), seq: 2, at: 0 } as RoomEvent;
    const after = applyEvent(room, event);
    expect(after.race).toMatchObject({ scratched: [4], picked: ['ben'] });
    expect(applyEvent(after, event).race?.scratched).toEqual([4]);
  });
});

describe('odds on the page', () => {
  const odds = (version: number, more: Partial<OddsView> = {}): OddsView => ({
    raceId: race.id,
    version,
    final: false,
    totals: {},
    ...more,
  });
  const total = { gross: '100', count: 1 };

  it('[BT44] parts of one version make the whole, a first part or another version begins anew, old ones change nothing', () => {
    const first = odds(5, {
      part: [1, 2],
      totals: { win: total },
      win: { 3: '2.4' },
      top: { quinella: { '1-2': '9.0' } },
    });
    const second = odds(5, { part: [2, 2], totals: { trio: total }, top: { trio: { '1-2-3': '7.5' } } });
    const whole = mergeOdds(mergeOdds(null, first), second);
    expect(whole).toMatchObject({ totals: { win: total, trio: total }, win: { 3: '2.4' } });
    expect(whole.top).toEqual({ quinella: { '1-2': '9.0' }, trio: { '1-2-3': '7.5' } });
    expect(mergeOdds(whole, odds(4))).toBe(whole);
    expect(mergeOdds(whole, odds(6, { part: [1, 2], totals: { win: total } })).totals).toEqual({ win: total });
    expect(mergeOdds(whole, odds(5, { final: true })).totals).toEqual({});
    expect(mergeOdds(whole, { ...odds(1), raceId: 'next' as typeof race.id })).toMatchObject({ version: 1 });
  });

  it('[BT44] shows one figure or a range, in the order that came', () => {
    const view = odds(1, {
      win: { 3: '2.4' },
      place: { 3: ['1.1', '2.0'], 4: ['1.5', '1.5'] },
      top: { exacta: { '7-2': '9.0', '2-7': '3.0' } },
    });
    expect([oddsShown(view, 'win', '3'), oddsShown(view, 'place', '3'), oddsShown(view, 'place', '4')]).toEqual([
      '2.4',
      '1.1–2.0',
      '1.5',
    ]);
    expect([oddsShown(view, 'trio', '1-2-3'), oddsShown(null, 'win', '3')]).toEqual([undefined, undefined]);
    expect(oddsKeys(view, 'exacta')).toEqual(['7-2', '2-7']);
  });

  it('[BT45] horses are put on the slip one by one, taken off again, and the last makes way', () => {
    expect(toggled('win', [3], 5)).toEqual([5]);
    expect(toggled('exacta', [3], 5)).toEqual([3, 5]);
    expect(toggled('exacta', [3, 5], 1)).toEqual([3, 1]);
    expect(toggled('trifecta', [3, 5, 1], 5)).toEqual([3, 1]);
    expect([isComplete('quinella', [1]), isComplete('quinella', [2, 1])]).toEqual([false, true]);
    expect([inNormalOrder('quinella', [10, 2]), inNormalOrder('exacta', [10, 2])]).toEqual([
      [2, 10],
      [10, 2],
    ]);
    expect([selectionText('trifecta', [3, 1, 2]), selectionText('trio', [1, 2, 3])]).toEqual([
      '3 → 1 → 2',
      '1 – 2 – 3',
    ]);
  });
});
