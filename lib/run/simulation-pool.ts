import { availableParallelism } from 'node:os';
import { Piscina } from 'piscina';
import type { EngineHorse, Simulation, Track } from '../engine/index.ts';
import type { Logger, SimulationRequest, Simulations } from '../ports.ts';
import { within } from '../service/within.ts';
import { runTask, type SimulationTask } from './simulation-task.ts';

export type SimulationPoolOptions = {
  readonly log: Logger;
  readonly threads?: number;
  /** Tasks under way and waiting; above it a race runs inline at once. */
  readonly mostTasks?: number;
  /** A race that was not run by then is run inline (about 1 ms of the loop). */
  readonly simulateDeadlineMs?: number;
  readonly monteCarloDeadlineMs?: number;
};

const MOST_TASKS = 64;
const SIMULATE_DEADLINE_MS = 500;
const MONTE_CARLO_DEADLINE_MS = 1_500;
/** A worker that keeps a task for so long hangs: it is ended and replaced. */
const HANGS_MS = 10_000;
/** The Monte Carlo comes in pieces of about 15 ms, so that a race never waits long behind one. */
const PIECE_RACES = 20;
/** Fields whose line is made at the same time, by thread; further ones go without. */
const MONTE_CARLOS_A_THREAD = 2;

/** The worker beside this file: `.ts` while developing (through tsx), `.js` after the build. */
function workerFile(): { readonly filename: string; readonly execArgv: string[] } {
  const typescript = import.meta.url.endsWith('.ts');
  const filename = new URL(typescript ? './simulation-worker.ts' : './simulation-worker.js', import.meta.url).href;
  return { filename, execArgv: typescript ? ['--import', import.meta.resolve('tsx')] : [] };
}

const engineHorse = ({ number, style, ability, stamina }: EngineHorse): EngineHorse => ({
  number,
  style,
  ability,
  stamina,
});

/**
 * Runs races off the loop. Bounded, a deadline a task, dead workers are replaced; whatever goes wrong, a race is run all
 * the same, inline. The Monte Carlo is what needs the pool: it rejects when the pool cannot do it in time.
 */
export class SimulationPool implements Simulations {
  readonly #log: Logger;
  readonly #pool: Piscina;
  readonly #simulateDeadlineMs: number;
  readonly #monteCarloDeadlineMs: number;
  readonly #mostTasks: number;
  readonly #mostMonteCarlos: number;
  #tasks = 0;
  #monteCarlos = 0;
  #inline = 0;
  #closed = false;

  constructor(options: SimulationPoolOptions) {
    const { filename, execArgv } = workerFile();
    this.#log = options.log;
    this.#simulateDeadlineMs = options.simulateDeadlineMs ?? SIMULATE_DEADLINE_MS;
    this.#monteCarloDeadlineMs = options.monteCarloDeadlineMs ?? MONTE_CARLO_DEADLINE_MS;
    const threads = options.threads ?? Math.max(1, Math.min(4, availableParallelism() - 1));
    this.#mostTasks = options.mostTasks ?? MOST_TASKS;
    this.#mostMonteCarlos = threads * MONTE_CARLOS_A_THREAD;
    this.#pool = new Piscina({ filename, execArgv, minThreads: 1, maxThreads: threads, idleTimeout: 60_000 });
    this.#pool.on('error', (error: unknown) => this.#log.warn({ err: error }, 'simulation worker died'));
  }

  /** Waits for a worker, which has run races before it takes anything; gives how many it has run by now. */
  async warm(): Promise<number> {
    const [racesRun] = (await this.#run({ kind: 'races-run' })) as readonly number[];
    return racesRun ?? 0;
  }

  async simulate({ track, field, key }: SimulationRequest): Promise<Simulation> {
    const task: SimulationTask = { kind: 'simulate', track, horses: field.map(engineHorse), key };
    try {
      const run = await within(this.#run(task), this.#simulateDeadlineMs);
      if (run !== undefined) return run as Simulation;
      this.#log.warn({ tasks: this.#tasks }, 'simulation pool late, race run inline');
    } catch (error) {
      if (error instanceof RangeError) throw error;
      if (!this.#closed) this.#log.warn({ err: error }, 'race run inline');
    }
    this.#inline += 1;
    return runTask(task) as Simulation;
  }

  async monteCarlo(track: Track, field: SimulationRequest['field'], races: number): Promise<readonly number[]> {
    if (this.#monteCarlos >= this.#mostMonteCarlos) throw new Error('the simulation pool is busy with other fields');
    const horses = field.map(engineHorse);
    const deadline = performance.now() + this.#monteCarloDeadlineMs;
    let wins: readonly number[] = horses.map(() => 0);
    this.#monteCarlos += 1;
    try {
      for (let first = 0; first < races; first += PIECE_RACES) {
        if (performance.now() > deadline) throw new Error(`only ${first} of ${races} races were run in time`);
        const piece = {
          kind: 'monte-carlo',
          track,
          horses,
          first,
          races: Math.min(PIECE_RACES, races - first),
        } as const;
        const won = (await this.#run(piece)) as readonly number[];
        wins = wins.map((count, index) => count + (won[index] ?? 0));
      }
    } finally {
      this.#monteCarlos -= 1;
    }
    return wins;
  }

  /** Piscina does not count tasks that can be aborted against its own `maxQueue`, so they are counted here. */
  async #run(task: SimulationTask): Promise<unknown> {
    if (this.#closed) throw new Error('the simulation pool is closed');
    if (this.#tasks >= this.#mostTasks) throw new Error('the simulation pool is full');
    this.#tasks += 1;
    try {
      return await this.#pool.run(task, { signal: AbortSignal.timeout(HANGS_MS) });
    } finally {
      this.#tasks -= 1;
    }
  }

  stats(): {
    readonly tasks: number;
    readonly threads: number;
    readonly inline: number;
    readonly completed: number;
  } {
    const { threads, completed } = this.#pool;
    return { tasks: this.#tasks, threads: threads.length, inline: this.#inline, completed };
  }

  /** For tests of what happens when a worker dies. */
  async killWorkers(): Promise<void> {
    await Promise.all(this.#pool.threads.map((thread) => thread.terminate()));
  }

  async close(): Promise<void> {
    this.#closed = true;
    await this.#pool.destroy();
  }
}
