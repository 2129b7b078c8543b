import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createBoardRecords } from '../../db/postgres/boards.ts';
import { type BoardMetric, wilsonLowerBound } from '../../lib/core/boards.ts';
import type { RoomId } from '../../lib/core/ids.ts';
import { type BoardRecords, UnavailableError } from '../../lib/ports.ts';
import type { BoardRow, Payload } from '../../lib/protocol.ts';
import { createBoardsService } from '../../lib/service/boards.ts';
import { createStage, player, type Stage } from '../ledger/stage.ts';
import { callerOf } from '../races/arena.ts';
import { createChance } from './rounds.ts';

const PEOPLE = 1_300;
const NOW = Date.parse('2026-11-20T03:00:00Z');

let stage: Stage;
type Line = { id: string; races: number; hits: number; profit: bigint; best: bigint; streak: number };
let people: Line[];

beforeAll(async () => {
  stage = await createStage();
  const below = createChance(20_261_120);
  // Few values, so that many share one.
  people = Array.from({ length: PEOPLE }, (_, index) => {
    const races = 1 + below(60);
    const hits = below(races + 1);
    return {
      id: `m${String(index).padStart(5, '0')}`,
      races,
      hits,
      profit: BigInt(below(400) - 200) * 100n,
      best: hits > 0 ? BigInt(100 + 10 * below(90)) : 0n,
      streak: hits > 0 ? 1 + below(hits) : 0,
    };
  });
  await stage.query(
    `insert into board_row (scope, span, period, player_id, races, hits, profit, best_dividend, streak, best_streak)
     select '', 'season', '2026-Q4', p.id, p.races, p.hits, p.profit, p.best, 0, p.streak
     from unnest($1::text[], $2::integer[], $3::integer[], $4::bigint[], $5::bigint[], $6::integer[]) as p (id, races, hits, profit, best, streak)`,
    [
      people.map(({ id }) => id),
      people.map(({ races }) => races),
      people.map(({ hits }) => hits),
      people.map(({ profit }) => profit),
      people.map(({ best }) => best),
      people.map(({ streak }) => streak),
    ],
  );
  await stage.query(
    `insert into player (id, nickname, locale, starts_at_zero, created_at) values ('m00001', 'Ann', 'en', false, 0)`,
  );
});
afterAll(() => stage.drop());

const serviceOf = (boards: BoardRecords = createBoardRecords(stage.pool)) =>
  createBoardsService({ boards, clock: { now: () => NOW }, timeZone: 'Asia/Seoul' });

const VALUE: Record<BoardMetric, (line: Line) => bigint | null> = {
  profit: ({ profit }) => profit,
  races: ({ races }) => BigInt(races),
  'best-dividend': ({ best }) => (best > 0n ? best : null),
  streak: ({ streak }) => (streak > 0 ? BigInt(streak) : null),
  'hit-rate': ({ hits, races }) => (races >= 20 ? BigInt(Math.round(1_000_000 * wilsonLowerBound(hits, races))) : null),
};

/** The board by brute force: everybody's rank is one more than the different values above. */
function bruteForce(metric: BoardMetric): { playerId: string; value: bigint; rank: number }[] {
  const valued = people.flatMap((line) => {
    const value = VALUE[metric](line);
    return value === null ? [] : [{ playerId: line.id, value }];
  });
  const different = [...new Set(valued.map(({ value }) => value))].sort((a, b) => (a < b ? 1 : -1));
  return valued
    .map((line) => ({ ...line, rank: different.indexOf(line.value) + 1 }))
    .sort((a, b) => a.rank - b.rank || (a.playerId < b.playerId ? -1 : 1));
}

const short = ({ playerId, rank }: { playerId: string; rank: number }) => `${rank} ${playerId}`;

async function allPages(ask: Payload<'board:get'>, name = 'nobody'): Promise<BoardRow[]> {
  const service = serviceOf();
  const rows: BoardRow[] = [];
  for (let after: string | undefined; ; ) {
    const page = await service.get(callerOf(name), { ...ask, ...(after !== undefined && { after }) });
    rows.push(...page.rows);
    expect(page.rows.length).toBeGreaterThan(0);
    if (page.next === undefined) return rows;
    after = page.next;
  }
}

describe('reading boards', () => {
  it.each(['profit', 'hit-rate', 'races', 'best-dividend', 'streak'] as const)(
    '[BD11] the pages of %s have everybody once, in order, with dense ranks, also deep down and where many share a value',
    async (metric) => {
      const rows = await allPages({ metric, window: 'season' });
      expect(rows.map(short)).toEqual(bruteForce(metric).map(short));
    },
  );

  it('[BD13] everybody finds their own rank with the lines around it, at the top, in the middle, deep down and at the end', async () => {
    const service = serviceOf();
    for (const metric of ['profit', 'hit-rate'] as const) {
      const wanted = bruteForce(metric);
      for (const at of [0, 1, 2, 500, 997, 998, 999, 1_000, 1_001, wanted.length - 2, wanted.length - 1]) {
        const me = wanted[at];
        if (me === undefined) continue;
        const { mine } = await service.get(callerOf(me.playerId), { metric, window: 'season' });
        expect(mine?.rank, `${metric} ${at}`).toBe(me.rank);
        expect(mine?.around.map(short), `${metric} ${at}`).toEqual(
          wanted.slice(Math.max(0, at - 2), at + 3).map(short),
        );
      }
    }
    const few = people.find(({ races }) => races < 20);
    expect((await service.get(callerOf(few?.id ?? ''), { metric: 'hit-rate', window: 'season' })).mine).toBeUndefined();
    expect((await service.get(callerOf('nobody'), { metric: 'profit', window: 'season' })).mine).toBeUndefined();
  });

  it('[BD14] a board says its period and the ones beside it, and past ones can be asked for', async () => {
    const service = serviceOf();
    const ask = (window: 'day' | 'week' | 'season' | 'all', period?: string) =>
      service.get(callerOf('m00001'), { metric: 'profit', window, ...(period !== undefined && { period }) });
    expect(await ask('day')).toMatchObject({ period: '2026-11-20', previous: '2026-11-19', rows: [] });
    expect(await ask('week')).toMatchObject({ period: '2026-W47', previous: '2026-W46' });
    const now = await ask('season');
    expect(now).toMatchObject({ period: '2026-Q4', previous: '2026-Q3' });
    expect(now.following).toBeUndefined();
    expect(now.mine?.around.find(({ playerId }) => playerId === 'm00001')?.nickname).toBe('Ann');
    const past = await ask('season', '2026-Q3');
    expect(past).toMatchObject({ period: '2026-Q3', previous: '2026-Q2', following: '2026-Q4', rows: [] });
    expect(past.mine).toBeUndefined();
    const all = await ask('all');
    expect([all.period, all.previous, all.following]).toEqual(['', undefined, undefined]);
    for (const [window, period] of [
      ['day', '2026-Q4'],
      ['week', '2026-W54'],
      ['all', '2026-Q4'],
      ['day', '2026-02-30'],
    ] as const)
      await expect(ask(window, period)).rejects.toMatchObject({ refusal: { code: 'BAD_REQUEST', path: 'period' } });
  });

  it('[BD15] many who ask for a board at a time are answered by one question, and a failed one is not kept', async () => {
    const records = createBoardRecords(stage.pool);
    let asked = 0;
    let away = true;
    const service = serviceOf({
      ...records,
      lines: (...page) => {
        asked += 1;
        return away ? Promise.reject(new UnavailableError('away', 'none')) : records.lines(...page);
      },
    });
    const all = () =>
      Promise.allSettled(
        people.slice(0, 200).map(({ id }) => service.get(callerOf(id), { metric: 'profit', window: 'season' })),
      );
    const refused = await all();
    expect(refused.map((one) => one.status === 'rejected' && one.reason.refusal.code)).toEqual(
      refused.map(() => 'LEDGER_UNAVAILABLE'),
    );
    expect(asked).toBe(1);
    away = false;
    const served = await all();
    expect(served.filter(({ status }) => status === 'fulfilled')).toHaveLength(200);
    expect(asked).toBe(2);
    await service.get(callerOf('x'), { metric: 'races', window: 'season' });
    await service.get(callerOf('x'), { metric: 'profit', window: 'season', roomId: 'elsewhere' as RoomId });
    expect(asked).toBe(4);
  });
});

describe('profiles', () => {
  it('[BD16] the curve is the balance after each entry, up to the balance of now, and for its owner alone', async () => {
    await stage.ledger.commitBatch([
      {
        kind: 'claim',
        playerId: player('curved'),
        commandId: '11111111-1111-4111-8111-111111111111' as never,
        bodyHash: 'ab'.repeat(32),
        claim: 'daily',
        amount: 2_000n,
        everyMs: 0,
        day: '2026-11-20',
      },
    ]);
    const service = serviceOf();
    const own = await service.profile(player('curved'), true);
    expect(own.curve?.map(({ balance }) => balance)).toEqual(['10000', '12000']);
    expect(own.statistics).toEqual({
      races: 0,
      hits: 0,
      profit: '0',
      bestDividend: '0',
      streak: 0,
      bestStreak: 0,
      games: 0,
      caught: 0,
    });
    expect(await service.profile(player('curved'), false)).toEqual({ statistics: own.statistics });
    expect((await service.profile(player('never seen'), true)).curve).toEqual([]);
  });
});
