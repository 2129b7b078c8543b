import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestPostgres, type TestPostgres } from '../helpers/postgres.ts';
import type { Stage } from '../ledger/stage.ts';
import { type Counts, Crew, type ListOptions, runList, type Settlement } from './list.ts';

/** MODEL_LISTS and MODEL_SEED: how many, and the first one's seed; each list's seed is told when it fails. */
const LISTS = Number(process.env['MODEL_LISTS'] ?? 50);
const SEED = Number(process.env['MODEL_SEED'] ?? Math.floor(Math.random() * 2 ** 31));

let postgres: TestPostgres;
let crew: Crew;
beforeAll(async () => {
  postgres = await startTestPostgres();
  crew = new Crew();
});
afterAll(async () => {
  await crew.close();
  await postgres.stop();
});

describe('the ledger and an auditor of its own', () => {
  it(
    '[LG160] random lists of commands, crashes and outages leave every balance, bet, pick and account as a second, independent book has them',
    async () => {
      console.log(`MODEL_SEED=${SEED} MODEL_LISTS=${LISTS}`);
      const counts: Counts = {};
      const from = performance.now();
      for (let n = 0; n < LISTS; n += 1) {
        const told = await runList({ seed: SEED + n, postgres, crew });
        for (const [what, times] of Object.entries(told)) counts[what] = (counts[what] ?? 0) + times;
      }
      const line = Object.entries(counts).sort(([a], [b]) => a.localeCompare(b));
      console.log(
        `${JSON.stringify({ lists: LISTS, seconds: Math.round((performance.now() - from) / 1_000), ...Object.fromEntries(line) })}`,
      );
      if (LISTS >= 50) {
        for (const what of [
          'bet',
          'daily',
          'relief',
          'pick',
          'vote',
          'close',
          'scratch',
          'void',
          'settle',
          'kill',
          'stop',
          'unknown',
          'COMMAND_CONFLICT',
        ])
          expect(counts[what], what).toBeGreaterThan(0);
      }
    },
    LISTS * 60_000,
  );

  it('[LG161] the second book notices a wrong dividend, a lost refund, a cap that is one unit too wide and a conflict that is told as something else', async () => {
    const found = async (fault: Pick<ListOptions, 'plant' | 'settlement'>): Promise<string> => {
      for (let n = 0; n < 20; n += 1) {
        const told = await runList({ seed: SEED + n, postgres, crew, ...fault }).then(
          () => null,
          (error: Error) => error.message.split('\n')[0] ?? '',
        );
        if (told !== null) return told;
      }
      return 'nothing';
    };
    const told = {
      dividend: await found({ settlement: coarser }),
      refund: await found({
        plant: (stage) => replace(stage, 'race_refund', 'where b.id = any (p_bets)', 'where b.id = any (p_bets[2:])'),
      }),
      cap: await found({
        plant: (stage) =>
          replace(stage, 'ledger_commit_batch', 's.max_stake - s.staked', 's.max_stake + 100 - s.staked'),
      }),
      conflict: await found({
        plant: (stage) =>
          replace(
            stage,
            'ledger_commit_batch',
            "then 'repeat' else 'COMMAND_CONFLICT' end",
            "then 'repeat' else 'PHASE_CLOSED' end",
          ),
      }),
    };
    console.log(JSON.stringify(told, null, 1));
    expect(told.dividend).toMatch(/should be|was told/);
    expect(told.refund).toMatch(/should be|was told/);
    expect(told.cap).toMatch(/should be LIMIT_REACHED|race_stake_cap|INTERNAL/);
    expect(told.conflict).toMatch(/has the id of/);
  });
});

/** Dividends in steps of 20 points, booked without a flaw. */
function coarser(settlement: Settlement): Settlement {
  const step = (per100: bigint) => (per100 - (per100 % 20n) > 100n ? per100 - (per100 % 20n) : 100n);
  const less = new Map<string, bigint>();
  const pools = settlement.pools.map((pool) => {
    if (pool.dividends === null) return pool;
    // What the pool pays goes down by the stakes on each winner; they are not told here, so one winner only.
    const [only, ...more] = pool.dividends;
    if (only === undefined || more.length > 0 || step(only.per100) === only.per100) return pool;
    const per100 = step(only.per100);
    const paid = (pool.paid / only.per100) * per100;
    less.set(pool.pool, per100);
    return { ...pool, dividends: [{ ...only, per100 }], paid, breakage: pool.gross - paid - pool.takeout };
  });
  const dividends = settlement.result.dividends?.map((one) => ({
    ...one,
    per100: String(less.get(one.pool) ?? one.per100),
  }));
  return { ...settlement, result: { ...settlement.result, ...(dividends && { dividends }) }, pools };
}

async function replace(stage: Stage, name: string, text: string, by: string): Promise<void> {
  const [found] = await stage.query<{ definition: string }>(
    `select pg_get_functiondef('${name}'::regproc) as definition`,
  );
  const changed = found?.definition.replace(text, by);
  if (changed === undefined || changed === found?.definition) throw new Error(`${name} has no "${text}"`);
  await stage.query(changed);
}
