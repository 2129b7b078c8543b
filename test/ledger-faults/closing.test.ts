import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { foldBatchRoots, fromHex, merkleRoot, parseBatch, toHex } from '../../lib/fairness/index.ts';
import { until } from '../helpers/until.ts';
import { bet, closeRace, createStage, openRace, order, runRace, type Stage } from '../ledger/stage.ts';
import type { Placer } from '../ledger-model/processes.ts';
import { settlementOf } from '../ledger-model/world.ts';
import { openPlacers, play, told, truth } from './play.ts';

const START = 1_000_000;
let stage: Stage;
let placers: Placer[];
beforeAll(async () => {
  stage = await createStage({ startPoints: START, max: 8 });
  placers = await openPlacers(stage, 6, { startPoints: START, answerMs: 3_000 });
});
afterAll(async () => {
  await Promise.all(placers.map((placer) => placer.kill()));
  expect(await stage.audit()).toEqual([]);
  await stage.drop();
});

describe('six placing processes', () => {
  it('[LG162] six processes placing against one closing: the bets at the close are those after it and those acknowledged, and their leaves fold to the bets root', async () => {
    const race = await openRace(stage);
    const players = Array.from({ length: 24 }, (_, index) => `six-${index}`);
    const game = play(placers, { raceId: race.id, players, pauseMs: 0 });
    await until('bets from all', () => game.accepted() > 300);
    await closeRace(stage, race.id);
    const atClose = await stage.query<{ command_id: string; leaf: Buffer; batch: bigint; ordinal: number }>(
      'select command_id, leaf, batch, ordinal from ledger_command where race_id = $1 order by batch, ordinal',
      [race.id],
    );
    const row = (await stage.races.get(race.id))?.row;
    const behind = game.slips.length;
    await until('bets behind the close', () => game.slips.length > behind + 50);
    await game.stop();

    const acknowledged = game.slips.filter(({ answered }) => answered?.kind === 'accepted');
    const others = game.slips.flatMap(({ answered }) =>
      answered === null || answered.kind === 'accepted' ? [] : [told(answered)],
    );
    const after = await stage.query<{ command_id: string }>('select command_id from bet where race_id = $1', [race.id]);
    console.log(
      `${acknowledged.length} acknowledged before the close, ${others.length} turned away: ${[...new Set(others)]}`,
    );
    expect(after.map(({ command_id }) => command_id).sort()).toEqual(
      atClose.map(({ command_id }) => command_id).sort(),
    );
    expect(acknowledged.map(({ item }) => item.commandId as string).sort()).toEqual(
      after.map(({ command_id }) => command_id).sort(),
    );
    expect(new Set(others)).toEqual(new Set(['PHASE_CLOSED']));

    // From the receipts that the players hold, batch by batch.
    const leaves = new Map(
      acknowledged.map(({ item, answered }) => [
        item.commandId as string,
        answered?.kind === 'accepted' ? answered.answer.receipt?.leaf : undefined,
      ]),
    );
    const batches = await stage.races.batches(race.id);
    for (const { batch, root, count } of batches) {
      const own = atClose
        .filter((command) => String(command.batch) === batch)
        .map(({ command_id }) => fromHex(leaves.get(command_id) ?? ''));
      expect([toHex(merkleRoot(own)), own.length]).toEqual([root, count]);
    }
    expect(row?.betsRoot).toBe(toHex(foldBatchRoots(batches.map(parseBatch))));
    expect(row?.totals).toEqual({ win: { gross: String(acknowledged.length * 100), count: acknowledged.length } });
  });

  it('[LG163] 40 parallel bets of 100 on 900 points from four processes: exactly 9 are placed', async () => {
    const race = await openRace(stage);
    const all = () => placers.slice(0, 4);
    expect(told(await truth(all, bet(race.id, 'poor', 1, BigInt(START) - 900n)))).toBe('ok');
    const ends = await Promise.all(
      Array.from({ length: 40 }, (_, index) =>
        truth(() => [placers[index % 4] as Placer], bet(race.id, 'poor', 1 + (index % 8), 100n)),
      ),
    );
    const codes = ends.map(told);
    expect(codes.filter((code) => code === 'ok')).toHaveLength(9);
    expect(codes.filter((code) => code === 'INSUFFICIENT_POINTS')).toHaveLength(31);
    expect(await stage.balanceOf('poor')).toBe(0n);
  });

  it('[LG164] the cap per player and race is met to the point by many small bets from two processes', async () => {
    const race = await openRace(stage, { rules: { maxStakePerRace: 4_700 } });
    const ends = await Promise.all(
      Array.from({ length: 80 }, (_, index) =>
        truth(
          () => [placers[index % 2] as Placer],
          bet(race.id, 'eager', 1 + (index % 8), 100n, { pool: index % 3 ? 'win' : 'place' }),
        ),
      ),
    );
    const codes = ends.map(told);
    expect([
      codes.filter((code) => code === 'ok').length,
      codes.filter((code) => code === 'LIMIT_REACHED').length,
    ]).toEqual([47, 33]);
    expect(await stage.query('select staked from race_stake where race_id = $1', [race.id])).toEqual([
      { staked: 4_700n },
    ]);
    expect(await stage.balanceOf('eager')).toBe(BigInt(START) - 4_700n);
  });

  it('[LG165] of four processes that settle one race at once exactly one pays', async () => {
    for (let round = 0; round < 5; round += 1) {
      const race = await openRace(stage);
      const names = ['w', 'x', 'y'].map((name) => `${name}${round}`);
      for (const [index, name] of names.entries())
        expect(told(await truth(() => placers, bet(race.id, name, 1 + index, 1_000n)))).toBe('ok');
      await runRace(stage, race.id, order([1, 1], [2, 2], [3, 3], [4, 4], [5, 5], [6, 6], [7, 7], [8, 8]));
      const settlement = await settlementOf(stage.races, race.id);
      const moves = await Promise.all(placers.slice(0, 4).map((placer) => placer.settle(...settlement)));
      expect(moves.filter((move) => move === 'moved')).toHaveLength(1);
      expect(moves.filter((move) => move !== 'moved').every((move) => move === 'already' || move === 'busy')).toBe(
        true,
      );
      expect(await stage.balanceOf(names[0] ?? '')).toBe(BigInt(START) - 1_000n + 2_400n);
      expect(await stage.balanceOf(names[1] ?? '')).toBe(BigInt(START) - 1_000n);
    }
  });
});
