import type { RaceView, RoomEventBody, RoomEventType } from '../protocol.ts';
import type { PlayerId } from './ids.ts';
import type { Phase } from './race-state.ts';

/*
 * The race as the room's log tells it: applied event by event, a view is exactly as new as the events that were delivered.
 * Events that a fresher view already holds change nothing, so a view read from the row may be ahead of the log.
 */

const ORDER: Readonly<Record<Phase, number>> = { open: 0, closed: 1, running: 2, settled: 3, void: 3 };

/** Events that are room facts: each raises the room's fact version by one. */
const FACTS: ReadonlySet<RoomEventType> = new Set<RoomEventType>([
  'settings changed',
  'host changed',
  'room closed',
  'race opened',
  'race closing',
  'horse scratched',
  'race closed',
  'race drawn',
  'race running',
  'race settled',
  'race void',
  'race paid',
]);

export function isFact(event: RoomEventBody): boolean {
  return FACTS.has(event.type);
}

const at = (race: RaceView, phase: Phase, more: Partial<RaceView>): RaceView =>
  ORDER[phase] < ORDER[race.phase] ? race : { ...race, ...more, phase };

/** The room's race after `event`. */
export function applyToRace(race: RaceView | null, event: RoomEventBody): RaceView | null {
  if (event.type === 'race opened') return race !== null && race.number >= event.race.number ? race : event.race;
  if (race === null || !('raceId' in event) || event.raceId !== race.id) return race;
  switch (event.type) {
    case 'pick made':
      return race.phase === 'open' ? { ...race, picked: toggled(race.picked, event.playerId, event.picked) } : race;
    case 'horse scratched':
      return race.phase === 'open' ? withoutHorse(race, event.number, event.unpicked ?? []) : race;
    case 'race closing':
      return race.phase === 'open' ? { ...race, closesAt: Math.min(race.closesAt, event.closesAt) } : race;
    case 'race closed':
      return at(race, 'closed', { betsRoot: event.betsRoot, totals: event.totals });
    case 'race drawn': {
      const { picks, place, startsAt } = event;
      const picked = picks === undefined ? race.picked : picks.map(({ playerId }) => playerId);
      return at(race, 'closed', { startsAt, picked, ...(picks && { picks }), ...(place && { place }) });
    }
    case 'race running':
      return at(race, 'running', { startsAt: event.startsAt, endsAt: event.endsAt });
    case 'race settled':
      return at(race, 'settled', { result: event.result, ...(event.payoutsHeld && { payoutsHeld: true }) });
    case 'race void':
      return at(race, 'void', { voidReason: event.reason, ...(event.payoutsHeld && { payoutsHeld: true }) });
    case 'race paid':
      return paid(race);
    default:
      return race;
  }
}

function paid({ payoutsHeld: _, ...race }: RaceView): RaceView {
  return race;
}

function withoutHorse(race: RaceView, number: number, unpicked: readonly PlayerId[]): RaceView {
  return {
    ...race,
    scratched: toggled(race.scratched, number, true),
    picked: race.picked.filter((id) => !unpicked.includes(id)),
    ...(race.taken && { taken: toggled(race.taken, number, false) }),
  };
}

function toggled<Id>(ids: readonly Id[], id: Id, on: boolean): readonly Id[] {
  if (ids.includes(id) === on) return ids;
  return on ? [...ids, id] : ids.filter((other) => other !== id);
}
