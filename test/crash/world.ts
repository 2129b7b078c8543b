import { realpathSync } from 'node:fs';
import { join } from 'node:path';
import { Client } from 'pg';
import { createClient } from '../../db/postgres/connect.ts';
import { findPostmaster } from '../../db/postgres/embedded/pid-file.ts';
import { processesIn } from '../../db/postgres/embedded/process.ts';
import type { RaceId, RoomId } from '../../lib/core/ids.ts';
import type { Phase, RaceOutcome } from '../../lib/core/race-state.ts';
import type { TestServer } from '../helpers/server.ts';
import { until } from '../helpers/until.ts';

/** Who dies: the server alone, or the server and PostgreSQL with all its backends in the same moment. */
export type Victims = 'server' | 'both';

/** The race as PostgreSQL has it; lengths in ms of the database's clock, negative when past. */
export type RaceNow = {
  readonly id: RaceId;
  readonly roomId: RoomId;
  readonly number: number;
  readonly phase: Phase;
  readonly outcome: RaceOutcome | null;
  readonly closesInMs: number;
  readonly endsInMs: number | null;
  readonly endedAgoMs: number | null;
};

const RACE = `select id, room_id as "roomId", number, phase, outcome, (closes_at - now_ms())::integer as "closesInMs",
    (ends_at - now_ms())::integer as "endsInMs", (now_ms() - ended_at)::integer as "endedAgoMs"
  from race`;

/**
 * Looks at the embedded PostgreSQL from outside of the server, over its own socket, and remembers every outcome it has
 * ever seen stored: what was once drawn must be what is published in the end.
 */
export class Witness {
  readonly outcomes = new Map<RaceId, RaceOutcome>();
  readonly #cluster: string;
  #client: Client | null = null;

  constructor(dataDir: string) {
    this.#cluster = join(realpathSync(dataDir), 'postgres');
  }

  get #target() {
    const found = findPostmaster(this.#cluster);
    if (found === undefined) throw new Error('PostgreSQL does not run');
    return { host: found.socket, port: 5432, user: 'paddock', database: 'paddock' };
  }

  /** A session of its own without any timeout: for holding locks. */
  async session(): Promise<Client> {
    const client = new Client({ ...this.#target, application_name: 'witness-holds' });
    client.on('error', () => {});
    await client.connect();
    return client;
  }

  async query<Row>(text: string, values: readonly unknown[] = []): Promise<Row[]> {
    try {
      this.#client ??= await this.#connect();
      return (await this.#client.query(text, [...values])).rows as Row[];
    } catch (error) {
      await this.close();
      throw error;
    }
  }

  async #connect(): Promise<Client> {
    const client = createClient(this.#target, { applicationName: 'witness', statementTimeoutMs: 20_000 });
    await client.connect();
    return client;
  }

  /** The room's newest race now. */
  async newest(roomId: RoomId): Promise<RaceNow | undefined> {
    const [race] = await this.query<RaceNow>(`${RACE} where room_id = $1 order by number desc limit 1`, [roomId]);
    if (race !== undefined) this.#note(race);
    return race;
  }

  async races(): Promise<RaceNow[]> {
    const races = await this.query<RaceNow>(`${RACE} order by room_id, number`);
    for (const race of races) this.#note(race);
    return races;
  }

  #note({ id, outcome }: RaceNow): void {
    if (outcome === null) return;
    const before = this.outcomes.get(id);
    if (before !== undefined && JSON.stringify(before) !== JSON.stringify(outcome))
      throw new Error(`race ${id} was drawn twice`);
    this.outcomes.set(id, outcome);
  }

  /** SIGKILL of every process that works in the data folder, by its own id, in one go. */
  killPostgres(): void {
    const postmaster = findPostmaster(this.#cluster)?.pid;
    const family = new Set([...(postmaster === undefined ? [] : [postmaster]), ...processesIn(this.#cluster)]);
    for (const pid of family) {
      try {
        process.kill(pid, 'SIGKILL');
      } catch {
        // Gone already with its postmaster.
      }
    }
  }

  postmasterRuns(): boolean {
    return findPostmaster(this.#cluster) !== undefined;
  }

  async close(): Promise<void> {
    const client = this.#client;
    this.#client = null;
    await client?.end().catch(() => {});
  }
}

/** SIGKILL, nothing in order. Resolves when they are gone. */
export async function kill(server: TestServer, witness: Witness, victims: Victims): Promise<void> {
  const pid = server.pid();
  const gone = server.kill();
  if (victims === 'both') witness.killPostgres();
  await gone;
  if (pid === 0) throw new Error('there was no server to kill');
  if (victims === 'server') return;
  await witness.close();
  await until('PostgreSQL is gone', () => !witness.postmasterRuns());
}
