import { randomInt } from 'node:crypto';
import type { Pool } from 'pg';
import type { PlayerId } from '../../lib/core/ids.ts';
import type { Locale } from '../../lib/errors.ts';
import { type PlayerRecords, type PlayerRow, UnavailableError } from '../../lib/ports.ts';
import { read, write } from './query.ts';

export type PlayerRecordsOptions = {
  /** from this one on, an address's new players of a day start without points */
  readonly newPlayersPerAddressAndDay: number;
  /** whose midnight ends the day, as PostgreSQL knows it */
  readonly timeZone: string;
};

type Row = { id: PlayerId; nickname: string; locale: Locale; session_number: number; created_at: bigint };

const COLUMNS = 'id, nickname, locale, session_number, created_at';
/** A million codes for the links of two minutes: a second try is rare, a tenth would be a fault. */
const CODE_TRIES = 10;

/** Players and the codes that link their devices. */
export function createPlayerRecords(pool: Pool, options: PlayerRecordsOptions): PlayerRecords {
  return {
    async ensure({ id, nickname, locale, addressHash }) {
      const [row] = await write<Row>(pool, `select ${COLUMNS} from player_ensure($1, $2, $3, $4, $5, $6)`, [
        id,
        nickname,
        locale,
        addressHash,
        options.newPlayersPerAddressAndDay,
        options.timeZone,
      ]);
      if (row === undefined) throw new Error(`player ${id} was not written`);
      return playerRow(row);
    },

    async get(playerId) {
      const [row] = await read<Row>(pool, `select ${COLUMNS} from player where id = $1`, [playerId]);
      return row === undefined ? null : playerRow(row);
    },

    async update(playerId, patch) {
      const [row] = await write<Row>(
        pool,
        `update player set nickname = coalesce($2, nickname), locale = coalesce($3, locale) where id = $1 returning ${COLUMNS}`,
        [playerId, patch.nickname ?? null, patch.locale ?? null],
      );
      return row === undefined ? null : playerRow(row);
    },

    async raiseSession(playerId) {
      const [row] = await write<{ session_number: number }>(
        pool,
        'update player set session_number = session_number + 1 where id = $1 returning session_number',
        [playerId],
      );
      if (row === undefined) throw new UnavailableError(`player ${playerId} is not written yet`, 'none');
      return row.session_number;
    },

    async createLink(playerId, expiresAt) {
      for (let tries = 0; tries < CODE_TRIES; tries += 1) {
        const code = String(randomInt(1_000_000)).padStart(6, '0');
        const [row] = await write<{ made: boolean }>(pool, 'select session_link_create($1, $2, $3) as made', [
          code,
          playerId,
          expiresAt,
        ]);
        if (row?.made === true) return code;
      }
      throw new Error('no free code for a link');
    },

    async redeemLink(code) {
      const [row] = await write<{ player_id: PlayerId }>(
        pool,
        'delete from session_link where code = $1 and expires_at > now_ms() returning player_id',
        [code],
      );
      return row?.player_id ?? null;
    },
  };
}

function playerRow(row: Row): PlayerRow {
  return {
    id: row.id,
    nickname: row.nickname,
    locale: row.locale,
    sessionNumber: row.session_number,
    createdAt: Number(row.created_at),
  };
}
