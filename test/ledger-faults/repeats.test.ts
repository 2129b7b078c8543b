import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { RaceId } from '../../lib/core/ids.ts';
import type { LedgerItem } from '../../lib/ports.ts';
import { startTestPostgres, type TestPostgres } from '../helpers/postgres.ts';
import {
  bet,
  claim,
  clear,
  closeRace,
  createStage,
  openRace,
  order,
  pick,
  relief,
  type Stage,
  vote,
} from '../ledger/stage.ts';
import type { Placer } from '../ledger-model/processes.ts';
import { settlementOf, voidNow } from '../ledger-model/world.ts';
import { openPlacers, told, truth } from './play.ts';

const START = 700;
let postgres: TestPostgres;
let stage: Stage;
let placers: Placer[];
beforeAll(async () => {
  postgres = await startTestPostgres();
  stage = await createStage({ startPoints: START, postgres });
  placers = await openPlacers(stage, 2, { startPoints: START, answerMs: 3_000 });
});
afterAll(async () => {
  await Promise.all(placers.map((placer) => placer.kill()));
  await stage.drop();
  await postgres.stop();
});

/** The same command made anew: another nonce, leaf and bet id, as another instance would make them. */
type Made = { readonly name: string; readonly make: () => LedgerItem };

describe('repeats', () => {
  it('[LG169] a repeat answers as the first time for ever: after the close, the settlement and a void, on another process, after every restart; another body is a conflict', async () => {
    const race = await openRace(stage);
    const picks = await openRace(stage, { kind: 'pick' });
    const remake = (first: LedgerItem, again: () => LedgerItem): Made => ({
      name: first.kind,
      make: () => ({ ...again(), commandId: first.commandId }) as LedgerItem,
    });
    const commands: Made[] = [
      remake(bet(race.id, 'a', 1, 300n), () => bet(race.id, 'a', 1, 300n)),
      remake(bet(race.id, 'b', 2, 200n, { pool: 'place' }), () => bet(race.id, 'b', 2, 200n, { pool: 'place' })),
      remake(claim('a', '2026-11-20'), () => claim('a', '2026-11-21')),
      remake(relief('b'), () => relief('b')),
      remake(pick(picks.id, 'a', 3), () => pick(picks.id, 'a', 3)),
      remake(vote(picks.id, 'a', 2), () => vote(picks.id, 'a', 2)),
      remake(clear(picks.id, 'b'), () => clear(picks.id, 'b')),
    ];
    const first = await Promise.all(commands.map(({ make }) => truth(() => placers, make())));
    expect(first.map(told)).toEqual(commands.map(() => 'ok'));
    const shown = (answered: (typeof first)[number] | undefined) =>
      answered?.kind === 'accepted' ? { ...answered.answer, repeated: true } : answered;
    let asked = 0;
    const again = async (when: string) => {
      for (const placer of placers) {
        for (const [index, { name, make }] of commands.entries()) {
          const item = make();
          const answered = await truth(() => [placer], item);
          expect(shown(answered), `${name} ${when}`).toEqual(shown(first[index]));
          expect(told(answered), `${name} ${when}`).toBe('repeat');
          expect(told(await truth(() => [placer], { ...item, bodyHash: 'ee'.repeat(32) })), `${name} ${when}`).toBe(
            'COMMAND_CONFLICT',
          );
          // Under the same id, but of another kind.
          const other =
            index === 2
              ? relief(item.playerId, 1_000n, 0, item.commandId)
              : claim(item.playerId, '2026-11-20', 2_000n, item.commandId);
          expect(told(await truth(() => [placer], other)), `${name} ${when}`).toBe('COMMAND_CONFLICT');
          asked += 3;
        }
      }
    };
    await again('while open');
    await closeRace(stage, race.id);
    await closeRace(stage, picks.id);
    await again('after the close');
    await Promise.all(placers.map((placer) => placer.kill()));
    placers = await openPlacers(stage, 2, { startPoints: START, answerMs: 3_000 });
    await again('on new processes');
    await run(race.id);
    expect(await stage.races.settle(...(await settlementOf(stage.races, race.id)))).toBe('moved');
    expect(await voidNow(stage.races, picks.id)).toBe('moved');
    await again('after the settlement');
    await postgres.stopHard();
    await postgres.untilAnswers();
    await again('after PostgreSQL was stopped');
    console.log(`${asked} repeats and conflicts`);
    expect(await stage.audit()).toEqual([]);
  });

  it('[LG170] a repeat answers as the first time also while another body under its id is on its way', async () => {
    const race = await openRace(stage);
    const [placer] = placers as [Placer];
    for (let round = 0; round < 20; round += 1) {
      const item = bet(race.id, `both-${round}`, 1, 100n);
      const first = await truth(() => [placer], item);
      const other = { ...item, bodyHash: 'ee'.repeat(32) };
      const pair = round % 2 === 0 ? [other, item] : [item, other];
      const answers = await Promise.all(pair.map((one) => truth(() => [placer], one)));
      expect(answers.map(told)).toEqual(
        round % 2 === 0 ? ['COMMAND_CONFLICT', 'repeat'] : ['repeat', 'COMMAND_CONFLICT'],
      );
      expect(first.kind).toBe('accepted');
    }
    // Neither has been accepted yet: one of the two is, the other is a conflict.
    for (let round = 0; round < 10; round += 1) {
      const item = bet(race.id, `fresh-${round}`, 1, 100n);
      const other = { ...item, bodyHash: 'ee'.repeat(32) };
      const answers = await Promise.all([other, item].map((one) => truth(() => placers, one)));
      expect(answers.map(told).sort()).toEqual(['COMMAND_CONFLICT', 'ok']);
      expect(await stage.balanceOf(`fresh-${round}`)).toBe(BigInt(START) - 100n);
    }
  });
});

async function run(raceId: RaceId): Promise<void> {
  const finish = order([1, 1], [2, 2], [3, 3], [4, 4], [5, 5], [6, 6], [7, 7], [8, 8]);
  expect(await stage.races.draw(raceId, { order: finish, durationMs: 0 }, 0, 0, 0)).toBe('moved');
  expect(await stage.races.run(raceId)).toBe('moved');
}
