import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { COMMIT_BATCH, encodeItems } from '../../db/postgres/batch.ts';
import { createLedger } from '../../db/postgres/ledger.ts';
import type { CommandId } from '../../lib/core/ids.ts';
import type { LedgerItem } from '../../lib/ports.ts';
import { until } from '../helpers/until.ts';
import {
  bet,
  claim,
  clear,
  closeRace,
  code,
  command,
  createStage,
  openRace,
  pick,
  player,
  type Stage,
  vote,
} from './stage.ts';

let stage: Stage;
beforeAll(async () => {
  stage = await createStage();
});
afterAll(async () => {
  expect(await stage.audit()).toEqual([]);
  await stage.drop();
});

const codes = async (...items: LedgerItem[]) => (await stage.ledger.commitBatch(items)).answers.map(code);

describe('bets', () => {
  it('[BT20] a stake is a whole number of units above zero that the wallet and the int8 range hold', async () => {
    const { id } = await openRace(stage);
    const stakes = [100n, 0n, -100n, 150n, 99n, 10_000n, 2n ** 63n, 9_223_372_036_854_775_800n, 9_900n, 100n];
    expect(await codes(...stakes.map((stake) => bet(id, 'bt1', 1, stake)))).toEqual([
      'ok',
      'STAKE_INVALID',
      'STAKE_INVALID',
      'STAKE_INVALID',
      'STAKE_INVALID',
      'INSUFFICIENT_POINTS',
      'STAKE_INVALID',
      'LIMIT_REACHED',
      'ok',
      'INSUFFICIENT_POINTS',
    ]);
    expect(await stage.balanceOf('bt1')).toBe(0n);
  });

  it('[BT21] a selection is one runner of a pool that the race has', async () => {
    const { id } = await openRace(stage, {
      runners: 5,
      rules: { pools: [{ pool: 'win', rate: { num: 80, den: 100 } }] },
    });
    const two = { ...bet(id, 'bt2', 1, 100n), selection: [1, 2] } as LedgerItem;
    expect(
      await codes(bet(id, 'bt2', 5, 100n), bet(id, 'bt2', 6, 100n), bet(id, 'bt2', 1, 100n, { pool: 'place' }), two),
    ).toEqual(['ok', 'SELECTION_INVALID', 'SELECTION_INVALID', 'SELECTION_INVALID']);
    expect(await codes(bet('nowhere' as never, 'bt2', 1, 100n), pick(id, 'bt2', 1))).toEqual([
      'NOT_FOUND',
      'SELECTION_INVALID',
    ]);
  });

  it('[BT22] a repeat answers as the first time for ever, on any connection, open or closed; with another body it is a conflict', async () => {
    const { id } = await openRace(stage);
    const first = bet(id, 'bt3', 1, 300n) as Extract<LedgerItem, { kind: 'bet' }>;
    const [placed] = (await stage.ledger.commitBatch([first])).answers;
    expect(placed).toMatchObject({
      ok: true,
      repeated: false,
      balance: 9_700n,
      betId: first.betId,
      receipt: { leaf: first.leaf, nonce: first.nonce },
    });
    await codes(bet(id, 'bt3', 2, 500n));
    // The second attempt comes with a bet id, a nonce and a leaf of its own, as another instance would make them.
    const again = { ...(bet(id, 'bt3', 1, 300n) as typeof first), commandId: first.commandId };
    const other = { ...again, bodyHash: 'ee'.repeat(32) };
    const elsewhere = createLedger(stage.database.pool({ max: 1 }), { startPoints: 10_000 });
    const expected = { ...placed, repeated: true };
    for (const round of ['open', 'closed']) {
      for (const ledger of [stage.ledger, elsewhere]) {
        const { answers, added } = await ledger.commitBatch([again, other]);
        expect(answers[0], round).toEqual(expected);
        expect(answers[1], round).toEqual({ ok: false, code: 'COMMAND_CONFLICT' });
        expect(added).toEqual([]);
      }
      if (round === 'open') await closeRace(stage, id);
    }
    expect(await codes({ ...again, commandId: command() })).toEqual(['PHASE_CLOSED']);
    expect(await stage.balanceOf('bt3')).toBe(9_200n);
  });

  it('[BT23] refusals are not remembered: the same command may succeed later', async () => {
    const { id } = await openRace(stage);
    const item = bet(id, 'bt4', 1, 11_000n);
    expect(await codes(item)).toEqual(['INSUFFICIENT_POINTS']);
    expect(await codes(claim('bt4', '2026-11-20'))).toEqual(['ok']);
    expect(await codes(item, item)).toEqual(['ok', 'again']);
    expect(await codes(item)).toEqual(['repeat']);
  });

  it('[BT24] a refused bet in a batch does not stand in the way of the smaller one after it', async () => {
    const { id } = await openRace(stage);
    expect(
      await codes(
        bet(id, 'bt5', 1, 9_000n),
        bet(id, 'bt5', 1, 2_000n),
        bet(id, 'bt5', 1, 1_000n),
        bet(id, 'bt5', 1, 100n),
      ),
    ).toEqual(['ok', 'INSUFFICIENT_POINTS', 'ok', 'INSUFFICIENT_POINTS']);
  });

  it('[BT25] one command id is one command, whatever its kind', async () => {
    const race = await openRace(stage);
    const picks = await openRace(stage, { kind: 'pick' });
    const shared = command();
    expect(await codes(bet(race.id, 'bt6', 1, 100n, { commandId: shared }))).toEqual(['ok']);
    expect(await codes(pick(picks.id, 'bt6', 1, shared))).toEqual(['COMMAND_CONFLICT']);
    expect(await codes(claim('bt6', '2026-11-20', 2_000n, shared))).toEqual(['COMMAND_CONFLICT']);
    expect(await codes(bet(race.id, 'bt6-other', 1, 100n, { commandId: shared }))).toEqual(['ok']);
  });

  it('[BT26] the cap per player and race holds over many small bets from two connections at a time', async () => {
    const { id } = await openRace(stage, { rules: { maxStakePerRace: 5_000 } });
    const elsewhere = createLedger(stage.database.pool({ max: 2 }), { startPoints: 10_000 });
    const answers: string[] = [];
    const place = async (ledger: typeof elsewhere) => {
      for (let index = 0; index < 30; index += 1) {
        const item = bet(id, 'bt7', 1 + (index % 8), 100n, { pool: index % 2 ? 'win' : 'place' });
        answers.push(
          await until(
            'an answer',
            async () => {
              const answer = code((await ledger.commitBatch([item])).answers[0]);
              return answer === 'again' ? null : answer;
            },
            { everyMs: 1 },
          ),
        );
      }
    };
    await Promise.all([place(stage.ledger), place(elsewhere)]);
    expect(answers.filter((answer) => answer === 'ok')).toHaveLength(50);
    expect(answers.filter((answer) => answer === 'LIMIT_REACHED')).toHaveLength(10);
    expect(await stage.balanceOf('bt7')).toBe(5_000n);
  });

  it('[BT27] 40 parallel bets of 100 on 900 points: exactly 9 are placed', async () => {
    const { id } = await openRace(stage);
    await codes(bet(id, 'bt8', 1, 9_100n));
    const place = async (item: LedgerItem) =>
      until(
        'an answer',
        async () => {
          const answer = code((await stage.ledger.commitBatch([item])).answers[0]);
          return answer === 'again' ? null : answer;
        },
        { everyMs: 1 },
      );
    const answers = await Promise.all(Array.from({ length: 40 }, () => place(bet(id, 'bt8', 1, 100n))));
    expect(answers.filter((answer) => answer === 'ok')).toHaveLength(9);
    expect(answers.filter((answer) => answer === 'INSUFFICIENT_POINTS')).toHaveLength(31);
    expect(await stage.balanceOf('bt8')).toBe(0n);
  });

  it('[BT28] a rerun takes commands of its participants only', async () => {
    const { id } = await openRace(stage, { kind: 'pick', participants: [player('bt9')] });
    expect(await codes(pick(id, 'bt9', 1), pick(id, 'bt9-other', 2), vote(id, 'bt9-other', 1))).toEqual([
      'ok',
      'NOT_READY',
      'NOT_READY',
    ]);
  });
});

describe('picks and votes', () => {
  it('[BT29] a pick replaces the earlier one, a clear removes it, each is a row and a leaf for ever', async () => {
    const { id } = await openRace(stage, { kind: 'pick' });
    const items = [
      pick(id, 'a', 1),
      pick(id, 'b', 1),
      pick(id, 'a', 2),
      pick(id, 'c', 3),
      clear(id, 'c'),
      vote(id, 'a', 2),
      vote(id, 'a', 3),
    ];
    expect(await codes(...items)).toEqual(items.map(() => 'ok'));
    expect(await codes(clear(id, 'b'), pick(id, 'b', 4))).toEqual(['ok', 'ok']);
    const race = await stage.races.get(id);
    expect(race?.picks).toEqual([
      { playerId: 'a', horse: 2 },
      { playerId: 'b', horse: 4 },
    ]);
    expect(race?.votes).toEqual([{ playerId: 'a', place: 3 }]);
    expect((await stage.races.batches(id)).map(({ count }) => count)).toEqual([7, 2]);
    const mine = await stage.races.mine(id, player('a'));
    expect(mine).toMatchObject({
      bets: [],
      pick: { horse: 2, receipt: { leaf: (items[2] as { leaf: string }).leaf } },
      vote: { place: 3 },
    });
  });

  it('[BT30] exclusive picks: first come, first served; a freed horse can be had; two players may swap within one batch', async () => {
    const { id } = await openRace(stage, { kind: 'pick', rules: { exclusivePicks: true } });
    expect(
      await codes(pick(id, 'a', 1), pick(id, 'b', 1), pick(id, 'b', 2), pick(id, 'a', 2), pick(id, 'a', 1)),
    ).toEqual(['ok', 'HORSE_TAKEN', 'ok', 'HORSE_TAKEN', 'ok']);
    expect(await codes(pick(id, 'a', 3), pick(id, 'b', 1), pick(id, 'a', 2), clear(id, 'b'), pick(id, 'c', 1))).toEqual(
      ['ok', 'ok', 'ok', 'ok', 'ok'],
    );
    expect((await stage.races.get(id))?.picks).toEqual([
      { playerId: 'a', horse: 2 },
      { playerId: 'c', horse: 1 },
    ]);
  });

  it('[BT31] an exclusive horse wanted by 20 players on many connections at once goes to one of them', async () => {
    const { id } = await openRace(stage, { kind: 'pick', rules: { exclusivePicks: true } });
    const wanted = Array.from({ length: 20 }, (_, index) => pick(id, `bt12-${index}`, 5));
    const answers = await Promise.all(wanted.map((item) => stage.ledger.commitBatch([item])));
    const told = answers.map(({ answers: [answer] }) => code(answer));
    expect(told.filter((answer) => answer === 'ok')).toHaveLength(1);
    expect(told.filter((answer) => answer === 'HORSE_TAKEN')).toHaveLength(19);
  });

  it('[BT32] a vote is a place of the field, where the room votes at all', async () => {
    const { id } = await openRace(stage, { kind: 'pick', runners: 4 });
    const silent = await openRace(stage, { kind: 'pick', rules: { placeVote: false } });
    expect(
      await codes(vote(id, 'a', 1), vote(id, 'a', 4), vote(id, 'a', 5), vote(id, 'a', 0), vote(silent.id, 'a', 1)),
    ).toEqual(['ok', 'ok', 'SELECTION_INVALID', 'SELECTION_INVALID', 'FORBIDDEN']);
  });

  it('[BT33] repeats of picks, clears and votes answer as the first time, also after the close', async () => {
    const { id } = await openRace(stage, { kind: 'pick' });
    const items = [pick(id, 'bt14', 2), vote(id, 'bt14', 1), clear(id, 'bt14')];
    expect(await codes(...items)).toEqual(['ok', 'ok', 'ok']);
    await closeRace(stage, id);
    const { answers } = await stage.ledger.commitBatch(items);
    expect(answers.map(code)).toEqual(['repeat', 'repeat', 'repeat']);
    expect(answers[0]).toMatchObject({
      horse: 2,
      receipt: { commandId: (items[0] as { commandId: CommandId }).commandId },
    });
    expect(await codes({ ...(items[0] as LedgerItem), bodyHash: 'ee'.repeat(32) } as LedgerItem)).toEqual([
      'COMMAND_CONFLICT',
    ]);
  });
});

describe('wallets', () => {
  it('[LG2] a wallet is made with the start grant, once, however many ask at the same time', async () => {
    const { id } = await openRace(stage);
    const names = Array.from({ length: 12 }, (_, index) => `lg1-${index}`);
    const batches = Array.from({ length: 6 }, (_, round) => names.map((name) => bet(id, name, 1 + round, 100n)));
    const answers = (await Promise.all(batches.map((items) => stage.ledger.commitBatch(items)))).flatMap(
      ({ answers: each }) => each.map(code),
    );
    expect(answers.filter((answer) => answer !== 'ok' && answer !== 'again')).toEqual([]);
    const placed = answers.filter((answer) => answer === 'ok').length;
    const [sum] = await stage.query<{ points: string; grants: bigint }>(
      "select sum(balance) as points, (select count(*) from transfer where kind = 'start' and player_id like 'lg1-%') as grants from account where player_id like 'lg1-%'",
    );
    expect(sum).toEqual({ points: String(12 * 10_000 - placed * 100), grants: 12n });
  });

  it('[LG3] a player marked to start at zero has nothing until the first claim', async () => {
    await stage.query(
      "insert into player (id, nickname, locale, starts_at_zero, created_at) values ('lg2', 'n', 'ko', true, 0)",
    );
    const { id } = await openRace(stage);
    expect(await stage.balanceOf('lg2')).toBe(0n);
    expect(await codes(bet(id, 'lg2', 1, 100n), claim('lg2', '2026-11-20'), bet(id, 'lg2', 1, 100n))).toEqual([
      'INSUFFICIENT_POINTS',
      'ok',
      'ok',
    ]);
    expect(await stage.balanceOf('lg2')).toBe(1_900n);
  });

  it('[LG4] the daily allowance is had once per day, on whatever connection and however often it is asked for', async () => {
    const first = claim('lg3', '2026-11-20');
    const [granted] = (await stage.ledger.commitBatch([first, claim('lg3', '2026-11-20')])).answers;
    expect(granted).toMatchObject({ ok: true, granted: 2_000n, balance: 12_000n });
    const many = await Promise.all(
      Array.from({ length: 10 }, () => stage.ledger.commitBatch([claim('lg3', '2026-11-20')])),
    );
    expect(
      many
        .map(({ answers: [answer] }) => code(answer))
        .every((answer) => answer === 'LIMIT_REACHED' || answer === 'again'),
    ).toBe(true);
    expect((await stage.ledger.commitBatch([first])).answers[0]).toMatchObject({
      repeated: true,
      granted: 2_000n,
      balance: 12_000n,
    });
    expect(await codes(claim('lg3', '2026-11-21'))).toEqual(['ok']);
    expect(await stage.ledger.wallet(player('lg3'))).toMatchObject({ balance: 14_000n });
  });

  it('[LG5] transfers, bets, outcomes, commands, batches and accounts refuse to be changed or removed', async () => {
    for (const table of ['transfer', 'bet', 'bet_outcome', 'ledger_command', 'race_batch', 'race_scratch']) {
      await expect(stage.query(`delete from ${table}`)).rejects.toThrow('for ever');
      await expect(stage.query(`truncate ${table} cascade`)).rejects.toThrow('for ever');
    }
    await expect(stage.query('update transfer set amount = amount + 1')).rejects.toThrow('for ever');
    await expect(stage.query('update bet set stake = stake + 100')).rejects.toThrow('for ever');
    await expect(stage.query('delete from account')).rejects.toThrow('for ever');
    await expect(stage.query("update account set player_id = 'x' where id = 1")).rejects.toThrow('for ever');
    await expect(stage.query("update account set balance = -1 where kind = 'wallet'")).rejects.toThrow(
      'account_not_negative',
    );
  });

  it('[LG6] the ledger refuses every isolation level but READ COMMITTED', async () => {
    const { id } = await openRace(stage);
    const client = await stage.pool.connect();
    try {
      for (const [text, values] of [
        [COMMIT_BATCH, [...encodeItems([bet(id, 'lg6', 1, 100n)]), 0, null]],
        [`select race_close('${id}', '[]', 0, 0)`, []],
        [`select race_settle('${id}', null, null, null, null, null, 0, null)`, []],
      ] as const) {
        await client.query('begin isolation level repeatable read');
        await expect(client.query(text, [...values])).rejects.toThrow('READ COMMITTED');
        await client.query('rollback');
      }
    } finally {
      client.release();
    }
  });
});
