import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { RequestName } from '../../lib/protocol.ts';
import { connect, type TestClient } from '../helpers/client.ts';
import type { TestServer } from '../helpers/server.ts';
import { until } from '../helpers/until.ts';
import { startPlayServer } from '../play/table.ts';

/** For a hang, not for a speed. */
const PATIENCE = { deadlineMs: 60_000 };

let server: TestServer;
const clients: TestClient[] = [];
beforeAll(async () => {
  server = await startPlayServer({ TIME_SCALE: '1' });
});
afterAll(async () => {
  for (const client of clients) client.close();
  await server?.stop();
});

async function people(...names: string[]): Promise<[TestClient, TestClient]> {
  const [first, second] = await Promise.all(names.map((nickname) => connect(server.url, { nickname, locale: 'en' })));
  if (first === undefined || second === undefined) throw new Error('two are needed');
  clients.push(first, second);
  return [first, second];
}

async function crash(): Promise<void> {
  const before = clients.map(({ readies }) => readies);
  await server.kill();
  await server.restart();
  await until('everybody is back', () => clients.every(({ readies }, at) => readies > (before[at] ?? 0)), PATIENCE);
}

/** Gives how to ask for the same again. */
async function once(client: TestClient, name: RequestName, body: object) {
  const command = { commandId: randomUUID(), ...body };
  const answer = await client.raw(name, command);
  expect(answer, name).toMatchObject({ ok: true });
  return { name, answer, again: () => client.raw(name, command) };
}

describe('a command that was accepted, asked again when its player could not make it any more', () => {
  it('[LG61] a bet whose player has left the room is answered as the first time, a new one is refused', async () => {
    const [ann, ben] = await people('ann', 'ben');
    const { room } = await ann.request('room:create', { kind: 'bet', settings: { openSeconds: 300 } });
    await ben.request('room:join', { roomId: room.id });
    const { raceId } = await ann.request('race:start', { roomId: room.id });
    const bet = { raceId, pool: 'win' as const, selection: [1], stake: '300' };
    const placed = await once(ben, 'bet:place', bet);
    await ben.request('room:leave', { roomId: room.id });
    expect(await placed.again()).toEqual(placed.answer);
    await crash();
    // The crash may have cost the leaving, as anything of the last second that is not points.
    await ben.ask('room:leave', { roomId: room.id });
    expect(await placed.again()).toEqual(placed.answer);
    expect((await ben.refused('bet:place', bet)).code).toBe('NOT_MEMBER');
    expect((await ben.request('bet:mine', { raceId })).bets).toHaveLength(1);
    expect((await ben.request('wallet:get', {})).balance).toBe('9700');
  });

  it('[LG61] so are picks and votes of a player who is not ready any more', async () => {
    const [cho, dan] = await people('cho', 'dan');
    const { room } = await cho.request('room:create', { kind: 'pick', settings: { openSeconds: 300 } });
    await dan.request('room:join', { roomId: room.id });
    for (const client of [cho, dan]) await client.request('room:ready', { roomId: room.id, ready: true });
    const { raceId } = await cho.request('race:start', { roomId: room.id });
    const made = [
      await once(dan, 'pick:choose', { raceId, horse: 'random' }),
      await once(dan, 'pick:clear', { raceId }),
      await once(dan, 'pick:choose', { raceId, horse: 2 }),
      await once(dan, 'vote:place', { raceId, place: 1 }),
    ];
    await dan.request('room:ready', { roomId: room.id, ready: false });
    for (const { name, again, answer } of made) expect(await again(), name).toEqual(answer);
    await crash();
    await dan.ask('room:ready', { roomId: room.id, ready: false });
    for (const { name, again, answer } of made) expect(await again(), name).toEqual(answer);
    expect((await dan.refused('pick:choose', { raceId, horse: 3 })).code).toBe('NOT_READY');
    expect((await dan.refused('pick:clear', { raceId })).code).toBe('NOT_READY');
    expect((await dan.refused('vote:place', { raceId, place: 2 })).code).toBe('NOT_READY');
    expect((await dan.request('bet:mine', { raceId })).pick?.horse).toBe(2);
  });
});
