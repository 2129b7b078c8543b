import type { Pool } from 'pg';
import { createArchiveRecords } from './archive.ts';
import { createBoardRecords } from './boards.ts';
import { createFreezing } from './freeze.ts';
import { createLedger } from './ledger.ts';
import { createPlayerRecords } from './players.ts';
import { createRaceRecords } from './races.ts';
import { createRoomRecords } from './rooms.ts';
import { createSeedKeyRecords } from './seed-keys.ts';
import { readServerTime } from './server-time.ts';
import { createStatements } from './statement.ts';

export type RecordsOptions = {
  /** What requests wait for, the ledger's questions too. */
  readonly pool: Pool;
  /** The batcher's own connections: nothing but batches goes over them. */
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
    races: createRaceRecords(pool, { timeZone }),
    seedKeys: createSeedKeyRecords(pool, seedWrapKey),
    ledger: createLedger(ledgerPool, { ...limits, readPool: pool }),
    boards: createBoardRecords(pool),
    freezing: createFreezing(pool, { timeZone }),
    statements: createStatements(pool, limits),
    now: () => readServerTime(pool),
  };
}

export type Records = ReturnType<typeof createRecords>;
