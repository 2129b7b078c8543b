import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { connect, type TestClient } from '../helpers/client.ts';
import { startServer, type TestServer } from '../helpers/server.ts';
import { until } from '../helpers/until.ts';
import { type Case, cases, FIELDS, type Ids, randomOf } from './cases.ts';
import { type Recorder, record } from './recorder.ts';

const SEED = Number(process.env['SEED'] ?? 20_261_120);
const CASES = 20_000;
const AT_ONCE = 40;
const PASSWORD = 'correct-horse-battery';
const MOST = '1000000';

type Answer = { readonly ok: boolean; readonly code?: string; readonly path?: string };

let server: TestServer;
const recorders: Recorder[] = [];
const clients: TestClient[] = [];
const counts = new Map<string, number>();
/** Fields that were answered BAD_REQUEST with their own path. */
const named = new Set<string>();

async function join(nickname: string): Promise<TestClient> {
  const client = await connect(server.url, { nickname, locale: 'en' });
  clients.push(client);
  recorders.push(record(client));
  return client;
}

async function send(client: TestClient, one: Case): Promise<void> {
  const socket = client.socket as unknown as { emit(name: string, ...args: unknown[]): void };
  if (!one.ack) {
    socket.emit(one.request, ...one.args);
    return;
  }
  const answer = (await client
    .raw(one.request, ...one.args)
    .catch((error: Error) => ({ ok: false, code: `client: ${error.message}` }))) as Answer;
  const code = answer.ok ? 'OK' : (answer.code ?? 'none');
  counts.set(code, (counts.get(code) ?? 0) + 1);
  const path = one.field?.path.join('.');
  if (
    one.field &&
    path !== undefined &&
    code === 'BAD_REQUEST' &&
    (answer.path === path || answer.path?.startsWith(`${path}.`))
  )
    named.add(`${one.field.request} ${path}`);
}

beforeAll(async () => {
  server = await startServer({
    env: {
      TIME_SCALE: '20',
      REQUESTS_PER_SECOND: MOST,
      REQUEST_BURST: MOST,
      CHAT_PER_SECOND: MOST,
      BETS_PER_SECOND: MOST,
      ROOMS_PER_MINUTE: MOST,
      FINDS_PER_MINUTE: MOST,
      PASSWORDS_PER_MINUTE: MOST,
      LIVING_ROOMS_PER_PLAYER: MOST,
      ROOM_QUEUE: '100000',
      CONNECTIONS_PER_PLAYER: '100',
      LEDGER_ANSWER_MS: '20000',
      LEDGER_QUEUE_MS: '20000',
      REQUEST_DEADLINE_MS: '30000',
      UNARCHIVED_ENTRIES: MOST,
    },
  });
}, 90_000);

afterAll(async () => {
  for (const client of clients) client.close();
  await server.stop();
});

describe('a hostile client', () => {
  test('[OP90] 20,000 malformed and foreign requests are answered or dropped; nobody else notices, nothing ends, nothing leaks', {
    timeout: 180_000,
  }, async () => {
    console.log(`hostile seed ${SEED}`);
    const random = randomOf(SEED);

    // Two rooms of honest people, one behind a password, with races going on all the while.
    const host = await join('host');
    const bets = await host.request('room:create', {
      kind: 'bet',
      password: PASSWORD,
      settings: { mode: 'auto', openSeconds: 60, resultSeconds: 5 },
    });
    const bettor = await join('bettor');
    await bettor.request('room:join', { roomId: bets.room.id, password: PASSWORD });
    const chooser = await join('chooser');
    const picks = await chooser.request('room:create', {
      kind: 'pick',
      settings: { mode: 'auto', openSeconds: 60, resultSeconds: 5 },
    });
    const second = await join('second');
    await second.request('room:join', { roomId: picks.room.id });
    const raceOf = async (client: TestClient): Promise<string> => (await client.event('race opened')).race.id;

    // Attackers: one member of the pick room, one of a room of its own, one of none.
    const inside = await join('inside');
    await inside.request('room:join', { roomId: picks.room.id });
    const owner = await join('owner');
    await owner.request('room:create', { kind: 'bet' });
    const outside = await join('outside');
    const attackers = [inside, owner, outside];

    // The honest play on: distinctive stakes, picks, and seeds to look for later.
    const seeds: { seed: string; raceId: string; at: number }[] = [];
    const secretStake = '4300';
    // Attackers stake 100 at a time from the same 10,000, so nobody else comes by these balances.
    const balances = new Set<string>();
    await raceOf(host);
    let playing = true;
    const honest = (async () => {
      const seen = new Set<string>();
      while (playing) {
        const race = host.room?.events.findLast((event) => event.type === 'race opened');
        if (race?.type === 'race opened' && !seen.has(race.race.id)) {
          seen.add(race.race.id);
          const bet = await bettor.ask('bet:place', {
            raceId: race.race.id,
            pool: 'win',
            selection: [1],
            stake: secretStake,
          });
          if (bet.ok) balances.add(bet.data.balance);
          const pick = chooser.room?.events.findLast((event) => event.type === 'race opened');
          if (pick?.type === 'race opened') {
            await chooser.ask('pick:choose', { raceId: pick.race.id, horse: 3 });
            await second.ask('vote:place', { raceId: pick.race.id, place: 1 });
          }
        }
        for (const client of [host, chooser]) {
          for (const event of client.room?.events ?? []) {
            if (event.type !== 'race settled' || seeds.some(({ seed }) => seed === event.result.seed)) continue;
            // Told from the end of the race on; the log says so a moment later.
            const running = client.room?.events.find(
              (one) => one.type === 'race running' && one.raceId === event.raceId,
            );
            if (running?.type === 'race running')
              seeds.push({ seed: event.result.seed, raceId: event.raceId, at: running.endsAt });
          }
        }
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
    })();

    const foreign = (): Ids => ({
      roomId: [bets.room.id, picks.room.id, owner.room?.id ?? 'r', 'nonsense'][random(4)] as string,
      raceId: host.room?.events.findLast((event) => event.type === 'race opened')?.race.id ?? 'nonsense',
      playerId: [bettor.id, chooser.id, outside.id, 'nobody'][random(4)] as string,
      messageId: 'not-a-message',
      replyTo: 'not-a-message',
      epoch: 'not-an-epoch',
      rerunOf: 'not-a-race',
      before: 'not-a-race',
    });
    const queue = cases(CASES, random, foreign);
    const worker = async (client: TestClient): Promise<void> => {
      for (let next = queue.next(); !next.done; next = queue.next()) await send(client, next.value);
    };
    await Promise.all(attackers.flatMap((client) => Array.from({ length: AT_ONCE }, () => worker(client))));
    await until('the honest have seen a race through', () => seeds.length > 0 && balances.size > 0, {
      deadlineMs: 60_000,
    });
    playing = false;
    await honest;

    const total = [...counts.values()].reduce((sum, count) => sum + count, 0);
    console.log('answers by code', Object.fromEntries([...counts].sort((a, b) => b[1] - a[1])), 'answered', total);
    expect(total).toBeGreaterThan(CASES * 0.9);
    expect(counts.get('INTERNAL') ?? 0).toBe(0);
    expect([...counts.keys()].filter((code) => code.startsWith('client:'))).toEqual([]);
    expect(((counts.get('RATE_LIMITED') ?? 0) + (counts.get('BUSY') ?? 0)) / total).toBeLessThanOrEqual(0.01);
    const unnamed = FIELDS.map(({ request, path }) => `${request} ${path.join('.')}`).filter(
      (field) => !named.has(field),
    );
    expect(unnamed, 'fields that never produced a BAD_REQUEST with their own path').toEqual([]);

    // The server is the same process, and the honest never lost their connection or their game.
    expect(server.lines().filter((line) => line.level >= 50)).toEqual([]);
    expect([host.readies, bettor.readies, chooser.readies]).toEqual([1, 1, 1]);
    expect((await bettor.ask('wallet:get', {})).ok).toBe(true);

    // What the attackers got.
    const got = attackers.map((client) => recorders[clients.indexOf(client)] as Recorder);
    const tokens = [host, bettor, chooser, second].map((client) => client.token as string);
    expect(balances.size).toBeGreaterThan(0);
    for (const recorder of got) {
      const own = attackers[got.indexOf(recorder)] as TestClient;
      expect(recorder.find(PASSWORD)).toBeNull();
      for (const token of tokens) if (token !== own.token) expect(recorder.find(token)).toBeNull();
      for (const balance of balances) expect(recorder.find(`"balance":"${balance}"`)).toBeNull();
      for (const { seed, at } of seeds)
        expect(recorder.findBefore(seed, at), 'a seed before its race was settled').toBeNull();
    }
    for (const { raceId, at } of seeds) {
      for (const recorder of got) {
        expect(recorder.toldBefore('result', raceId, at), 'a result before the end of its race').toEqual([]);
        expect(recorder.toldBefore('order', raceId, at), 'an order before the end of its race').toEqual([]);
      }
    }
    const shown = recorders.some((recorder) =>
      seeds.some(({ raceId }) => recorder.toldBefore('result', raceId, Infinity).length > 0),
    );
    expect(shown, 'the recorder finds results').toBe(true);
    expect(seeds.length).toBeGreaterThan(0);
    // Members learn who has picked, and what only when it is drawn.
    const closes = (chooser.room?.events ?? []).filter((event) => event.type === 'race closed');
    expect(closes.length).toBeGreaterThan(0);
    for (const { raceId, at } of closes) {
      for (const recorder of got)
        expect(recorder.toldBefore('picks', raceId, at), 'picks of others before the close').toEqual([]);
    }
    expect(
      recorders.some((recorder) => recorder.find('"horse":3') !== null),
      'the recorder finds what is there',
    ).toBe(true);
  });

  test('[OP91] what comes before the handshake, or is no Socket.IO at all, ends its own connection only', async () => {
    const { WebSocket } = await import('ws');
    const open = async (): Promise<InstanceType<typeof WebSocket>> => {
      const socket = new WebSocket(`${server.url.replace('http', 'ws')}/socket.io/?EIO=4&transport=websocket`);
      await new Promise((resolve, reject) => socket.once('open', resolve).once('error', reject));
      return socket;
    };
    const garbage = [
      '42["room:create",{}]',
      '9',
      '4',
      '40{"protocol":"x"}',
      '40[]',
      '{}',
      '42[',
      '4999',
      '45-["room:create",{"_placeholder":true,"num":0}]',
      '451-["x",{"_placeholder":true,"num":9}]',
      '40/other,',
      'x'.repeat(40_000),
    ];
    for (const text of garbage) {
      const socket = await open();
      const closed = new Promise((resolve) => socket.once('close', resolve));
      socket.on('error', () => {});
      socket.send(text);
      if (text.startsWith('42') || text === 'x'.repeat(40_000)) await closed;
      socket.terminate();
    }
    const after = await join('after');
    expect(after.ready?.player.nickname).toBe('after');
    expect(server.lines().filter((line) => line.level >= 50)).toEqual([]);
  });
});
