import { createHash } from 'node:crypto';
import type { Pool } from 'pg';
import { createAudit } from '../../db/postgres/audit.ts';
import { createFreezing } from '../../db/postgres/freeze.ts';
import { createStatements } from '../../db/postgres/statement.ts';
import { settleBets } from '../../lib/core/bets.ts';
import type { CommandId, RaceId } from '../../lib/core/ids.ts';
import type { LedgerItem, RaceRecords, Subject } from '../../lib/ports.ts';
import { UnavailableError } from '../../lib/ports.ts';
import { until } from '../helpers/until.ts';
import type { Stage } from '../ledger/stage.ts';
import {
  bet,
  claim,
  clear,
  command as commandId,
  DAY,
  drawn,
  openRace,
  pick,
  player,
  relief,
  vote,
} from '../ledger/stage.ts';
import { type Accepted, type Command, Disagreement, type Event, type ModelRace, show } from './commands.ts';
import { type Finish, POOLS } from './dividends.ts';
import type { Model } from './model.ts';
import type { Answered } from './processes.ts';

/** The ledger's item for a command, made anew at each attempt as another process would: other nonce, other bet id. */
export function itemOf(command: Command, terms: { daily: bigint; relief: bigint }): LedgerItem {
  const id = command.id as CommandId;
  const race = ('race' in command ? command.race : '') as RaceId;
  switch (command.kind) {
    case 'bet':
      return bet(race, command.player, command.selection, command.stake, { pool: command.pool, commandId: id });
    case 'daily':
      return claim(command.player, command.day, terms.daily, id);
    case 'relief':
      return relief(command.player, terms.relief, command.again ? 0 : 4 * 3_600_000, id);
    case 'pick':
      return pick(race, command.player, command.horse, id);
    case 'clear':
      return clear(race, command.player, id);
    case 'vote':
      return vote(race, command.player, command.place, id);
  }
}

export function acceptedOf(answered: Extract<Answered, { kind: 'accepted' }>): Accepted {
  const { balance, balanceVersion, granted, betId, horse, receipt } = answered.answer;
  return { ok: true, balance, version: balanceVersion, granted, betId, horse, leaf: receipt?.leaf };
}

export async function openModelRace(
  stage: Stage,
  race: Omit<ModelRace, 'id' | 'phase' | 'finish' | 'scratched' | 'frozen' | 'held' | 'picks' | 'voted'>,
): Promise<ModelRace> {
  const opened = await openRace(stage, {
    kind: race.kind,
    runners: race.runners.length,
    closesInMs: 900_000,
    rules: {
      pools: race.pools.map((pool) => ({ pool, rate: { num: POOLS[pool].rate[0], den: POOLS[pool].rate[1] } })),
      placesPaid: race.placesPaid,
      maxStakePerRace: Number(race.cap),
      exclusivePicks: race.exclusive,
      placeVote: race.votes,
    },
  });
  return {
    ...race,
    id: opened.id,
    phase: 'open',
    finish: null,
    scratched: new Set(),
    frozen: false,
    held: false,
    picks: new Map(),
    voted: new Map(),
  };
}

/**
 * A move of a race until it is definite: an answer that was lost is asked for again, and what it did meanwhile is found
 * as `already`. Gives the first definite outcome, with `already` after a lost one as `moved`.
 */
export async function moved(what: string, move: () => Promise<string>): Promise<string> {
  let lost = false;
  return until(
    what,
    async () => {
      try {
        const outcome = await move();
        if (outcome === 'busy') return null;
        return lost && outcome === 'already' ? 'moved' : outcome;
      } catch (error) {
        if (!(error instanceof UnavailableError)) throw error;
        lost ||= error.outcome === 'unknown';
        return null;
      }
    },
    { everyMs: 5, deadlineMs: 30_000 },
  );
}

export const closeNow = (races: RaceRecords, race: string, drawnFor: readonly string[]) =>
  moved('the close', async () => {
    const id = race as RaceId;
    await races.bringForward(id, 0);
    const outcome = await races.close(
      id,
      drawnFor.map((name) => drawn(id, name)),
    );
    return outcome === 'early' ? 'busy' : outcome;
  });

export const scratchNow = (races: RaceRecords, race: string, horse: number, guardMs: number) =>
  moved('the scratch', async () => (await races.scratchHorse(race as RaceId, horse, guardMs)).move);

/** As the service does it: the record that is hashed must be the one that ends. */
export const voidNow = (races: RaceRecords, race: string) =>
  moved('the void', async () => {
    const parts = await races.record(race as RaceId);
    const outcome = await races.voidRace(race as RaceId, 'admin', 'cd'.repeat(32), 'ab'.repeat(32), null, parts?.seen);
    return outcome === 'early' ? 'busy' : outcome;
  });

export async function runToFinish(races: RaceRecords, race: ModelRace, finish: Finish): Promise<void> {
  const id = race.id as RaceId;
  const order = finish.map(({ number, place }) => ({ number, place, finishMs: 20_000 + place * 100 }));
  const details = await races.get(id);
  const picks = (details?.picks ?? []).map(({ playerId, horse }) => ({
    playerId,
    horse: horse ?? order[0]?.number ?? 1,
    drawn: horse === null,
  }));
  const outcome = {
    order,
    durationMs: 0,
    ...(race.kind === 'pick' && { picks, caught: picks.slice(0, 1).map(({ playerId }) => playerId) }),
  };
  await moved('the draw', () => races.draw(id, outcome, 0, 0, 0));
  await moved('the run', async () => {
    const move = await races.run(id);
    return move === 'early' ? 'busy' : move;
  });
}

type Settlement = Parameters<RaceRecords['settle']>[1];

/** The settlement as the rounds make it: by core/bets from the stored stakes. */
export async function settlementOf(races: RaceRecords, race: string): Promise<Parameters<RaceRecords['settle']>> {
  const id = race as RaceId;
  const details = await races.get(id);
  if (details?.row.outcome == null) throw new Error('no outcome');
  const { row } = details;
  const order = details.row.outcome.order;
  const bets = row.kind === 'bet' ? settleBets(row, await races.stakes(id), order) : null;
  const result = {
    order,
    seed: 'cd'.repeat(32),
    ...(bets === null ? { caught: row.outcome?.caught ?? [] } : { dividends: bets.dividends, refunded: bets.refunded }),
  };
  return [id, { result, pools: bets?.pools ?? [], recordHash: 'ab'.repeat(32), nextOpensAfterMs: null }];
}

export const settleNow = (races: RaceRecords, race: string, change: (settlement: Settlement) => Settlement) =>
  moved('the settlement', async () => {
    const [id, settlement] = await settlementOf(races, race);
    const move = await races.settle(id, change(settlement));
    return move === 'early' ? 'busy' : move;
  });

// ---- what operators and players do beside the game ----

export const freezeNow = (pool: Pool, subject: Subject) =>
  moved('the freeze', async () => {
    const move = await createFreezing(pool, { timeZone: 'Asia/Seoul' }).freeze(subject, 'by-hand', 'a test', true);
    return move === 'frozen' ? 'moved' : move;
  });

export const thawNow = (pool: Pool, subject: Subject) =>
  moved('the thaw', async () => {
    const { move } = await createFreezing(pool, { timeZone: 'Asia/Seoul' }).thaw(subject, 'test');
    return move === 'thawed' ? 'moved' : move === 'not-frozen' ? 'already' : move;
  });

export function limitNow(pool: Pool, startPoints: number, event: Extract<Event, { kind: 'limit' | 'cool-off' }>) {
  const { setLimits } = createStatements(pool, { startPoints });
  const body = {
    bodyHash: createHash('sha256').update(show(event)).digest('hex'),
    day: DAY,
    dayFrom: 0,
    nextDay: '2026-11-21',
  };
  const change = event.kind === 'limit' ? { dailyStake: event.daily } : { coolOffMs: 3_600_000 };
  const own = { playerId: player(event.player), commandId: commandId() };
  return moved('the limit', async () =>
    (await setLimits({ ...own, ...body, ...change })) === 'conflict' ? 'conflict' : 'moved',
  );
}

// ---- what is there ----

const BETS = `select b.player_id as player, b.command_id as command, b.race_id as race, b.pool, b.selection, b.stake, o.outcome, coalesce(o.returned, 0) as returned
  from bet b left join bet_outcome o on o.bet_id = b.id`;
const PICKS = 'select race_id as race, player_id as player, horse from race_pick';
const VOTES = 'select race_id as race, player_id as player, place from race_vote';

/** Throws a Disagreement for the first thing that is not as the model has it. */
export async function compare(stage: Stage, model: Model): Promise<void> {
  const { query } = stage;
  const agree = (what: string, found: readonly unknown[], expected: readonly unknown[]) => {
    const [there, wanted] = [found.map(show).sort(), expected.map(show).sort()];
    const more = there.filter((line) => !wanted.includes(line));
    const less = wanted.filter((line) => !there.includes(line));
    if (more.length + less.length > 0 || there.length !== wanted.length)
      throw new Disagreement(`${what}: found ${more.slice(0, 5)}; should be ${less.slice(0, 5)}`);
  };
  const wallets = await query<{ player: string; balance: bigint; version: bigint }>(
    "select player_id as player, balance, version from account where kind = 'wallet'",
  );
  agree(
    'wallets',
    wallets,
    wallets.map(({ player: name }) => ({
      player: name,
      balance: model.wallet(name).balance,
      version: BigInt(model.wallet(name).version),
    })),
  );
  const played = [...model.accepted.values()].map(({ command }) => command.player);
  for (const name of played)
    if (!wallets.some((row) => row.player === name)) throw new Disagreement(`${name} has no wallet`);
  agree(
    'bets',
    await query(BETS),
    model.bets.map(({ player: name, command, race, pool, selection, stake, outcome, returned }) => ({
      player: name,
      command,
      race,
      pool,
      selection,
      stake,
      outcome,
      returned,
    })),
  );
  const races = [...model.races.values()];
  const escrow = (race: ModelRace) =>
    model.betsOf(race.id).reduce((sum, one) => (one.outcome === null ? sum + one.stake : sum), 0n);
  agree(
    'races',
    await query('select r.id, r.phase, a.balance from race r join account a on a.race_id = r.id'),
    races.map((race) => ({ id: race.id, phase: race.phase, balance: escrow(race) })),
  );
  agree(
    'system accounts',
    await query("select kind, balance from account where kind in ('issuance', 'takeout', 'breakage')"),
    [
      { kind: 'issuance', balance: -(model.terms.start * BigInt(wallets.length) + model.granted) },
      { kind: 'takeout', balance: model.takeout },
      { kind: 'breakage', balance: model.breakage },
    ],
  );
  agree(
    'picks',
    await query(PICKS),
    races.flatMap((race) => [...race.picks].map(([name, horse]) => ({ race: race.id, player: name, horse }))),
  );
  agree(
    'votes',
    await query(VOTES),
    races.flatMap((race) => [...race.voted].map(([name, place]) => ({ race: race.id, player: name, place }))),
  );
  const [commands] = await query<{ count: bigint }>(
    "select count(*) from ledger_command where kind <> 'drawn' and command_id not like 'scratched/%'",
  );
  if (Number(commands?.count) !== model.accepted.size)
    throw new Disagreement(`${commands?.count} commands, ${model.accepted.size} were accepted`);
  // Last: what the audit sees too should be found by the book alone.
  agree('audit', await createAudit(stage.database.target).audit(), []);
}
