/**
 * The start cannot go on because of how this machine or its settings are. `server.ts` prints the message without a
 * stack and exits with 1. Each line names what is wrong and what to do about it.
 */
export class ConfigError extends Error {
  readonly lines: readonly string[];

  constructor(lines: readonly string[] | string, options?: ErrorOptions) {
    const all = typeof lines === 'string' ? [lines] : lines;
    super(all.join('\n'), options);
    this.name = 'ConfigError';
    this.lines = all;
  }
}
