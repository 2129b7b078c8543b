import { createHash, createHmac, randomBytes, randomInt } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { LRUCache } from 'lru-cache';
import type { PlayerId } from '../core/ids.ts';
import { changedProfile, guestName, LINK_LIFETIME_MS, nicknameOf, shouldRenew } from '../core/session.ts';
import { type Locale, RefusedError, refuse } from '../errors.ts';
import type { Logger, PlayerRecords, PlayerRow, ServerClock } from '../ports.ts';
import type { Handshake, Payload, Reply } from '../protocol.ts';
import { dayOf } from './calendar.ts';
import type { Caller } from './caller.ts';
import type { Patience } from './in-time.ts';
import type { OwnLimitsService } from './own-limits.ts';
import { createRepeats } from './repeats.ts';
import { createTokens, type TokenClaims } from './tokens.ts';
import { within } from './within.ts';

/** How long connecting waits for PostgreSQL before it goes on without. */
const GLANCE_MS = 300;
/** Redeeming a code cannot go on without. */
const REDEEM_MS = 3_000;
const FIRST_PAUSE_MS = 250;
const LONGEST_PAUSE_MS = 5_000;

/** The player's living connections on this instance. */
export type Connections = {
  callersOf(playerId: PlayerId): readonly Caller[];
  /** Ends a connection for good (the client does not come back by itself), after what was sent to it before. */
  end(connectionId: string): void;
};

export type SessionsDeps = {
  readonly secret: Uint8Array;
  readonly players: PlayerRecords;
  readonly patience: Pick<Patience, 'players'>;
  readonly clock: ServerClock;
  readonly connections: Connections;
  readonly ownLimits: OwnLimitsService;
  readonly log: Logger;
  /** whose midnight ends the day in which an address's new players are counted */
  readonly timeZone: string;
  /** null while unknown */
  balanceOf(playerId: PlayerId): Promise<string | null>;
  /** What a profile shows beside the player's row; the second part to the player alone. */
  profileOf(playerId: PlayerId, own: boolean): Promise<Pick<Reply<'profile:get'>, 'statistics' | 'curve'>>;
  /** Tells the rooms. Never throws. */
  renamed(caller: Caller): void;
};

export type Session = Omit<TokenClaims, 'issuedAt'>;
export type Entered = {
  readonly session: Session;
  readonly token: string;
  readonly balance: string | null;
  /** False: PostgreSQL was not there in time; `settle` must follow. */
  readonly checked: boolean;
};
/** `retryable`: the code could not be looked at now. */
export type Entrance = Entered | { readonly refused: 'BAD_TOKEN'; readonly retryable: boolean };

type Known = { readonly row: PlayerRow; readonly balance: string | null };

/** Who somebody is: guests with signed tokens, codes for a second device, logging out, profiles. */
export function createSessions(deps: SessionsDeps) {
  const { clock, connections, log } = deps;
  const players = deps.patience.players(deps.players);
  const tokens = createTokens(deps.secret);
  const once = createRepeats();
  /** Players whose row is known to be there. */
  const rows = new LRUCache<PlayerId, true>({ max: 50_000 });

  async function enter(handshake: Handshake, address: string): Promise<Entrance> {
    if (handshake.link !== undefined) return enterByLink(handshake.link, handshake.locale);
    if (handshake.token !== undefined) return enterByToken(handshake.token, handshake.locale, address);
    const locale = handshake.locale ?? 'ko';
    const named = nicknameOf(handshake.nickname ?? '');
    const nickname = ('nickname' in named && named.nickname) || guestName(locale, randomInt(2 ** 31));
    const playerId = randomBytes(16).toString('base64url') as PlayerId;
    const session: Session = { playerId, number: 1, nickname, locale };
    const known = await glance(session, address);
    return {
      session,
      token: await tokens.sign(session, clock.now()),
      balance: known?.balance ?? null,
      checked: known !== undefined,
    };
  }

  async function enterByToken(token: string, locale: Locale | undefined, address: string): Promise<Entrance> {
    const claims = await tokens.verify(token, clock.now());
    if (!claims) return { refused: 'BAD_TOKEN', retryable: false };
    const known = await glance(claims, address);
    if (known && known.row.sessionNumber !== claims.number) return { refused: 'BAD_TOKEN', retryable: false };
    const session: Session = {
      playerId: claims.playerId,
      number: claims.number,
      nickname: known?.row.nickname ?? claims.nickname,
      locale: locale ?? claims.locale,
    };
    const now = clock.now();
    const stale = shouldRenew(claims.issuedAt, now) || session.nickname !== claims.nickname;
    return {
      session,
      token: stale ? await tokens.sign(session, now) : token,
      balance: known?.balance ?? null,
      checked: known !== undefined,
    };
  }

  async function enterByLink(code: string, locale: Locale | undefined): Promise<Entrance> {
    const found = await within(redeem(code), REDEEM_MS).catch((error: unknown) => {
      log.warn({ err: error }, 'session.redeem_failed');
      return undefined;
    });
    if (!found) return { refused: 'BAD_TOKEN', retryable: found === undefined };
    const { row, balance } = found;
    const session: Session = {
      playerId: row.id,
      number: row.sessionNumber,
      nickname: row.nickname,
      locale: locale ?? row.locale,
    };
    return { session, token: await tokens.sign(session, clock.now()), balance, checked: true };
  }

  async function redeem(code: string): Promise<Known | null> {
    // The code is used up by now: what follows is waited for as long as it takes, or done without.
    const playerId = await deps.players.redeemLink(code);
    const row = playerId && (await deps.players.get(playerId));
    return row ? { row, balance: await deps.balanceOf(row.id).catch(() => null) } : null;
  }

  /** Row and balance, if PostgreSQL tells them soon; otherwise the row is seen to in the background. */
  async function glance(session: Session, address: string): Promise<Known | undefined> {
    const lookup = ensureRow(session, address).then(async (row) => ({ row, balance: await deps.balanceOf(row.id) }));
    return within(lookup, GLANCE_MS).catch(() => undefined);
  }

  async function ensureRow(session: Session, address: string): Promise<PlayerRow> {
    const { playerId: id, nickname, locale } = session;
    const found = rows.has(id) ? await players.get(id) : null;
    const row = found ?? (await players.ensure({ id, nickname, locale, addressHash: addressHash(address) }));
    rows.set(id, true);
    return row;
  }

  /**
   * After a connection that PostgreSQL was too slow for: makes the row, compares the session number, and ends the
   * connection if it was logged out meanwhile. Goes on until it is told or the connection is gone.
   */
  async function settle(session: Session, caller: Caller): Promise<void> {
    const here = () => connections.callersOf(session.playerId).some((one) => one.connectionId === caller.connectionId);
    for (let pauseMs = FIRST_PAUSE_MS; here(); pauseMs = Math.min(pauseMs * 2, LONGEST_PAUSE_MS)) {
      try {
        const row = await ensureRow(session, caller.address);
        if (row.sessionNumber !== session.number) connections.end(caller.connectionId);
        return;
      } catch {
        await sleep(pauseMs * (0.5 + Math.random()), undefined, { ref: false });
      }
    }
  }

  /** Many players of one address and day are told apart from many players: by a hash that is another one tomorrow. */
  function addressHash(address: string): string {
    const day = dayOf(clock.now(), deps.timeZone);
    return createHmac('sha256', deps.secret).update(`paddock/address/v1\0${address}\0${day}`).digest('hex');
  }

  async function rowOf(caller: Caller): Promise<PlayerRow> {
    const { playerId, nickname, locale } = caller;
    return ensureRow({ playerId, number: 1, nickname, locale }, caller.address);
  }

  async function link(caller: Caller): Promise<Reply<'session:link'>> {
    await rowOf(caller);
    const expiresAt = clock.now() + LINK_LIFETIME_MS;
    return { code: await players.createLink(caller.playerId, expiresAt), expiresAt };
  }

  /** The connection that asked ends after its answer; `everywhere` ends all others and every token. */
  async function logout(caller: Caller, payload: Payload<'session:logout'>): Promise<Reply<'session:logout'>> {
    return once(caller.playerId, payload, async () => {
      if (payload.everywhere) {
        await rowOf(caller);
        await players.raiseSession(caller.playerId);
        for (const other of connections.callersOf(caller.playerId)) {
          if (other.connectionId !== caller.connectionId) connections.end(other.connectionId);
        }
      }
      setImmediate(() => connections.end(caller.connectionId));
      return {};
    });
  }

  async function profile(caller: Caller, payload: Payload<'profile:get'>): Promise<Reply<'profile:get'>> {
    const own = payload.playerId === undefined || payload.playerId === caller.playerId;
    const row = own ? await rowOf(caller) : payload.playerId && (await players.get(payload.playerId));
    if (!row) throw refuse('NOT_FOUND', { path: 'playerId' });
    const [shown, limits] = await Promise.all([
      deps.profileOf(row.id, own),
      own ? deps.ownLimits.get(row.id) : undefined,
    ]);
    const { id, nickname, locale, createdAt } = row;
    return { playerId: id, nickname, locale, createdAt, ...shown, ...(limits && { limits }) };
  }

  /** Limits first: they are kept by their command, and what follows may be repeated. */
  async function update(caller: Caller, payload: Payload<'profile:update'>): Promise<Reply<'profile:update'>> {
    const { limits: wanted } = payload;
    return once(caller.playerId, payload, async () => {
      const row = await rowOf(caller);
      // Drawn from the command, so that a repeat on another instance draws the same name.
      const draw = createHash('sha256').update(payload.commandId).digest().readUInt32BE();
      const decided = changedProfile(row, payload, draw);
      if ('refusal' in decided) throw new RefusedError(decided.refusal);
      const limits = wanted && (await deps.ownLimits.change(caller.playerId, { ...payload, limits: wanted }));
      const changed = (await players.update(caller.playerId, decided.profile)) ?? row;
      for (const one of connections.callersOf(caller.playerId)) one.nickname = changed.nickname;
      caller.nickname = changed.nickname;
      caller.locale = changed.locale;
      if (changed.nickname !== row.nickname) deps.renamed(caller);
      return { nickname: changed.nickname, locale: changed.locale, ...(limits && { limits }) };
    });
  }

  return { enter, settle, link, logout, profile, update };
}

export type Sessions = ReturnType<typeof createSessions>;
