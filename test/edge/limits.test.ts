import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { connect } from '../helpers/client.ts';
import { startServer, type TestServer } from '../helpers/server.ts';
import { until } from '../helpers/until.ts';
import { openRoute } from './own-route.ts';

let server: TestServer;
beforeAll(async () => {
  server = await startServer({
    env: {
      REQUESTS_PER_SECOND: '4',
      REQUEST_BURST: '8',
      FINDS_PER_MINUTE: '2',
      ROOMS_PER_MINUTE: '1',
      PASSWORDS_PER_MINUTE: '2',
    },
  });
});
afterAll(async () => {
  await server.stop();
});

describe('limits', () => {
  it('[SE11] a burst passes, then requests wait, and waiting helps', async () => {
    const client = await connect(server.url);
    const answers = await Promise.all(Array.from({ length: 12 }, () => client.ask('time:sync', { sentAt: 0 })));
    const refused = answers.filter((answer) => !answer.ok);
    expect(refused).toHaveLength(4);
    for (const answer of refused) {
      expect(answer).toMatchObject({ code: 'RATE_LIMITED', retryable: true });
      if (!answer.ok) expect(answer.retryAfterMs).toBeGreaterThan(0);
      if (!answer.ok) expect(answer.retryAfterMs).toBeLessThanOrEqual(2_000);
    }
    await until('it may again', async () => (await client.ask('time:sync', { sentAt: 0 })).ok, { everyMs: 200 });
    client.close();
  });

  it('[SE45] more requests a second need no larger burst besides', async () => {
    const sync = { 'time:sync': ({}, { sentAt }: { sentAt: number }) => ({ sentAt, serverAt: 1 }) };
    const own = await openRoute(sync, { env: { REQUESTS_PER_SECOND: '200' } });
    try {
      const answers = await Promise.all(Array.from({ length: 205 }, () => own.client.ask('time:sync', { sentAt: 0 })));
      expect(answers.filter((answer) => answer.ok)).toHaveLength(200);
    } finally {
      await own.close();
    }
  });

  it('[SE11] rooms are counted by player, codes by address, wrong passwords by address and room', async () => {
    const host = await connect(server.url);
    const { room } = await host.request('room:create', { kind: 'pick', password: 'secret' });
    expect(await host.refused('room:create', { kind: 'pick' })).toMatchObject({ code: 'RATE_LIMITED' });
    const guest = await connect(server.url);
    const codes = [];
    for (let go = 0; go < 3; go += 1) codes.push((await guest.refused('room:find', { code: 'NOPE22' })).code);
    expect(codes).toEqual(['NOT_FOUND', 'NOT_FOUND', 'RATE_LIMITED']);
    const tries = [];
    for (let go = 0; go < 3; go += 1)
      tries.push((await guest.refused('room:join', { roomId: room.id, password: `wrong ${go}` })).code);
    expect(tries).toEqual(['WRONG_PASSWORD', 'WRONG_PASSWORD', 'RATE_LIMITED']);
    expect(await guest.refused('room:join', { roomId: room.id, password: 'secret' })).toMatchObject({
      code: 'RATE_LIMITED',
    });
    host.close();
    guest.close();
  });

  it('[SE11] only a persistent flood is disconnected, for good', async () => {
    const client = await connect(server.url);
    const send = client.socket as unknown as { emit(name: string, ...args: unknown[]): void };
    const most = 4 * 10 * 10;
    for (let sent = 0; sent < most; sent += 1) send.emit('time:sync', { sentAt: 0 }, () => {});
    await client.raw('time:sync', { sentAt: 0 }).catch(() => {});
    await until('the flood is cut', () => !client.socket.connected);
    expect(client.socket.active).toBe(false);
    const later = await connect(server.url, { token: client.token! });
    expect(later.id).toBe(client.id);
    later.close();
  });
});
