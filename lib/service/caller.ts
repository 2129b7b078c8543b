import type { PlayerId } from '../core/ids.ts';
import type { Locale } from '../errors.ts';

/** Who asks: one connection of one player. Made by the edge, trusted by services. */
export type Caller = {
  readonly connectionId: string;
  readonly playerId: PlayerId;
  /** The client's address as seen behind trusted proxies; never stored as it is. */
  readonly address: string;
  nickname: string;
  locale: Locale;
};
