import { randomUUID } from 'node:crypto';
import type { Pool } from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createArchiveRecords } from '../../db/postgres/archive.ts';
import { createRoomRecords } from '../../db/postgres/rooms.ts';
import type { Epoch, MessageId, RoomId } from '../../lib/core/ids.ts';
import { DEFAULT_SETTINGS } from '../../lib/core/room-settings.ts';
import type { ArchiveRecords } from '../../lib/ports.ts';
import type { ChatMessage } from '../../lib/protocol.ts';
import { createTestDatabase, type TestDatabase } from '../helpers/postgres.ts';
import { documentOf, message, player } from '../store-contract/fixtures.ts';

let database: TestDatabase;
let pool: Pool;
let archive: ArchiveRecords;
const e1 = '01E1' as Epoch;
const e2 = '01E2' as Epoch;

beforeAll(async () => {
  database = await createTestDatabase();
  pool = database.pool();
  archive = createArchiveRecords(pool);
});
afterAll(() => database.drop());

async function newRoom(): Promise<RoomId> {
  const id = `room-${randomUUID()}` as RoomId;
  await createRoomRecords(pool).create({
    id,
    code: randomUUID().slice(0, 12),
    kind: 'bet',
    house: false,
    locale: 'ko',
    name: 'r',
    passwordHash: null,
    settings: DEFAULT_SETTINGS.bet,
    hostId: null,
    createdBy: null,
    createdAt: 1,
    expiresAt: 2,
  });
  return id;
}

type Write = Parameters<ArchiveRecords['write']>[0];
const input = (roomId: RoomId, seq: number, expected: Write['expect'], more: Partial<Write> = {}): Write => ({
  roomId,
  expect: expected,
  head: { epoch: e1, seq },
  document: documentOf(roomId),
  messages: [],
  reactions: [],
  ...more,
});
const reaction = (of: ChatMessage, name: string, on: boolean, emoji = '👍') => ({
  messageId: of.id,
  emoji,
  playerId: player(name),
  on,
});

describe('archive', () => {
  test('[OP40] document, messages and position are written together, from the position that was expected', async () => {
    const id = await newRoom();
    expect(await archive.read(id, 50)).toBeNull();
    const [a, b] = [message('a', { mentions: [player('p2')], at: 77 }), message('b')];
    const reply = message('c', { replyTo: a.id });
    expect(await archive.write(input(id, 2, null, { messages: [a, b] }))).toBe('written');
    expect(await archive.write(input(id, 3, null, { messages: [reply] }))).toBe('conflict');
    expect(await archive.write(input(id, 3, { epoch: e1, seq: 1 }, { messages: [reply] }))).toBe('conflict');
    expect(await archive.write(input(id, 3, { epoch: e2, seq: 2 }, { messages: [reply] }))).toBe('conflict');
    const document = documentOf(id, {
      name: 'later',
      members: [{ id: player('p'), nickname: 'p', role: 'player', joinedAt: 3 }],
    });
    expect(await archive.write(input(id, 3, { epoch: e1, seq: 2 }, { messages: [reply], document }))).toBe('written');
    expect(await archive.read(id, 50)).toEqual({ position: { epoch: e1, seq: 3 }, document, messages: [a, b, reply] });
    expect((await archive.read(id, 2))?.messages).toEqual([b, reply]);
    expect((await archive.read(id, 0))?.messages).toEqual([]);
    expect([await archive.has(id, a.id), await archive.has(id, 'm' as MessageId)]).toEqual([true, false]);
  });

  test('[OP40] of several workers at one position one writes, first and later', async () => {
    const id = await newRoom();
    for (let seq = 1; seq <= 5; seq += 1) {
      const expected = seq === 1 ? null : { epoch: e1, seq: seq - 1 };
      const messages = [message(`text ${seq}`)];
      const results = await Promise.all(
        Array.from({ length: 6 }, () => archive.write(input(id, seq, expected, { messages }))),
      );
      expect(results.filter((result) => result === 'written').length).toBe(1);
    }
    expect((await archive.read(id, 50))?.messages.map(({ text }) => text)).toEqual(
      [1, 2, 3, 4, 5].map((n) => `text ${n}`),
    );
  });

  test('[OP40] a message that is there already is not written again, in whatever epoch it comes', async () => {
    const id = await newRoom();
    const [a, b, c] = [message('a'), message('b'), message('c')];
    await archive.write(input(id, 2, null, { messages: [a, b] }));
    const next = input(id, 2, { epoch: e1, seq: 2 }, { head: { epoch: e2, seq: 2 }, messages: [b, c] });
    expect(await archive.write(next)).toBe('written');
    const read = await archive.read(id, 50);
    expect(read?.position).toEqual({ epoch: e2, seq: 2 });
    expect(read?.messages.map(({ text }) => text)).toEqual(['a', 'b', 'c']);
  });

  test('[OP49] reactions stand as the last word on them left them', async () => {
    const id = await newRoom();
    const [a, b] = [message('a'), message('b')];
    await archive.write(
      input(id, 4, null, {
        messages: [a, b],
        reactions: [
          reaction(a, 'x', true),
          reaction(a, 'y', true),
          reaction(a, 'x', false),
          reaction(a, 'z', true, '🎉'),
        ],
      }),
    );
    const unknown = { messageId: 'nowhere' as MessageId, emoji: '👍', playerId: player('x'), on: true };
    const changes = [
      reaction(a, 'x', true),
      reaction(a, 'z', false, '🎉'),
      reaction(b, 'x', false),
      reaction(b, 'x', true),
      unknown,
    ];
    expect(await archive.write(input(id, 9, { epoch: e1, seq: 4 }, { reactions: changes }))).toBe('written');
    const [first, second] = (await archive.read(id, 50))?.messages ?? [];
    expect(first?.reactions).toEqual([{ emoji: '👍', playerIds: ['y', 'x'] }]);
    expect(second?.reactions).toEqual([{ emoji: '👍', playerIds: ['x'] }]);
  });

  test('[OP49] chat comes in pages without overlap or gap, of its room only', async () => {
    const [id, other] = [await newRoom(), await newRoom()];
    const messages = Array.from({ length: 125 }, (_, index) => message(`text ${index}`));
    await archive.write(input(other, 1, null, { messages: [message('elsewhere')] }));
    await archive.write(input(id, 125, null, { messages }));
    const pages: (readonly ChatMessage[])[] = [];
    for (let before: MessageId | null | undefined = null; before !== undefined; ) {
      const page = await archive.messages(id, before, 50);
      pages.unshift(page.messages);
      before = page.next;
    }
    expect(pages.map(({ length }) => length)).toEqual([25, 50, 50]);
    expect(pages.flat()).toEqual(messages);
    expect((await archive.messages(id, messages[25]?.id ?? null, 25)).messages).toEqual(messages.slice(0, 25));
    expect((await archive.messages(id, messages[25]?.id ?? null, 25)).next).toBeUndefined();
    // A message that is not archived yet is newer than all that are.
    expect((await archive.messages(id, 'unknown' as MessageId, 2)).messages).toEqual(messages.slice(-2));
    expect(await archive.messages(await newRoom(), null, 50)).toEqual({ messages: [] });
  });

  test('[OP50] zero characters and halves of pairs are left out, everything else is kept', async () => {
    const id = await newRoom();
    const odd = message('a\0b\ud83d c \udc0e 🐎 \\u0000 "quoted"', { nickname: 'n\0' });
    const document = documentOf(id, { name: 'x\0y' });
    expect(await archive.write(input(id, 1, null, { messages: [odd], document }))).toBe('written');
    const read = await archive.read(id, 50);
    expect(read?.messages[0]).toMatchObject({ text: 'ab c  🐎 \\u0000 "quoted"', nickname: 'n' });
    expect(read?.document.name).toBe('xy');
  });

  test('[RM10] facts that the archived document has long contained are dropped, the newest thousand stay', async () => {
    const id = await newRoom();
    await pool.query('select room_add_fact($1, \'{"type":"notice"}\') from generate_series(1, 1500)', [id]);
    await archive.write(input(id, 1, null, { document: documentOf(id, { factVersion: 1_400 }) }));
    const rooms = createRoomRecords(pool);
    expect((await rooms.facts(id, 0))[0]?.version).toBe(400);
    expect((await rooms.facts(id, 1_400)).length).toBe(100);
  });
});
