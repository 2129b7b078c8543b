import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { TestClient } from '../helpers/client.ts';
import { until } from '../helpers/until.ts';
import { at, eventsOf, PATIENCE, setTable, type Table } from './table.ts';

let table: Table;
beforeAll(async () => {
  table = await setTable();
});
afterAll(() => table?.close());

describe.concurrent('talk and profiles', () => {
  const textOf = (client: TestClient) =>
    eventsOf(client).flatMap((event) => (event.type === 'chat' ? [event.message] : []));

  it('[RM70] replies, mentions and reactions reach everybody and stand in the history, page by page to the beginning', async () => {
    const { roomId, players } = await table.room('pick', ['amy', 'bob', 'cat']);
    const [amy, bob, cat] = [at(players, 0), at(players, 1), at(players, 2)];
    const outside = await table.player('don');
    const sent: string[] = [];
    for (let line = 0; line < 75; line += 1) {
      const { messageId } = await at(players, line % 3).request('chat:send', { roomId, text: `줄 ${line}` });
      sent.push(messageId);
    }
    const reply = await bob.request('chat:send', {
      roomId,
      text: '  그래요?  ',
      replyTo: at(sent, 3),
      mentions: [amy.id, outside.id, amy.id],
    });
    const heard = await cat.event('chat', ({ message }) => message.id === reply.messageId);
    expect(heard.message).toMatchObject({
      text: '그래요?',
      replyTo: sent[3],
      mentions: [amy.id],
      nickname: 'bob',
      playerId: bob.id,
    });
    expect((await bob.refused('chat:send', { roomId, text: 'x', replyTo: 'nothing' })).path).toBe('replyTo');
    expect((await bob.refused('chat:send', { roomId, text: ' \u200b ' })).path).toBe('text');
    expect((await bob.refused('chat:send', { roomId, text: 'x'.repeat(201) })).path).toBe('text');
    expect((await outside.refused('chat:send', { roomId, text: 'hello' })).code).toBe('NOT_MEMBER');
    expect((await outside.refused('chat:history', { roomId })).code).toBe('NOT_MEMBER');

    // An old one, out of the room's own memory, and the newest.
    for (const messageId of [at(sent, 0), reply.messageId]) {
      await amy.request('chat:react', { roomId, messageId, emoji: '🎉', on: true });
      await cat.request('chat:react', { roomId, messageId, emoji: '🎉', on: true });
      await cat.request('chat:react', { roomId, messageId, emoji: '😂', on: true });
      await amy.request('chat:react', { roomId, messageId, emoji: '🎉', on: false });
    }
    await bob.event('reaction', (event) => event.messageId === reply.messageId && !event.on);
    const stands = [
      { emoji: '🎉', playerIds: [cat.id] },
      { emoji: '😂', playerIds: [cat.id] },
    ];
    const pages: string[] = [];
    const reactions = new Map<string, unknown>();
    await until(
      'the archive has all of it',
      async () => {
        pages.length = 0;
        for (let before: string | undefined; ; ) {
          const page = await cat.request('chat:history', { roomId, limit: 20, ...(before && { before }) });
          pages.unshift(...page.messages.map(({ id }) => id));
          for (const message of page.messages) reactions.set(message.id, message.reactions);
          if (page.next === undefined) break;
          before = page.next;
        }
        // What was reacted to a moment ago stands there as soon as the archive has it.
        for (const messageId of [at(sent, 0), reply.messageId]) expect(reactions.get(messageId)).toEqual(stands);
        return pages.length === 76;
      },
      PATIENCE,
    );
    expect(pages).toEqual([...sent, reply.messageId]);
    // A newcomer's snapshot has the newest, and the log the rest.
    const eli = await table.player('eli');
    const { room } = await eli.request('room:join', { roomId });
    expect(room.chat).toHaveLength(20);
    expect(room.chat.at(-1)).toMatchObject({ id: reply.messageId, text: '그래요?' });
    expect(textOf(amy).map(({ id }) => id)).toEqual([...sent, reply.messageId]);
  });

  it('[RM77] what was said a moment ago can be replied to, reacted to and read back, however much was said since', async () => {
    const { roomId, players } = await table.room('bet', ['mia', 'noa']);
    const [mia, noa] = [at(players, 0), at(players, 1)];
    const send = (text: string, more: { replyTo?: string } = {}) => mia.request('chat:send', { roomId, text, ...more });
    for (let burst = 1; burst <= 5; burst += 1) {
      const sent = await Promise.all(Array.from({ length: 80 }, (_, line) => send(`${burst}.${line}`)));
      const first = at(sent, 0).messageId;
      // At once: the archive has had no time yet.
      const [, , page] = await Promise.all([
        send(`reply ${burst}`, { replyTo: first }),
        noa.request('chat:react', { roomId, messageId: at(sent, 1).messageId, emoji: '👍', on: true }),
        noa.request('chat:history', { roomId, limit: 50 }),
      ]);
      expect(page.messages).toHaveLength(50);
      const before = await noa.request('chat:history', { roomId, limit: 50, before: at(page.messages, 0).id });
      const read = [...before.messages, ...page.messages].map(({ id }) => id);
      await mia.event('chat', ({ message }) => message.id === read.at(-1));
      const said = textOf(mia).map(({ id }) => id);
      const newest = said.indexOf(at(read, -1));
      expect(read).toEqual(said.slice(Math.max(0, newest + 1 - read.length), newest + 1));
      expect(read.length).toBe(Math.min(newest + 1, 100));
    }
  });

  it('[RM71] slow mode makes everybody but the host wait; a repeated message is one message', async () => {
    const { roomId, players } = await table.room('bet', ['fox', 'gus'], { slowModeSeconds: 120 });
    const [fox, gus] = [at(players, 0), at(players, 1)];
    const commandId = randomUUID();
    const first = await gus.request('chat:send', { roomId, text: 'one', commandId });
    expect(await gus.request('chat:send', { roomId, text: 'one', commandId })).toEqual(first);
    expect((await gus.refused('chat:send', { roomId, text: 'other', commandId })).code).toBe('COMMAND_CONFLICT');
    const slow = await gus.refused('chat:send', { roomId, text: 'two' });
    expect(slow).toMatchObject({ code: 'SLOW_MODE', retryable: true });
    expect(slow.retryAfterMs).toBeGreaterThan(60_000);
    expect(slow.retryAfterMs).toBeLessThanOrEqual(120_000);
    for (const text of ['a', 'b', 'c']) await fox.request('chat:send', { roomId, text });
    await fox.request('room:configure', {
      roomId,
      version: fox.room?.snapshot.settingsVersion ?? 0,
      patch: { settings: { slowModeSeconds: 0 } },
    });
    await gus.request('chat:send', { roomId, text: 'three' });
    await fox.event('chat', ({ message }) => message.text === 'three');
    expect(textOf(fox).map(({ text }) => text)).toEqual(['one', 'a', 'b', 'c', 'three']);
  });

  it('[RM72] the day’s points are given once a day, and every device of the player hears of it', async () => {
    const ian = await table.player('ian');
    const { code } = await ian.request('session:link', {});
    const phone = await table.player('ian', { link: code });
    const wallet = await ian.request('wallet:get', {});
    expect(wallet.balance).toBe('10000');
    expect(wallet.dailyClaimableAt).toBeLessThanOrEqual(Date.now());
    // Both devices at once, again and again: one of them has it.
    const attempts = await Promise.all(
      [ian, phone, ian, phone].map(async (device) => {
        const commandId = randomUUID();
        return { commandId, answer: await device.ask('wallet:claim', { kind: 'daily', commandId }) };
      }),
    );
    const granted = attempts.flatMap(({ commandId, answer }) =>
      answer.ok ? [{ commandId, claimed: answer.data }] : [],
    );
    expect(granted).toHaveLength(1);
    const { commandId, claimed } = at(granted, 0);
    expect(claimed).toMatchObject({ balance: '12000', granted: '2000' });
    expect(await phone.request('wallet:claim', { kind: 'daily', commandId })).toEqual(claimed);
    expect((await phone.refused('wallet:claim', { kind: 'daily' })).code).toBe('LIMIT_REACHED');
    for (const device of [ian, phone])
      expect(await device.message('wallet:update')).toEqual({
        balance: '12000',
        version: claimed.balanceVersion,
        cause: 'grant',
      });
    expect(await phone.request('wallet:get', {})).toMatchObject({ balance: '12000' });
    expect((await ian.request('wallet:get', {})).dailyClaimableAt).toBeGreaterThan(Date.now());
  });

  it('[RM73] a new name is seen by everybody in the room, on every device and in what is said from then on', async () => {
    const { roomId, players } = await table.room('pick', ['jan', 'ken']);
    const [jan, ken] = [at(players, 0), at(players, 1)];
    await ken.request('chat:send', { roomId, text: 'before' });
    expect(await ken.request('profile:update', { nickname: ' 김 켄 ', locale: 'ko' })).toEqual({
      nickname: '김 켄',
      locale: 'ko',
    });
    const changed = await jan.event('member changed', ({ playerId }) => playerId === ken.id);
    expect(changed.patch).toEqual({ nickname: '김 켄' });
    await ken.request('chat:send', { roomId, text: 'after' });
    await jan.event('chat', ({ message }) => message.text === 'after');
    expect(textOf(jan).map(({ nickname }) => nickname)).toEqual(['ken', '김 켄']);
    expect(await jan.request('profile:get', { playerId: ken.id })).toMatchObject({
      playerId: ken.id,
      nickname: '김 켄',
      locale: 'ko',
    });
    expect((await ken.refused('profile:update', { nickname: 'x'.repeat(17) })).code).toBe('NAME_INVALID');
    expect((await ken.refused('profile:update', { nickname: 'a\u202eb' })).code).toBe('NAME_INVALID');
    const drawn = await ken.request('profile:update', { nickname: '' });
    expect(drawn.nickname.length).toBeGreaterThan(1);
    // The next connection, of whatever device, has it.
    const again = await table.player('', { token: ken.token ?? '' });
    expect(again.ready?.player.nickname).toBe(drawn.nickname);
    // What is refused is told in the player's own language.
    expect((await ken.refused('room:join', { roomId: 'r-nowhere' })).message).toBe('찾을 수 없어요.');
  });
});
