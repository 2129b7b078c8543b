/** What a random list may ask for: mostly what could be, and a little of what could not. */
import { randomUUID } from 'node:crypto';
import { bodyOf, type Command, type ModelRace } from './commands.ts';
import { type Finish, POOL_NAMES, POOLS, type PoolName } from './dividends.ts';
import type { Model } from './model.ts';
import type { Random } from './random.ts';

export const PLAYERS = ['ann', 'bob', 'cho', 'dan', 'eun', 'fay'];
const DAYS = ['2026-11-20', '2026-11-21', '2026-11-22'];

export function chooseCommands(random: Random, model: Model, count: number): Command[] {
  const chosen: Command[] = [];
  const choosing = new Set<string>();
  while (chosen.length < count) {
    const command = chooseCommand(random, model, chosen);
    // Two picks of one player at a time would leave open which was the last.
    if (command.kind === 'pick' || command.kind === 'clear' || command.kind === 'vote') {
      const key = `${command.kind === 'vote'} ${command.race} ${command.player}`;
      if (choosing.has(key) && !chosen.some((other) => bodyOf(other) === bodyOf(command))) continue;
      choosing.add(key);
    }
    chosen.push(command);
  }
  return chosen;
}

function chooseCommand(random: Random, model: Model, chosen: readonly Command[]): Command {
  const before = [...model.accepted.values()].map(({ command }) => command);
  // The same again: from long ago, or twice at a time.
  if (before.length > 0 && random.oneIn(8)) return random.of(before);
  if (chosen.length > 0 && random.oneIn(12)) return random.of(chosen);
  const player = random.of(PLAYERS);
  const base = { id: randomUUID(), player };
  const mine = before.filter((command) => command.player === player);
  if (mine.length > 0 && random.oneIn(14)) {
    // The same id for something else.
    const other = random.of(mine);
    const body = chooseBody(random, model, { id: other.id, player });
    return bodyOf(body) === bodyOf(other) ? other : body;
  }
  return chooseBody(random, model, base);
}

function chooseBody(random: Random, model: Model, base: { id: string; player: string }): Command {
  const roll = random.below(20);
  if (roll === 0) return { ...base, kind: 'daily', day: random.of(DAYS) };
  if (roll <= 2) return { ...base, kind: 'relief', again: random.oneIn(2) };
  const races = [...model.races.values()];
  const open = races.filter(({ phase }) => phase === 'open');
  const race = open.length > 0 && !random.oneIn(12) ? random.of(open) : random.of(races);
  const horse = 1 + random.below(race.runners.length + (random.oneIn(15) ? 2 : 0));
  if (race.kind === 'pick' && !random.oneIn(15)) {
    const kind = random.below(6);
    if (kind === 0) return { ...base, kind: 'clear', race: race.id };
    if (kind <= 2) return { ...base, kind: 'vote', race: race.id, place: random.below(race.runners.length + 2) };
    return { ...base, kind: 'pick', race: race.id, horse };
  }
  if (random.oneIn(25)) return { ...base, kind: 'pick', race: race.id, horse };
  const pool = race.pools.length > 0 && !random.oneIn(25) ? random.of(race.pools) : random.of(POOL_NAMES);
  return {
    ...base,
    kind: 'bet',
    race: race.id,
    pool,
    selection: chooseSelection(random, race, pool),
    stake: chooseStake(random),
  };
}

function chooseSelection(random: Random, race: ModelRace, pool: PoolName): number[] {
  const { size, ordered } = POOLS[pool];
  if (random.oneIn(25)) return random.of([[1, 1], [], [1, 2, 3, 4], [race.runners.length + 1], [0]]);
  // A few horses carry most of the stakes, or hardly anybody would ever win.
  const known = random.oneIn(3) ? race.runners : race.runners.slice(0, 4);
  const selection = random.shuffled(known).slice(0, size);
  return ordered ? selection : selection.sort((a, b) => a - b);
}

function chooseStake(random: Random): bigint {
  if (random.oneIn(15)) return random.of([0n, -100n, 50n, 99n, 150n, 2n ** 63n, 2n ** 63n - 8n]);
  return BigInt(1 + random.below(random.oneIn(6) ? 60 : 9)) * 100n;
}

/** Ties of any shape, three of a kind the most often. */
export function chooseFinish(random: Random, race: ModelRace): Finish {
  const left = random.shuffled(race.runners.filter((horse) => !race.scratched.has(horse)));
  const finish: { number: number; place: number }[] = [];
  while (left.length > 0) {
    const together = random.oneIn(3) ? 2 + random.below(3) : 1;
    const place = finish.length + 1;
    for (const number of left.splice(0, together)) finish.push({ number, place });
  }
  return finish;
}
