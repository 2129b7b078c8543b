/** Players, their sessions and device codes in PostgreSQL. */
import type { PlayerId } from '../core/ids.ts';
import type { Locale } from '../errors.ts';

export type PlayerRow = {
  readonly id: PlayerId;
  readonly nickname: string;
  readonly locale: Locale;
  readonly sessionNumber: number;
  readonly createdAt: number;
};

export interface PlayerRecords {
  /** Makes the player if absent (with the address's daily count deciding whether they start with points) and returns the row. */
  ensure(player: {
    readonly id: PlayerId;
    readonly nickname: string;
    readonly locale: Locale;
    readonly addressHash: string;
  }): Promise<PlayerRow>;
  get(playerId: PlayerId): Promise<PlayerRow | null>;
  update(
    playerId: PlayerId,
    patch: { readonly nickname?: string; readonly locale?: Locale },
  ): Promise<PlayerRow | null>;
  raiseSession(playerId: PlayerId): Promise<number>;
  /** Six digits, valid until `expiresAt`, redeemed at most once. */
  createLink(playerId: PlayerId, expiresAt: number): Promise<string>;
  redeemLink(code: string): Promise<PlayerId | null>;
}
