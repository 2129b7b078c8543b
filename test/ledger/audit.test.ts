import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { AUDIT_VIEWS } from '../../db/postgres/audit.ts';
import { INVARIANTS } from '../../db/postgres/audit-invariants.ts';
import { createFreezing } from '../../db/postgres/freeze.ts';
import type { NewRace } from '../../lib/ports.ts';
import { until } from '../helpers/until.ts';
import {
  bet,
  claim,
  clear,
  closeRace,
  createStage,
  DAY,
  drawn,
  openRace,
  order,
  pick,
  player,
  relief,
  runRace,
  type Stage,
  settlementOf,
  vote,
} from './stage.ts';

let stage: Stage;
let settled: NewRace;
let open: NewRace;
let picks: NewRace;
let held: NewRace;

beforeAll(async () => {
  stage = await createStage();
  settled = await openRace(stage);
  await stage.ledger.commitBatch([
    bet(settled.id, 'a', 1, 1_000n),
    bet(settled.id, 'b', 2, 3_000n),
    bet(settled.id, 'b', 7, 500n, { pool: 'place' }),
  ]);
  const finish = order([1, 1], [2, 2], [3, 3], [4, 4], [5, 5], [6, 6], [7, 7], [8, 8]);
  await runRace(stage, settled.id, finish);
  await stage.races.settle(settled.id, await settlementOf(stage, settled, finish));
  open = await openRace(stage);
  await stage.ledger.commitBatch([bet(open.id, 'a', 1, 200n), bet(open.id, 'b', 1, 300n)]);
  picks = await openRace(stage, { kind: 'pick' });
  await stage.ledger.commitBatch([
    pick(picks.id, 'a', 1),
    pick(picks.id, 'b', 2),
    clear(picks.id, 'b'),
    vote(picks.id, 'a', 1),
  ]);
  await stage.races.bringForward(picks.id, 0);
  await until('closed', async () => (await stage.races.close(picks.id, [drawn(picks.id, 'b')])) === 'moved');
  const gone = await openRace(stage);
  await stage.ledger.commitBatch([bet(gone.id, 'a', 1, 100n)]);
  await closeRace(stage, gone.id);
  await stage.races.voidRace(gone.id, 'admin', 'cd', 'ab', null);
  await stage.ledger.commitBatch([bet(open.id, 'l', 1, 300n)]);
  await stage.query(
    `select player_set_limits('l', 'c', '', true, 5000, null, '${DAY}', 0, date '${DAY}' + 1, 10000) is not null`,
  );
  await stage.ledger.commitBatch([bet(open.id, 'l', 1, 400n), claim('l', DAY), relief('b', 50_000n)]);
  const freezing = createFreezing(stage.pool, { timeZone: 'Asia/Seoul' });
  held = await openRace(stage);
  await stage.ledger.commitBatch([bet(held.id, 'a', 1, 100n), bet(held.id, 'f', 2, 100n)]);
  await freezing.freeze({ kind: 'wallet', id: player('f') }, 'by-hand', 'a test', true);
  await freezing.freeze({ kind: 'race', id: held.id }, 'by-hand', 'a test', true);
  await runRace(stage, held.id, finish);
  await stage.races.settle(held.id, await settlementOf(stage, held, finish));
});
afterAll(async () => {
  await stage.drop();
});

/** The invariants that are broken once the statements ran with triggers off; nothing of it stays. */
async function brokenBy(...statements: string[]): Promise<string[]> {
  const client = await stage.pool.connect();
  try {
    await client.query('set idle_in_transaction_session_timeout = 0');
    await client.query('begin');
    await client.query('set local session_replication_role = replica');
    for (const text of statements) {
      const { rowCount } = await client.query(text);
      if (!/^alter/.test(text)) expect(rowCount, text).toBeGreaterThan(0);
    }
    const { rows } = await client.query<{ invariant: string }>(
      `select distinct invariant from (${AUDIT_VIEWS.map((view) => `table ${view}`).join(' union all ')}) as found`,
    );
    return rows.map(({ invariant }) => invariant);
  } finally {
    await client.query('rollback');
    await client.query('reset idle_in_transaction_session_timeout');
    client.release();
  }
}

/** What the views call their rows. */
async function namesIn(...views: string[]): Promise<string[]> {
  const names: string[] = [];
  for (const view of views) {
    const [row] = await stage.query<{ text: string }>(`select pg_get_viewdef('${view}'::regclass) as text`);
    for (const [, name = ''] of (row?.text ?? '').matchAll(/SELECT '((?:[^']|'')+)'::text/g))
      names.push(name.replaceAll("''", "'"));
  }
  return names;
}

const winBet = () => `(select id from bet where race_id = '${settled.id}' and player_id = 'a')`;

const FAULTS: [string, () => string[]][] = [
  ['sum of all balances is 0', () => ["update account set balance = balance + 1 where player_id = 'a'"]],
  ['supply equals what was issued', () => ['update account set balance = balance + 100 where id in (1, 4)']],
  [
    'every balance equals its transfers',
    () => [
      "update account set balance = balance + case player_id when 'a' then 5 else -5 end where player_id in ('a', 'b')",
    ],
  ],
  [
    'every balance equals its transfers',
    () => [
      "insert into transfer (from_account, to_account, amount, kind, at, player_id) values (1, 999999, 5, 'start', 0, 'x')",
    ],
  ],
  [
    'no balance is negative but issuance',
    () => ['alter table account drop constraint account_not_negative', 'update account set balance = -5 where id = 4'],
  ],
  ['escrow equals open stakes', () => [`update account set balance = balance + 100 where race_id = '${open.id}'`]],
  ['escrow equals open stakes', () => [`update account set balance = 100 where race_id = '${settled.id}'`]],
  ['each bet has exactly one stake', () => [`delete from transfer where kind = 'stake' and bet_id = ${winBet()}`]],
  [
    'each bet has exactly one stake',
    () => [`update transfer set amount = amount + 100 where kind = 'stake' and bet_id = ${winBet()}`],
  ],
  ['each bet has exactly one stake', () => [`delete from bet where id = ${winBet()}`]],
  ['each bet is an accepted command', () => [`delete from ledger_command where bet_id = ${winBet()}`]],
  ['each bet is an accepted command', () => [`update bet set id = 'other' where id = ${winBet()}`]],
  ['a bet of a race that is over has one outcome', () => [`delete from bet_outcome where bet_id = ${winBet()}`]],
  [
    'an outcome has exactly its payout or refund',
    () => [`delete from transfer where kind = 'payout' and bet_id = ${winBet()}`],
  ],
  [
    'an outcome has exactly its payout or refund',
    () => [`update bet_outcome set outcome = 'lost', returned = 0 where bet_id = ${winBet()}`],
  ],
  [
    'an outcome has exactly its payout or refund',
    () => [
      `update transfer set to_account = (select id from account where player_id = 'b') where kind = 'payout' and bet_id = ${winBet()}`,
    ],
  ],
  [
    'gross = paid + takeout + breakage',
    () => [`update transfer set amount = amount + 1 where kind = 'takeout' and race_id = '${settled.id}'`],
  ],
  ['a pool pays no more than it took', () => [`update bet_outcome set returned = 5000 where bet_id = ${winBet()}`]],
  [
    'nothing is taken from a pool without bets',
    () => [`update transfer set pool = 'place' where kind = 'takeout' and race_id = '${settled.id}'`],
  ],
  [
    'nothing is placed after the close',
    () => [
      `update ledger_command set at = (select closed_at + 1 from race where id = '${settled.id}') where bet_id = ${winBet()}`,
    ],
  ],
  [
    'settling again gives the same dividends',
    () => [`update race set result = jsonb_set(result, '{dividends,0,per100}', '"330"') where id = '${settled.id}'`],
  ],
  [
    'settling again gives the same dividends',
    () => [`update race set result = jsonb_set(result, '{order,0,place}', '2') where id = '${settled.id}'`],
  ],
  [
    "a player's stakes on a race equal the counter and keep the cap",
    () => [`update race_stake set staked = staked + 100 where race_id = '${open.id}' and player_id = 'a'`],
  ],
  ['a batch holds exactly its leaves', () => [`update ledger_command set leaf = tag where bet_id = ${winBet()}`]],
  ['a batch holds exactly its leaves', () => [`delete from race_batch where race_id = '${open.id}'`]],
  [
    'the bets root folds the batches, the totals sum them',
    () => [`update race set bets_root = 'ab' where id = '${settled.id}'`],
  ],
  [
    'the bets root folds the batches, the totals sum them',
    () => [`update race_batch set totals = '{}' where race_id = '${open.id}'`],
  ],
  [
    "a standing pick or vote is the player's last",
    () => [`update race_pick set horse = 5 where race_id = '${picks.id}' and player_id = 'a'`],
  ],
  ["a standing pick or vote is the player's last", () => [`delete from race_vote where race_id = '${picks.id}'`]],
  ['supply equals what was issued', () => ['update account set balance = balance + 100 where id = 1']],
  [
    'takeout is the share the rules keep, breakage the rest',
    () => [
      `update transfer set amount = amount - 50 where kind = 'takeout' and race_id = '${settled.id}'`,
      `insert into transfer (from_account, to_account, amount, kind, at, race_id, pool) select from_account, 3, 50, 'breakage', at, race_id, pool
        from transfer where kind = 'takeout' and race_id = '${settled.id}'`,
    ],
  ],
  [
    "a race's pool results are what was booked",
    () => [`update race set pool_results = jsonb_set(pool_results, '{0,paid}', '"3100"') where id = '${settled.id}'`],
  ],
  [
    "a race's pool results are what was booked",
    () => [`update race set pool_results = pool_results - 0 where id = '${settled.id}'`],
  ],
  [
    'a grant goes to its player, a cut comes from its race',
    () => ["update transfer set player_id = 'x' where kind = 'start' and player_id = 'a'"],
  ],
  [
    'a grant goes to its player, a cut comes from its race',
    () => [`update transfer set race_id = '${open.id}' where kind = 'takeout' and race_id = '${settled.id}'`],
  ],
  [
    'every claim has its grant and every grant its claim',
    () => ["delete from ledger_command where kind = 'claim' and player_id = 'l'"],
  ],
  [
    'every claim has its grant and every grant its claim',
    () => ["update transfer set amount = amount + 100 where kind = 'relief' and player_id = 'b'"],
  ],
  [
    "an own limit counts the day's stakes and holds",
    () => ["update player_day set staked = staked - 100 where player_id = 'l'"],
  ],
  [
    "an own limit counts the day's stakes and holds",
    () => ["update player_day set staked = staked + 100 where player_id = 'l'"],
  ],
  ['what is frozen has a standing freeze', () => ["update account set frozen = true where player_id = 'a'"]],
  ['what is frozen has a standing freeze', () => [`update account set frozen = false where race_id = '${held.id}'`]],
  [
    'nothing is staked, claimed or paid while frozen',
    () => [
      `insert into transfer (from_account, to_account, amount, kind, at, player_id) select 1, id, 5, 'relief', 0, 'f' from account where player_id = 'f'`,
    ],
  ],
  [
    'nothing is staked, claimed or paid while frozen',
    () => [
      `insert into transfer (from_account, to_account, amount, kind, at, race_id, pool) select id, 2, 5, 'takeout', 0, race_id, 'win' from account where race_id = '${held.id}'`,
    ],
  ],
  [
    'only a frozen race that is over keeps payouts waiting',
    () => [
      `update account set frozen = false where race_id = '${held.id}'`,
      `update ledger_freeze set lifted_at = 1, lifted_by = 'x', until_transfer = 1 where id = '${held.id}'`,
    ],
  ],
  [
    'a bet of a race that is over has one outcome',
    () => [`update race_hold set paid_at = 1 where race_id = '${held.id}'`],
  ],
];

describe('audit', () => {
  it('[LG45] a ledger with open, settled and void races is sound', async () => {
    expect(await stage.audit()).toEqual([]);
  });

  it.each(FAULTS.map(([invariant, statements], index) => ({ invariant, statements, index })))(
    '[LG46] the audit finds it when this is broken: $invariant ($index)',
    async ({ invariant, statements }) => {
      expect(await brokenBy(...statements())).toContain(invariant);
      expect(await brokenBy('update account set version = version where id = 1')).toEqual([]);
    },
  );

  it('[LG47] every invariant of the audit has a fault that breaks it', async () => {
    const named = await namesIn(...AUDIT_VIEWS.filter((view) => view !== 'board_audit'));
    expect(named.length).toBeGreaterThan(20);
    expect(named.filter((name) => !FAULTS.some(([invariant]) => invariant === name))).toEqual([]);
  });

  it('[LG140] every invariant has a key of its own, and every key an invariant', async () => {
    expect((await namesIn(...AUDIT_VIEWS)).sort()).toEqual(Object.values<string>(INVARIANTS).sort());
    for (const key of Object.keys(INVARIANTS)) expect(key).toMatch(/^[a-z]+(-[a-z]+)*$/);
  });
});
