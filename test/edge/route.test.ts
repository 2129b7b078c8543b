import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ERRORS } from '../../lib/errors.ts';
import { connect, type Refused, type TestClient } from '../helpers/client.ts';
import { fieldPaths, REQUEST_NAMES, schemaOf, validPayload, withValue } from '../helpers/payloads.ts';
import { startServer, type TestServer } from '../helpers/server.ts';
import { until } from '../helpers/until.ts';

let server: TestServer;
let client: TestClient;

beforeAll(async () => {
  server = await startServer({ env: { REQUESTS_PER_SECOND: '1000000', REQUEST_BURST: '1000000' } });
  client = await connect(server.url, { locale: 'en' });
});
afterAll(async () => {
  client.close();
  await server.stop();
});

const metric = async (line: string): Promise<number> => {
  const text = await (await fetch(`${server.url}/metrics`)).text();
  return Number(
    text
      .split('\n')
      .find((one) => one.startsWith(line))
      ?.split(' ')
      .at(-1) ?? 0,
  );
};

const bad = (path: string) => ({
  ok: false,
  code: 'BAD_REQUEST',
  path,
  retryable: false,
  message: ERRORS.BAD_REQUEST.en,
});
const nested = (depth: number): unknown => JSON.parse(`${'{"a":'.repeat(depth)}1${'}'.repeat(depth)}`);

describe('malformed requests', () => {
  it.each(REQUEST_NAMES)('[SE9] %s: every field answers for itself', async (name) => {
    const valid = validPayload(name);
    for (const { path, required, nullable } of fieldPaths(schemaOf(name))) {
      if (required)
        expect(await client.raw(name, withValue(valid, path, undefined)), `${path} missing`).toEqual(bad(path));
      for (const wrong of [null, { no: 'such' }, [[]], 'x'.repeat(9_000), nested(500)]) {
        if (wrong === null && nullable) continue;
        const answer = (await client.raw(name, withValue(valid, path, wrong))) as Refused;
        expect(answer, `${path} = ${JSON.stringify(wrong).slice(0, 30)}`).toMatchObject({ code: 'BAD_REQUEST' });
        expect(answer.path === path || answer.path?.startsWith(`${path}.`), `${path}: ${answer.path}`).toBe(true);
      }
    }
  });

  it.each(REQUEST_NAMES)('[SE9] %s: the payload is one plain object with known keys', async (name) => {
    for (const wrong of [null, 7, 'text', true, [], [validPayload(name)], Buffer.from('x')]) {
      expect(await client.raw(name, wrong), JSON.stringify(wrong)).toEqual(bad(''));
    }
    expect(await client.raw(name)).toEqual(bad(''));
    expect(await client.raw(name, validPayload(name), validPayload(name))).toEqual(bad(''));
    for (const key of ['extra', '__proto__', 'constructor', 'prototype', 'toString']) {
      const payload = JSON.parse(
        JSON.stringify(validPayload(name)).replace(
          '{',
          `{${JSON.stringify(key)}:{"isAdmin":true}${Object.keys(validPayload(name)).length > 0 ? ',' : ''}`,
        ),
      ) as unknown;
      expect(await client.raw(name, payload), key).toEqual(bad(key));
    }
  });

  it('[SE10] events that are none are answered, and nothing is called by their name', async () => {
    for (const name of [
      'nope',
      'room:ban',
      '__proto__',
      'constructor',
      'toString',
      'hasOwnProperty',
      ' room:create',
      'x'.repeat(1_000),
    ]) {
      expect(await client.raw(name, {}), name).toEqual(bad(''));
    }
    expect(await metric('paddock_requests_total{event="unknown",code="BAD_REQUEST"}')).toBe(8);
  });

  it('[SE10] without an acknowledgement function a request is counted and not done', async () => {
    const { socket } = client;
    const before = await metric('paddock_requests_dropped_total{event="profile:update"}');
    const send = socket as unknown as { emit(name: string, ...args: unknown[]): void };
    send.emit('profile:update', { commandId: '11111111-1111-4111-8111-111111111111', nickname: 'Silent' });
    send.emit('profile:update');
    send.emit('nope', 1, 2, 3);
    await until(
      'they are counted',
      async () => (await metric('paddock_requests_dropped_total{event="profile:update"}')) === before + 2,
    );
    expect((await client.request('profile:get', {})).nickname).not.toBe('Silent');
    expect(await metric('paddock_requests_dropped_total{event="unknown"}')).toBe(1);
  });

  it('[SE9] a message above the limit ends the connection, not the server', async () => {
    const other = await connect(server.url);
    const { readies } = other;
    const send = other.socket as unknown as { emit(name: string, ...args: unknown[]): void };
    send.emit('chat:send', { text: 'x'.repeat(40_000) });
    await until('it is cut and comes back', () => other.readies > readies);
    other.close();
    expect(await client.request('time:sync', { sentAt: 1 })).toMatchObject({ sentAt: 1 });
  });

  it('[SE17] nothing of all this was an internal error', () => {
    expect(server.lines().filter(({ level, msg }) => level >= 50 || msg === 'request.failed')).toEqual([]);
  });
});
