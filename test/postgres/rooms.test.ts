import { randomUUID } from 'node:crypto';
import type { Pool } from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createRoomRecords } from '../../db/postgres/rooms.ts';
import type { PlayerId, RoomId } from '../../lib/core/ids.ts';
import { DEFAULT_SETTINGS } from '../../lib/core/room-settings.ts';
import type { RoomRecords } from '../../lib/ports.ts';
import type { RoomEventBody } from '../../lib/protocol.ts';
import { createTestDatabase, type TestDatabase } from '../helpers/postgres.ts';

const host = 'host' as PlayerId;
const guest = 'guest' as PlayerId;
const settings = DEFAULT_SETTINGS.pick;
let database: TestDatabase;
let pool: Pool;
let rooms: RoomRecords;

beforeAll(async () => {
  database = await createTestDatabase();
  pool = database.pool();
  rooms = createRoomRecords(pool);
});
afterAll(() => database.drop());

function draft(patch: Partial<Parameters<RoomRecords['create']>[0]> = {}): Parameters<RoomRecords['create']>[0] {
  return {
    id: `room-${randomUUID()}` as RoomId,
    code: randomUUID().slice(0, 12),
    kind: 'pick',
    house: false,
    locale: 'ko',
    name: '점심 내기',
    passwordHash: null,
    settings,
    hostId: host,
    createdBy: host,
    createdAt: 1_700_000_000_000,
    expiresAt: 1_700_000_600_000,
    ...patch,
  };
}

async function made(patch: Parameters<typeof draft>[0] = {}): Promise<RoomId> {
  const result = await rooms.create(draft(patch));
  if (result.kind !== 'created') throw new Error(result.kind);
  return result.row.id;
}

const renamed = (name: string): RoomEventBody => ({ type: 'settings changed', version: 0, patch: { name }, by: host });

describe('rooms', () => {
  test('[RM25] a room reads as it was written', async () => {
    const room = draft({ passwordHash: 'scrypt$x', house: true, locale: 'en', createdBy: null, hostId: null });
    const created = await rooms.create(room);
    const row = { ...room, settingsVersion: 1, factVersion: 0, closedAt: null, closeCause: null };
    expect(created).toEqual({ kind: 'created', row });
    expect(await rooms.get(room.id)).toEqual(row);
    expect(await rooms.byCode(room.code)).toEqual(row);
    expect(await rooms.get('nobody' as RoomId)).toBeNull();
    expect(await rooms.byCode('NOCODE')).toBeNull();
  });

  test('[RM25] a repeat answers with the room as it is by now; a code belongs to one room, also after its end', async () => {
    const room = draft();
    const results = await Promise.all(
      Array.from({ length: 8 }, () => rooms.create({ ...room, code: randomUUID().slice(0, 12) })),
    );
    expect(results.filter(({ kind }) => kind === 'created').length).toBe(1);
    expect(results.filter(({ kind }) => kind === 'exists').length).toBe(7);
    await rooms.configure(room.id, 1, { name: 'later' }, renamed('later'));
    const again = await rooms.create(room);
    expect(again).toMatchObject({ kind: 'exists', row: { name: 'later' } });

    const code = randomUUID().slice(0, 12);
    const taker = await made({ code });
    expect(await rooms.create(draft({ code }))).toEqual({ kind: 'code-taken' });
    await rooms.close(taker, 'closed');
    expect(await rooms.create(draft({ code }))).toEqual({ kind: 'code-taken' });
  });

  test('[RM26] a change is made on the version it was decided on, with one fact that carries the new one', async () => {
    const id = await made();
    expect(await rooms.configure(id, 1, { name: 'a', passwordHash: 'h' }, renamed('a'))).toEqual({
      kind: 'changed',
      version: 2,
    });
    expect(await rooms.configure(id, 1, { name: 'b' }, renamed('b'))).toEqual({ kind: 'conflict', version: 2 });
    const next = { ...settings, capacity: 7 };
    expect(await rooms.configure(id, 2, { settings: next, expiresAt: 5 }, renamed('c'))).toEqual({
      kind: 'changed',
      version: 3,
    });
    expect(await rooms.get(id)).toMatchObject({
      name: 'a',
      passwordHash: 'h',
      settings: next,
      expiresAt: 5,
      settingsVersion: 3,
      factVersion: 2,
    });
    expect(await rooms.configure(id, 3, { passwordHash: null }, renamed('d'))).toEqual({ kind: 'changed', version: 4 });
    expect(await rooms.get(id)).toMatchObject({ passwordHash: null, name: 'a' });
    expect((await rooms.facts(id, 0)).map(({ version, event }) => [version, event])).toEqual([
      [1, { ...renamed('a'), version: 2 }],
      [2, { ...renamed('c'), version: 3 }],
      [3, { ...renamed('d'), version: 4 }],
    ]);
    expect((await rooms.facts(id, 2)).map(({ version }) => version)).toEqual([3]);
    expect(await rooms.configure('nobody' as RoomId, 1, {}, renamed('x'))).toEqual({ kind: 'absent' });
  });

  test('[RM26] of many changes at once one is made, and facts are numbered without gaps', async () => {
    const id = await made();
    for (let version = 1; version <= 5; version += 1) {
      const results = await Promise.all(
        Array.from({ length: 8 }, (_, index) =>
          rooms.configure(id, version, { name: `n${index}` }, renamed(`n${index}`)),
        ),
      );
      expect(results.filter(({ kind }) => kind === 'changed').length).toBe(1);
      expect(results.filter(({ kind }) => kind === 'conflict').length).toBe(7);
    }
    await Promise.all(
      Array.from({ length: 20 }, () => pool.query('select room_add_fact($1, \'{"type":"notice"}\')', [id])),
    );
    const facts = await rooms.facts(id, 0);
    expect(facts.map(({ version }) => version)).toEqual(Array.from({ length: 25 }, (_, index) => index + 1));
    expect((await rooms.get(id))?.factVersion).toBe(25);
    await expect(pool.query("select room_add_fact('nobody', '{}')")).rejects.toMatchObject({ code: 'P0002' });
  });

  test('[RM26] the host changes from the one it was, and the version with it', async () => {
    const id = await made();
    expect(await rooms.setHost(id, guest, host, 'handover')).toBe('conflict');
    expect(await rooms.setHost(id, host, null, 'left')).toBe('changed');
    expect(await rooms.setHost(id, host, guest, 'handover')).toBe('conflict');
    const both = await Promise.all([rooms.setHost(id, null, guest, 'joined'), rooms.setHost(id, null, host, 'joined')]);
    expect([...both].sort()).toEqual(['changed', 'conflict']);
    const row = await rooms.get(id);
    expect(row).toMatchObject({ settingsVersion: 3, factVersion: 2 });
    expect((await rooms.facts(id, 0)).map(({ event }) => event)).toEqual([
      { type: 'host changed', hostId: null, cause: 'left', version: 2 },
      { type: 'host changed', hostId: row?.hostId, cause: 'joined', version: 3 },
    ]);
    expect(await rooms.setHost('nobody' as RoomId, null, host, 'joined')).toBe('absent');
  });

  test('[RM27] a room closes once, and nothing of it changes afterwards', async () => {
    const id = await made();
    const results = await Promise.all(Array.from({ length: 6 }, () => rooms.close(id, 'closed')));
    expect([...results].sort()).toEqual(['already', 'already', 'already', 'already', 'already', 'closed']);
    const row = await rooms.get(id);
    expect(row).toMatchObject({ closeCause: 'closed', factVersion: 1 });
    expect(Math.abs((row?.closedAt ?? 0) - Date.now())).toBeLessThan(60_000);
    expect(await rooms.facts(id, 0)).toEqual([{ version: 1, event: { type: 'room closed', cause: 'closed' } }]);
    expect(await rooms.configure(id, 1, { name: 'x' }, renamed('x'))).toEqual({ kind: 'absent' });
    expect(await rooms.setHost(id, host, guest, 'handover')).toBe('absent');
    expect(await rooms.close('nobody' as RoomId, 'closed')).toBe('absent');
  });

  test('[RM27] an expiry waits for the race, a host does not', async () => {
    // The statement under test asks for these columns only; this is a database of its own, without the real races.
    const own = await createTestDatabase({ migrate: true });
    const ownPool = own.pool();
    const records = createRoomRecords(ownPool);
    await ownPool.query('drop table if exists race cascade');
    await ownPool.query('create table race (id text, room_id text, phase text, seed_key_id text)');
    const [waiting, closing] = [draft(), draft()];
    await records.create(waiting);
    await records.create(closing);
    await ownPool.query(
      "insert into race values ('r1', $1, 'running', 'k'), ('r0', $1, 'settled', 'k'), ('r2', $2, 'open', 'k')",
      [waiting.id, closing.id],
    );
    expect(await records.close(waiting.id, 'expired')).toBe('racing');
    expect(await records.close(closing.id, 'closed')).toBe('closed');
    await ownPool.query("update race set phase = 'void' where id = 'r1'");
    expect(await records.close(waiting.id, 'expired')).toBe('closed');
    await own.drop();
  });

  test('[RM25] living rooms are found, all of them and the house ones', async () => {
    const creator = randomUUID() as string as PlayerId;
    const [a, b, c] = [
      await made({ createdBy: creator }),
      await made({ createdBy: creator }),
      await made({ createdBy: creator }),
    ];
    await rooms.close(b, 'expired');
    const living = new Set(await rooms.living());
    expect([living.has(a), living.has(b), living.has(c)]).toEqual([true, false, true]);
    const [own, gone] = [await made({ house: true, createdBy: null }), await made({ house: true, createdBy: null })];
    await rooms.close(gone, 'closed');
    const house = new Set(await rooms.living('house'));
    expect([house.has(own), house.has(gone), house.has(a)]).toEqual([true, false, false]);
  });

  test('[RM10] rooms with newer facts than an instance knows are found in one question', async () => {
    const [level, behind] = [await made(), await made()];
    for (const id of [level, behind]) await rooms.setHost(id, host, guest, 'handover');
    const known = [
      { roomId: level, factVersion: 1 },
      { roomId: behind, factVersion: 0 },
      { roomId: 'nobody' as RoomId, factVersion: 0 },
    ];
    expect(await rooms.behind(known)).toEqual([behind]);
    expect(await rooms.behind([])).toEqual([]);
  });
});
