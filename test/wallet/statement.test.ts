import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createStatements } from '../../db/postgres/statement.ts';
import type { Statements } from '../../lib/ports.ts';
import type { StatementEntry } from '../../lib/protocol.ts';
import type { Caller } from '../../lib/service/caller.ts';
import { createStatementService } from '../../lib/service/statement.ts';
import { until } from '../helpers/until.ts';
import {
  bet,
  claim,
  code,
  createStage,
  DAY,
  openRace,
  order,
  player,
  runRace,
  type Stage,
  settlementOf,
} from '../ledger/stage.ts';

let stage: Stage;
let statements: Statements;
let service: ReturnType<typeof createStatementService>;
beforeAll(async () => {
  stage = await createStage({ startPoints: 100_000 });
  statements = createStatements(stage.pool, { startPoints: 100_000 });
  service = createStatementService({ statements });
});
afterAll(async () => {
  expect(await stage.audit()).toEqual([]);
  await stage.drop();
});

const caller = (name: string): Caller => ({
  connectionId: 'c',
  playerId: player(name),
  address: '',
  nickname: name,
  locale: 'en',
});

async function place(...items: Parameters<Stage['ledger']['commitBatch']>[0]): Promise<void> {
  const { answers } = await stage.ledger.commitBatch(items);
  expect(answers.map(code)).toEqual(items.map(() => 'ok'));
}

const sumOf = (entries: readonly StatementEntry[]) => entries.reduce((sum, { amount }) => sum + BigInt(amount), 0n);

/** Newest first, each once, and every balance the sum of what lies below it. */
function expectSound(entries: readonly StatementEntry[], balance: bigint): void {
  expect(new Set(entries.map(({ id }) => id)).size).toBe(entries.length);
  expect(BigInt(entries[0]?.balance ?? 0)).toBe(balance);
  entries.forEach((entry, index) => {
    const older = entries[index + 1];
    expect(BigInt(entry.balance) - BigInt(entry.amount)).toBe(older === undefined ? 0n : BigInt(older.balance));
    if (older !== undefined) expect(BigInt(entry.id)).toBeGreaterThan(BigInt(older.id));
  });
}

/** All pages, from the first again wherever the server says so. */
async function readAll(
  name: string,
  between: (page: number) => Promise<void> = async () => {},
): Promise<{ entries: StatementEntry[]; pages: number[]; restarts: number }> {
  let entries: StatementEntry[] = [];
  let pages: number[] = [];
  let restarts = 0;
  let next: string | undefined;
  do {
    const page = await service.entries(caller(name), next === undefined ? {} : { before: next });
    if (page.restarted) {
      restarts += 1;
      entries = [];
      pages = [];
    }
    entries.push(...page.entries);
    pages.push(page.entries.length);
    next = page.next;
    await between(pages.length);
  } while (next !== undefined);
  return { entries, pages, restarts };
}

describe('the statement', () => {
  test('[LG127] has every entry once, newest first, 30 a page, with the balance after each', async () => {
    expect(await readAll('nobody')).toEqual({ entries: [], pages: [0], restarts: 0 });
    const race = await openRace(stage);
    await place(claim('ann', DAY, 2_000n));
    for (let n = 0; n < 65; n += 1) await place(bet(race.id, 'ann', (n % 8) + 1, 100n));
    await place(bet(race.id, 'bob', 1, 700n));
    const finish = order([1, 1], [2, 2], [3, 3], [4, 4], [5, 5], [6, 6], [7, 7], [8, 8]);
    await runRace(stage, race.id, finish);
    expect(await stage.races.settle(race.id, await settlementOf(stage, race, finish))).toBe('moved');
    const { entries, pages, restarts } = await readAll('ann');
    const paid = entries.filter(({ kind }) => kind === 'payout');
    expect(paid.length).toBeGreaterThan(0);
    expect({ pages, restarts }).toEqual({ pages: [30, 30, 67 + paid.length - 60], restarts: 0 });
    expectSound(entries, (await stage.balanceOf('ann')) ?? -1n);
    expect(entries.slice(-2).map(({ kind, amount }) => [kind, amount])).toEqual([
      ['daily', '2000'],
      ['start', '100000'],
    ]);
    for (const entry of [...paid, ...entries.filter(({ kind }) => kind === 'stake')]) {
      expect(entry).toMatchObject({ raceId: race.id, raceNumber: 1, roomName: 'r', pool: 'win' });
      expect(entry.selection).toHaveLength(1);
    }
    for (const { selection } of paid) expect(selection).toEqual([1]);
    // Nobody else's, whatever cursor is given.
    expectSound((await readAll('bob')).entries, (await stage.balanceOf('bob')) ?? -1n);
    const stolen = (await service.entries(caller('ann'), {})).next ?? '';
    const other = await service.entries(caller('bob'), { before: stolen });
    for (const { id } of other.entries) expect(entries.map((entry) => entry.id)).not.toContain(id);
  });

  /** A settlement that has drawn its ids and not committed: of one stake of 1,000, given back. */
  async function lateRefund(name: string, raceId: string) {
    const client = await stage.pool.connect();
    await client.query('begin');
    await client.query(
      `insert into transfer (from_account, to_account, amount, kind, at, player_id, race_id, bet_id, pool)
       select t.to_account, t.from_account, t.amount, 'refund', t.at + 1, t.player_id, t.race_id, t.bet_id, t.pool
       from transfer t where t.player_id = $1 and t.race_id = $2`,
      [name, raceId],
    );
    return async (): Promise<void> => {
      await client.query('update account set balance = balance + 1000, version = version + 1 where player_id = $1', [
        name,
      ]);
      await client.query('update account set balance = balance - 1000 where race_id = $1', [raceId]);
      await client.query(
        `insert into bet_outcome (bet_id, race_id, player_id, outcome, returned, at)
         select b.id, b.race_id, b.player_id, 'refunded', b.stake, 0 from bet b where b.race_id = $1`,
        [raceId],
      );
      await client.query('commit');
      client.release();
    };
  }

  test.each([
    ['among what was read', 'read', 40, 20],
    ['below what was read', 'unread', 10, 50],
  ])(
    '[LG128] loses nothing and shows nothing twice when a settlement commits %s between two pages',
    async (_, name, older, newer) => {
      const [old, current] = [await openRace(stage), await openRace(stage)];
      await place(bet(old.id, name, 1, 1_000n));
      const stakes = async (count: number) => {
        for (let n = 0; n < count; n += 1) await place(bet(current.id, name, 1, 100n));
      };
      await stakes(older);
      const commit = await lateRefund(name, old.id);
      await stakes(newer);
      const before = await readAll(name);
      expect(before).toMatchObject({ pages: [30, 30, 2], restarts: 0 });
      expectSound(before.entries, 93_000n);
      const { entries, pages, restarts } = await readAll(name, async (page) => {
        if (page === 1 && (await stage.balanceOf(name)) === 93_000n) await commit();
      });
      expect({ pages, restarts }).toEqual({ pages: [30, 30, 3], restarts: 1 });
      expect(entries.filter(({ kind }) => kind === 'refund')).toHaveLength(1);
      expectSound(entries, 94_000n);
    },
  );

  test('[LG128] is sound whenever it is read while the player bets, claims and is paid', async () => {
    const name = 'busy';
    let done = false;
    const play = (async () => {
      for (let round = 0; round < 6; round += 1) {
        const race = await openRace(stage);
        const next = await openRace(stage);
        for (let n = 0; n < 12; n += 1) await placeOnce(bet(race.id, name, (n % 8) + 1, 100n));
        const finish = order([1, 1], [2, 2], [3, 3], [4, 4], [5, 5], [6, 6], [7, 7], [8, 8]);
        await runRace(stage, race.id, finish);
        const settlement = await settlementOf(stage, race, finish);
        await Promise.all([
          stage.races.settle(race.id, settlement),
          ...Array.from({ length: 6 }, () => placeOnce(bet(next.id, name, 2, 100n))),
        ]);
      }
      done = true;
    })();
    let reads = 0;
    while (!done) {
      const { entries } = await readAll(name);
      if (entries.length > 0) expectSound(entries, BigInt(entries[0]?.balance ?? 0));
      reads += 1;
    }
    await play;
    expect(reads).toBeGreaterThan(5);
    const { entries } = await readAll(name);
    expectSound(entries, (await stage.balanceOf(name)) ?? -1n);
    expect(sumOf(entries)).toBe(await stage.balanceOf(name));
  });

  /** Until it is in: a wallet that a settlement holds is tried again. */
  async function placeOnce(item: Parameters<Stage['ledger']['commitBatch']>[0][number]): Promise<void> {
    await until('the bet is in', async () => code((await stage.ledger.commitBatch([item])).answers[0]) !== 'again', {
      everyMs: 1,
    });
  }
});

describe('the bet history', () => {
  test('[LG129] has each bet with horses, room, race and what became of it, newest first, 30 a page', async () => {
    const name = 'cho';
    expect(await service.bets(caller(name), {})).toEqual({ bets: [] });
    const race = await openRace(stage);
    for (let n = 0; n < 34; n += 1) {
      await place(bet(race.id, name, (n % 8) + 1, 100n, { pool: n % 2 ? 'place' : 'win' }));
      if (n % 10 === 0) await place(claim(name, `2026-12-${n + 1}`));
    }
    const finish = order([3, 1], [2, 2], [1, 3], [4, 4], [5, 5], [6, 6], [7, 7], [8, 8]);
    await runRace(stage, race.id, finish);
    expect(await stage.races.settle(race.id, await settlementOf(stage, race, finish))).toBe('moved');
    const open = await openRace(stage);
    await place(bet(open.id, name, 5, 300n));
    await place(bet(open.id, 'else', 5, 300n));

    const first = await service.bets(caller(name), {});
    const second = await service.bets(caller(name), { before: first.next ?? '' });
    expect([first.bets.length, second.bets.length, second.next]).toEqual([30, 5, undefined]);
    const bets = [...first.bets, ...second.bets];
    expect(bets.map(({ selection }) => selection[0])).toEqual([
      5,
      ...Array.from({ length: 34 }, (_, n) => ((33 - n) % 8) + 1),
    ]);
    const [unresolved, ...resolved] = bets;
    expect(unresolved).toMatchObject({ raceId: open.id, stake: '300', horses: [{ number: 5, name: { en: 'Horse' } }] });
    expect(unresolved?.outcome).toBeUndefined();
    const returned = new Map(
      (await stage.races.outcomes(race.id)).flatMap((player) => player.bets.map((one) => [one.betId, one])),
    );
    for (const one of resolved) {
      expect(one).toMatchObject({
        raceId: race.id,
        raceNumber: 1,
        roomName: 'r',
        outcome: returned.get(one.betId)?.outcome,
        returned: returned.get(one.betId)?.returned,
        receipt: { raceId: race.id },
      });
    }
    expect(new Set(resolved.map(({ outcome }) => outcome))).toEqual(new Set(['paid', 'lost']));
  });
});
