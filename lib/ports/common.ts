/** Words that all ports share. */

/** `outcome: 'unknown'`: it was sent and not answered, so it may have happened. 'none': certainly not. */
export class UnavailableError extends Error {
  readonly outcome: 'none' | 'unknown';
  constructor(message: string, outcome: 'none' | 'unknown', options?: { cause?: unknown }) {
    super(message, options);
    this.name = 'UnavailableError';
    this.outcome = outcome;
  }
}

export type Logger = {
  error(facts: object, event: string): void;
  warn(facts: object, event: string): void;
  info(facts: object, event: string): void;
  debug(facts: object, event: string): void;
};

/** Server time: PostgreSQL's clock, carried forward by a monotonic one. */
export type ServerClock = { now(): number };
