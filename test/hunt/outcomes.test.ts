import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { RaceId, RoomId } from '../../lib/core/ids.ts';
import type { TestClient } from '../helpers/client.ts';
import { until } from '../helpers/until.ts';
import { codeOf, type House, openHouse } from './house.ts';

let house: House;
beforeAll(async () => {
  house = await openHouse({ LEDGER_ANSWER_MS: '400' });
});
afterAll(() => house.close());

/** A race that the guest has a horse or points in, still open. */
async function openRace(kind: 'bet' | 'pick') {
  const host = await house.player('host');
  const guest = await house.player('guest');
  const settings = { openSeconds: 200, track: 'short' } as const;
  const { room } = await host.request('room:create', { kind, settings });
  await guest.request('room:join', { roomId: room.id });
  const { raceId } = await host.request('race:start', { roomId: room.id });
  return { host, guest, roomId: room.id, raceId };
}

/** Half the field is backed, so that some of it is paid and some lost. */
async function back(client: TestClient, raceId: RaceId): Promise<void> {
  for (const horse of [1, 2, 3, 4])
    await client.request('bet:place', { raceId, pool: 'win', selection: [horse], stake: '100' });
}

/** The guest has bets in a race that runs on while the host closes the room. */
async function closedMidRace() {
  const { host, guest, roomId, raceId } = await openRace('bet');
  await back(guest, raceId);
  await host.request('race:start', { roomId });
  await guest.event('race running', (event) => event.raceId === raceId);
  await host.request('room:close', { roomId });
  return { guest, roomId, raceId };
}

const settledFor = (client: TestClient, raceId: RaceId) =>
  client.messages.filter(({ name, data }) => name === 'bet:settled' && (data as { raceId: string }).raceId === raceId);

async function expectTold(client: TestClient, raceId: RaceId): Promise<void> {
  const told = await client.message('bet:settled', (settled) => settled.raceId === raceId);
  const { bets } = await client.request('bet:mine', { raceId });
  expect(told.bets.map(({ betId, outcome, returned }) => [betId, outcome, returned])).toEqual(
    bets.map(({ betId, outcome, returned }) => [betId, outcome, returned]),
  );
  if (bets.some(({ outcome }) => outcome !== 'lost')) {
    const { balance } = await client.request('wallet:get', {});
    await client.message('wallet:update', (update) => update.cause !== 'stake' && update.balance === balance);
  }
  expect(settledFor(client, raceId)).toHaveLength(1);
}

describe('who has a bet', () => {
  test('[BT35] is told what became of it once, though the host has closed the room meanwhile', async () => {
    const { guest, raceId } = await closedMidRace();
    await expectTold(guest, raceId);
  });

  test('[BT35] is told by a process that does not serve the room any more', async () => {
    const { guest, roomId, raceId } = await closedMidRace();
    await house.feeds().leave(roomId);
    await house.store.remove(roomId);
    await expectTold(guest, raceId);
  });

  test('[BT35] is told of the refund of a race that is void in a closed room', async () => {
    const { host, guest, roomId, raceId } = await openRace('bet');
    await back(guest, raceId);
    await host.request('room:close', { roomId });
    await house.pool.query('update race set closes_at = now_ms() - 90000 where id = $1', [raceId]);
    await expectTold(guest, raceId);
    expect(settledFor(guest, raceId)[0]?.data).toMatchObject({
      bets: [1, 2, 3, 4].map(() => ({ outcome: 'refunded' })),
    });
  });
});

/** What everybody in the room was told of the player's pick last. */
const toldOf = (witness: TestClient, playerId: string) =>
  witness.room?.events.findLast((event) => event.type === 'pick made' && event.playerId === playerId);

async function ownPick(raceId: RaceId, client: TestClient) {
  return (await house.records.races.mine(raceId, client.ready?.player.id as never)).pick;
}

describe('a pick', () => {
  test('[BT36] whose answer was lost is told to the room when its player asks again, and so is its clearing', async () => {
    const { host, guest, raceId } = await openRace('pick');
    const choose = { raceId, horse: 2, commandId: randomUUID() } as const;
    const clear = { raceId, commandId: randomUUID() };
    for (const [ask, picked] of [
      [() => guest.ask('pick:choose', choose), true],
      [() => guest.ask('pick:clear', clear), false],
    ] as const) {
      house.proxy.holdAnswers();
      try {
        expect(await ask()).toMatchObject({ ok: false, code: 'LEDGER_UNAVAILABLE', outcome: 'unknown' });
      } finally {
        house.proxy.heal();
      }
      await until('it stands', async () => ((await ownPick(raceId, guest)) !== undefined) === picked);
      await until('answered', async () => codeOf(await ask()) === 'OK');
      expect(await until('told', () => toldOf(host, guest.id))).toMatchObject({ raceId, picked });
    }
  });

  test('[BT36] is told as it stands, not as an older command of its player was answered', async () => {
    const { host, guest, raceId } = await openRace('pick');
    const choose = { raceId, horse: 2, commandId: randomUUID() } as const;
    await guest.request('pick:choose', choose);
    await guest.request('pick:clear', { raceId });
    await until('told', () => toldOf(host, guest.id)?.type === 'pick made');
    await guest.request('pick:choose', choose);
    await host.request('chat:send', { roomId: host.room?.id as RoomId, text: 'after it' });
    await host.event('chat', ({ message }) => message.text === 'after it');
    expect(toldOf(host, guest.id)).toMatchObject({ picked: false });
  });

  test('[BT37] of a kicked player is dropped before the close, though PostgreSQL was away when they were kicked', async () => {
    const { host, guest, roomId, raceId } = await openRace('pick');
    await guest.request('pick:choose', { raceId, horse: 3 });
    house.proxy.holdRequests();
    try {
      await host.request('room:kick', { roomId, playerId: guest.id as never });
      house.proxy.cutClients();
    } finally {
      house.proxy.heal();
    }
    await until('the pick is gone', async () => (await ownPick(raceId, guest)) === undefined);
    expect(
      await until('told', () => {
        const told = toldOf(host, guest.id);
        return told?.type === 'pick made' && !told.picked ? told : undefined;
      }),
    ).toMatchObject({ raceId });
  });
});
