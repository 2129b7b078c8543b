import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { connect, type TestClient } from '../helpers/client.ts';
import type { TestServer } from '../helpers/server.ts';
import { until } from '../helpers/until.ts';
import { startPlayServer } from '../play/table.ts';

let server: TestServer;
let ann: TestClient;
beforeAll(async () => {
  server = await startPlayServer();
});
afterAll(async () => {
  ann?.close();
  await server?.stop();
});

test('[CH6] a repeated message is recognised after a restart, however much was said since, and order is kept', async () => {
  ann = await connect(server.url, { nickname: 'ann', locale: 'en' });
  const { room } = await ann.request('room:create', { kind: 'bet' });
  const roomId = room.id;
  const said = { commandId: randomUUID(), roomId, text: 'once' };
  const { messageId } = await ann.request('chat:send', said);
  for (let line = 0; line < 80; line += 1) await ann.request('chat:send', { roomId, text: `line ${line}` });
  const history = async () => {
    const texts: string[] = [];
    let before: string | undefined;
    do {
      const page = await ann.request('chat:history', { roomId, limit: 50, ...(before && { before: before as never }) });
      texts.unshift(...page.messages.map(({ text }) => text));
      before = page.next;
    } while (before !== undefined);
    return texts;
  };
  // In order, so that the archive has all of it: what is lost is which commands were answered.
  await server.restart();
  await until('back', () => ann.readies === 2, { deadlineMs: 60_000 });
  expect((await ann.request('chat:send', said)).messageId).toBe(messageId);
  const after = Array.from({ length: 20 }, (_, line) => `after ${line}`);
  await Promise.all(after.map((text) => ann.request('chat:send', { roomId, text })));
  const texts = await history();
  expect(texts.filter((text) => text === 'once')).toHaveLength(1);
  expect(texts[0]).toBe('once');
  expect(texts.slice(-20)).toEqual(after);
});
