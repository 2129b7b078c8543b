import closeWithGrace from 'close-with-grace';
import type { Logger } from '../ports.ts';

export type LifecycleOptions = {
  readonly log: Logger;
  /** After this long the process ends as it is, with 1. */
  readonly hardLimitMs: number;
};

type Step = { readonly name: string; readonly deadlineMs: number; readonly run: () => unknown };

/** A Ctrl-C under npm arrives twice within a millisecond; a second wish to stop comes later than this. */
const SECOND_SIGNAL_MS = 2_000;
const SIGNALS = ['SIGTERM', 'SIGINT', 'SIGHUP'] as const;
const OTHER_SIGNALS = ['SIGQUIT', 'SIGILL', 'SIGTRAP', 'SIGABRT', 'SIGBUS', 'SIGFPE', 'SIGSEGV', 'SIGUSR2'] as const;

/**
 * The process's way up and down. Whatever is started says how it is stopped (`onStop`); stopping runs those in reverse
 * order, each within its deadline, on a signal (exit 0) and on an error nobody caught (exit 1). A signal while starting
 * waits for the start; one later than 2 s after the first ends the process at once (exit 1).
 */
export function createLifecycle({ log, hardLimitMs }: LifecycleOptions) {
  const steps: Step[] = [];
  let starting: Promise<unknown> = Promise.resolve();
  let stoppingSince: number | undefined;

  const grace = closeWithGrace(
    {
      delay: hardLimitMs,
      logger: false,
      skip: [...SIGNALS, ...OTHER_SIGNALS, 'beforeExit'],
      onTimeout: () => log.error({ hardLimitMs }, 'server.stop_overdue'),
      onSecondError: (err) => log.error({ err }, 'server.failed_while_stopping'),
    },
    async ({ err }) => {
      stoppingSince ??= performance.now();
      if (err) log.error({ err }, 'server.failed');
      await starting.catch(() => {});
      await undo();
      log.info({}, 'server.stopped');
    },
  );

  for (const signal of SIGNALS) {
    process.on(signal, () => {
      if (stoppingSince === undefined) {
        stoppingSince = performance.now();
        log.info({ signal }, 'server.stopping');
        grace.close();
      } else if (performance.now() - stoppingSince > SECOND_SIGNAL_MS) {
        log.warn({ signal }, 'server.stopped_at_once');
        process.exit(1);
      }
    });
  }

  async function undo(): Promise<void> {
    for (let step = steps.pop(); step; step = steps.pop()) await perform(step, log);
  }

  return {
    /** A step of the way down; one that fails or outlasts its deadline is logged, and the next follows. */
    onStop(name: string, deadlineMs: number, run: () => unknown): void {
      steps.push({ name, deadlineMs, run });
    },
    /** Runs the way up. When it throws, what had been started is stopped, and the error passes on. */
    async start(boot: () => Promise<void>): Promise<void> {
      starting = boot();
      try {
        await starting;
      } catch (error) {
        await undo();
        throw error;
      }
    },
  };
}

export type Lifecycle = ReturnType<typeof createLifecycle>;

async function perform(step: Step, log: Logger): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<'late'>((resolve) => {
    timer = setTimeout(resolve, step.deadlineMs, 'late');
  });
  try {
    const outcome = await Promise.race([Promise.resolve(step.run()), late]);
    if (outcome === 'late') log.error({ step: step.name, deadlineMs: step.deadlineMs }, 'server.stop_step_overdue');
  } catch (err) {
    log.error({ err, step: step.name }, 'server.stop_step_failed');
  } finally {
    clearTimeout(timer);
  }
}
