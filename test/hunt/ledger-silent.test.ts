import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { REQUESTS, type RequestName } from '../../lib/protocol.ts';
import { connect, type TestClient } from '../helpers/client.ts';
import { startTestPostgres, type TestPostgres } from '../helpers/postgres.ts';
import { startServer, type TestServer } from '../helpers/server.ts';
import { until } from '../helpers/until.ts';
import { codeOf } from './house.ts';

const ANSWER_MS = 300;
/** The setting, and a margin for a busy machine. */
const SOON_MS = 1_000;

let postgres: TestPostgres;
let server: TestServer;
let host: TestClient;
let guest: TestClient;
let picker: TestClient;
let betRoom: string;
let pickRoom: string;
let betRace: string;
let pickRace: string;

beforeAll(async () => {
  postgres = await startTestPostgres();
  const { url } = await postgres.createDatabase({ migrate: true });
  server = await startServer({
    env: {
      DATABASE_URL: url,
      LEDGER_ANSWER_MS: String(ANSWER_MS),
      REQUESTS_PER_SECOND: '100000',
      REQUEST_BURST: '100000',
    },
  });
  host = await connect(server.url, { nickname: 'host', locale: 'en' });
  guest = await connect(server.url, { nickname: 'guest', locale: 'en' });
  picker = await connect(server.url, { nickname: 'picker', locale: 'en' });
  const settings = { openSeconds: 300 };
  betRoom = (await host.request('room:create', { kind: 'bet', settings })).room.id;
  pickRoom = (await picker.request('room:create', { kind: 'pick', settings: { ...settings, placeVote: true } })).room
    .id;
  await guest.request('room:join', { roomId: betRoom });
  const other = await connect(server.url, { nickname: 'other', locale: 'en' });
  await other.request('room:join', { roomId: pickRoom });
  await other.request('room:ready', { roomId: pickRoom, ready: true });
  await picker.request('room:ready', { roomId: pickRoom, ready: true });
  betRace = (await host.request('race:start', { roomId: betRoom })).raceId;
  pickRace = (await picker.request('race:start', { roomId: pickRoom })).raceId;
  // After a restart nothing of points and races is in the process's memory.
  await server.restart();
  for (const client of [host, guest, picker]) await until('back', () => client.readies === 2);
  other.close();
});
afterAll(async () => {
  postgres.thaw();
  for (const client of [host, guest, picker]) client.close();
  await server.stop();
  await postgres.stop();
});

type Asked = { readonly by?: () => TestClient; readonly body: () => object; readonly expected: 'away' | 'OK' };
const roomId = () => betRoom;
const away = (body: () => object, by?: () => TestClient): Asked => ({ body, expected: 'away', ...(by && { by }) });
const served = (body: () => object, by?: () => TestClient): Asked => ({ body, expected: 'OK', ...(by && { by }) });
const none = () => ({});
const pickers = () => picker;
const guests = () => guest;

/** Every request there is. */
const ASKED: Record<RequestName, Asked> = {
  'time:sync': served(() => ({ sentAt: 1 })),
  'session:link': away(none),
  'session:logout': away(() => ({ everywhere: true })),
  'lobby:watch': served(none),
  'lobby:unwatch': served(none),
  'room:create': away(() => ({ kind: 'bet' })),
  'room:find': away(() => ({ code: 'ABCDEF' })),
  'room:join': served(() => ({ roomId: roomId() }), guests),
  'room:ready': served(() => ({ roomId: pickRoom, ready: false }), pickers),
  'room:sync': served(() => ({ roomId: roomId(), epoch: host.room?.epoch ?? '', seq: host.room?.seq ?? 0 })),
  'room:members': served(() => ({ roomId: roomId() })),
  'room:configure': away(() => ({ roomId: roomId(), version: 1, patch: { name: 'x' } })),
  'room:handover': away(() => ({ roomId: roomId(), playerId: guest.id })),
  'room:close': away(() => ({ roomId: roomId() })),
  'race:start': away(() => ({ roomId: roomId() })),
  'race:get': away(() => ({ raceId: betRace })),
  'race:history': away(() => ({ roomId: roomId() })),
  'race:frames:get': away(() => ({ raceId: betRace, fromMs: 0 })),
  'bet:place': away(() => ({ raceId: betRace, pool: 'win', selection: [1], stake: '100' })),
  'bet:quote': served(() => ({ raceId: betRace, pool: 'win', selection: [1], stake: '100' })),
  'bet:mine': away(() => ({ raceId: betRace })),
  'bet:history': away(none),
  'pick:choose': away(() => ({ raceId: pickRace, horse: 1 }), pickers),
  'pick:clear': away(() => ({ raceId: pickRace }), pickers),
  'vote:place': away(() => ({ raceId: pickRace, place: 1 }), pickers),
  'chat:send': served(() => ({ roomId: roomId(), text: 'still here' })),
  'chat:history': away(() => ({ roomId: roomId(), before: 'long-ago' })),
  'chat:react': away(() => ({ roomId: roomId(), messageId: 'long-ago', emoji: '👍', on: true })),
  'wallet:get': away(none),
  'wallet:history': away(none),
  'wallet:claim': away(() => ({ kind: 'daily' })),
  'board:get': away(() => ({ metric: 'profit', window: 'day' })),
  'profile:get': away(none),
  'profile:update': away(() => ({ nickname: 'renamed' })),
  'room:role': away(() => ({ roomId: roomId(), as: 'spectator' }), guests),
  'room:kick': served(() => ({ roomId: roomId(), playerId: guest.id })),
  'room:leave': served(() => ({ roomId: pickRoom }), pickers),
};

async function askedOf(name: RequestName) {
  const { by = () => host, body } = ASKED[name];
  const from = performance.now();
  const code = codeOf(await by().ask(name as 'race:get', { ...body() } as never));
  return { code, ms: performance.now() - from };
}

describe('a frozen PostgreSQL', () => {
  test('[OP130] every request that needs PostgreSQL is answered LEDGER_UNAVAILABLE soon, the rest is served', async () => {
    expect(Object.keys(ASKED).sort()).toEqual(Object.keys(REQUESTS).sort());
    postgres.freeze();
    const answers: Partial<Record<RequestName, string>> = {};
    const late: string[] = [];
    try {
      for (const name of Object.keys(ASKED) as RequestName[]) {
        const { code, ms } = await askedOf(name);
        answers[name] = code;
        if (ms > SOON_MS) late.push(`${name}: ${Math.round(ms)} ms`);
      }
    } finally {
      postgres.thaw();
    }
    const expected = Object.entries(ASKED).map(([name, one]) => [
      name,
      one.expected === 'OK' ? 'OK' : 'LEDGER_UNAVAILABLE',
    ]);
    expect({ late, answers }).toEqual({ late: [], answers: Object.fromEntries(expected) });
    // All of it goes on.
    await until('points', async () => codeOf(await host.ask('wallet:get', {})) === 'OK');
    const stake = { raceId: betRace, pool: 'win' as const, selection: [1], stake: '100' };
    await until('bets', async () => codeOf(await host.ask('bet:place', stake)) !== 'LEDGER_UNAVAILABLE');
    for (const name of ['race:get', 'race:history', 'bet:mine', 'bet:quote', 'profile:get', 'session:link'] as const) {
      await until(name, async () => (await askedOf(name)).code !== 'LEDGER_UNAVAILABLE');
    }
  });

  test('[OP131] once PostgreSQL is known to be silent further requests are refused at once, and the first answer ends that', async () => {
    await until('points', async () => codeOf(await host.ask('wallet:get', {})) === 'OK');
    const ask = async () => {
      const from = performance.now();
      const answer = await host.ask('profile:update', { nickname: 'n', commandId: randomUUID() });
      return { answer, ms: performance.now() - from };
    };
    postgres.freeze();
    try {
      const first = await Promise.all(Array.from({ length: 15 }, ask));
      expect(first.map(({ answer }) => codeOf(answer))).toEqual(first.map(() => 'LEDGER_UNAVAILABLE'));
      expect(Math.max(...first.map(({ ms }) => ms))).toBeLessThan(SOON_MS);
      const probe = ask();
      const further = await Promise.all(Array.from({ length: 30 }, ask));
      expect(further.map(({ answer }) => codeOf(answer))).toEqual(further.map(() => 'LEDGER_UNAVAILABLE'));
      expect(further.filter(({ ms }) => ms < ANSWER_MS).length).toBeGreaterThanOrEqual(29);
      // What was not sent has certainly not happened.
      expect(further.filter(({ answer }) => !answer.ok && answer.outcome === 'unknown')).toEqual([]);
      expect(codeOf((await probe).answer)).toBe('LEDGER_UNAVAILABLE');
    } finally {
      postgres.thaw();
    }
    await until('profiles', async () => codeOf((await ask()).answer) === 'OK');
  });
});
