import { expect, it } from 'vitest';
import { INVARIANTS } from '../../db/postgres/audit-invariants.ts';
import { temporaryFolder } from '../helpers/folder.ts';
import { createTestDatabase } from '../helpers/postgres.ts';
import { runCommand } from '../helpers/process.ts';
import { bet, createStage, openRace } from './stage.ts';

async function audit(databaseUrl: string, ...words: string[]): Promise<{ code: number | string; output: string }> {
  const env = { DATABASE_URL: databaseUrl, DATA_DIR: temporaryFolder('audit') };
  const running = runCommand(process.execPath, ['--import', 'tsx', 'cmd/audit.ts', ...words], env);
  const code = await running.exit;
  return { code, output: running.output() };
}

it('[LG48] the audit command says that a ledger is sound, or names each broken invariant and ends with 1, and freezes what is named when told to', async () => {
  const stage = await createStage();
  const race = await openRace(stage);
  await stage.ledger.commitBatch([bet(race.id, 'a', 1, 100n)]);
  const sound = await audit(stage.database.url);
  expect(sound.code).toBe(0);
  const lines = sound.output.trimEnd().split('\n');
  expect(lines.slice(0, -1).map((line) => line.split(/ +/, 2).join(' '))).toEqual(
    Object.keys(INVARIANTS).map((key) => `OK ${key}`),
  );
  expect(lines.at(-1)).toMatch(/^the ledger is sound \(looked for \d+\.\d s\)$/);

  await stage.query("update account set balance = balance + 7 where player_id = 'a'");
  const broken = await audit(stage.database.url);
  expect(broken.code).toBe(1);
  expect(broken.output).toMatch(/^BROKEN +balances-sum-to-zero +sum of all balances is 0\n +the sum is 7$/m);
  expect(broken.output).toMatch(/^BROKEN +balance-equals-transfers .*\n +player a: account/m);
  expect(broken.output).toMatch(/^OK +one-stake-per-bet/m);
  expect(broken.output).toContain(`3 of ${Object.keys(INVARIANTS).length} invariants are broken`);
  expect(await stage.query('select from ledger_freeze')).toEqual([]);

  const freezing = await audit(stage.database.url, '--freeze');
  expect(freezing.code).toBe(1);
  expect(freezing.output).toContain('frozen: wallet a\n1 frozen\n');
  expect(await stage.query('select subject, id, invariant from ledger_freeze')).toEqual([
    { subject: 'wallet', id: 'a', invariant: 'balance-equals-transfers' },
  ]);
  expect((await audit(stage.database.url, '--freeze')).output).toContain('nothing more to freeze');
  expect((await audit(stage.database.url, '--freese')).output).toContain('the only option is --freeze');
  await stage.drop();

  const empty = await createTestDatabase({ migrate: false });
  const none = await audit(empty.url);
  expect(none.code).toBe(1);
  expect(none.output).toContain('npm run migrate');
  await empty.drop();
});
