import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from 'vitest';
import type { RaceId } from '../../lib/core/ids.ts';
import type { PublicRecord } from '../../lib/core/public-race.ts';
import type { MemberView, RoomEvent, Snapshot } from '../../lib/protocol.ts';
import type { Refused, TestClient } from '../helpers/client.ts';
import { until } from '../helpers/until.ts';
import {
  at,
  eventsOf,
  expectDividends,
  expectVerified,
  PATIENCE,
  type Room,
  recordOf,
  returnOf,
  START_POINTS,
  type Table,
} from './table.ts';

const PEOPLE = 12;
const BETWEEN_STEPS_MS = 40;

/** mulberry32 */
function randomOf(seed: number): (below: number) => number {
  let state = seed >>> 0;
  return (below) => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below;
  };
}

/** Members as snapshot and events make them; at the seq that the client holds. */
function membersOf(snapshot: Snapshot, events: readonly RoomEvent[]): MemberView[] {
  const members = new Map<string, MemberView>(snapshot.members.map((member) => [member.id, member]));
  for (const event of events.filter(({ seq }) => seq > snapshot.seq)) {
    if (event.type === 'member joined') {
      const { joinedAt: _, ...member } = event.member;
      members.set(member.id, member);
    }
    if (event.type === 'member left') members.delete(event.playerId);
    const before = event.type === 'member changed' ? members.get(event.playerId) : undefined;
    if (event.type === 'member changed' && before) {
      const { ready, ...rest } = { ...before, ...event.patch };
      const isReady = rest.role === 'spectator' ? undefined : ready;
      members.set(before.id, { ...rest, ...(isReady === undefined ? {} : { ready: isReady }) });
    }
  }
  return [...members.values()].sort((a, b) => (a.id < b.id ? -1 : 1));
}

export type Crowd = {
  readonly people: readonly TestClient[];
  readonly rooms: readonly Room[];
  /** How many answers there were, by code; 'lost' those that never came. */
  readonly codes: ReadonlyMap<string, number>;
};

/**
 * Twelve people in an automatic room of each kind who do whatever the seed says, all at once: come, go, drop out, talk, bet, pick,
 * kick and hand over. Ends when all are connected again. Refusals are right; what must not come is a fault of the server.
 */
export async function letLoose(
  table: Table,
  {
    seed,
    steps,
    meanwhile = async () => {},
  }: { seed: number; steps: number; meanwhile?: (people: readonly TestClient[]) => Promise<void> },
): Promise<Crowd> {
  const random = randomOf(seed);
  const bet = await table.room('bet', ['bet host'], {
    mode: 'auto',
    openSeconds: 20,
    resultSeconds: 5,
    track: 'short',
    capacity: 6,
  });
  const pick = await table.room('pick', ['pick host'], {
    mode: 'auto',
    openSeconds: 20,
    resultSeconds: 5,
    track: 'short',
    capacity: 6,
  });
  const rooms: readonly Room[] = [bet.roomId, pick.roomId];
  const people = [
    ...bet.players,
    ...pick.players,
    ...(await Promise.all(Array.from({ length: PEOPLE - 2 }, (_, index) => table.player(`p${index}`)))),
  ];
  const codes = new Map<string, number>();
  const faults: Refused[] = [];

  const raceOf = (client: TestClient): RaceId | undefined =>
    eventsOf(client)
      .flatMap((event) => (event.type === 'race opened' ? [event.race.id] : []))
      .at(-1) ?? client.room?.snapshot.race?.id;

  async function step(client: TestClient): Promise<void> {
    const roomId = client.room?.id as Room | undefined;
    const choice = random(20);
    if (choice === 0) return client.drop();
    if (choice === 1) {
      client.socket.disconnect();
      await sleep(random(2) === 0 ? 50 : 2_500);
      client.socket.connect();
      return;
    }
    if (!client.socket.connected) return;
    const ask = async (answering: Promise<{ ok: boolean } | Refused>) => {
      // A connection that was lost meanwhile has no answer.
      const answer = await answering.catch(() => undefined);
      const code = answer === undefined ? 'lost' : answer.ok ? 'OK' : (answer as Refused).code;
      codes.set(code, (codes.get(code) ?? 0) + 1);
      if (['INTERNAL', 'BAD_REQUEST', 'TIMEOUT', 'UNAUTHENTICATED'].includes(code)) faults.push(answer as Refused);
    };
    if (roomId === undefined || choice === 2) {
      const as = random(3) === 0 ? 'spectator' : 'player';
      return ask(client.ask('room:join', { roomId: at(rooms, random(2)), as }));
    }
    const raceId = raceOf(client);
    const someone = at(people, random(people.length)).id;
    if (choice === 3) return ask(client.ask('room:leave', { roomId }));
    if (choice === 4) return ask(client.ask('room:role', { roomId, as: random(2) === 0 ? 'spectator' : 'player' }));
    if (choice === 5) return ask(client.ask('room:ready', { roomId, ready: random(3) > 0 }));
    if (choice === 6) return ask(client.ask('room:kick', { roomId, playerId: someone, reason: 'by lot' }));
    if (choice === 7) return ask(client.ask('room:handover', { roomId, playerId: someone }));
    if (choice === 8) return ask(client.ask('profile:update', { nickname: `name ${random(100)}` }));
    if (choice === 9)
      return ask(
        client.ask('room:sync', { roomId, epoch: client.room?.epoch ?? '', seq: random(client.room?.seq ?? 1) }),
      );
    if (choice < 13 || raceId === undefined)
      return ask(client.ask('chat:send', { roomId, text: `line ${random(1_000)}` }));
    if (roomId === bet.roomId) {
      const pool = random(2) === 0 ? 'win' : 'place';
      return ask(client.ask('bet:place', { raceId, pool, selection: [1 + random(8)], stake: '100' }));
    }
    if (choice === 13) return ask(client.ask('vote:place', { raceId, place: 1 + random(4) }));
    if (choice === 14) return ask(client.ask('pick:clear', { raceId }));
    return ask(client.ask('pick:choose', { raceId, horse: random(3) === 0 ? 'random' : 1 + random(4) }));
  }

  const busy = Promise.all(
    people.map(async (client) => {
      for (let count = 0; count < steps; count += 1) {
        await step(client);
        await sleep(random(BETWEEN_STEPS_MS * 2));
      }
    }),
  );
  await meanwhile(people);
  await busy;
  for (const client of people) client.socket.connect();
  await until('all are connected', () => people.every(({ socket, ready }) => socket.connected && ready), PATIENCE);
  console.log(`seed ${seed}:`, Object.fromEntries([...codes].sort()));
  expect(faults).toEqual([]);

  return { people, rooms, codes };
}

/** Each one's own account of a room, made of snapshot and events, is the room there is; all races that are over verify. */
export async function expectOneWorld(
  table: Table,
  { people, rooms }: Crowd,
  { oneLife }: { oneLife: boolean },
): Promise<void> {
  for (const roomId of rooms) {
    const inside = () => people.filter((client) => client.room?.id === roomId);
    // Somebody is there to look at it, if all had left.
    if (inside().length === 0) await at(people, 0).request('room:join', { roomId, as: 'spectator' });
    await until(
      'everybody’s own account of the members is the room’s',
      async () => {
        for (const client of inside()) {
          const { room } = client;
          if (room === undefined) return false;
          const own = { seq: room.seq, epoch: room.epoch, members: membersOf(room.snapshot, room.events) };
          const now = await client.request('room:join', { roomId });
          if (now.room.seq !== own.seq || now.room.epoch !== own.epoch) return false;
          expect(own.members).toEqual([...now.room.members].sort((a, b) => (a.id < b.id ? -1 : 1)));
          // Nobody is shown as connected who is not, nor the other way round, once all has settled.
          const here = new Set<string>(inside().map(({ id }) => id));
          if (now.room.members.some(({ id, connected }) => connected !== here.has(id))) return false;
        }
        return true;
      },
      PATIENCE,
    );
    if (oneLife) expectOneLog(inside());
    const { races } = await at(people, 0).request('race:history', { roomId });
    const over = races.filter(({ phase }) => phase === 'settled' || phase === 'void');
    expect(over.length).toBeGreaterThan(1);
    const records = await Promise.all(over.map(({ id }) => recordOf(table, at(people, 0), id)));
    for (const record of records) expectVerified(record);
    if (at(records, 0).kind === 'bet') {
      for (const record of records) if (record.phase === 'settled') expectDividends(record);
      for (const client of people) await expectPoints(client, roomId, records);
    }
  }
}

/** Every bet came back as its race's record says, and what was staked and what came back makes the balance. */
async function expectPoints(client: TestClient, roomId: Room, records: readonly PublicRecord[]): Promise<void> {
  await until(
    'the points agree',
    async () => {
      const { races } = await client.request('race:history', { roomId });
      expect(races.at(-1)?.number).toBe(1);
      const mine = await Promise.all(races.map(({ id }) => client.request('bet:mine', { raceId: id })));
      for (const [index, { id }] of races.entries()) {
        const record = records.find((one) => one.id === id);
        for (const bet of record ? (mine[index]?.bets ?? []) : [])
          expect(BigInt(bet.returned ?? '-1')).toBe(record && returnOf(record, bet));
      }
      const bets = mine.flatMap((one) => one.bets);
      const moved = bets.reduce((sum, bet) => sum + BigInt(bet.returned ?? '0') - BigInt(bet.stake), 0n);
      return BigInt((await client.request('wallet:get', {})).balance) === START_POINTS + moved;
    },
    PATIENCE,
  );
}

/** Numbered upwards without a repeat, and whoever has an event has the same one. */
function expectOneLog(clients: readonly TestClient[]): void {
  for (const client of clients) {
    const seqs = eventsOf(client).map(({ seq }) => seq);
    expect(new Set(seqs).size).toBe(seqs.length);
    expect(seqs).toEqual(seqs.toSorted((a, b) => a - b));
  }
  const bySeq = new Map<number, string>();
  for (const event of clients.flatMap(eventsOf)) {
    const told = JSON.stringify(event);
    expect(bySeq.get(event.seq) ?? told).toBe(told);
    bySeq.set(event.seq, told);
  }
}
