import { createHmac } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { SignJWT } from 'jose';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type ConnectOptions, connect, connectRefusal, type TestClient } from '../helpers/client.ts';
import { startServer, type TestServer } from '../helpers/server.ts';
import { until } from '../helpers/until.ts';

let server: TestServer;
const open: TestClient[] = [];

const enter = async (options: ConnectOptions) => {
  const client = await connect(server.url, options);
  open.push(client);
  return client;
};

beforeAll(async () => {
  server = await startServer({
    env: { FINDS_PER_MINUTE: '3', TRUSTED_PROXIES: 'loopback', CONNECTIONS_PER_ADDRESS: '12' },
  });
});
afterAll(async () => {
  for (const client of open) client.close();
  await server.stop();
});

/** Every test as if from an address of its own. */
let address = 0;
const from = () => ({ 'x-forwarded-for': `203.0.113.${(address += 1)}` });

describe('guests', () => {
  it('[SE1] a guest gets the name asked for, or a drawn one, and a balance to start with', async () => {
    const headers = from();
    const named = await enter({ nickname: ' Ann ', locale: 'en', headers });
    expect(named.ready?.player).toMatchObject({ nickname: 'Ann', locale: 'en', balance: '10000' });
    const drawn = await enter({ headers });
    expect(drawn.ready?.player).toMatchObject({
      locale: 'ko',
      nickname: expect.stringMatching(/^\p{Script=Hangul}+ \p{Script=Hangul}+$/u),
    });
    const refused = await enter({ nickname: 'a\u202eb', locale: 'en', headers });
    expect(refused.ready?.player.nickname).toMatch(/^[A-Z][a-z]+ [A-Z][a-z]+$/);
    expect(new Set([named.id, drawn.id, refused.id]).size).toBe(3);
    expect(named.ready).toMatchObject({
      admission: 'admitted',
      resumed: false,
      degraded: {},
      timeScale: 1,
      version: expect.stringMatching(/^\d/),
    });
    expect(Math.abs((named.ready?.serverAt ?? 0) - Date.now())).toBeLessThan(5_000);
  });
});

describe('tokens', () => {
  it('[SE2] brings the player back, also after a restart of the server', async () => {
    const headers = from();
    const first = await enter({ nickname: 'Token', locale: 'en', headers });
    const again = await enter({ token: first.token!, headers });
    expect(again.ready?.player).toEqual({ ...first.ready?.player, locale: 'en' });
    await server.restart();
    const later = await enter({ token: first.token!, locale: 'ko', headers });
    expect(later.ready?.player).toMatchObject({ id: first.id, nickname: 'Token', locale: 'ko' });
  });

  it('[SE2] refuses what is forged, spent or of another kind', async () => {
    const headers = from();
    const secret = Buffer.from(readFileSync(join(server.dataDir, 'keys/session-secret'), 'utf8').trim(), 'hex');
    const key = createHmac('sha256', secret).update('paddock/session-token/v1').digest();
    const now = Math.floor(Date.now() / 1_000);
    const made = (signer: Uint8Array, change: (jwt: SignJWT) => SignJWT = (jwt) => jwt) =>
      change(
        new SignJWT({ num: 1, nick: 'x', loc: 'ko' })
          .setProtectedHeader({ alg: 'HS256' })
          .setIssuer('paddock')
          .setAudience('session')
          .setSubject('p')
          .setIssuedAt(now)
          .setExpirationTime(now + 60),
      ).sign(signer);
    const good = await made(key);
    const [head, body, signature] = good.split('.');
    const unsigned = `${Buffer.from('{"alg":"none"}').toString('base64url')}.${body}.`;
    const bad = {
      junk: 'junk',
      empty: '',
      long: 'x'.repeat(3_000),
      unsigned,
      cut: `${head}.${body}.${signature?.slice(0, -2)}`,
      otherKey: await made(secret),
      spent: await made(key, (jwt) => jwt.setExpirationTime(now - 10)),
      otherAudience: await made(key, (jwt) => jwt.setAudience('seat')),
      withoutPlayer: await made(key, (jwt) => jwt.setSubject('')),
    };
    for (const [kind, token] of Object.entries(bad)) {
      const refusal = await connectRefusal(server.url, { token, locale: 'en', headers });
      expect(refusal, kind).toMatchObject({
        code: 'BAD_TOKEN',
        retryable: false,
        message: expect.stringContaining('new guest'),
      });
    }
  });
});

describe('a second device', () => {
  it('[SE4] a code works once and brings the same player', async () => {
    const headers = from();
    const phone = await enter({ nickname: 'Phone', headers });
    const { code, expiresAt } = await phone.request('session:link', {});
    expect(code).toMatch(/^\d{6}$/);
    expect(expiresAt - (phone.ready?.serverAt ?? 0)).toBeGreaterThan(110_000);
    const laptop = await enter({ link: code, locale: 'en', headers });
    expect(laptop.ready?.player).toMatchObject({ id: phone.id, nickname: 'Phone', locale: 'en' });
    expect(await connectRefusal(server.url, { link: code, headers })).toMatchObject({ code: 'BAD_TOKEN' });
  });

  it('[SE4] guessing codes is held up', async () => {
    const headers = from();
    const codes: string[] = [];
    for (let guess = 0; guess < 4; guess += 1)
      codes.push((await connectRefusal(server.url, { link: `00000${guess}`, headers })).code);
    expect(codes).toEqual(['BAD_TOKEN', 'BAD_TOKEN', 'BAD_TOKEN', 'TOO_MANY_CONNECTIONS']);
  });
});

describe('logging out', () => {
  it('[SE5] ends this connection after its answer, and leaves the token', async () => {
    const headers = from();
    const client = await enter({ headers });
    const other = await enter({ token: client.token!, headers });
    await client.request('session:logout', {});
    await until('the connection ends', () => !client.socket.connected);
    expect(client.socket.active).toBe(false);
    expect(other.socket.connected).toBe(true);
    expect((await enter({ token: client.token!, headers })).id).toBe(client.id);
  });

  it('[SE5] everywhere ends the others and every token', async () => {
    const headers = from();
    const client = await enter({ headers });
    const other = await enter({ token: client.token!, headers });
    await client.request('session:logout', { everywhere: true });
    await until('both end', () => !client.socket.connected && !other.socket.connected);
    expect(await connectRefusal(server.url, { token: client.token!, headers })).toMatchObject({ code: 'BAD_TOKEN' });
  });
});

describe('who may connect', () => {
  it('[SE6] a page of another host is refused, whatever it says', async () => {
    const headers = from();
    for (const origin of [
      'https://evil.test',
      'null',
      'http://127.0.0.1:1',
      `https://127.0.0.1.evil.test:${server.port}`,
    ]) {
      expect(await connectRefusal(server.url, { origin, headers }), origin).toMatchObject({
        code: 'BAD_ORIGIN',
        retryable: false,
      });
    }
    expect((await enter({ origin: server.url, headers })).ready).toBeDefined();
  });

  it('[SE8] another protocol is told to reload', async () => {
    const headers = from();
    const others = [
      { protocol: 2 },
      { protocol: undefined },
      { protocol: '1' },
      { nickname: 7 },
      { locale: 'fr' },
      { resume: { roomId: 'x' } },
      { resume: 'x' },
    ];
    for (const auth of others) {
      expect(await connectRefusal(server.url, { auth, headers }), JSON.stringify(auth)).toMatchObject({
        code: 'PROTOCOL_VERSION',
      });
    }
  });

  it('[SE7] a fifth connection of a player is refused until one is gone', async () => {
    const headers = from();
    const first = await enter({ headers });
    const more = [
      await enter({ token: first.token!, headers }),
      await enter({ token: first.token!, headers }),
      await enter({ token: first.token!, headers }),
    ];
    expect(await connectRefusal(server.url, { token: first.token!, headers })).toMatchObject({
      code: 'TOO_MANY_CONNECTIONS',
      retryable: true,
    });
    more[0]?.close();
    const fifth = await until('a place', () =>
      connect(server.url, { token: first.token!, headers }).catch(() => undefined),
    );
    open.push(fifth);
    expect(fifth.id).toBe(first.id);
  });

  it('[SE7] an address has a limit of its own', async () => {
    const headers = from();
    await Promise.all(Array.from({ length: 12 }, () => enter({ headers })));
    expect(await connectRefusal(server.url, { headers })).toMatchObject({ code: 'TOO_MANY_CONNECTIONS' });
    expect((await enter({ headers: from() })).ready).toBeDefined();
  });
});

describe('profiles', () => {
  it('[SE13] a new name is there at once and later, and a repeat changes nothing', async () => {
    const headers = from();
    const client = await enter({ nickname: 'Before', locale: 'en', headers });
    const other = await enter({ token: client.token!, headers });
    const viewer = await enter({ headers });
    const commandId = '11111111-1111-4111-8111-111111111111';
    expect(await client.request('profile:update', { commandId, nickname: ' After ' })).toEqual({
      nickname: 'After',
      locale: 'en',
    });
    expect(await client.request('profile:update', { nickname: '' })).not.toEqual({ nickname: 'After', locale: 'en' });
    const { nickname } = await client.request('profile:get', {});
    expect(await client.request('profile:update', { commandId, nickname: ' After ' })).toEqual({
      nickname: 'After',
      locale: 'en',
    });
    expect((await client.request('profile:get', {})).nickname).toBe(nickname);
    expect(await client.refused('profile:update', { commandId, nickname: 'Else' })).toMatchObject({
      code: 'COMMAND_CONFLICT',
    });
    expect(await client.refused('profile:update', { nickname: 'a\u202eb' })).toMatchObject({
      code: 'NAME_INVALID',
      path: 'nickname',
    });
    expect(await viewer.request('profile:get', { playerId: client.id })).toMatchObject({
      playerId: client.id,
      nickname,
    });
    expect((await other.request('profile:get', {})).nickname).toBe(nickname);
    expect(await viewer.refused('profile:get', { playerId: 'nobody' })).toMatchObject({
      code: 'NOT_FOUND',
      path: 'playerId',
    });
    await client.request('profile:update', { locale: 'ko' });
    const later = await enter({ token: client.token!, headers });
    expect(later.ready?.player.nickname).toBe(nickname);
  });

  it('[SE12] refusals speak the language of the player', async () => {
    const headers = from();
    const korean = await enter({ locale: 'ko', headers });
    const refusal = await korean.refused('profile:get', { playerId: 'nobody' });
    expect(refusal).toEqual({
      ok: false,
      code: 'NOT_FOUND',
      message: '찾을 수 없어요.',
      retryable: false,
      path: 'playerId',
    });
    await korean.request('profile:update', { locale: 'en' });
    expect((await korean.refused('profile:get', { playerId: 'nobody' })).message).toBe('Not found.');
  });
});

describe('drops', () => {
  it('[SE14] a dropped connection is back in its room with every event, without a line of code', async () => {
    const headers = from();
    const host = await enter({ headers });
    const guest = await enter({ headers });
    const { room } = await host.request('room:create', { kind: 'pick' });
    await guest.request('room:join', { roomId: room.id });
    guest.drop();
    await until('the drop is noticed', () => !guest.socket.connected);
    const texts = ['one', 'two', 'three'];
    for (const text of texts) await host.request('chat:send', { roomId: room.id, text });
    await until('resumed', () => guest.readies === 2);
    expect(guest.ready?.resumed).toBe(true);
    await guest.event('chat', ({ message }) => message.text === 'three');
    const seqs = guest.room?.events.map(({ seq }) => seq) ?? [];
    expect(seqs).toEqual(seqs.map((_, index) => (seqs[0] ?? 0) + index));
    expect(guest.room?.events.flatMap((event) => (event.type === 'chat' ? [event.message.text] : []))).toEqual(texts);
    expect(guest.room?.snapshots).toBe(1);
  });

  it('[SE14] whoever asks for a room that is gone is told so', async () => {
    const headers = from();
    const client = await enter({ headers });
    const lost = await enter({
      token: client.token!,
      headers,
      auth: { resume: { roomId: 'rNothing', epoch: 'x', seq: 3 } },
    });
    expect(lost.ready).toMatchObject({ resumed: false, left: { cause: 'gone' } });
  });
});
