/** Gives the exit code: 0 done, 1 refused, for a reason that was printed. Throws ConfigError for words it does not know. */
export type AdminCommand = { readonly usage: string; run(words: readonly string[]): Promise<number> };
