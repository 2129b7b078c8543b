import { readFile } from 'node:fs/promises';
import type { Pool } from 'pg';
import { ConfigError } from '../config/config-error.ts';
import { loadSettings } from '../config/env.ts';
import { createPool } from '../db/postgres/connect.ts';
import { placeDataDir } from '../db/postgres/embedded/data-dir.ts';
import { openDatabaseForCommand } from '../db/postgres/open.ts';
import { createRaceRecords } from '../db/postgres/races.ts';
import type { RaceId, RoomId } from '../lib/core/ids.ts';
import { publicRecord } from '../lib/core/public-race.ts';
import { type Evidence, type PublicRaceRecord, verifyRace } from '../lib/fairness/index.ts';

/** Exit codes: 0 every step holds, 1 one fails, 2 there is nothing to verify. */
const FAILED = 1;
const NOTHING = 2;
const NOT_FOUND = 404;
const ANSWER_WITHIN_MS = 10_000;

type Case = { readonly record: PublicRaceRecord; readonly evidence: Evidence };

const log = {
  info: () => {},
  warn: (fields: object, message: string) => console.warn(message, JSON.stringify(fields)),
  error: (fields: object, message: string) => console.error(message, JSON.stringify(fields)),
};

/** A record as /api/races/:id gives it, or `{ record, previous?, leaves?, own?, playerId? }`. */
async function fromFile(path: string): Promise<Case> {
  const json = JSON.parse(await readFile(path, 'utf8')) as PublicRaceRecord | ({ record: PublicRaceRecord } & Evidence);
  if (!('record' in json)) return { record: json, evidence: {} };
  const { record, ...evidence } = json;
  return { record, evidence };
}

/** The same from a server's address; null where it has no such race or the race is not over. */
async function fromAddress(address: string): Promise<Case | null> {
  const response = await fetch(address, { signal: AbortSignal.timeout(ANSWER_WITHIN_MS) });
  if (response.status === NOT_FOUND) return null;
  if (!response.ok) throw new ConfigError([`${address}: answered with status ${response.status}`]);
  const json: unknown = await response.json();
  if (typeof json !== 'object' || json === null || !('seed' in json) || !('recordHash' in json)) return null;
  return { record: json as PublicRaceRecord, evidence: {} };
}

async function fromDatabase(raceId: RaceId): Promise<Case | null> {
  const settings = loadSettings();
  const database = await openDatabaseForCommand(settings, placeDataDir(settings), log);
  try {
    const pool = createPool(database.target, { applicationName: 'paddock-verify', max: 2 }, () => {});
    return await readCase(pool, raceId).finally(() => pool.end());
  } finally {
    await database.close();
  }
}

async function readCase(pool: Pool, raceId: RaceId): Promise<Case | null> {
  const record = await readRecord(pool, raceId);
  if (record === null) return null;
  const { races } = await createRaceRecords(pool).history(record.roomId as RoomId, raceId, 1);
  const previous = races[0] === undefined ? null : await readRecord(pool, races[0].id);
  return { record, evidence: previous === null ? {} : { previous } };
}

/** Null for a race that does not exist or is not over: it has no record yet. */
async function readRecord(pool: Pool, raceId: RaceId): Promise<PublicRaceRecord | null> {
  const records = createRaceRecords(pool);
  const [details, stakes, batches] = await Promise.all([
    records.get(raceId),
    records.stakes(raceId),
    records.batches(raceId),
  ]);
  if (details === null) return null;
  const { seed, recordHash, ...record } = publicRecord(details, { stakes, batches }, Date.now());
  return seed === undefined || recordHash === undefined ? null : { ...record, seed, recordHash };
}

function find(source: string): Promise<Case | null> {
  if (/^https?:\/\//.test(source)) return fromAddress(source);
  return source.includes('.') || source.includes('/') ? fromFile(source) : fromDatabase(source as RaceId);
}

/** `npm run verify -- RACE | FILE | ADDRESS`: recomputes a race from its public record and prints each step. */
async function main(): Promise<void> {
  const [source] = process.argv.slice(2);
  if (source === undefined)
    throw new ConfigError([
      'verify: name a race id, or the file or address of a record.',
      'Example: npm run verify -- record.json',
    ]);
  const found = await find(source);
  if (found === null) {
    console.error(`${source}: no such race, or it is not over yet`);
    process.exitCode = NOTHING;
    return;
  }
  const steps = verifyRace(found.record, found.evidence);
  for (const { step, ok, detail } of steps) console.log(`${ok ? 'ok    ' : 'FAILED'} ${step}: ${detail}`);
  const failed = steps.filter(({ ok }) => !ok).length;
  console.log(
    failed === 0
      ? `race ${found.record.id} verifies`
      : `race ${found.record.id}: ${failed} of ${steps.length} steps fail`,
  );
  if (failed > 0) process.exitCode = FAILED;
}

main().catch((error: unknown) => {
  console.error(error instanceof ConfigError ? error.message : error);
  process.exitCode = NOTHING;
});
