import type { Client } from 'pg';
import { afterAll, describe, expect, it } from 'vitest';
import type { RaceId } from '../../lib/core/ids.ts';
import type { TestServer } from '../helpers/server.ts';
import { until } from '../helpers/until.ts';
import { startPlayServer } from '../play/table.ts';
import { Bot } from './bot.ts';
import {
  expectCommands,
  expectFacts,
  expectPoints,
  expectSameResults,
  expectTold,
  expectVerified,
  recordsOf,
} from './judge.ts';
import { kill, Witness } from './world.ts';

/** For a hang, not for a speed. */
const PATIENCE = { deadlineMs: 60_000 };

type Stage = {
  readonly server: TestServer;
  readonly witness: Witness;
  readonly bots: readonly Bot[];
  readonly raceId: RaceId;
  /** Holds the escrow's row. */
  readonly holder: Client;
};

const open: { server: TestServer; witness: Witness; bots: readonly Bot[] }[] = [];
afterAll(async () => {
  for (const { server, witness, bots } of open) {
    for (const { client } of bots) client.close();
    await witness.close();
    await server.stop();
  }
});

/** A race with bets of three players whose settlement has written everything and now waits for the escrow's row. */
async function settlementUnderWay(): Promise<Stage> {
  const server = await startPlayServer();
  const witness = new Witness(server.dataDir);
  const seat = { kind: 'bet', settings: { track: 'short', openSeconds: 100 } } as const;
  const ann = await Bot.create(server.url, 'ann', seat);
  const bots = [ann, await Bot.join(server.url, 'ben', ann.roomId), await Bot.join(server.url, 'cho', ann.roomId)];
  open.push({ server, witness, bots });

  const { raceId } = await ann.client.request('race:start', { roomId: ann.roomId });
  const bets = bots.flatMap((bot, index) =>
    [1, 2, 3, 4, 5, 6, 7, 8].map((horse) =>
      bot.send('bet:place', {
        raceId,
        pool: horse % 2 === index % 2 ? 'win' : 'place',
        selection: [horse],
        stake: String(100 * (index + 1)),
      }),
    ),
  );
  for (const answer of await Promise.all(bets)) expect(answer).toMatchObject({ ok: true });
  // Closing and drawing leave the escrow alone.
  const holder = await witness.session();
  await holder.query('begin');
  await holder.query('select from account where race_id = $1 for update', [raceId]);
  await ann.client.request('race:start', { roomId: ann.roomId });
  await until('the settlement waits for the escrow', () => settlementWaits(witness, holder), {
    ...PATIENCE,
    everyMs: 2,
  });
  expect((await witness.newest(ann.roomId))?.outcome).not.toBeNull();
  return { server, witness, bots, raceId, holder };
}

/** Sessions that are in the middle of race_settle and wait for the holder. */
async function waiting(witness: Witness, holder: Client): Promise<number[]> {
  const { rows } = await holder.query<{ pid: number }>('select pg_backend_pid() as pid');
  const found = await witness.query<{ pid: number }>(
    `select pid from pg_stat_activity
     where wait_event_type = 'Lock' and query like '%race_settle%' and $1 = any (pg_blocking_pids(pid))`,
    [rows[0]?.pid],
  );
  return found.map(({ pid }) => pid);
}

const settlementWaits = async (witness: Witness, holder: Client): Promise<boolean> =>
  (await waiting(witness, holder)).length > 0;

/** Nothing of the settlement that was under way is to be seen: it has not happened. */
async function expectNotSettled({ witness, raceId }: Stage): Promise<void> {
  const [race] = (await witness.races()).filter(({ id }) => id === raceId);
  expect(race?.phase).toBe('running');
  expect(await witness.query('select from bet_outcome')).toEqual([]);
  expect(await witness.query("select from transfer where kind in ('payout', 'refund', 'takeout')")).toEqual([]);
}

/** Settled once, every payout once, told once, and every point right. */
async function expectSettledOnce({ server, witness, bots, raceId }: Stage): Promise<void> {
  await until(
    'everybody knows the result',
    () => bots.every((bot) => bot.seated && bot.race?.id === raceId && bot.race.phase === 'settled'),
    PATIENCE,
  );
  const records = await recordsOf(server.url, [raceId]);
  expect(records[0]?.phase).toBe('settled');
  expect(expectSameResults(witness, records)).toBe(1);
  await expectVerified(witness, records, bots);
  await expectFacts(witness, records);
  for (const bot of bots) {
    expectTold(bot, records);
    await expectCommands(bot, records);
    expect(bot.lostSeats).toEqual([]);
  }
  const returned = await witness.query<{ count: bigint; bets: bigint; most: bigint }>(
    `select (select count(*) from bet_outcome) as count, (select count(*) from bet) as bets,
       (select max(n) from (select count(*) as n from transfer where kind in ('payout', 'refund') group by bet_id) as t) as most`,
  );
  expect(returned).toEqual([{ count: 24n, bets: 24n, most: 1n }]);
  await expectPoints(witness, bots, records);
  expect(server.lines().filter(({ level }) => level >= 50)).toEqual([]);
}

const release = async ({ holder }: Stage): Promise<void> => {
  await holder.query('rollback').catch(() => {});
  await holder.end().catch(() => {});
};

describe.concurrent('kill -9 in the middle of a settlement', () => {
  it('[LG63] the server alone, the row freed before it is back: settled once, every payout once', async () => {
    const stage = await settlementUnderWay();
    await kill(stage.server, stage.witness, 'server');
    await expectNotSettled(stage);
    await release(stage);
    await stage.server.restart();
    await expectSettledOnce(stage);
  }, 120_000);

  it('[LG63] the server alone, the row still held when it is back: settled once, every payout once', async () => {
    const stage = await settlementUnderWay();
    await kill(stage.server, stage.witness, 'server');
    const orphans = await waiting(stage.witness, stage.holder);
    await stage.server.restart();
    await until(
      'the new server’s settlement waits too',
      async () => (await waiting(stage.witness, stage.holder)).some((pid) => !orphans.includes(pid)),
      PATIENCE,
    );
    await expectNotSettled(stage);
    await release(stage);
    await expectSettledOnce(stage);
  }, 120_000);

  it('[LG63] the server and PostgreSQL: nothing of it has happened, and it happens once', async () => {
    const stage = await settlementUnderWay();
    await kill(stage.server, stage.witness, 'both');
    await release(stage);
    await stage.server.restart();
    await expectSettledOnce(stage);
  }, 120_000);
});
