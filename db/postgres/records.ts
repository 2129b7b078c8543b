import type { Pool } from 'pg';
import { createArchiveRecords } from './archive.ts';
import { createLedger } from './ledger.ts';
import { createPlayerRecords } from './players.ts';
import { createRaceRecords } from './races.ts';
import { createRoomRecords } from './rooms.ts';
import { createSeedKeyRecords } from './seed-keys.ts';
import { readServerTime } from './server-time.ts';

export type RecordsOptions = {
  /** What a request waits for. */
  readonly pool: Pool;
  /** The batcher's own connections: a queue of reads in front of them would hold up every bet. */
  readonly ledgerPool: Pool;
  readonly seedWrapKey: Uint8Array;
  readonly timeZone: string;
  readonly limits: { readonly newPlayersPerAddressAndDay: number; readonly startPoints: number };
};

/** Everything that PostgreSQL keeps, by port. */
export function createRecords({ pool, ledgerPool, seedWrapKey, timeZone, limits }: RecordsOptions) {
  return {
    players: createPlayerRecords(pool, { ...limits, timeZone }),
    rooms: createRoomRecords(pool),
    archive: createArchiveRecords(pool),
    races: createRaceRecords(pool),
    seedKeys: createSeedKeyRecords(pool, seedWrapKey),
    ledger: createLedger(ledgerPool, limits),
    now: () => readServerTime(pool),
  };
}

export type Records = ReturnType<typeof createRecords>;
