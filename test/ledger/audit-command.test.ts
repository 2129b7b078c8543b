import { expect, it } from 'vitest';
import { temporaryFolder } from '../helpers/folder.ts';
import { createTestDatabase } from '../helpers/postgres.ts';
import { PROJECT, runFile } from '../helpers/process.ts';
import { bet, createStage, openRace } from './stage.ts';

async function audit(databaseUrl: string): Promise<{ code: number | string; output: string }> {
  const running = runFile(`${PROJECT}/cmd/audit.ts`, { DATABASE_URL: databaseUrl, DATA_DIR: temporaryFolder('audit') });
  const code = await running.exit;
  return { code, output: running.output() };
}

it('[LG48] the audit command says that a ledger is sound, or names each broken invariant and ends with 1', async () => {
  const stage = await createStage();
  const race = await openRace(stage);
  await stage.ledger.commitBatch([bet(race.id, 'a', 1, 100n)]);
  expect(await audit(stage.database.url)).toEqual({ code: 0, output: 'the ledger is sound\n' });

  await stage.query("update account set balance = balance + 7 where player_id = 'a'");
  const broken = await audit(stage.database.url);
  expect(broken.code).toBe(1);
  expect(broken.output).toContain('BROKEN: sum of all balances is 0: the sum is 7');
  expect(broken.output).toContain('BROKEN: every balance equals its transfers: player a');
  expect(broken.output).toContain('3 broken');
  await stage.drop();

  const empty = await createTestDatabase({ migrate: false });
  const none = await audit(empty.url);
  expect(none.code).toBe(1);
  expect(none.output).toContain('npm run migrate');
  await empty.drop();
});
