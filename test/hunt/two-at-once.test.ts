import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { until } from '../helpers/until.ts';
import { codeOf, type House, openHouse } from './house.ts';

let house: House;
beforeAll(async () => {
  house = await openHouse({ LIVING_ROOMS_PER_PLAYER: '5' });
});
afterAll(() => house.close());

describe('one player on several connections', () => {
  test('[RM100] has no more living rooms than the limit allows, however many are made at the same moment', async () => {
    const first = await house.player('owner');
    const made: string[] = [];
    for (let count = 0; count < 4; count += 1) {
      const { room } = await first.request('room:create', { kind: 'bet' });
      made.push(room.id);
    }
    const commands = Array.from({ length: 5 }, () => randomUUID());
    const answers = await Promise.all(
      commands.map((commandId) => first.ask('room:create', { kind: 'bet', commandId })),
    );
    expect(answers.map(codeOf).sort()).toEqual([
      'LIMIT_REACHED',
      'LIMIT_REACHED',
      'LIMIT_REACHED',
      'LIMIT_REACHED',
      'OK',
    ]);
    const { rows } = await house.pool.query(
      'select count(*)::integer as rooms from room where created_by = $1 and closed_at is null',
      [first.id],
    );
    expect(rows).toEqual([{ rooms: 5 }]);
    // The one that was made is answered again, at the limit too.
    const won = commands[answers.findIndex(({ ok }) => ok)] as string;
    expect(codeOf(await first.ask('room:create', { kind: 'bet', commandId: won }))).toBe('OK');
    await house.records.rooms.close(made[0] as never, 'closed');
    expect(codeOf(await first.ask('room:create', { kind: 'bet' }))).toBe('OK');
  });

  test('[CH4] says nothing twice under one command id: in another room it is a conflict, and the archive has what was accepted', async () => {
    const here = await house.player('talker');
    const { room: one } = await here.request('room:create', { kind: 'bet' });
    const host = await house.player('other host');
    const { room: two } = await host.request('room:create', { kind: 'bet' });
    const commandId = randomUUID();
    const said = { text: 'only once', commandId };
    const { messageId } = await here.request('chat:send', { roomId: one.id, ...said });
    await here.request('room:join', { roomId: two.id });
    expect(codeOf(await here.ask('chat:send', { roomId: two.id, ...said }))).toBe('COMMAND_CONFLICT');
    const other = randomUUID();
    await here.request('chat:send', { roomId: two.id, text: 'and this', commandId: other });
    await here.request('room:join', { roomId: one.id });
    expect(await here.request('chat:send', { roomId: one.id, ...said })).toEqual({ messageId });
    await until('archived', async () => (await house.store.dirty(10)).length === 0);
    const { rows } = await house.pool.query<{ room_id: string; text: string }>(
      'select room_id, text from chat_message where player_id = $1 order by text',
      [here.id],
    );
    expect(rows).toEqual([
      { room_id: two.id, text: 'and this' },
      { room_id: one.id, text: 'only once' },
    ]);
  });
});
