import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { RaceId } from '../../lib/core/ids.ts';
import type { TestClient } from '../helpers/client.ts';
import { until } from '../helpers/until.ts';
import {
  at,
  ended,
  expectBalance,
  expectDividends,
  expectVerified,
  type Room,
  recordOf,
  setTable,
  type Table,
} from '../play/table.ts';
import {
  BACK_MS,
  fresh,
  type Line,
  PATIENCE,
  type Placed,
  readiesOf,
  startBets,
  startTalk,
  untilBack,
  untilLevel,
  watchLives,
  wholeHistory,
} from './crowd.ts';

/** What a crash may cost on the embedded default. */
const LOST_MS = 1_000;

let table: Table;
let rooms: { readonly name: string; readonly roomId: Room; readonly players: readonly TestClient[] }[];
let everybody: readonly TestClient[];
let lives: ReturnType<typeof watchLives>;
const told: string[] = [];

beforeAll(async () => {
  table = await setTable();
  const bet = await table.room('bet', ['ann', 'ben', 'cho', 'dee'], {
    openSeconds: 300,
    track: 'short',
    maxStakePerRace: 1_000_000,
  });
  const auto = await table.room('bet', ['eve', 'fox', 'gil'], {
    mode: 'auto',
    openSeconds: 60,
    resultSeconds: 5,
    track: 'short',
  });
  const pick = await table.room('pick', ['hal', 'ida', 'jon', 'kim'], { openSeconds: 300, track: 'short' });
  rooms = [
    { name: 'manual bet room', ...bet },
    { name: 'auto bet room', ...auto },
    { name: 'pick room', ...pick },
  ];
  everybody = rooms.flatMap(({ players }) => players);
  lives = watchLives(everybody);
  await at(bet.players, 0).request('room:configure', {
    roomId: bet.roomId,
    version: at(bet.players, 0).room?.snapshot.settingsVersion ?? 0,
    patch: { name: '세 번째 집', password: 'hidden', settings: { capacity: 7 } },
  });
});
afterAll(async () => {
  for (const line of told) console.log(line);
  await table?.close();
});
beforeEach(async () => {
  for (const { players } of rooms) await untilLevel(players);
});

/** After whatever ended it: started again on the same port and data; everybody must be back, by themselves, in time. */
async function comeBack(how: string, readies: ReadonlyMap<TestClient, number>): Promise<void> {
  const startedAt = performance.now();
  await table.server.restart();
  const listeningMs = performance.now() - startedAt;
  const backMs = await untilBack(everybody, readies);
  told.push(
    `${how}: listening after ${Math.round(listeningMs)} ms, ${everybody.length} clients back in their rooms ${Math.round(backMs)} ms later`,
  );
  expect(backMs).toBeLessThan(BACK_MS);
  for (const { players } of rooms) {
    await untilLevel(players);
    lives.expectOneLife(players);
  }
}

async function expectLines(lines: readonly Line[]): Promise<void> {
  for (const { name, players, roomId } of rooms) {
    const history = await wholeHistory(at(players, 0));
    const ids = history.map(({ id }) => id);
    expect(new Set(ids).size, `${name}: no message twice`).toBe(ids.length);
    const kept = lines.filter((line) => line.roomId === roomId);
    expect(kept.length).toBeGreaterThan(5);
    const texts = new Map(history.map(({ id, text }) => [id, text]));
    expect(
      kept.filter(({ id, text }) => texts.get(id) !== text),
      name,
    ).toEqual([]);
    // One player's lines stand in the order in which they were acknowledged.
    const order = new Map(ids.map((id, index) => [id, index]));
    for (const voice of new Set(kept.map(({ text }) => text.split(':')[0]))) {
      const own = kept.filter(({ text }) => text.startsWith(`${voice}:`)).map(({ id }) => order.get(id) ?? -1);
      expect(own).toEqual(own.toSorted((a, b) => a - b));
    }
  }
}

/** Each acknowledged bet is there once, and asked again with its own id it is answered as the first time. */
async function expectBets(client: TestClient, raceId: RaceId, placed: readonly Placed[]): Promise<void> {
  const { bets } = await client.request('bet:mine', { raceId });
  const ids = bets.map(({ betId }) => betId);
  expect(new Set(ids).size).toBe(ids.length);
  expect(placed.filter(({ answer }) => !ids.includes(answer.betId))).toEqual([]);
  // At most the one that was under way is there without an answer.
  expect(ids.length - placed.length).toBeLessThanOrEqual(1);
  const last = at(placed, -1);
  const bet = bets.find(({ betId }) => betId === last.answer.betId);
  const again = {
    raceId,
    pool: 'win' as const,
    selection: [...(bet?.selection ?? [])],
    stake: '100',
    commandId: last.commandId,
  };
  expect(await client.request('bet:place', again)).toEqual(last.answer);
  expect((await client.refused('bet:place', { ...again, stake: '200' })).code).toBe('COMMAND_CONFLICT');
}

describe('a restart with people in rooms', { timeout: 120_000 }, () => {
  it('[OP63] after SIGTERM every room, member, role, ready mark and acknowledged message is there, and everybody is back', async () => {
    const [bet, , pick] = rooms;
    if (!bet || !pick) throw new Error('unreachable');
    const race = await at(bet.players, 0).request('race:start', { roomId: bet.roomId });
    await at(pick.players, 3).request('room:ready', { roomId: pick.roomId, ready: false });
    await at(bet.players, 3).request('room:role', { roomId: bet.roomId, as: 'spectator' });
    await at(bet.players, 0).request('room:handover', { roomId: bet.roomId, playerId: at(bet.players, 1).id });
    const before = await Promise.all(rooms.map(({ players }) => fresh(at(players, 0))));
    const talk = startTalk(everybody);
    await until(
      'talk in every room',
      () => rooms.every(({ roomId }) => talk.lines().filter((line) => line.roomId === roomId).length > 20),
      PATIENCE,
    );
    const asked = await at(pick.players, 0).request('chat:send', { roomId: pick.roomId, text: '몇 번?' });
    const answered = await at(pick.players, 1).request('chat:send', {
      roomId: pick.roomId,
      text: '3번!',
      replyTo: asked.messageId,
      mentions: [at(pick.players, 0).id],
    });
    await at(pick.players, 2).request('chat:react', {
      roomId: pick.roomId,
      messageId: answered.messageId,
      emoji: '🎉',
      on: true,
    });
    const bets = startBets(at(bet.players, 2), race.raceId, 400);
    await until('bets are placed', () => bets.placed().length > 20, PATIENCE);
    const readies = readiesOf(everybody);
    expect(await table.server.stop()).toBe(0);
    // Everything that was acknowledged, to the last moment.
    const lines = await talk.stop();
    const placed = await bets.stop();
    await comeBack('SIGTERM', readies);
    const after = await Promise.all(rooms.map(({ players }) => fresh(at(players, 0))));
    expect(after).toEqual(before);
    expect(at(after, 2).members.filter(({ ready }) => ready === false)).toHaveLength(1);
    expect(at(after, 0)).toMatchObject({ hostId: at(bet.players, 1).id, name: '세 번째 집', hasPassword: true });
    await expectLines(lines);
    const kept = (await wholeHistory(at(pick.players, 3))).find(({ id }) => id === answered.messageId);
    expect(kept).toMatchObject({
      text: '3번!',
      nickname: 'ida',
      replyTo: asked.messageId,
      mentions: [at(pick.players, 0).id],
      reactions: [{ emoji: '🎉', playerIds: [at(pick.players, 2).id] }],
    });
    await expectBets(at(bet.players, 2), race.raceId, placed);
    await ended(at(bet.players, 0), race.raceId);
    const record = await recordOf(table, at(bet.players, 0), race.raceId);
    expectVerified(record);
    expectDividends(record);
    expectPhasesOnce(at(bet.players, 0), race.raceId);
    await expectBalance(at(bet.players, 2), [record]);
    // Everybody is connected in everybody's eyes.
    for (const { players } of rooms)
      expect(at(players, 0).room?.snapshot.members.every(({ connected }) => connected)).toBe(true);
  });

  it('[OP64] after kill -9 only the last second may be missing: joins return by seat ticket, bets and picks are all there', async () => {
    const [bet, auto, pick] = rooms;
    if (!bet || !auto || !pick) throw new Error('unreachable');
    const host = at(bet.players, 1);
    const [hal, ida, jon] = [at(pick.players, 0), at(pick.players, 1), at(pick.players, 2)];
    const outcast = await table.player('outcast');
    await outcast.request('room:join', { roomId: pick.roomId });
    const { epoch = '', seq = 0, seat = '' } = outcast.room ?? {};
    const talk = startTalk(everybody);

    // Longer ago than a second when the end comes.
    await hal.request('room:kick', { roomId: pick.roomId, playerId: outcast.id, reason: 'enough' });
    await at(pick.players, 3).request('room:ready', { roomId: pick.roomId, ready: true });
    await ida.request('room:role', { roomId: pick.roomId, as: 'spectator' });
    const changedAt = performance.now();
    const race = await host.request('race:start', { roomId: bet.roomId });
    const picking = await hal.request('race:start', { roomId: pick.roomId });
    await until(
      'a second has gone by in talk',
      () =>
        rooms.every(
          ({ roomId }) =>
            talk.lines().filter((line) => line.roomId === roomId && line.acknowledgedAt > changedAt + LOST_MS).length >
            10,
        ),
      PATIENCE,
    );

    // In the last moment: a join, bets and a pick.
    const late = await table.player('late');
    const bettors = [at(bet.players, 0), at(bet.players, 2)];
    const placed = await Promise.all(
      bettors.map((client, index) =>
        client.request('bet:place', { raceId: race.raceId, pool: 'win', selection: [index + 1], stake: '700' }),
      ),
    );
    await jon.request('pick:choose', { raceId: picking.raceId, horse: 2 });
    await hal.request('pick:choose', { raceId: picking.raceId, horse: 1 });
    await hal.request('vote:place', { raceId: picking.raceId, place: 1 });
    const before = await fresh(hal);
    const bets = startBets(at(bet.players, 1), race.raceId, 400);
    await until('bets are placed', () => bets.placed().length > 10, PATIENCE);
    const readies = readiesOf([...everybody, late]);
    await late.request('room:join', { roomId: pick.roomId });
    const killedAt = performance.now();
    await table.server.kill();
    const lines = await talk.stop();
    const inFlight = await bets.stop();
    await comeBack('kill -9', readies);
    await untilBack([late], readies);

    const after = await fresh(hal);
    expect(after.members.filter(({ id }) => id !== late.id)).toEqual(before.members);
    expect(after.members.map(({ id }) => id)).toContain(late.id);
    expect(after.members.map(({ id }) => id)).not.toContain(outcast.id);
    expect({ ...after, members: [] }).toEqual({ ...before, members: [] });
    expect(outcast.room).toBeUndefined();
    // A kick outlives the crash: the ticket from before it is still void.
    const again = await table.player('outcast', {
      token: outcast.token ?? '',
      auth: { resume: { roomId: pick.roomId, epoch, seq, seat } },
    });
    expect(again.ready).toMatchObject({ resumed: false, left: { cause: 'kicked' } });
    await expectLines(lines.filter(({ acknowledgedAt }) => acknowledgedAt < killedAt - LOST_MS));

    for (const [index, client] of bettors.entries()) {
      const { bets } = await client.request('bet:mine', { raceId: race.raceId });
      expect(bets.map(({ betId }) => betId)).toEqual([placed[index]?.betId]);
    }
    await expectBets(host, race.raceId, inFlight);
    expect(await jon.request('bet:mine', { raceId: picking.raceId })).toMatchObject({ pick: { horse: 2 } });
    expect(await hal.request('bet:mine', { raceId: picking.raceId })).toMatchObject({
      pick: { horse: 1 },
      vote: { place: 1 },
    });

    // The open races close, run and are settled by themselves, each phase told once.
    for (const [client, raceId] of [
      [host, race.raceId],
      [hal, picking.raceId],
    ] as const) {
      await until(
        'the race is over',
        async () => (await client.request('race:get', { raceId })).phase === 'settled',
        PATIENCE,
      );
      const record = await recordOf(table, client, raceId);
      expectVerified(record);
      if (record.kind === 'bet') {
        expectDividends(record);
        for (const bettor of [bettors[0], host]) if (bettor) await expectBalance(bettor, [record]);
      }
      expectPhasesOnce(client, raceId);
    }
    // The auto room goes on: another race is opened without anybody asking.
    // Whoever came back later has it in the snapshot, the others as an event.
    const watcher = at(auto.players, 1);
    const number = at(auto.players, 0).room?.snapshot.race?.number ?? 0;
    const next = await until(
      'another race of the auto room',
      () => {
        const told = (watcher.room?.events ?? []).flatMap((event) =>
          event.type === 'race opened' ? [event.race] : [],
        );
        return [...told, watcher.room?.snapshot.race].find((race) => race && race.number > number);
      },
      PATIENCE,
    );
    await until(
      'it is settled',
      async () => (await watcher.request('race:get', { raceId: next.id })).phase === 'settled',
      PATIENCE,
    );
    late.close();
    await hal.request('room:kick', { roomId: pick.roomId, playerId: late.id });
  });

  it('[OP65] a second crash right after the first costs nothing more, and a repeated message stays one message', async () => {
    const quiet = await table.room('bet', ['speaker', 'listener']);
    const [speaker, listener] = [at(quiet.players, 0), at(quiet.players, 1)];
    const said = { roomId: quiet.roomId, text: 'once and only once', commandId: randomUUID() };
    const { messageId } = await speaker.request('chat:send', said);
    const talk = startTalk(everybody);
    const old = (line: Line) => line.acknowledgedAt < performance.now() - LOST_MS;
    await until(
      'talk in every room',
      () => rooms.every(({ roomId }) => talk.lines().filter((line) => line.roomId === roomId && old(line)).length > 10),
      PATIENCE,
    );
    const before = await Promise.all(rooms.map(({ players }) => fresh(at(players, 0))));
    const killedAt = performance.now();
    let readies = readiesOf([...everybody, ...quiet.players]);
    await table.server.kill();
    await comeBack('kill -9 while talking', readies);
    await untilBack(quiet.players, readies);
    readies = readiesOf([...everybody, ...quiet.players]);
    await table.server.kill();
    const lines = await talk.stop();
    await comeBack('kill -9 right after a restart', readies);
    expect(await Promise.all(rooms.map(({ players }) => fresh(at(players, 0))))).toEqual(before);
    await expectLines(lines.filter(({ acknowledgedAt }) => acknowledgedAt < killedAt - LOST_MS));

    await untilBack(quiet.players, readies);
    expect(await speaker.request('chat:send', said)).toEqual({ messageId });
    expect((await speaker.refused('chat:send', { ...said, text: 'something else' })).code).toBe('COMMAND_CONFLICT');
    await listener.request('chat:send', { roomId: quiet.roomId, text: 'after it' });
    await speaker.event('chat', ({ message }) => message.text === 'after it');
    const history = await wholeHistory(speaker);
    expect(history.filter(({ id }) => id === messageId)).toHaveLength(1);
    expect(
      listener.room?.events.filter((event) => event.type === 'chat' && event.message.id === messageId),
    ).toHaveLength(1);
  });
});

/** Over both lives of the room, as one client was told. */
function expectPhasesOnce(client: TestClient, raceId: RaceId): void {
  const phases = (client.room?.events ?? []).flatMap((event) =>
    'raceId' in event && event.raceId === raceId && event.type.startsWith('race ') && event.type !== 'race closing'
      ? [event.type]
      : [],
  );
  const told = `${client.id}: ${JSON.stringify(client.room)}`;
  expect(new Set(phases).size).toBe(phases.length);
  expect(phases.at(-1), told).toBe('race settled');
}
