import { Router } from 'express';
import type { RaceId } from '../lib/core/ids.ts';
import { RefusedError } from '../lib/errors.ts';
import type { RaceRecord } from '../lib/protocol.ts';

export type PublishedKeys = {
  /** Seed keys: the hash of each, and the key itself once it is retired. */
  readonly seedKeys: readonly {
    readonly id: string;
    readonly hash: string;
    readonly createdAt: number;
    readonly key?: string;
  }[];
  /** Ed25519, hex: signs the roots of bets. */
  readonly receiptKeys: readonly string[];
};

export type RecordDeps = {
  /** What everybody may know of the race now; null: there is none. */
  race(raceId: RaceId): Promise<RaceRecord | null>;
  keys(): Promise<PublishedKeys>;
};

const ID = /^[A-Za-z0-9_-]{1,64}$/;
const DAY_S = 86_400;

/** The public record of races, for players, the verifier and anybody else. */
export function recordRoutes(deps: RecordDeps): Router {
  const router = Router();
  router.get('/races/:id', async (request, response) => {
    const { id } = request.params;
    const record = ID.test(id) ? await deps.race(id as RaceId) : null;
    if (!record) throw new RefusedError({ code: 'NOT_FOUND' });
    const over = record.phase === 'settled' || record.phase === 'void';
    response.setHeader('Cache-Control', over ? `public, max-age=${DAY_S}` : 'no-store').json(record);
  });
  router.get('/keys', async (_request, response) => {
    response.setHeader('Cache-Control', 'no-cache').json(await deps.keys());
  });
  return router;
}
