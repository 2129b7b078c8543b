import { createCipheriv, createDecipheriv, createHash, randomBytes } from 'node:crypto';
import type { Pool } from 'pg';
import { ulid } from 'ulid';
import { ConfigError } from '../../config/config-error.ts';
import type { SeedKey, SeedKeyRecords } from '../../lib/ports.ts';
import { read, write } from './query.ts';

type Row = { id: string; wrapped: Buffer; hash: string };
type PublishedRow = Row & { created_at: bigint; revealed: boolean };

const KEY_BYTES = 32;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;

/**
 * Seed keys, encrypted at rest by `wrapKey` (32 bytes, SEED_WRAP_KEY). Calls that need a key reject with ConfigError when it
 * was encrypted under another one.
 */
export function createSeedKeyRecords(pool: Pool, wrapKey: Uint8Array): SeedKeyRecords {
  /** Keys never change, and there are few. */
  const known = new Map<string, SeedKey>();

  function opened(row: Row): SeedKey {
    const key = known.get(row.id) ?? { id: row.id, key: unwrap(row, wrapKey) };
    known.set(row.id, key);
    return key;
  }

  async function present(): Promise<SeedKey | null> {
    const [row] = await read<Row>(pool, 'select id, wrapped, hash from seed_key where retired_at is null', []);
    return row === undefined ? null : opened(row);
  }

  return {
    async current() {
      const found = await present();
      if (found !== null) return found;
      const id = ulid();
      const key = randomBytes(KEY_BYTES);
      // Of several that find none at once, one is stored and all use it.
      await write(
        pool,
        'insert into seed_key (id, wrapped, hash, created_at) values ($1, $2, $3, now_ms()) on conflict do nothing',
        [id, wrap(id, key, wrapKey), hashOf(key)],
      );
      const stored = await present();
      if (stored === null) throw new Error('the seed key was retired while it was made');
      return stored;
    },

    async get(id) {
      const cached = known.get(id);
      if (cached !== undefined) return cached;
      const [row] = await read<Row>(pool, 'select id, wrapped, hash from seed_key where id = $1', [id]);
      return row === undefined ? null : opened(row);
    },

    async published() {
      const rows = await read<PublishedRow>(
        pool,
        `select id, wrapped, hash, created_at, retired_at is not null and not seed_key_in_use(id) as revealed
         from seed_key order by created_at, id`,
        [],
      );
      return rows.map((row) => ({
        id: row.id,
        hash: row.hash,
        createdAt: Number(row.created_at),
        ...(row.revealed ? { key: Buffer.from(opened(row).key).toString('hex') } : {}),
      }));
    },
  };
}

/** nonce ‖ ciphertext ‖ tag of AES-256-GCM; the id is authenticated with it, so that rows cannot be exchanged. */
function wrap(id: string, key: Uint8Array, wrapKey: Uint8Array): Buffer {
  const nonce = randomBytes(NONCE_BYTES);
  const cipher = createCipheriv('aes-256-gcm', wrapKey, nonce).setAAD(Buffer.from(id));
  return Buffer.concat([nonce, cipher.update(key), cipher.final(), cipher.getAuthTag()]);
}

function unwrap(row: Row, wrapKey: Uint8Array): Uint8Array {
  const { id, wrapped } = row;
  const end = wrapped.length - TAG_BYTES;
  try {
    const decipher = createDecipheriv('aes-256-gcm', wrapKey, wrapped.subarray(0, NONCE_BYTES))
      .setAAD(Buffer.from(id))
      .setAuthTag(wrapped.subarray(end));
    const key = Buffer.concat([decipher.update(wrapped.subarray(NONCE_BYTES, end)), decipher.final()]);
    if (key.length !== KEY_BYTES || hashOf(key) !== row.hash) throw new Error('not the key that was published');
    return Uint8Array.from(key);
  } catch (cause) {
    throw new ConfigError(
      [
        `SEED_WRAP_KEY: it does not open seed key ${id} of this database.`,
        'Set the key that was in use when the database was made (without the setting: the file in DATA_DIR, from the same backup as the database).',
      ],
      { cause },
    );
  }
}

function hashOf(key: Uint8Array): string {
  return createHash('sha256').update(key).digest('hex');
}
