import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { NewRace } from '../../lib/ports.ts';
import { until } from '../helpers/until.ts';
import {
  bet,
  clear,
  closeRace,
  createStage,
  drawn,
  openRace,
  order,
  pick,
  runRace,
  type Stage,
  settlementOf,
  vote,
} from './stage.ts';

let stage: Stage;
let settled: NewRace;
let open: NewRace;
let picks: NewRace;

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
      'select distinct invariant from ledger_audit order by invariant',
    );
    return rows.map(({ invariant }) => invariant);
  } finally {
    await client.query('rollback');
    await client.query('reset idle_in_transaction_session_timeout');
    client.release();
  }
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
    const [view] = await stage.query<{ text: string }>("select pg_get_viewdef('ledger_audit'::regclass) as text");
    const named = [...(view?.text ?? '').matchAll(/SELECT '((?:[^']|'')+)'::text/g)].map(([, name]) =>
      name?.replaceAll("''", "'"),
    );
    expect(named.length).toBeGreaterThan(14);
    expect(named.filter((name) => !FAULTS.some(([invariant]) => invariant === name))).toEqual([]);
  });
});
