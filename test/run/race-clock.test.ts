import { afterEach, expect, test } from 'vitest';
import type { RaceId, RoomId } from '../../lib/core/ids.ts';
import { UnavailableError } from '../../lib/ports.ts';
import type { RoomEvent } from '../../lib/protocol.ts';
import { RaceClock } from '../../lib/run/race-clock.ts';
import { until } from '../helpers/until.ts';
import { makeDocument, makeState, member, quiet } from '../rooms/fixtures.ts';

const { id: roomId } = makeDocument();
const raceId = 'race-1' as RaceId;
const event = (body: object): RoomEvent => ({ seq: 1, at: 0, ...body }) as unknown as RoomEvent;

let raceClock: RaceClock | undefined;
afterEach(() => raceClock?.close());

/** A clock over one automatic room, whose next opening is due when the test says, and whose race moves when it says. */
function clockOver(rules: { due: () => number | null; advance?: () => Promise<number | null> }) {
  let tell: (room: RoomId, events: readonly RoomEvent[]) => void = () => {};
  let considered = 0;
  const document = makeDocument({ members: [member('a', 1)] });
  const made = new RaceClock({
    records: { unfinished: async () => [] },
    rooms: {
      onEvents: (listener: typeof tell) => void (tell = listener),
      state: () => makeState({ ...document, settings: { ...document.settings, mode: 'auto' } }),
      append: async () => {},
    } as never,
    book: { racing: () => false, cached: () => null } as never,
    rounds: { advance: rules.advance ?? (async () => null), settled: async () => {} } as never,
    openings: {
      consider: async () => {
        considered += 1;
        return rules.due();
      },
      hurry: async () => {},
    } as never,
    clock: { now: () => Date.now() },
    log: quiet,
  });
  raceClock = made;
  return { raceClock: made, tell: (one: object) => tell(roomId, [event(one)]), considered: () => considered };
}

test('[RM92] nothing is kept of an automatic room’s alarm once it has rung', async () => {
  let due: number | null = Date.now() + 30;
  const { raceClock, considered } = clockOver({ due: () => due });
  await raceClock.considerOpening(roomId);
  expect(raceClock.waiting).toBe(1);
  due = null;
  await until('it rang', () => considered() === 2);
  expect(raceClock.waiting).toBe(0);
});

test('[RM92] nothing is kept of an automatic room’s alarm once the room is closed', async () => {
  const { raceClock, tell } = clockOver({ due: () => Date.now() + 60_000 });
  await raceClock.considerOpening(roomId);
  expect(raceClock.waiting).toBe(1);
  tell({ type: 'room closed', cause: 'closed' });
  expect(raceClock.waiting).toBe(0);
});

test('[RM92] nothing is kept of a race’s failures once it is over, whoever ended it', async () => {
  const away = async (): Promise<never> => {
    throw new UnavailableError('away', 'none');
  };
  const { raceClock, tell } = clockOver({ due: () => null, advance: away });
  for (const type of ['race settled', 'race void']) {
    await raceClock.look(raceId, roomId);
    expect([raceClock.watching, raceClock.failing]).toEqual([1, 1]);
    tell({ type, raceId });
    expect([raceClock.watching, raceClock.failing]).toEqual([0, 0]);
  }
});
