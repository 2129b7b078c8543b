import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { RequestName } from '../../lib/protocol.ts';
import { until } from '../helpers/until.ts';
import { codeOf, type House, openHouse } from './house.ts';

let house: House;
beforeAll(async () => {
  house = await openHouse({ SEAT_SECONDS: '1', LEDGER_ANSWER_MS: '300' });
});
afterAll(() => house.close());

/** The answer within what the design allows for, and a margin for a busy machine. */
async function soon<T>(what: Promise<T>): Promise<T> {
  const from = performance.now();
  const answer = await what;
  expect(performance.now() - from).toBeLessThan(1_500);
  return answer;
}

describe('a PostgreSQL that is silent', () => {
  test('[OP120] refuses at once what needs it, and the rest goes on', async () => {
    const host = await house.player('host');
    const guest = await house.player('guest');
    const late = await house.player('late');
    const { room } = await host.request('room:create', { kind: 'bet' });
    const owner = await house.player('owner');
    const { room: closed, inviteKey } = await owner.request('room:create', { kind: 'bet', password: 'sesame' });
    const heir = await house.player('heir');
    await heir.request('room:join', { roomId: closed.id, password: 'sesame' });
    // Whose the password's room is has changed since: the password has not.
    await owner.request('room:leave', { roomId: closed.id });
    await heir.event('host changed', ({ hostId }) => hostId === heir.id);
    await guest.request('room:join', { roomId: room.id });
    const { messageId } = await guest.request('chat:send', { roomId: room.id, text: 'hello' });
    const change = { roomId: room.id, version: room.settingsVersion, patch: { name: 'x' }, commandId: '' };
    house.proxy.holdAnswers();
    try {
      const refused = async (name: RequestName, body: object) =>
        codeOf(await soon(host.ask(name as 'room:close', body as never)));
      const commandId = randomUUID();
      expect({
        // The first is sent, and may happen; those after it are not.
        configure: await refused('room:configure', {
          roomId: room.id,
          version: room.settingsVersion,
          patch: { name: 'x' },
          commandId,
        }),
        create: await refused('room:create', { kind: 'bet' }),
        find: await refused('room:find', { code: 'ABCDEF' }),
        handover: await refused('room:handover', { roomId: room.id, playerId: guest.id }),
        unknown: await refused('room:join', { roomId: 'r-nobody-knows' }),
        reply: await refused('chat:send', { roomId: room.id, text: 'to whom?', replyTo: 'long-ago' }),
        history: await refused('chat:history', { roomId: room.id, before: messageId }),
        close: await refused('room:close', { roomId: room.id }),
      }).toEqual({
        create: 'LEDGER_UNAVAILABLE',
        find: 'LEDGER_UNAVAILABLE',
        configure: 'LEDGER_UNAVAILABLE',
        handover: 'LEDGER_UNAVAILABLE',
        unknown: 'LEDGER_UNAVAILABLE',
        reply: 'LEDGER_UNAVAILABLE',
        history: 'LEDGER_UNAVAILABLE',
        close: 'LEDGER_UNAVAILABLE',
      });
      change.commandId = commandId;
      // Joining by what is known here, talk, kicks and leaving.
      await soon(late.request('room:join', { roomId: room.id }));
      await soon(late.request('chat:send', { roomId: room.id, text: 'still here', replyTo: messageId }));
      await soon(guest.event('chat', ({ message }) => message.text === 'still here'));
      await soon(host.request('room:kick', { roomId: room.id, playerId: late.id }));
      expect(codeOf(await soon(late.ask('room:join', { roomId: closed.id, password: 'wrong' })))).toBe(
        'WRONG_PASSWORD',
      );
      await soon(owner.request('room:join', { roomId: closed.id, password: 'sesame' }));
      await soon(
        late.request('room:join', { roomId: closed.id, ...(inviteKey === undefined ? {} : { key: inviteKey }) }),
      );
      expect(codeOf(await soon(late.ask('room:leave', { roomId: closed.id })))).toBe('OK');
      guest.drop();
      await until('the guest is back', () => guest.readies === 2);
      expect(guest.ready).toMatchObject({ resumed: true });
      await soon(host.request('room:leave', { roomId: room.id }));
    } finally {
      house.proxy.heal();
    }
    // What is asked again is answered as what it did, as long as the room is there.
    await until('the change is answered', async () => {
      const code = codeOf(await host.ask('room:configure', change));
      return code === 'OK' || house.state(room.id)?.document.closed !== null;
    });
    // What was asked for while it was away may happen; the host's place is given on, and the log tells of all of it.
    await until('the room has its facts', async () => {
      const row = await house.records.rooms.get(room.id);
      const { document } = house.state(room.id) ?? {};
      return row?.closedAt !== null || (document?.factVersion === row?.factVersion && document?.hostId !== host.id);
    });
  });

  test('[OP121] costs nobody their room: who comes back to one that only PostgreSQL knows is let in when it answers', async () => {
    const host = await house.player('owner');
    const { room } = await host.request('room:create', { kind: 'bet' });
    // As in a process that has not this room in its memory.
    await house.feeds().leave(room.id);
    await until('archived', async () => (await house.store.dirty(10)).length === 0);
    await house.store.remove(room.id);
    house.proxy.holdAnswers();
    host.drop();
    await until('it was asked', () => house.lines.some(({ event }) => event === 'socket.resume_failed'));
    expect(host.room?.id).toBe(room.id);
    house.proxy.heal();
    await until('back', () => host.readies === 2);
    expect(host.ready).toMatchObject({ resumed: true });
    expect(host.room?.id).toBe(room.id);
  });
});
