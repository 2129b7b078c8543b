/** The words of the model: commands, what they were told, events, and what stands in the book. */
import type { Finish, PoolName } from './dividends.ts';

export class Disagreement extends Error {}

export type Command = { readonly id: string; readonly player: string } & (
  | {
      readonly kind: 'bet';
      readonly race: string;
      readonly pool: PoolName;
      readonly selection: readonly number[];
      readonly stake: bigint;
    }
  | { readonly kind: 'daily'; readonly day: string }
  | { readonly kind: 'relief'; readonly again: boolean }
  | { readonly kind: 'pick'; readonly race: string; readonly horse: number }
  | { readonly kind: 'clear'; readonly race: string }
  | { readonly kind: 'vote'; readonly race: string; readonly place: number }
);

export type Accepted = {
  readonly ok: true;
  readonly balance: bigint | undefined;
  readonly version: number | undefined;
  readonly granted: bigint | undefined;
  readonly betId: string | undefined;
  readonly horse: number | undefined;
  readonly leaf: string | undefined;
};
/** A code of the product's, or 'not placed': it said so without a reason in the rules (away, busy), and it must be true. */
export type Told = Accepted | { readonly ok: false; readonly code: string };

/** A race's moves, and what an operator or a player does beside the game. */
export type Event =
  | { readonly kind: 'close'; readonly race: string; readonly drawn: readonly string[] }
  | { readonly kind: 'scratch'; readonly race: string; readonly horse: number }
  | { readonly kind: 'void' | 'settle' | 'freeze' | 'thaw'; readonly race: string }
  | { readonly kind: 'freeze-wallet' | 'thaw-wallet'; readonly player: string }
  | { readonly kind: 'cool-off'; readonly player: string }
  | { readonly kind: 'limit'; readonly player: string; readonly daily: bigint | null };

export type ModelBet = {
  readonly player: string;
  readonly command: string;
  readonly race: string;
  readonly pool: PoolName;
  readonly selection: readonly number[];
  readonly stake: bigint;
  outcome: 'paid' | 'lost' | 'refunded' | null;
  returned: bigint;
};

export type ModelRace = {
  readonly id: string;
  readonly kind: 'bet' | 'pick';
  readonly runners: readonly number[];
  readonly pools: readonly PoolName[];
  readonly placesPaid: number;
  readonly cap: bigint;
  readonly exclusive: boolean;
  readonly votes: boolean;
  phase: 'open' | 'closed' | 'running' | 'settled' | 'void';
  finish: Finish | null;
  readonly scratched: Set<number>;
  frozen: boolean;
  /** Over while frozen: what its bets bring waits. */
  held: boolean;
  readonly picks: Map<string, number | null>;
  readonly voted: Map<string, number>;
};

export type Terms = { readonly start: bigint; readonly daily: bigint; readonly relief: bigint };
export const own = (command: { player: string; id: string }) => `${command.player} ${command.id}`;
/** What two commands of one id must share to be the same command. */
export const bodyOf = (command: Command): string =>
  JSON.stringify({ ...command, again: undefined, day: undefined }, (_, value) =>
    typeof value === 'bigint' ? `${value}` : value,
  );

export function show(value: unknown): string {
  return JSON.stringify(value, (_, part) => (typeof part === 'bigint' ? `${part}` : part));
}
