import { loadSettings } from '../../config/env.ts';
import { createPool } from '../../db/postgres/connect.ts';
import { placeDataDir } from '../../db/postgres/embedded/data-dir.ts';
import { createFreezing } from '../../db/postgres/freeze.ts';
import { openDatabaseForCommand } from '../../db/postgres/open.ts';
import type { PlayerId, RaceId } from '../../lib/core/ids.ts';
import type { Subject } from '../../lib/ports.ts';
import { createFreezer, type Freezer } from '../../lib/service/freezer.ts';

const log = {
  info: () => {},
  warn: (fields: object, message: string) => console.warn(message, JSON.stringify(fields)),
  error: (fields: object, message: string) => console.error(message, JSON.stringify(fields)),
};

/** Freezing and thawing on the database of the settings; a server that runs on it heeds it at once. */
export async function withFreezer<T>(work: (freezer: Freezer) => Promise<T>): Promise<T> {
  const settings = loadSettings();
  const database = await openDatabaseForCommand(settings, placeDataDir(settings), log);
  try {
    const pool = createPool(database.target, { applicationName: 'paddock-admin', max: 1 }, () => {});
    try {
      return await work(createFreezer({ freezing: createFreezing(pool, settings), log }));
    } finally {
      await pool.end();
    }
  } finally {
    await database.close();
  }
}

export function subjectOf(kind: Subject['kind'], id: string): Subject {
  return kind === 'race' ? { kind, id: id as RaceId } : { kind, id: id as PlayerId };
}

export const nameOf = ({ kind, id }: Subject): string => (kind === 'race' ? `race ${id}` : `the wallet of ${id}`);

export const REFUSED = {
  absent: { race: 'there is no such race', wallet: 'there is no such player, or nothing was ever in that wallet' },
  busy: { race: 'others hold it: try again', wallet: 'others hold it: try again' },
} as const;
