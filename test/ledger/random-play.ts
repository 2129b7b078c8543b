import { createFreezing } from '../../db/postgres/freeze.ts';
import { createStatements } from '../../db/postgres/statement.ts';
import { settleBets } from '../../lib/core/bets.ts';
import { DEFAULT_RATES, POOLS, placesPaid, poolStands, SHAPES } from '../../lib/core/pools.ts';
import type { Placing } from '../../lib/core/race-state.ts';
import type { LedgerItem, NewRace, Subject } from '../../lib/ports.ts';
import { createFreezer } from '../../lib/service/freezer.ts';
import type { Integers } from '../core/random.ts';
import { until } from '../helpers/until.ts';
import {
  bet,
  claim,
  clear,
  closeRace,
  command,
  DAY,
  openRace,
  pick,
  player,
  relief,
  runRace,
  type Stage,
  settlementOf,
  vote,
} from './stage.ts';

const NEXT_DAY = '2026-11-21';
const PLAYERS = 12;
const PHASES_BEFORE_END = ['open', 'closed', 'running'] as const;

/**
 * Random play on a stage: races of both kinds with every pool, bets, repeats, picks, votes, claims, own limits, scratches, freezes
 * and thaws, races that are run, settled or void in any phase. Several may go on at once and share their players.
 */
export function createPlay(stage: Stage, random: Integers, name = 'r') {
  const { below } = random;
  const { races, ledger } = stage;
  const freezing = createFreezing(stage.pool, { timeZone: 'Asia/Seoul' });
  const freezer = createFreezer({ freezing, log: { error: () => {} } });
  const statements = createStatements(stage.pool, { startPoints: 10_000 });
  const open: { race: NewRace; runners: number }[] = [];
  const sent: LedgerItem[] = [];
  const frozen: Subject[] = [];
  const counts: Record<string, number> = {};

  const any = <T>(items: readonly T[]): T | undefined => items[below(items.length)];
  const someone = () => `p${below(PLAYERS)}`;
  const day = () => (below(3) === 0 ? NEXT_DAY : DAY);

  function itemFor({ race, runners }: { race: NewRace; runners: number }): LedgerItem {
    const repeated = below(12) === 0 ? any(sent) : undefined;
    if (repeated !== undefined) return repeated;
    const who = someone();
    const horse = 1 + below(runners);
    if (race.kind === 'pick')
      return [pick(race.id, who, horse), clear(race.id, who), vote(race.id, who, horse)][below(3)] as LedgerItem;
    const pool = race.rules.pools[below(race.rules.pools.length)]?.pool ?? 'win';
    const horses = random.shuffle(Array.from({ length: runners }, (_, n) => n + 1)).slice(0, SHAPES[pool].size);
    const selection = SHAPES[pool].ordered ? horses : horses.sort((a, b) => a - b);
    return bet(race.id, who, selection, BigInt(1 + below(30)) * 100n, { pool, day: day() });
  }

  async function place(): Promise<void> {
    const items = Array.from({ length: 1 + below(25) }, (): LedgerItem => {
      const where = any(open);
      if (where === undefined || below(15) === 0)
        return below(2) === 0 ? claim(someone(), day()) : relief(someone(), 11_000n, below(2) * 3_600_000);
      return itemFor(where);
    });
    sent.push(...items);
    await ledger.commitBatch(items);
  }

  async function openOne(): Promise<void> {
    const runners = 4 + below(7);
    const kind = below(4) === 0 ? 'pick' : 'bet';
    const pools = POOLS.filter((pool) => poolStands(pool, runners)).map((pool) => ({
      pool,
      rate: DEFAULT_RATES[pool],
    }));
    const rules =
      kind === 'bet' ? { pools, placesPaid: placesPaid(runners) } : { pools: [], exclusivePicks: below(2) === 0 };
    open.push({ race: await openRace(stage, { kind, runners, rules: { ...rules, maxStakePerRace: 8_000 } }), runners });
  }

  async function endOne(): Promise<void> {
    const [ended] = open.splice(below(open.length), 1);
    if (ended === undefined) return;
    const { race, runners } = ended;
    const voided = below(4) === 0 ? PHASES_BEFORE_END[below(3)] : undefined;
    if (voided !== 'open') {
      const places = Array.from({ length: runners }, () => 1 + below(runners));
      const out = (await races.get(race.id))?.row.scratched ?? [];
      const finish: Placing[] = places.flatMap((own, index) =>
        out.includes(index + 1)
          ? []
          : [
              {
                number: index + 1,
                finishMs: own * 100,
                place: 1 + places.filter((other, n) => other < own && !out.includes(n + 1)).length,
              },
            ],
      );
      if (race.kind === 'bet') await runRace(stage, race.id, finish);
      else await runPicks(race, finish);
      if (voided === undefined) return settle(race, finish);
    }
    await until('void', async () => (await races.voidRace(race.id, 'admin', 'cd', 'ab'.repeat(32), null)) === 'moved');
  }

  async function runPicks(race: NewRace, finish: Placing[]): Promise<void> {
    await closeRace(stage, race.id);
    const picks = ((await races.get(race.id))?.picks ?? []).map(({ playerId, horse }) => ({
      playerId,
      horse: horse ?? 1,
      drawn: horse === null,
    }));
    await races.draw(race.id, { order: finish, durationMs: 0, picks }, 0, 0, 0);
    await until('the race runs', async () => (await races.run(race.id)) === 'moved');
  }

  async function settle(race: NewRace, finish: Placing[]): Promise<void> {
    const { row, picks } = (await races.get(race.id)) ?? {};
    if (row === undefined || picks === undefined) throw new Error('no race');
    const bets = race.kind === 'bet' ? settleBets(row, await races.stakes(race.id), finish) : null;
    const plain = await settlementOf(stage, { ...race, rules: { ...race.rules, pools: [] } }, finish);
    const result = {
      order: finish,
      seed: 'cd'.repeat(32),
      ...(bets === null
        ? { caught: picks.slice(0, 1).map(({ playerId }) => playerId) }
        : { dividends: bets.dividends, refunded: bets.refunded }),
    };
    const settlement = { ...plain, result, pools: bets?.pools ?? [] };
    await until('settled', async () => (await races.settle(race.id, settlement)) === 'moved');
  }

  const moves: Record<string, () => Promise<unknown>> = {
    place,
    more: place,
    again: place,
    open: async () => (open.length < 4 ? openOne() : place()),
    end: endOne,
    scratch: async () => {
      const where = any(open);
      if (where !== undefined) await races.scratchHorse(where.race.id, 1 + below(where.runners), 0);
    },
    limit: async () => {
      await statements.setLimits({
        playerId: player(someone()),
        commandId: command(),
        bodyHash: '00',
        dailyStake: below(4) === 0 ? null : BigInt(below(80)) * 100n,
        coolOffMs: 0,
        day: DAY,
        dayFrom: 0,
        nextDay: NEXT_DAY,
      });
    },
    freeze: async () => {
      const race = any(open)?.race;
      const subject: Subject =
        race !== undefined && below(2) === 0
          ? { kind: 'race', id: race.id }
          : { kind: 'wallet', id: player(someone()) };
      if ((await freezer.freeze(subject, name)) === 'frozen') frozen.push(subject);
    },
    thaw: async () => {
      const [subject] = frozen.splice(below(frozen.length), 1);
      if (subject !== undefined) await freezer.thaw(subject, name);
    },
  };
  const names = Object.keys(moves);

  return {
    counts,
    /** One random move; what it was. */
    async step(): Promise<string> {
      const move = names[below(names.length)] ?? 'place';
      await moves[move]?.();
      counts[move] = (counts[move] ?? 0) + 1;
      return move;
    },
    /** Everything over, paid and thawed. */
    async finish(): Promise<void> {
      while (open.length > 0) await endOne();
      for (const subject of frozen.splice(0)) await freezer.thaw(subject, name);
    },
  };
}
