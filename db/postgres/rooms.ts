import type { Pool } from 'pg';
import type { PlayerId, RoomId } from '../../lib/core/ids.ts';
import type { RoomKind, RoomSettings } from '../../lib/core/room-state.ts';
import type { Locale } from '../../lib/errors.ts';
import type { RoomFact, RoomRecords, RoomRow } from '../../lib/ports.ts';
import { jsonb, read, write } from './query.ts';

type Row = {
  id: RoomId;
  code: string;
  kind: RoomKind;
  house: boolean;
  locale: Locale;
  name: string;
  password_hash: string | null;
  settings: RoomSettings;
  settings_version: number;
  fact_version: bigint;
  host_id: PlayerId | null;
  created_by: PlayerId | null;
  created_at: bigint;
  expires_at: bigint;
  closed_at: bigint | null;
  close_cause: 'closed' | 'expired' | null;
};

type CreateRow = Row & { outcome: 'created' | 'exists' | 'code-taken' | 'limit' };

const COLUMNS = `id, code, kind, house, locale, name, password_hash, settings, settings_version, fact_version, host_id, created_by,
  created_at, expires_at, closed_at, close_cause`;

/** Facts of one answer: a room that was away for long catches up in several. */
const FACTS_AT_ONCE = 200;

/** A function that gives one row gives one of nulls where it has none. */
const CREATE = `select outcome, (made).* from room_create($1::jsonb, $2)`;

const LIVING = `select id from room where closed_at is null and (house or $1 is distinct from 'house') order by created_at, id`;

const BEHIND = `select room.id
  from unnest($1::text[], $2::bigint[]) as known (id, fact_version)
  join room on room.id = known.id
  where room.fact_version > known.fact_version`;

/** Rooms' rows and facts. Every change is one call and one transaction; refusals are answers, not errors. */
export function createRoomRecords(pool: Pool): RoomRecords {
  async function one(where: string, value: string): Promise<RoomRow | null> {
    const [row] = await read<Row>(pool, `select ${COLUMNS} from room where ${where}`, [value]);
    return row === undefined ? null : roomRow(row);
  }

  return {
    async create(room) {
      const [answer] = await write<CreateRow>(pool, CREATE, [jsonb(newRoomRow(room)), room.mostLiving ?? null]);
      if (answer === undefined) throw new Error('room_create returned nothing');
      const { outcome } = answer;
      return outcome === 'created' || outcome === 'exists'
        ? { kind: outcome, row: roomRow(answer) }
        : { kind: outcome };
    },

    get: (roomId) => one('id = $1', roomId),
    byCode: (code) => one('code = $1', code),

    async configure(roomId, expectVersion, patch, event) {
      const [answer] = await write<{ outcome: 'changed' | 'conflict' | 'absent'; version: number | null }>(
        pool,
        'select outcome, version from room_configure($1, $2, $3, $4, $5, $6::jsonb, $7, $8::jsonb)',
        [
          roomId,
          expectVersion,
          patch.name ?? null,
          patch.passwordHash !== undefined,
          patch.passwordHash ?? null,
          patch.settings === undefined ? null : jsonb(patch.settings),
          patch.expiresAt ?? null,
          jsonb(event),
        ],
      );
      if (answer === undefined || answer.outcome === 'absent') return { kind: 'absent' };
      return { kind: answer.outcome, version: answer.version ?? expectVersion };
    },

    async setHost(roomId, expectHost, hostId, cause) {
      const [answer] = await write<{ outcome: 'changed' | 'conflict' | 'absent' }>(
        pool,
        'select room_set_host($1, $2, $3, $4) as outcome',
        [roomId, expectHost, hostId, cause],
      );
      return answer?.outcome ?? 'absent';
    },

    async close(roomId, cause) {
      const [answer] = await write<{ outcome: 'closed' | 'already' | 'racing' | 'absent' }>(
        pool,
        'select room_close($1, $2) as outcome',
        [roomId, cause],
      );
      return answer?.outcome ?? 'absent';
    },

    async living(only) {
      const rows = await read<{ id: RoomId }>(pool, LIVING, [only ?? null]);
      return rows.map(({ id }) => id);
    },

    async facts(roomId, above) {
      const rows = await read<{ version: bigint; event: RoomFact['event'] }>(
        pool,
        'select version, event from room_fact where room_id = $1 and version > $2 order by version limit $3',
        [roomId, above, FACTS_AT_ONCE],
      );
      return rows.map(({ version, event }) => ({ version: Number(version), event }));
    },

    async behind(known) {
      if (known.length === 0) return [];
      const rows = await read<{ id: RoomId }>(pool, BEHIND, [
        known.map(({ roomId }) => roomId),
        known.map(({ factVersion }) => factVersion),
      ]);
      return rows.map(({ id }) => id);
    },
  };
}

/** The room by SQL's column names, as room_create takes it. */
function newRoomRow(room: Parameters<RoomRecords['create']>[0]): object {
  return {
    id: room.id,
    code: room.code,
    kind: room.kind,
    house: room.house,
    locale: room.locale,
    name: room.name,
    password_hash: room.passwordHash,
    settings: room.settings,
    host_id: room.hostId,
    created_by: room.createdBy,
    created_at: room.createdAt,
    expires_at: room.expiresAt,
  };
}

function roomRow(row: Row): RoomRow {
  return {
    id: row.id,
    code: row.code,
    kind: row.kind,
    house: row.house,
    locale: row.locale,
    name: row.name,
    passwordHash: row.password_hash,
    settings: row.settings,
    settingsVersion: row.settings_version,
    factVersion: Number(row.fact_version),
    hostId: row.host_id,
    createdBy: row.created_by,
    createdAt: Number(row.created_at),
    expiresAt: Number(row.expires_at),
    closedAt: row.closed_at === null ? null : Number(row.closed_at),
    closeCause: row.close_cause,
  };
}
