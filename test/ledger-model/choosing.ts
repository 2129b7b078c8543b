/** Picks, clears and votes: who stands where, and what could have been told. One of each a player and race at a time. */
import { type Command, Disagreement, type Event, type ModelRace, show } from './commands.ts';

export type Choice = Extract<Command, { kind: 'pick' | 'clear' | 'vote' }>;
type Races = ReadonlyMap<string, ModelRace>;
/** Standing picks by race: player → horse. */
export type Standing = ReadonlyMap<string, ReadonlyMap<string, number | null>>;

export const isChoice = (command: Command): command is Choice => ['pick', 'clear', 'vote'].includes(command.kind);

export function standing(races: Races): Standing {
  return new Map([...races].map(([id, race]) => [id, new Map(race.picks)]));
}

/** Writes what was accepted into the book. `before`: what stood when the first of them was sent. */
export function choose(races: Races, chosen: readonly Choice[], before: Standing, event: Event | null): void {
  const moved = new Set(chosen.flatMap((one) => (one.kind === 'vote' ? [] : [`${one.race} ${one.player}`])));
  for (const command of chosen) {
    const race = races.get(command.race);
    if (race?.phase !== 'open' || race.kind !== 'pick')
      throw new Disagreement(`${show(command)} was accepted in a race that is ${race?.phase}`);
    if (command.kind === 'clear') race.picks.delete(command.player);
    else if (command.kind === 'vote') {
      if (!race.votes || command.place < 1 || command.place > race.runners.length)
        throw new Disagreement(`${show(command)} was accepted`);
      race.voted.set(command.player, command.place);
    } else {
      const { horse, player } = command;
      if (!race.runners.includes(horse) || race.scratched.has(horse))
        throw new Disagreement(`${show(command)} was accepted`);
      for (const [other, held] of before.get(race.id) ?? []) {
        if (race.exclusive && held === horse && other !== player && !moved.has(`${race.id} ${other}`))
          throw new Disagreement(`${show(command)} was accepted, ${other} has the horse`);
      }
      race.picks.set(player, horse);
    }
  }
  for (const race of races.values()) {
    const horses = [...race.picks.values()].filter((horse) => horse !== null);
    if (race.exclusive && new Set(horses).size < horses.length && event?.kind !== 'scratch')
      throw new Disagreement(`race ${race.id}: two have one horse, ${show([...race.picks])}`);
  }
}

/** Codes with which the choice may have been refused in an open race. */
export function choiceCodes(
  command: Choice,
  race: ModelRace,
  { before, chosen, event }: { before: Standing; chosen: readonly Command[]; event: Event | null },
): string[] {
  if (race.kind !== 'pick') return ['SELECTION_INVALID'];
  if (command.kind === 'clear') return [];
  if (command.kind === 'vote') {
    if (!race.votes) return ['FORBIDDEN'];
    return command.place < 1 || command.place > race.runners.length ? ['SELECTION_INVALID'] : [];
  }
  const { horse, player } = command;
  if (!race.runners.includes(horse) || race.scratched.has(horse)) return ['SELECTION_INVALID'];
  const out = event?.kind === 'scratch' && event.race === race.id && event.horse === horse;
  const held = [...(before.get(race.id) ?? [])].some(([other, has]) => other !== player && has === horse);
  const taken = chosen.some(
    (other) => other.kind === 'pick' && other.race === race.id && other.horse === horse && other.player !== player,
  );
  return [...(out ? ['SELECTION_INVALID'] : []), ...(race.exclusive && (held || taken) ? ['HORSE_TAKEN'] : [])];
}
