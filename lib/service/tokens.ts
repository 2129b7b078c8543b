import { createHmac } from 'node:crypto';
import { jwtVerify, SignJWT } from 'jose';
import type { PlayerId } from '../core/ids.ts';
import { TOKEN_LIFETIME_MS } from '../core/session.ts';
import { LOCALES, type Locale } from '../errors.ts';

/** What a token says. `number` is compared with the player's in PostgreSQL: logging out everywhere raises that one. */
export type TokenClaims = {
  readonly playerId: PlayerId;
  readonly number: number;
  readonly nickname: string;
  readonly locale: Locale;
  /** ms */
  readonly issuedAt: number;
};

const ALGORITHM = 'HS256';
const ISSUER = 'paddock';
const AUDIENCE = 'session';

/** Signed tokens (JWT, HS256). The key is derived for this use alone: nothing else signed with the secret is a token. */
export function createTokens(secret: Uint8Array) {
  const key = createHmac('sha256', secret).update('paddock/session-token/v1').digest();

  async function sign(claims: Omit<TokenClaims, 'issuedAt'>, now: number): Promise<string> {
    return new SignJWT({ num: claims.number, nick: claims.nickname, loc: claims.locale })
      .setProtectedHeader({ alg: ALGORITHM })
      .setIssuer(ISSUER)
      .setAudience(AUDIENCE)
      .setSubject(claims.playerId)
      .setIssuedAt(Math.floor(now / 1_000))
      .setExpirationTime(Math.floor((now + TOKEN_LIFETIME_MS) / 1_000))
      .sign(key);
  }

  /** Null for anything that is not a living token of ours. */
  async function verify(token: string, now: number): Promise<TokenClaims | null> {
    try {
      const { payload } = await jwtVerify(token, key, {
        algorithms: [ALGORITHM],
        issuer: ISSUER,
        audience: AUDIENCE,
        requiredClaims: ['sub', 'iat', 'exp'],
        currentDate: new Date(now),
      });
      return claimsOf(payload);
    } catch {
      return null;
    }
  }

  return { sign, verify };
}

function claimsOf(payload: Readonly<Record<string, unknown>>): TokenClaims | null {
  const { sub, iat, num, nick, loc } = payload;
  const locale = LOCALES.find((known) => known === loc);
  if (typeof sub !== 'string' || sub === '' || typeof iat !== 'number' || typeof num !== 'number') return null;
  if (typeof nick !== 'string' || !locale) return null;
  return { playerId: sub as PlayerId, number: num, nickname: nick, locale, issuedAt: iat * 1_000 };
}
