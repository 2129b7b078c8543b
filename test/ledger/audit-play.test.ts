import { afterEach, beforeEach, expect, it } from 'vitest';
import { integers } from '../core/random.ts';
import { createPlay } from './random-play.ts';
import { createStage, type Stage } from './stage.ts';

const STEPS = 400;
const BLOCK = 20;
const AT_ONCE = 4;
const STEPS_EACH = 120;

let stage: Stage;
beforeEach(async () => {
  stage = await createStage({ max: 20 });
});
afterEach(() => stage.drop());

it('[LG151] every invariant holds after every block of random play, and when all is over', {
  timeout: 120_000,
}, async () => {
  const random = integers();
  console.log(`seed ${random.seed}`);
  const play = createPlay(stage, random);
  for (let step = 1; step <= STEPS; step += 1) {
    const move = await play.step();
    if (step % BLOCK === 0) expect(await stage.audit(), `seed ${random.seed}, step ${step}, ${move}`).toEqual([]);
  }
  await play.finish();
  expect(await stage.audit(), `seed ${random.seed}`).toEqual([]);
  // It was no idle play: every kind of row that an invariant is about is there.
  const [seen] = await stage.query<Record<string, bigint>>(
    `select (select count(*) from bet_outcome where outcome = 'paid') as paid, (select count(*) from bet_outcome where outcome = 'refunded') as refunded,
      (select count(*) from race where phase = 'void') as void, (select count(*) from race_hold where paid_at is not null) as held,
      (select count(*) from race_scratch) as scratches, (select count(*) from player_day) as days, (select count(*) from race_vote) as votes,
      (select count(*) from transfer where kind = 'relief') as reliefs, (select count(*) from board_row) as boards, (select count(*) from player_game) as games`,
  );
  expect(Object.entries(seen ?? {}).filter(([, count]) => count === 0n)).toEqual([]);
  expect(await stage.query('select from account where frozen')).toEqual([]);
});

it('[LG152] an audit in the middle of heavy play finds nothing', { timeout: 120_000 }, async () => {
  const { seed } = integers();
  console.log(`seed ${seed}`);
  let playing = true;
  const players = Array.from({ length: AT_ONCE }, async (_, n) => {
    const play = createPlay(stage, integers(seed + n), `r${n}`);
    for (let step = 0; step < STEPS_EACH; step += 1) await play.step();
    await play.finish();
  });
  const play = Promise.all(players).finally(() => {
    playing = false;
  });
  play.catch(() => {});
  let audits = 0;
  let bets = 0n;
  let found: unknown[] = [];
  while (playing && found.length === 0) {
    found = [...(await stage.audit())];
    const [row] = await stage.query<{ bets: bigint }>('select count(*) as bets from bet');
    // Only one that had something new to look at counts.
    if ((row?.bets ?? 0n) > bets) audits += 1;
    bets = row?.bets ?? 0n;
  }
  await play;
  expect(found, `seed ${seed}, audit ${audits}`).toEqual([]);
  expect(audits).toBeGreaterThan(5);
  expect(await stage.audit(), `seed ${seed}`).toEqual([]);
  expect(
    await stage.query('select from pg_stat_database where datname = current_database() and deadlocks > 0'),
  ).toEqual([]);
});
