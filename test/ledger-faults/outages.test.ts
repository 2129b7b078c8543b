import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestPostgres, type TestPostgres } from '../helpers/postgres.ts';
import { until } from '../helpers/until.ts';
import { bet, closeRace, createStage, openRace, type Stage } from '../ledger/stage.ts';
import type { Placer } from '../ledger-model/processes.ts';
import { openPlacers, play, reckon, tally, told, truth } from './play.ts';

const START = 10_000_000;
/** What a player may have to wait for the news that the ledger is away; ten times that is a hang. */
const ANSWER_MS = 300;
const HANG_MS = 10 * ANSWER_MS;
const STOPS = 10;
const FREEZES = 5;

let postgres: TestPostgres;
let stage: Stage;
let placers: Placer[];
beforeAll(async () => {
  postgres = await startTestPostgres();
  stage = await createStage({ startPoints: START, postgres });
  placers = await openPlacers(stage, 3, { startPoints: START, answerMs: ANSWER_MS });
});
afterAll(async () => {
  postgres.thaw();
  await Promise.all(placers.map((placer) => placer.kill()));
  await stage.drop();
  await postgres.stop();
});

const sound = { missing: 0, unasked: 0, twice: 0 };
const times = (ms: readonly number[]) => {
  const sorted = [...ms].sort((a, b) => a - b).map(Math.round);
  return `${sorted.length} answers, median ${sorted[Math.floor(sorted.length / 2)]} ms, longest ${sorted.at(-1)} ms`;
};

describe('outages under load', () => {
  it('[LG166] PostgreSQL stopped hard under load again and again: no acknowledged bet is missing, none is there twice, pending ones end in the truth, what was refused never happened, play goes on', async () => {
    const race = await openRace(stage, { closesInMs: 900_000 });
    const game = play(placers, { raceId: race.id, players: Array.from({ length: 12 }, (_, index) => `stop-${index}`) });
    for (let stops = 0; stops < STOPS; stops += 1) {
      const before = game.accepted();
      await until('bets are placed', () => game.accepted() > before + 40);
      await postgres.stopHard();
      await postgres.untilAnswers();
    }
    const before = game.accepted();
    await until('play goes on', () => game.accepted() > before + 40);
    await game.stop();
    const away = game.slips.flatMap(({ answered }) => (answered?.kind === 'refused' ? [answered] : []));
    const figures = await reckon(stage, () => placers, game.slips, race.id);
    console.log(
      `${STOPS} stops: ${JSON.stringify(figures)}; refusals: ${[...new Set(away.map(told))]}, ${times(away.map(({ ms }) => ms))}`,
    );
    expect(figures).toMatchObject(sound);
    expect(figures.acknowledged).toBeGreaterThan(400);
    expect(new Set(away.map(({ refused }) => refused.code))).toEqual(new Set(['LEDGER_UNAVAILABLE']));
    expect(Math.max(...away.map(({ ms }) => ms))).toBeLessThan(HANG_MS);
    expect(await stage.audit()).toEqual([]);
  }, 120_000);

  it('[LG167] PostgreSQL frozen under load: a new bet is told LEDGER_UNAVAILABLE within its time, nothing acknowledged is missing, nothing is there twice', async () => {
    const race = await openRace(stage, { closesInMs: 900_000 });
    const game = play(placers, {
      raceId: race.id,
      players: Array.from({ length: 12 }, (_, index) => `freeze-${index}`),
    });
    const fresh: { code: string; ms: number }[] = [];
    for (let freezes = 0; freezes < FREEZES; freezes += 1) {
      const before = game.accepted();
      await until('bets are placed', () => game.accepted() > before + 40);
      postgres.freeze();
      try {
        // One behind the batch under way, one after the ledger is known to be away.
        for (const round of [1, 2]) {
          const asked = placers.map((placer, at) =>
            placer.submit(bet(race.id, `new-${freezes}-${round}-${at}`, 1, 100n)),
          );
          for (const answered of await Promise.all(asked)) fresh.push({ code: told(answered), ms: answered.ms });
        }
      } finally {
        postgres.thaw();
      }
    }
    const before = game.accepted();
    await until('play goes on', () => game.accepted() > before + 40);
    await game.stop();
    const figures = await reckon(stage, () => placers, game.slips, race.id);
    console.log(
      `${FREEZES} freezes: ${JSON.stringify(figures)}; new bets: ${tally(fresh.map(({ code }) => code))}, ${times(fresh.map(({ ms }) => ms))}`,
    );
    expect(figures).toMatchObject({ missing: 0, twice: 0 });
    expect(fresh.every(({ code }) => code.startsWith('LEDGER_UNAVAILABLE'))).toBe(true);
    expect(Math.max(...fresh.map(({ ms }) => ms))).toBeLessThan(HANG_MS);
    // Those that were told without doubt are not there; nobody asked for the others again.
    const certain = fresh.filter(({ code }) => code === 'LEDGER_UNAVAILABLE').length;
    const [there] = await stage.query<{ count: bigint }>(
      "select count(*) from bet where player_id like 'new-%' and race_id = $1",
      [race.id],
    );
    expect(Number(there?.count)).toBe(figures.unasked);
    expect(Number(there?.count)).toBeLessThanOrEqual(fresh.length - certain);
    expect(await stage.audit()).toEqual([]);
  }, 120_000);

  it('[LG168] a placing process that is frozen inside a batch holds up nobody, and what it was told is what the others find', async () => {
    const [frozen, ...others] = placers as [Placer, ...Placer[]];
    const race = await openRace(stage, { closesInMs: 900_000 });
    const own = play([frozen], { raceId: race.id, players: ['held-1', 'held-2', 'held-3', 'held-4'], pauseMs: 0 });
    const game = play(others, { raceId: race.id, players: ['free-1', 'free-2', 'free-3', 'free-4'] });
    const found: string[] = [];
    for (let freezes = 0; freezes < 5; freezes += 1) {
      const accepted = own.accepted();
      await until('bets of the one to be frozen', () => own.accepted() > accepted + 20);
      frozen.freeze();
      await until('a batch of its own is under way', () => frozen.pending > 0);
      const stuck = own.slips.filter(({ answered }) => answered === null);
      const before = game.accepted();
      // The same player, the same race, on another process: the wallet and the race are free.
      const next = await truth(() => others, bet(race.id, 'held-1', 1, 100n));
      expect(told(next)).toBe('ok');
      await until('others play on', () => game.accepted() > before + 20);
      const other = await openRace(stage);
      await closeRace(stage, other.id);
      const ends = await Promise.all(stuck.map(async (slip) => ({ slip, end: await truth(() => others, slip.item) })));
      frozen.thaw();
      await until('it is back', () => stuck.every(({ answered }) => answered !== null));
      for (const { slip, end } of ends) {
        found.push(`${told(end)}/${slip.answered === null ? 'none' : told(slip.answered)}`);
        expect(['ok', 'repeat']).toContain(told(end));
        if (slip.answered?.kind === 'accepted' && end.kind === 'accepted')
          expect({ ...slip.answered.answer, repeated: true }).toEqual({ ...end.answer, repeated: true });
      }
    }
    await Promise.all([own.stop(), game.stop()]);
    const figures = await reckon(stage, () => placers, [...own.slips, ...game.slips], race.id);
    console.log(
      `5 freezes of a process: ${JSON.stringify(figures)}; elsewhere/own answer of what was under way: ${tally(found)}`,
    );
    // What was asked once more on another process is counted there; five bets of held-1 are nobody's slip.
    expect(figures).toMatchObject({ missing: 0, twice: 0 });
    expect(figures.unasked).toBe(5);
    expect(await stage.audit()).toEqual([]);
  }, 120_000);
});
