/** One random list of commands against a database of its own, judged by the model after every block. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { PlayerId, RaceId } from '../../lib/core/ids.ts';
import type { RaceRecords } from '../../lib/ports.ts';
import type { TestPostgres } from '../helpers/postgres.ts';
import { until } from '../helpers/until.ts';
import { createStage, type Stage } from '../ledger/stage.ts';
import { chooseCommands, chooseFinish, PLAYERS } from './choices.ts';
import { type Command, Disagreement, type Event, type ModelRace, show, type Told } from './commands.ts';
import { POOL_NAMES, POOLS } from './dividends.ts';
import { Model } from './model.ts';
import { type Answered, isUnknown, Placer } from './processes.ts';
import { createRandom, type Random } from './random.ts';
import {
  acceptedOf,
  closeNow,
  compare,
  freezeNow,
  itemOf,
  limitNow,
  openModelRace,
  runToFinish,
  scratchNow,
  settleNow,
  thawNow,
  voidNow,
} from './world.ts';

const TERMS = { start: 1_500n, daily: 700n, relief: 2_500n };
/**
 * MODEL_ROAM=1: whoever lost an answer asks any process next, not the one that may still be looking for the command's fate.
 * Then a refusal by the one can come before an acceptance by the other.
 */
const ROAMS = process.env['MODEL_ROAM'] === '1';
const BLOCKS = 3;
const STEPS = 5;

export type Counts = Record<string, number>;

/** Placing processes: two at work, and one that has come up while they worked and takes the place of whichever dies. */
export class Crew {
  readonly placers: Placer[] = [];
  #spare = new Placer();

  async open(stage: Stage): Promise<void> {
    while (this.placers.length < 2) this.placers.push(new Placer());
    await Promise.all(this.placers.map((placer) => this.openOne(placer, stage)));
  }

  openOne(placer: Placer, stage: Stage): Promise<void> {
    return placer.open(stage.database.target, { startPoints: Number(TERMS.start), answerMs: 300 });
  }

  async replace(placer: Placer, stage: Stage): Promise<void> {
    await placer.kill();
    const next = this.#spare;
    this.#spare = new Placer();
    await this.openOne(next, stage);
    this.placers[this.placers.indexOf(placer)] = next;
  }

  async close(): Promise<void> {
    await Promise.all([...this.placers, this.#spare].map((placer) => placer.kill()));
  }
}

export type ListOptions = {
  readonly seed: number;
  readonly postgres: TestPostgres;
  readonly crew: Crew;
  /** Where a test plants a fault: in the new database, … */
  readonly plant?: ((stage: Stage) => Promise<unknown>) | undefined;
  /** … or in what is computed outside of it. */
  readonly settlement?: ((settlement: Settlement) => Settlement) | undefined;
};
export type Settlement = Parameters<RaceRecords['settle']>[1];

/** Rejects with a Disagreement that tells the seed and what was done last. */
export async function runList({
  seed,
  postgres,
  crew,
  plant,
  settlement = (same) => same,
}: ListOptions): Promise<Counts> {
  const stage = await createStage({ startPoints: Number(TERMS.start), postgres, max: 6 });
  const list = new List(createRandom(seed), { stage, postgres, crew, settlement });
  try {
    await plant?.(stage);
    await crew.open(stage);
    await list.run();
    return list.counts;
  } catch (error) {
    throw new Disagreement(
      `MODEL_SEED=${seed}: ${error instanceof Error ? error.message : error}\n${list.steps.slice(-2 * STEPS).join('\n')}`,
      {
        cause: error,
      },
    );
  } finally {
    await stage.drop();
  }
}

type Scene = Pick<ListOptions, 'postgres' | 'crew'> & {
  readonly stage: Stage;
  readonly settlement: (settlement: Settlement) => Settlement;
};

class List {
  readonly counts: Counts = {};
  readonly steps: string[] = [];
  readonly #random: Random;
  readonly #stage: Stage;
  readonly #postgres: TestPostgres;
  readonly #crew: Crew;
  readonly #settlement: Scene['settlement'];
  readonly #model = new Model(TERMS);
  #kills = 1;
  #stops: number;

  constructor(random: Random, { stage, postgres, crew, settlement }: Scene) {
    this.#random = random;
    this.#stage = stage;
    this.#postgres = postgres;
    this.#crew = crew;
    this.#settlement = settlement;
    this.#stops = random.oneIn(3) ? 1 : 0;
    this.#kills = random.oneIn(2) ? 1 : 0;
  }

  #count(what: string): void {
    this.counts[what] = (this.counts[what] ?? 0) + 1;
  }

  async run(): Promise<void> {
    await this.#open('bet');
    await this.#open(this.#random.oneIn(2) ? 'pick' : 'bet');
    for (let block = 0; block < BLOCKS; block += 1) {
      for (let step = 0; step < STEPS; step += 1) await this.#step();
      await compare(this.#stage, this.#model);
    }
    for (const race of this.#model.races.values()) await this.#end(race);
    await compare(this.#stage, this.#model);
    // What waited for an operator is paid now.
    for (const race of this.#model.races.values())
      if (race.frozen) await this.#burst(3, { kind: 'thaw', race: race.id });
    await this.#burst(6, null);
    await compare(this.#stage, this.#model);
  }

  #in(...phases: ModelRace['phase'][]): ModelRace[] {
    return [...this.#model.races.values()].filter(({ phase }) => phases.includes(phase));
  }

  async #open(kind: 'bet' | 'pick'): Promise<void> {
    const random = this.#random;
    const runners = Array.from({ length: 3 + random.below(7) }, (_, index) => index + 1);
    const few = random.oneIn(3) ? 1 + random.below(2) : 7;
    const model = await openModelRace(this.#stage, {
      kind,
      runners,
      pools:
        kind === 'pick'
          ? []
          : random.shuffled(POOL_NAMES.filter((pool) => POOLS[pool].least <= runners.length)).slice(0, few),
      placesPaid: runners.length >= 8 ? 3 : runners.length >= 5 ? 2 : 0,
      cap: random.oneIn(2) ? 1_500n : 1_000_000n,
      exclusive: kind === 'pick' && random.oneIn(2),
      votes: !random.oneIn(4),
    });
    this.#model.races.set(model.id, model);
    this.steps.push(`open ${kind} ${model.id}`);
  }

  async #step(): Promise<void> {
    const random = this.#random;
    if (this.#in('open').length === 0 || (this.#in('open', 'closed', 'running').length < 4 && random.oneIn(4)))
      await this.#open(random.oneIn(3) ? 'pick' : 'bet');
    const roll = random.below(12);
    if (roll <= 3) return this.#burst(2 + random.below(12), null);
    if (roll === 4) return this.#burst(1, null);
    if (roll <= 8) return this.#burst(2 + random.below(10), this.#chooseEvent());
    if (roll === 9) return this.#odd();
    const closed = this.#in('closed');
    if (closed.length > 0) return this.#finish(random.of(closed));
    return this.#burst(0, this.#chooseEvent());
  }

  #chooseEvent(): Event | null {
    const random = this.#random;
    const open = this.#in('open');
    const running = this.#in('running');
    if (running.length > 0 && random.oneIn(2)) return { kind: 'settle', race: random.of(running).id };
    if (open.length === 0) return null;
    const race = random.of(open);
    const left = race.runners.filter((horse) => !race.scratched.has(horse));
    const roll = random.below(16);
    if (roll <= 5)
      return { kind: 'close', race: race.id, drawn: random.shuffled(PLAYERS).slice(0, race.exclusive ? 0 : 2) };
    if (roll <= 9 && left.length > 2 && !race.frozen) return { kind: 'scratch', race: race.id, horse: random.of(left) };
    if (roll <= 11) return this.#chooseBeside();
    if (roll <= 13) return this.#chooseFreeze();
    return { kind: 'void', race: random.of(this.#in('open', 'closed', 'running')).id };
  }

  #chooseFreeze(): Event {
    const races = [...this.#model.races.values()];
    const frozen = races.filter((race) => race.frozen);
    if (frozen.length > 0 && this.#random.oneIn(2)) return { kind: 'thaw', race: this.#random.of(frozen).id };
    const race = this.#random.of(races);
    return { kind: race.frozen ? 'thaw' : 'freeze', race: race.id };
  }

  #chooseBeside(): Event | null {
    const random = this.#random;
    // Only who has a wallet can have it frozen.
    const players = [...this.#model.accepted.values()].map(({ command }) => command.player);
    const frozen = players.filter((name) => this.#model.wallet(name).frozen);
    if (players.length === 0) return null;
    if (frozen.length > 0 && random.oneIn(2)) return { kind: 'thaw-wallet', player: random.of(frozen) };
    const player = random.of(players);
    if (random.oneIn(2)) return { kind: this.#model.wallet(player).frozen ? 'thaw-wallet' : 'freeze-wallet', player };
    if (random.oneIn(6)) return { kind: 'cool-off', player };
    return { kind: 'limit', player, daily: random.oneIn(6) ? null : BigInt(random.below(80)) * 100n };
  }

  /** Commands at the same time as an event, and now and then in the middle of it a process or PostgreSQL dies. */
  async #burst(count: number, event: Event | null): Promise<void> {
    const random = this.#random;
    const commands = chooseCommands(random, this.#model, count);
    const fault =
      count > 3 && this.#kills > 0 && random.oneIn(4)
        ? 'kill'
        : count > 3 && this.#stops > 0 && random.oneIn(4)
          ? 'stop'
          : null;
    this.steps.push(show({ commands, event, fault }));
    if (event !== null) this.#count(event.kind);
    let told = 0;
    const telling = commands.map(async (command) => {
      const answer = await this.#attempt(command, random.below(2), random.oneIn(2));
      told += 1;
      this.#count(answer.ok ? command.kind : answer.code);
      return { command, told: answer };
    });
    const [answers] = await Promise.all([
      Promise.all(telling),
      this.#happen(event),
      this.#strike(fault, () => told === commands.length),
    ]);
    this.steps.push(show(answers.map(({ told }) => (told.ok ? 'ok' : told.code))));
    this.#model.burst(answers, event);
  }

  /** As a client: the same id again until the answer is definite. `patient` clients also repeat what certainly did not happen. */
  async #attempt(command: Command, first: number, patient: boolean): Promise<Told> {
    let unknown = false;
    let at = first;
    const told = await until(
      `a definite answer for ${show(command)}`,
      async (): Promise<Told | null> => {
        const placer = this.#crew.placers[at];
        if (placer === undefined || placer.dead) return null;
        const answered = await placer.submit(itemOf(command, TERMS));
        if (isUnknown(answered)) {
          unknown = true;
          this.#count('unknown');
          if (ROAMS) at = this.#random.below(2);
          return null;
        }
        return definite(answered, patient || unknown);
      },
      { everyMs: 10, deadlineMs: 40_000 },
    );
    return told;
  }

  async #happen(event: Event | null): Promise<void> {
    if (event === null) return;
    const move = await this.#move(event);
    if (move !== 'moved') throw new Disagreement(`${show(event)} gave ${move}`);
  }

  #move(event: Event): Promise<string> {
    const { races, pool } = this.#stage;
    switch (event.kind) {
      case 'close':
        return closeNow(races, event.race, event.drawn);
      case 'scratch':
        return scratchNow(races, event.race, event.horse, 0);
      case 'void':
        return voidNow(races, event.race);
      case 'settle':
        return this.#settleTogether(event.race);
      case 'freeze':
        return freezeNow(pool, { kind: 'race', id: event.race as RaceId });
      case 'thaw':
        return thawNow(pool, { kind: 'race', id: event.race as RaceId });
      case 'freeze-wallet':
        return freezeNow(pool, { kind: 'wallet', id: event.player as PlayerId });
      case 'thaw-wallet':
        return thawNow(pool, { kind: 'wallet', id: event.player as PlayerId });
      default:
        return limitNow(pool, Number(TERMS.start), event);
    }
  }

  /** By as many instances as find it due: whoever is late finds it done. */
  async #settleTogether(race: string): Promise<string> {
    const settle = () => settleNow(this.#stage.races, race, this.#settlement);
    const moves = await Promise.all(Array.from({ length: 1 + this.#random.below(3) }, settle));
    return moves.includes('moved') && moves.every((move) => move === 'moved' || move === 'already')
      ? 'moved'
      : show(moves);
  }

  async #strike(fault: 'kill' | 'stop' | null, done: () => boolean): Promise<void> {
    if (fault === null) return;
    this.#count(fault);
    const victim = this.#random.of(this.#crew.placers);
    await until('commands are on their way', () => victim.pending > 0 || done(), { everyMs: 1 });
    // Gathered, sent, begun, written, answered: any moment will do.
    await sleep(this.#random.below(16));
    if (fault === 'kill') {
      this.#kills -= 1;
      return this.#crew.replace(victim, this.#stage);
    }
    this.#stops -= 1;
    await this.#postgres.stopHard();
    await this.#postgres.untilAnswers();
  }

  async #finish(race: ModelRace): Promise<void> {
    const finish = chooseFinish(this.#random, race);
    this.steps.push(`finish ${race.id} ${show(finish)}`);
    await runToFinish(this.#stage.races, race, finish);
    race.finish = finish;
    race.phase = 'running';
    this.#count('finish');
  }

  /** What comes too late, too early or twice changes nothing. */
  async #odd(): Promise<void> {
    const { races } = this.#stage;
    const random = this.#random;
    const race = random.of([...this.#model.races.values()]);
    const over = race.phase === 'settled' || race.phase === 'void';
    const settlement = {
      result: { order: [], seed: 'cd' },
      pools: [],
      recordHash: 'ab',
      nextOpensAfterMs: null,
    } as const;
    const horse = random.of(race.runners);
    const answers: [string, string][] = [
      [await scratchNow(races, race.id, horse, 3_600_000), race.scratched.has(horse) ? 'already' : 'late'],
      [await scratchNow(races, race.id, 99, 0), 'no-runner'],
    ];
    if (race.phase !== 'running')
      answers.push([(await races.settle(race.id as never, settlement)) as string, over ? 'already' : 'early']);
    if (over) answers.push([await voidNow(races, race.id), 'already']);
    answers.push([await races.close(race.id as never, []), race.phase === 'open' ? 'early' : 'already']);
    this.steps.push(show({ odd: race.id, phase: race.phase, answers }));
    this.#count('odd');
    for (const [told, expected] of answers)
      if (told !== expected) throw new Disagreement(`of race ${race.id} (${race.phase}): ${show(answers)}`);
  }

  async #end(race: ModelRace): Promise<void> {
    const happen = (event: Event) => this.#burst(0, event);
    if (race.phase === 'open') await happen({ kind: 'close', race: race.id, drawn: [] });
    if (race.phase === 'closed') await this.#finish(race);
    if (race.phase === 'running') await happen({ kind: 'settle', race: race.id });
  }
}

/** Null: ask again. What is certainly not placed is an answer to those who do not ask again, and must be true. */
function definite(answered: Answered, repeats: boolean): Told | null {
  if (answered.kind === 'accepted') return acceptedOf(answered);
  if (answered.kind === 'gone') return null;
  const { code } = answered.refused;
  if (!['LEDGER_UNAVAILABLE', 'BUSY', 'OVERLOADED', 'DRAINING'].includes(code)) return { ok: false, code };
  return repeats ? null : { ok: false, code: 'not placed' };
}
