import { availableParallelism } from 'node:os';
import { Piscina } from 'piscina';
import type { EngineHorse, Simulation, Track } from '../engine/index.ts';
import type { Logger, SimulationRequest, Simulations } from '../ports.ts';
import { runTask, type SimulationTask } from './simulation-task.ts';

export type SimulationPoolOptions = {
  readonly log: Logger;
  readonly threads?: number;
  /** Waiting tasks; above it a race runs inline at once. */
  readonly maxQueue?: number;
  /** A race that was not run by then is run inline (about 1 ms of the loop). */
  readonly simulateDeadlineMs?: number;
  readonly monteCarloDeadlineMs?: number;
};

const MAX_QUEUE = 64;
const SIMULATE_DEADLINE_MS = 500;
const MONTE_CARLO_DEADLINE_MS = 1_500;

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
 * Runs races off the loop. Bounded queue, a deadline a task, dead workers are replaced; whatever goes wrong, a race is
 * run all the same, inline. The Monte Carlo is what needs the pool: it is refused (rejects) when the pool cannot do it in time.
 */
export class SimulationPool implements Simulations {
  readonly #log: Logger;
  readonly #pool: Piscina;
  readonly #simulateDeadlineMs: number;
  readonly #monteCarloDeadlineMs: number;
  readonly #mostTasks: number;
  #tasks = 0;
  #inline = 0;
  #closed = false;

  constructor(options: SimulationPoolOptions) {
    const { filename, execArgv } = workerFile();
    this.#log = options.log;
    this.#simulateDeadlineMs = options.simulateDeadlineMs ?? SIMULATE_DEADLINE_MS;
    this.#monteCarloDeadlineMs = options.monteCarloDeadlineMs ?? MONTE_CARLO_DEADLINE_MS;
    const threads = options.threads ?? Math.max(1, Math.min(4, availableParallelism() - 1));
    this.#mostTasks = threads + (options.maxQueue ?? MAX_QUEUE);
    this.#pool = new Piscina({ filename, execArgv, minThreads: 1, maxThreads: threads, idleTimeout: 60_000 });
    this.#pool.on('error', (error: unknown) => this.#log.warn({ err: error }, 'simulation worker died'));
  }

  /** Loads the engine in a worker, so that the first race does not wait for it. */
  async warm(): Promise<void> {
    await this.#pool.run({ kind: 'warm' } satisfies SimulationTask);
  }

  async simulate({ track, field, key }: SimulationRequest): Promise<Simulation> {
    const task: SimulationTask = { kind: 'simulate', track, horses: field.map(engineHorse), key };
    try {
      return (await this.#run(task, this.#simulateDeadlineMs)) as Simulation;
    } catch (error) {
      if (error instanceof RangeError) throw error;
      if (!this.#closed) this.#log.warn({ err: error }, 'race run inline');
    }
    this.#inline += 1;
    return runTask(task) as Simulation;
  }

  async monteCarlo(track: Track, field: SimulationRequest['field'], races: number): Promise<readonly number[]> {
    const task: SimulationTask = { kind: 'monte-carlo', track, horses: field.map(engineHorse), races };
    return (await this.#run(task, this.#monteCarloDeadlineMs)) as readonly number[];
  }

  /** Piscina does not count tasks that can be aborted against its own `maxQueue`, so they are counted here. */
  async #run(task: SimulationTask, deadlineMs: number): Promise<unknown> {
    if (this.#closed) throw new Error('the simulation pool is closed');
    if (this.#tasks >= this.#mostTasks) throw new Error('the simulation pool is full');
    this.#tasks += 1;
    try {
      return await this.#pool.run(task, { signal: AbortSignal.timeout(deadlineMs) });
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
