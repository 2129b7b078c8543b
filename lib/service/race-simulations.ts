import { LRUCache } from 'lru-cache';
import type { RaceId } from '../core/ids.ts';
import { keyOf } from '../core/race.ts';
import type { RaceRow } from '../core/race-state.ts';
import type { Simulation } from '../engine/index.ts';
import { deriveSeed } from '../fairness/index.ts';
import type { SeedKeyRecords, Simulations } from '../ports.ts';

/** A keyframe table is about 25 KB; the races of the last minutes are what frames are asked for. */
const REMEMBERED = 256;

export type RaceSimulationsDeps = {
  readonly seedKeys: Pick<SeedKeyRecords, 'get'>;
  readonly simulations: Pick<Simulations, 'simulate'>;
};

/** Seeds, keys and runs of stored races: all made again from the row when needed, on any instance. Everything here is secret. */
export function createRaceSimulations({ seedKeys, simulations }: RaceSimulationsDeps) {
  const runs = new LRUCache<RaceId, Promise<Simulation>>({ max: REMEMBERED });

  async function seedOf(row: Pick<RaceRow, 'id' | 'seedKeyId'>): Promise<Uint8Array> {
    const key = await seedKeys.get(row.seedKeyId);
    if (key === null) throw new Error(`race ${row.id} names a seed key that does not exist: ${row.seedKeyId}`);
    return deriveSeed(key.key, row.id);
  }

  /** K; the bets root must be there. */
  async function raceKeyOf(row: RaceRow): Promise<Uint8Array> {
    const key = keyOf(row, await seedOf(row));
    if (key === null) throw new Error(`race ${row.id} has no bets root yet`);
    return key;
  }

  /** The race's run. Row and bets root decide it, so it is made once. */
  function runOf(row: RaceRow): Promise<Simulation> {
    const known = runs.get(row.id);
    if (known !== undefined) return known;
    const run = (async () => {
      const field = row.field.filter(({ number }) => !row.scratched.includes(number));
      return simulations.simulate({ track: row.track, field, key: await raceKeyOf(row) });
    })();
    runs.set(row.id, run);
    run.catch(() => runs.delete(row.id));
    return run;
  }

  return { seedOf, raceKeyOf, runOf };
}
export type RaceSimulations = ReturnType<typeof createRaceSimulations>;
