import { afterEach, describe, expect, it } from 'vitest';
import type { PlayerId } from '../../lib/core/ids.ts';
import { refuse } from '../../lib/errors.ts';
import { type PlayerRecords, type PlayerRow, UnavailableError } from '../../lib/ports.ts';
import type { Caller } from '../../lib/service/caller.ts';
import { createPatience } from '../../lib/service/in-time.ts';
import { createSessions } from '../../lib/service/sessions.ts';
import type { Handlers } from '../../socket/route.ts';
import { openRoute } from './own-route.ts';

const closing: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

const logged: { facts: Record<string, unknown>; event: string }[] = [];
const log = {
  error: (facts: object, event: string) => logged.push({ facts: { ...facts }, event }),
  warn: () => {},
  info: () => {},
  debug: () => {},
};

/** Handlers of the test's own behind the real route. */
async function serve(handlers: Partial<Handlers>) {
  const own = await openRoute(handlers, { env: { REQUEST_DEADLINE_MS: '500' }, log });
  closing.push(own.close);
  return own;
}

describe('answers', () => {
  it('[SE17] too late is TIMEOUT, and what fails afterwards ends nothing', async () => {
    let fail: (error: Error) => void = () => {};
    const { client, answered } = await serve({
      'wallet:get': () =>
        new Promise((_, reject) => {
          fail = reject;
        }),
    });
    expect(await client.ask('wallet:get', {})).toMatchObject({ ok: false, code: 'TIMEOUT', retryable: true });
    fail(new Error('too late'));
    expect(answered).toEqual([['wallet:get', 'TIMEOUT']]);
  });

  it('[SE17] an unknown error is INTERNAL outside and one stack inside', async () => {
    logged.length = 0;
    const { client } = await serve({
      'wallet:get': () => {
        throw new TypeError('select secret');
      },
      'profile:get': () => Promise.reject('not even an error'),
    });
    const answer = await client.ask('wallet:get', {});
    expect(answer).toEqual({
      ok: false,
      code: 'INTERNAL',
      message: 'Something went wrong on the server.',
      retryable: true,
    });
    expect(await client.ask('profile:get', {})).toMatchObject({ code: 'INTERNAL' });
    expect(logged.map(({ event, facts }) => [event, facts['request']])).toEqual([
      ['request.failed', 'wallet:get'],
      ['request.failed', 'profile:get'],
    ]);
    expect((logged[0]?.facts['err'] as Error).stack).toContain('TypeError: select secret');
  });

  it('[SE17] the ledger being away and refusals are told as they are', async () => {
    logged.length = 0;
    const outcomes = ['none', 'unknown'] as const;
    const { client } = await serve({
      'wallet:get': () => Promise.reject(new UnavailableError('x', outcomes[0])),
      'profile:get': () => Promise.reject(new UnavailableError('x', outcomes[1])),
      'room:find': () => Promise.reject(refuse('ROOM_FULL', { data: { canSpectate: true } })),
    });
    expect(await client.ask('wallet:get', {})).toEqual({
      ok: false,
      code: 'LEDGER_UNAVAILABLE',
      retryable: true,
      message: expect.any(String),
    });
    expect(await client.ask('profile:get', {})).toMatchObject({ code: 'LEDGER_UNAVAILABLE', outcome: 'unknown' });
    expect(await client.ask('room:find', { code: 'x' })).toMatchObject({
      code: 'ROOM_FULL',
      data: { canSpectate: true },
    });
    expect(logged).toEqual([]);
  });

  it('[OP71] while draining, what changes something is refused, the rest is answered, and idle waits for it', async () => {
    let finish: (value: never) => void = () => {};
    const { client, route } = await serve({
      'wallet:get': () =>
        new Promise((resolve) => {
          finish = resolve as typeof finish;
        }),
      'time:sync': (_caller, { sentAt }) => ({ sentAt, serverAt: 1 }),
    });
    const slow = client.ask('wallet:get', {});
    await client.ask('time:sync', { sentAt: 1 });
    route.drain();
    let idle = false;
    const done = route.idle().then(() => {
      idle = true;
    });
    expect(await client.ask('room:create', { kind: 'bet' })).toMatchObject({ code: 'DRAINING', retryable: true });
    expect(await client.ask('time:sync', { sentAt: 1 })).toMatchObject({ ok: true });
    expect(idle).toBe(false);
    finish({ balance: '1' } as never);
    expect(await slow).toMatchObject({ ok: true });
    await done;
  });
});

describe('connecting without PostgreSQL', () => {
  it('[SE15] goes on at once with an unknown balance; the player is made when it is back', async () => {
    const made: string[] = [];
    let away = true;
    const row = (id: PlayerId, sessionNumber: number): PlayerRow => ({
      id,
      nickname: 'Ann',
      locale: 'en',
      sessionNumber,
      createdAt: 1,
    });
    const call = async <T>(work: () => T): Promise<T> =>
      away
        ? new Promise<T>((_, reject) => setTimeout(reject, 5_000, new UnavailableError('away', 'none')).unref())
        : work();
    let number = 1;
    const players: PlayerRecords = {
      ensure: ({ id }) =>
        call(() => {
          made.push(id);
          return row(id, number);
        }),
      get: (id) => call(() => row(id, number)),
      update: async () => null,
      raiseSession: async () => number,
      createLink: async () => '000000',
      redeemLink: () => call(() => null),
    };
    const ended: string[] = [];
    const callers: Caller[] = [];
    const sessions = createSessions({
      timeZone: 'Asia/Seoul',
      patience: createPatience(3_000),
      secret: new Uint8Array(32),
      players,
      clock: { now: () => Date.now() },
      connections: { callersOf: () => callers, end: (id) => ended.push(id) },
      ownLimits: { get: async () => ({ dailyStake: null }), change: async () => ({ dailyStake: null }) },
      log,
      balanceOf: async () => '10000',
      profileOf: async () => {
        throw new Error('not asked here');
      },
      renamed: () => {},
    });
    const startedAt = performance.now();
    const guest = await sessions.enter({ protocol: 1, nickname: 'Ann', locale: 'en' }, '203.0.113.1');
    expect(performance.now() - startedAt).toBeLessThan(3_000);
    if ('refused' in guest) throw new Error('refused');
    expect(guest).toMatchObject({ balance: null, checked: false });
    const again = await sessions.enter({ protocol: 1, token: guest.token }, '203.0.113.1');
    if ('refused' in again) throw new Error('refused');
    expect(again).toMatchObject({
      session: { playerId: guest.session.playerId, nickname: 'Ann' },
      balance: null,
      checked: false,
    });
    expect(await sessions.enter({ protocol: 1, link: '123456' }, '203.0.113.1')).toEqual({
      refused: 'BAD_TOKEN',
      retryable: true,
    });

    away = false;
    const caller: Caller = {
      connectionId: 'c',
      playerId: guest.session.playerId,
      address: '203.0.113.1',
      nickname: 'Ann',
      locale: 'en',
    };
    callers.push(caller);
    await sessions.settle(guest.session, caller);
    expect(made).toEqual([guest.session.playerId]);
    expect(ended).toEqual([]);
    number = 2;
    await sessions.settle(guest.session, caller);
    expect(ended).toEqual(['c']);
    expect(await sessions.enter({ protocol: 1, token: guest.token }, '203.0.113.1')).toEqual({
      refused: 'BAD_TOKEN',
      retryable: false,
    });
  });
});
