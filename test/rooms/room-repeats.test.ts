import { expect, test } from 'vitest';
import { MemoryRoomStore } from '../../db/memory/store.ts';
import { RefusedError } from '../../lib/errors.ts';
import { RoomCommands, type RoomTask } from '../../lib/service/room-commands.ts';
import { RoomFeeds } from '../../lib/service/room-feeds.ts';
import { chat, eventOf } from '../store-contract/fixtures.ts';
import { makeDocument, newCommandId, player, quiet } from './fixtures.ts';

test('[RM8] a repeat that waits in one line with its first has no effect of its own, and disturbs nobody', async () => {
  const clock = { now: () => Date.now() };
  const store = new MemoryRoomStore({ clock, log: quiet, unarchivedEntries: 1_000 });
  const { id } = makeDocument();
  await store.restore(makeDocument(), [], null);
  const feeds = new RoomFeeds({ store, clock, log: quiet });
  const commands = new RoomCommands({
    store,
    feeds,
    clock,
    log: quiet,
    limits: { roomQueue: 256, requestDeadlineMs: 5_000 },
  });
  const state = await feeds.serve(id);
  const task = (text: string, commandId = newCommandId(), bodyHash = text): RoomTask => ({
    mark: { playerId: player('p'), commandId, bodyHash },
    decide: () => ({ events: [chat(text)], result: text }),
  });
  const commandId = newCommandId();
  const sent = [task('a', commandId), task('a', commandId), task('b'), task('a', commandId, 'another body'), task('c')];
  const results = await Promise.allSettled(sent.map((one) => commands.submit(id, one)));
  const shown = results.map((result) => {
    if (result.status === 'fulfilled') return result.value;
    return result.reason instanceof RefusedError ? result.reason.refusal.code : result.reason;
  });
  expect(shown).toEqual(['a', 'a', 'b', 'COMMAND_CONFLICT', 'c']);
  const entries = (state && (await store.since(id, state.epoch, 0))) ?? [];
  const texts = entries.map(eventOf).flatMap((event) => (event.type === 'chat' ? [event.message.text] : []));
  expect(texts).toEqual(['a', 'b', 'c']);
  await feeds.close();
});
