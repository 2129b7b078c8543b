import { loadSettings } from '../../config/env.ts';
import { loadSecrets } from '../../config/secrets.ts';
import { createPool } from '../../db/postgres/connect.ts';
import { placeDataDir } from '../../db/postgres/embedded/data-dir.ts';
import { openDatabaseForCommand } from '../../db/postgres/open.ts';
import { createRecords } from '../../db/postgres/records.ts';
import { createTiming } from '../../lib/core/race-timing.ts';
import { createRaceAdmin, type RaceAdmin } from '../../lib/service/race-admin.ts';
import { createRaceSimulations } from '../../lib/service/race-simulations.ts';
import { createRaceVoiding } from '../../lib/service/race-voiding.ts';

const log = {
  info: () => {},
  warn: (fields: object, message: string) => console.warn(message, JSON.stringify(fields)),
  error: (fields: object, message: string) => console.error(message, JSON.stringify(fields)),
};

/** What admins do to races, on the database of the settings; a server that runs on it goes on, and tells its rooms. */
export async function withRaces<T>(work: (races: RaceAdmin) => Promise<T>): Promise<T> {
  const settings = loadSettings();
  const dataDir = placeDataDir(settings);
  const { seedWrapKey } = loadSecrets(settings, dataDir);
  const database = await openDatabaseForCommand(settings, dataDir, log);
  try {
    const pool = createPool(database.target, { applicationName: 'paddock-admin', max: 2 }, () => {});
    try {
      const records = createRecords({ ...settings, seedWrapKey, pool, ledgerPool: pool });
      const timing = createTiming(settings.timeScale);
      const runs = createRaceSimulations({
        seedKeys: records.seedKeys,
        simulations: { simulate: () => Promise.reject(new Error('commands run no races')) },
      });
      const voidRace = createRaceVoiding({
        records: records.races,
        runs,
        clock: { now: () => Date.now() },
        timing,
        isAutomatic: async (roomId) => (await records.rooms.get(roomId))?.settings.mode === 'auto',
      });
      return await work(createRaceAdmin({ records: records.races, voidRace, timing }));
    } finally {
      await pool.end();
    }
  } finally {
    await database.close();
  }
}
