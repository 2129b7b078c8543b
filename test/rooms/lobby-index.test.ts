import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { LobbyIndex } from '../../db/memory/lobby.ts';
import type { RoomId } from '../../lib/core/ids.ts';
import { matchesSearch } from '../../lib/core/lobby.ts';
import type { LobbyQuery } from '../../lib/ports.ts';
import type { RoomCard } from '../../lib/protocol.ts';

const NAMES = ['Dawn Track', 'dawn', 'Noon', 'NOON friends', '달빛', ''];

const cards = fc.record({
  name: fc.constantFrom(...NAMES),
  kind: fc.constantFrom('bet', 'pick'),
  players: fc.integer({ min: 0, max: 3 }),
  phase: fc.constantFrom('open', 'running'),
});
const steps = fc.oneof(
  fc.record({ set: fc.integer({ min: 0, max: 15 }), card: fc.option(cards) }),
  fc.record({
    search: fc.constantFrom(undefined, '', 'd', 'da', 'dawn', 'dawn t', 'NOON', 'noon f', '달', 'nothing'),
    kind: fc.constantFrom(undefined, 'bet', 'pick'),
    limit: fc.integer({ min: 1, max: 4 }),
  }),
);

/** By the rules alone: every card is looked at. */
function expected(all: ReadonlyMap<string, RoomCard>, query: LobbyQuery): string[] {
  const rank = ({ phase }: RoomCard): number => (phase === 'open' ? 0 : 1);
  return [...all.values()]
    .filter((card) => matchesSearch(card, query))
    .sort((a, b) => rank(a) - rank(b) || b.players - a.players || (a.id < b.id ? -1 : 1))
    .map(({ id }) => id);
}

describe('the index of the lobby', () => {
  test('[RM101] pages every search and kind in order, whatever was searched before and changes in between', () => {
    fc.assert(
      fc.property(fc.array(steps, { minLength: 1, maxLength: 60 }), (script) => {
        const index = new LobbyIndex();
        const all = new Map<string, RoomCard>();
        for (const step of script) {
          if ('set' in step) {
            const id = `room-${step.set}` as RoomId;
            const card = step.card === null ? null : ({ id, ...step.card } as unknown as RoomCard);
            index.set(id, card);
            if (card === null) all.delete(id);
            else all.set(id, card);
            continue;
          }
          const query = { limit: step.limit, search: step.search, kind: step.kind } as LobbyQuery;
          const wanted = expected(all, query);
          const seen: string[] = [];
          let page = index.list(query);
          for (; page.next !== undefined; page = index.list({ ...query, after: page.next })) {
            expect(page.rooms).toHaveLength(step.limit);
            seen.push(...page.rooms.map(({ id }) => id));
          }
          expect([...seen, ...page.rooms.map(({ id }) => id)]).toEqual(wanted);
          expect(page.total).toBe(wanted.length);
        }
      }),
      { numRuns: 400, verbose: true },
    );
  });

  test('[RM101] keeps what many different searches find right, however many were made since', () => {
    const index = new LobbyIndex();
    const put = (number: number, name: string): void => {
      const id = `room-${number}` as RoomId;
      index.set(id, { id, name, kind: 'bet', players: 0, phase: 'open' } as unknown as RoomCard);
    };
    for (let number = 0; number < 300; number += 1) put(number, `club ${number}`);
    for (let number = 0; number < 300; number += 1)
      expect(index.list({ limit: 50, search: `club ${number}` }).rooms[0]?.name).toContain(`club ${number}`);
    for (let number = 0; number < 300; number += 1) put(number, `house ${number}`);
    for (let number = 0; number < 300; number += 1) {
      expect(index.list({ limit: 50, search: `club ${number}` }).total).toBe(0);
      expect(index.list({ limit: 50, search: `house ${number}`, kind: 'bet' }).total).toBeGreaterThan(0);
    }
  });
});
