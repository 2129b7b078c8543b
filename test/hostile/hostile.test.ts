import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { connectRefusal } from '../helpers/client.ts';
import { startServer, type TestServer } from '../helpers/server.ts';
import { until } from '../helpers/until.ts';
import {
  CATEGORIES,
  type Case,
  chances,
  FIELDS,
  honest,
  isObeyedLogout,
  matrix,
  REQUEST_NAMES,
  randomOf,
} from './cases.ts';
import { receiverOf, truthOf } from './evidence.ts';
import { balancesIn, leaksIn, privateValues, type Receiver, type Truth, tellsBalance, wordsOf } from './leaks.ts';
import { fill, foreign, ID_FIELDS, PUBLIC, UNKNOWN_ID_FIELDS } from './others.ts';
import { asRequest, CONNECT, DEEPEST, GARBAGE, openRaw, sendUntilClosed } from './raw.ts';
import { createRecorder, type Packet, type Recorder } from './recorder.ts';
import { type Attacker, BET_TALK, openScene, PASSWORD, PICK_PASSWORD, PICK_TALK, type Scene } from './scene.ts';
import { expectUntouched, honestRooms } from './untouched.ts';

const SEED = Number(process.env['SEED'] ?? 20_261_120);
const CASES = 20_000;
const AT_ONCE = 20;
const MOST = '1000000';

type Answer = { readonly ok: boolean; readonly code?: string; readonly path?: string; readonly data?: unknown };

let server: TestServer;
let scene: Scene;
const raws: Recorder[] = [];
let sent = 0;
let obeyedLogouts = 0;
const counts = new Map<string, number>();
/** Cases by attacker, request and category. */
const cells = new Map<string, number>();
/** Fields that were answered BAD_REQUEST with their own path. */
const named = new Set<string>();

const count = (map: Map<string, number>, key: string): void => void map.set(key, (map.get(key) ?? 0) + 1);

/** One case from one attacker; undefined where nothing can be answered. */
async function send(attacker: Attacker, one: Case): Promise<Answer | undefined> {
  sent += 1;
  count(cells, `${attacker.kind} ${one.request} ${one.category}`);
  if (!one.ack) {
    const socket = attacker.client.socket as unknown as { emit(name: string, ...args: unknown[]): void };
    socket.emit(one.request, ...one.args);
    return undefined;
  }
  const obeyed = isObeyedLogout(one);
  const { client } = obeyed ? await scene.enter('logged out') : attacker;
  const answer = (await client
    .raw(one.request, ...one.args)
    .catch((error: Error) => ({ ok: false, code: `client: ${error.message}` }))) as Answer;
  const code = answer.ok ? 'OK' : (answer.code ?? 'none');
  count(counts, code);
  const path = one.field?.path.join('.');
  const isNamed = answer.path === path || answer.path?.startsWith(`${path}.`);
  if (one.field && code === 'BAD_REQUEST' && isNamed) named.add(`${one.field.request} ${path}`);
  if (obeyed) {
    await until('the logout ends its connection', () => !client.socket.connected);
    obeyedLogouts += 1;
  } else if (answer.ok) await attacker.home(one.request, answer.data);
  return answer;
}

let untouched: readonly unknown[];

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
      CONNECTIONS_PER_ADDRESS: '2000',
      LEDGER_ANSWER_MS: '20000',
      LEDGER_QUEUE_MS: '20000',
      REQUEST_DEADLINE_MS: '30000',
      UNARCHIVED_ENTRIES: MOST,
    },
  });
  scene = await openScene(server);
  const { second } = scene;
  second.client.drop();
  await until('the dropped one is back', () => second.client.readies === 2);
  untouched = await honestRooms(scene);
  scene.play();
  for (const client of [scene.host.client, scene.chooser.client]) await client.event('race opened');
}, 90_000);

afterAll(async () => {
  for (const { client } of scene?.players ?? []) client.close();
  await server.stop();
});

describe('a hostile client', () => {
  test('[OP92] ids of rooms, players, races and messages of others are no way in: each field, each attacker, nothing changes', {
    timeout: 120_000,
  }, async () => {
    await scene.seenThrough();
    expect(UNKNOWN_ID_FIELDS, 'id fields whose kind is not known here').toEqual([]);
    const codes = new Map<string, Map<string, number>>();
    await Promise.all(
      scene.attackers.map(async (attacker) => {
        for (const { name, ...one } of foreign(attacker.own, attacker.others)) {
          const answer = await send(attacker, one);
          const key = `${attacker.kind} ${name}`;
          const at = codes.get(key) ?? new Map<string, number>();
          codes.set(key, at);
          count(at, answer?.ok ? 'OK' : (answer?.code ?? 'none'));
        }
      }),
    );
    const names = [
      ...ID_FIELDS.map(({ request, path }) => `${request} ${path.join('.')}`),
      ...REQUEST_NAMES.map((name) => `${name} *`),
    ];
    const table = names.map((name) => {
      const of = scene.attackers.map(({ kind }) =>
        [...(codes.get(`${kind} ${name}`) ?? [])].map((pair) => pair.join('×')),
      );
      return `${name}: ${of.map((one) => one.join(' ') || '–').join(' | ')}`;
    });
    console.log(`ids of others: member | owner | outsider\n${table.join('\n')}`);
    for (const name of names) {
      for (const { kind } of scene.attackers) {
        expect(codes.has(`${kind} ${name}`), `${kind} has sent ${name}`).toBe(true);
        if (codes.get(`${kind} ${name}`)?.has('OK')) {
          const [request] = name.split(' ');
          const why = name.endsWith(' commandId') ? 'commands are kept by player' : PUBLIC[name];
          const wholly = name.endsWith(' *') && Object.keys(PUBLIC).some((known) => known.startsWith(`${request} `));
          expect(why ?? wholly, `${kind}: ${name} was answered`).toBeTruthy();
        }
      }
    }

    // With no race open in the own room: what was run elsewhere is not run again.
    const owner = scene.attackers[1] as Attacker;
    for (const { raceIds } of owner.others()) {
      const { room } = await owner.client.request('room:create', { kind: 'pick' });
      for (const rerunOf of raceIds.slice(-2))
        expect((await owner.client.refused('race:start', { roomId: room.id, rerunOf } as never)).code).toBe(
          'FORBIDDEN',
        );
    }
    await owner.home('room:create', {});
    await expectUntouched(scene, server, untouched);
  });

  test('[OP90] 20,000 malformed and foreign requests are answered or dropped; nobody else notices, and nothing ends', {
    timeout: 300_000,
  }, async () => {
    console.log(`hostile seed ${SEED}`);
    const random = randomOf(SEED);
    const run = async (attacker: Attacker, queue: Generator<Case>): Promise<void> => {
      const worker = async (): Promise<void> => {
        for (let next = queue.next(); !next.done; next = queue.next()) await send(attacker, next.value);
      };
      await Promise.all(Array.from({ length: AT_ONCE }, worker));
    };
    const idsOf = (attacker: Attacker) => () => {
      const worlds = [attacker.own(), ...attacker.others()];
      return fill(worlds[random(worlds.length)] as (typeof worlds)[number]);
    };
    await Promise.all(scene.attackers.map((attacker) => run(attacker, matrix(idsOf(attacker)))));
    const more = Math.ceil((CASES - sent) / scene.attackers.length);
    expect(more, 'what is left to chance').toBeGreaterThan(1_000);
    await Promise.all(scene.attackers.map((attacker) => run(attacker, chances(more, random, idsOf(attacker)))));

    const total = [...counts.values()].reduce((sum, number) => sum + number, 0);
    console.log('answers by code', Object.fromEntries([...counts].sort((a, b) => b[1] - a[1])), {
      sent,
      total,
      obeyedLogouts,
    });
    const lines = REQUEST_NAMES.map((request) => {
      const row = CATEGORIES.map((category) =>
        scene.attackers.map(({ kind }) => cells.get(`${kind} ${request} ${category}`) ?? 0).join('/'),
      );
      return [request, ...row].join('\t');
    });
    console.log(`cases member/owner/outsider\n${['', ...CATEGORIES].join('\t')}\n${lines.join('\n')}`);
    const empty = scene.attackers.flatMap(({ kind }) =>
      REQUEST_NAMES.flatMap((request) =>
        CATEGORIES.filter((category) => !cells.has(`${kind} ${request} ${category}`)).map(
          (one) => `${kind} ${request} ${one}`,
        ),
      ),
    );
    expect(empty, 'cells without a case').toEqual([]);
    expect(sent).toBeGreaterThanOrEqual(CASES);
    expect(total).toBeGreaterThan(CASES * 0.85);
    expect(obeyedLogouts).toBeGreaterThan(0);
    expect(counts.get('INTERNAL') ?? 0).toBe(0);
    expect([...counts.keys()].filter((code) => code.startsWith('client:') || code === 'none')).toEqual([]);
    expect(((counts.get('RATE_LIMITED') ?? 0) + (counts.get('BUSY') ?? 0)) / total).toBeLessThanOrEqual(0.01);
    const fields = FIELDS.map(({ request, path }) => `${request} ${path.join('.')}`);
    expect(
      fields.filter((field) => !named.has(field)),
      'fields that never produced a BAD_REQUEST with their own path',
    ).toEqual([]);
    await expectUntouched(scene, server, untouched);
    expect((await scene.bettor.client.ask('wallet:get', {})).ok).toBe(true);
  });

  test('[OP94] a logout ends the connection that asked; `everywhere` all of the player’s and the token; nobody else’s', async () => {
    for (const everywhere of [undefined, false, true]) {
      const first = await scene.enter('leaving');
      const token = first.client.token as string;
      const other = await scene.enter('leaving', { token });
      const commandId = crypto.randomUUID();
      const answer = await first.client.ask('session:logout', {
        commandId,
        ...(everywhere !== undefined && { everywhere }),
      });
      expect(answer).toEqual({ ok: true, data: {} });
      await until('its connection ends', () => !first.client.socket.connected);
      if (everywhere) {
        await until('the other ends too', () => !other.client.socket.connected);
        expect((await connectRefusal(server.url, { token })).code).toBe('BAD_TOKEN');
      } else expect((await other.client.ask('wallet:get', {})).ok).toBe(true);
    }
    await expectUntouched(scene, server, untouched);
  });

  test('[OP91] what comes before the handshake, or is no Socket.IO at all, ends its own connection only', async () => {
    const recorder = createRecorder();
    raws.push(recorder);
    // Every request before CONNECT, and in the same breath as one that will be refused.
    const befores = [[], ['40{"protocol":99}']];
    for (const request of REQUEST_NAMES) {
      const args = JSON.stringify(honest(request, fill(scene.pickWorld())));
      const early = befores.flatMap((before) => asRequest(request, args).map((text) => [...before, ...text]));
      await Promise.all(early.map((messages) => sendUntilClosed(server.url, recorder, messages)));
    }
    const early = recorder.packets();
    console.log('before joining', recorder.wires.length, 'connections,', early.length, 'packets');
    expect(recorder.wires.length).toBe(REQUEST_NAMES.length * befores.length * 3);
    // The engine's own hello and goodbye, and that the CONNECT was refused: never an answer.
    expect(early.filter(({ text }) => !/^(?:0\{|1$|44\{|2$)/u.test(text)).map(({ text }) => text)).toEqual([]);

    const after = createRecorder();
    raws.push(after);
    const tooLong = REQUEST_NAMES.map((request) => [`420["${request}",{"blob":"${'x'.repeat(40_000)}"}]`]);
    const endings = [...GARBAGE, ...tooLong];
    while (endings.length > 0)
      await Promise.all(
        endings.splice(0, 10).map((ending) => sendUntilClosed(server.url, after, [CONNECT, ...ending])),
      );

    // As deep as fits into a message is only a bad request, and so is an event whose name is no text.
    const answered = createRecorder();
    raws.push(answered);
    const socket = await openRaw(server.url, answered);
    socket.send(CONNECT);
    await until('it is in', () => answered.packets().some(({ text }) => text.startsWith('42["session:ready"')));
    for (const request of REQUEST_NAMES) socket.send(`420["${request}",${DEEPEST}]`);
    socket.send('420[42,{}]');
    socket.send('4299999999999["x"]');
    const refused = () =>
      answered.packets().filter(({ text }) => /^43\d+\[\{"ok":false,.*"code":"BAD_REQUEST"/u.test(text));
    await until('all are refused', () => refused().length === REQUEST_NAMES.length + 2);
    // What neither ends the connection nor opens one to the game.
    for (const text of ['4', '40{"protocol":"x"}', '40[]', '40/other,']) {
      const idle = await openRaw(server.url, after);
      idle.send(text);
      await until('the hello', () => after.wires.at(-1)?.packets.length);
      idle.close();
    }
    socket.close();
    const { client } = await scene.enter('after');
    expect(client.ready?.player.nickname).toBe('after');
    await expectUntouched(scene, server, untouched);
  });

  test('[OP93] no socket, honest ones included, was ever told a secret of another, or a seed, order, horse or vote too early', {
    timeout: 120_000,
  }, async () => {
    await scene.pryThrough();
    await scene.rest();
    const { players, host, bettor, chooser, second } = scene;

    // The recording is whole: every connection from its handshake on, every byte of it.
    const recorders = [...players.map(({ recorder }) => recorder), ...raws];
    for (const wire of recorders.flatMap(({ wires }) => wires)) {
      expect(wire.head).toMatch(/^101 /u);
      expect(wire.packets[0]?.text).toMatch(/^0\{"sid":"[\w-]+"/u);
      await until('every byte is accounted for', () => wire.framedBytes === wire.rawBytes);
    }
    expect(players.map(({ name, recorder }) => [name, recorder.wires.length])).toEqual(
      players.map(({ name }) => [name, name === 'second' ? 2 : 1]),
    );
    const bytes = recorders.flatMap(({ wires }) => wires).reduce((sum, wire) => sum + wire.rawBytes, 0);

    // Frozen before the truth is asked for, so that nothing in it is newer than the truth.
    const got = new Map<string, Packet[]>();
    for (const { client, recorder } of players)
      got.set(client.id, [...(got.get(client.id) ?? []), ...recorder.packets()]);
    for (const [index, recorder] of raws.entries()) got.set(`raw ${index}`, [...recorder.packets()]);
    const names = new Map(players.map(({ name, client }) => [client.id as string, name]));
    console.log('recorded', recorders.length, 'recorders', got.size, 'players', bytes, 'bytes');

    const { truth, races } = await truthOf(got, names, host);
    const receiver = (playerId: string): Receiver => receiverOf(playerId, got.get(playerId) ?? []);
    const never = Number.POSITIVE_INFINITY;
    const leaksOf = (playerId: string, as: Receiver = receiver(playerId), known = truth): string[] =>
      (got.get(playerId) ?? []).flatMap((packet) =>
        leaksIn(packet, as, known).map((leak) => `${names.get(playerId)}: ${leak} in ${packet.text.slice(0, 200)}`),
      );

    for (const playerId of got.keys()) expect(leaksOf(playerId)).toEqual([]);

    // The same search finds, in what was rightly told, what it looks for.
    const unborn: Truth = {
      ...truth,
      races: new Map([...truth.races].map(([id]) => [id, { closesAt: never, endsAt: never, seedAt: never }])),
    };
    const early = [...got.keys()].flatMap((playerId) => leaksOf(playerId, receiver(playerId), unborn)).join('\n');
    for (const found of [
      `horse of ${chooser.client.id}`,
      `place of ${second.client.id}`,
      'result of race',
      'order of race',
      'seed of race',
      'finishMs of race',
      'stakes of race',
    ])
      expect(early, 'found once it may be told').toContain(found);
    const stranger: Receiver = { playerId: host.client.id, chose: new Set(), bets: new Set() };
    const [foundPick, foundVote, foundBet] = [chooser, second, bettor].map(({ client }) =>
      leaksOf(client.id, stranger).join('\n'),
    );
    expect(foundPick).toContain('pick in race');
    expect(foundVote).toContain('vote in race');
    expect(foundBet).toContain('bet ');
    // Tokens, seats, invitations, receipts, bets: whatever one player was given, no other was.
    const words = new Map([...got].map(([id, packets]) => [id, wordsOf(packets)]));
    const own = new Map([...got].map(([id, packets]) => [id, privateValues(packets)]));
    let secrets = 0;
    for (const [id, values] of own) {
      secrets += values.size;
      for (const [other, told] of words) {
        if (other === id) continue;
        const leaked = [...values].filter((value) => told.has(value));
        expect(leaked, `of ${names.get(id)} told to ${names.get(other) ?? other}`).toEqual([]);
      }
    }
    for (const { client } of players) expect(own.get(client.id), 'the search finds tokens').toContain(client.token);
    for (const { client } of [host, bettor, chooser, second]) expect(own.get(client.id)).toContain(client.room?.seat);

    // Passwords come from nobody, seeds after the race, talk to members, balances to their owner.
    expect([host.recorder.hasSent(PASSWORD), chooser.recorder.hasSent(PICK_PASSWORD)]).toEqual([true, true]);
    const talk = [
      { text: BET_TALK, heardBy: ['host', 'bettor'] },
      { text: PICK_TALK, heardBy: ['chooser', 'inside', 'second'] },
    ];
    const seeds = [...races.values()].flatMap(({ id, seed }) => (seed === undefined ? [] : [{ id, seed }]));
    expect(seeds.length).toBeGreaterThan(1);
    let seedsTold = 0;
    for (const [id, packets] of got) {
      const text = packets.map((packet) => packet.text).join('\n');
      for (const password of [PASSWORD, PICK_PASSWORD]) expect(text.includes(password), names.get(id)).toBe(false);
      expect(text.includes(`"${scene.linkCode}"`), `a link to ${names.get(id)}`).toBe(id === bettor.client.id);
      for (const { seed, id: raceId } of seeds) {
        const first = text.includes(seed) ? packets.find((packet) => packet.text.includes(seed)) : undefined;
        if (first) seedsTold += 1;
        expect(first?.at ?? never, `a seed to ${names.get(id)}`).toBeGreaterThanOrEqual(
          truth.races.get(raceId)?.seedAt ?? 0,
        );
      }
      for (const { text: said, heardBy } of talk)
        expect(text.includes(said), `talk to ${names.get(id)}`).toBe(heardBy.includes(names.get(id) ?? ''));
      for (const [balance, player] of scene.rare)
        expect(tellsBalance(packets, balance), `${balance} to ${names.get(id)}`).toBe(player.client.id === id);
      for (const [version, values] of balancesIn(packets)) expect([version, values.size]).toEqual([version, 1]);
    }
    expect(seedsTold).toBeGreaterThan(0);
    expect(scene.rare.size).toBeGreaterThan(1);
    console.log({ races: races.size, seeds: seeds.length, seedsTold, secrets, rare: [...scene.rare.keys()] });

    // The passwords are what they were.
    const friend = await scene.enter('friend');
    expect((await friend.client.refused('room:join', { roomId: scene.bets.id, password: 'guess' })).code).toBe(
      'WRONG_PASSWORD',
    );
    await friend.client.request('room:join', { roomId: scene.bets.id, password: PASSWORD });
    await friend.client.request('room:join', { roomId: scene.picks.id, password: PICK_PASSWORD });
  });
});
