import { DIVIDEND_STEP, payout, settlePool, UNIT_POINTS } from '../core/dividend.ts';
import { isScratched, type Pool, poolStands, selectionKey, winningCombinations } from '../core/pools.ts';
import type { Placing } from '../core/race-state.ts';
import { type Simulation, simulate, type Track } from '../engine/index.ts';
import { drawHorses, drawPlace } from './draws.ts';
import { type OwnReceipt, pointsOf } from './receipts.ts';
import { type PublicRaceRecord, parseTotals, rateOf, recordKey } from './record.ts';

/** Each check throws an Error that says what differs, and returns what held. */

export function checkOrder(record: PublicRaceRecord): string {
  const made = run(record).order;
  const told = record.result?.order ?? [];
  if (!sameOrder(made, told)) {
    throw new Error(`the engine's order is ${describe(made)}, the record's ${describe(told)}`);
  }
  return `the engine gives the same order: ${describe(made)}`;
}

function run(record: PublicRaceRecord): Simulation {
  if (record.simVersion !== 1) throw new Error(`no engine of version ${record.simVersion} here`);
  const horses = record.field
    .filter(({ number }) => !record.scratched.includes(number))
    .map(({ number, style, ability, stamina }) => ({ number, style, ability, stamina }));
  return simulate({ simVersion: record.simVersion, track: trackOf(record.track), horses, key: keyOf(record) });
}

function trackOf(name: string): Track {
  if (name === 'short' || name === 'medium' || name === 'long') return name;
  throw new Error(`no track ${name}`);
}

function keyOf(record: PublicRaceRecord): Uint8Array {
  const key = recordKey(record);
  if (key === null) throw new Error('the record has no bets root');
  return key;
}

function sameOrder(made: readonly Placing[], told: readonly Placing[]): boolean {
  return (
    made.length === told.length &&
    made.every((horse, index) => {
      const other = told[index];
      return other?.number === horse.number && other.finishMs === horse.finishMs && other.place === horse.place;
    })
  );
}

function describe(order: readonly Placing[]): string {
  return order.map(({ number, place, finishMs }) => `${place}: ${number} (${finishMs} ms)`).join(', ') || 'none';
}

export function checkDrawnHorses(record: PublicRaceRecord): string {
  const picks = record.picks ?? [];
  const drawn = picks.filter((pick) => pick.drawn);
  const taken = picks.flatMap((pick) => (pick.drawn ? [] : [pick.horse]));
  const { exclusivePicks } = record.rules;
  const horses = record.field
    .map(({ number }) => number)
    .filter((number) => !record.scratched.includes(number) && !(exclusivePicks && taken.includes(number)));
  if (exclusivePicks && new Set(taken).size !== taken.length) throw new Error('a horse was picked twice');
  const players = drawn.map(({ playerId }) => playerId);
  const made = drawHorses(keyOf(record), { players, horses, exclusive: exclusivePicks });
  for (const { playerId, horse } of drawn) {
    if (made.get(playerId) !== horse) {
      throw new Error(`horse ${made.get(playerId)} is drawn for ${playerId}, the record says ${horse}`);
    }
  }
  return drawn.length === 0 ? 'no horse had to be drawn' : `${drawn.length} horses are drawn as the key says`;
}

export function checkPlaceDraw(record: PublicRaceRecord): string {
  const votes = (record.place?.votes ?? []).map(({ place }) => place);
  const made = drawPlace(keyOf(record), votes, pickedHorses(record).length);
  if (made !== record.place?.drawn) throw new Error(`place ${made} is drawn, the record says ${record.place?.drawn}`);
  return `place ${made} is drawn among ${votes.length} votes`;
}

function pickedHorses(record: PublicRaceRecord): number[] {
  return [...new Set((record.picks ?? []).map(({ horse }) => horse))];
}

/**
 * The place is counted among the picked horses; in a dead heat over it all of its horses are caught. Said a second time,
 * besides core/picks, so that what the rooms do is checked by something other than itself.
 */
export function checkCaught(record: PublicRaceRecord): string {
  const picked = pickedHorses(record);
  const place = record.place?.drawn ?? picked.length;
  const order = (record.result?.order ?? []).filter(({ number }) => picked.includes(number));
  const horses = order
    .filter((horse) => {
      const ahead = order.filter((other) => other.finishMs < horse.finishMs).length;
      const level = order.filter((other) => other.finishMs === horse.finishMs).length;
      return ahead < place && place <= ahead + level;
    })
    .map(({ number }) => number);
  const made = (record.picks ?? []).flatMap(({ playerId, horse }) => (horses.includes(horse) ? [playerId] : []));
  const told = record.result?.caught ?? [];
  if (made.length !== told.length || !made.every((player) => told.includes(player))) {
    throw new Error(`caught are ${made.join(', ') || 'none'}, the record says ${told.join(', ') || 'none'}`);
  }
  return `${made.length} caught, on place ${place} of the picked horses`;
}

export function checkDividends(record: PublicRaceRecord): string {
  const told = record.result?.dividends ?? [];
  const made = record.rules.pools.flatMap(({ pool }) => dividendsOf(record, pool));
  const line = (pool: Pool, selection: string, per100: bigint): string => `${pool} ${selection}: ${per100}`;
  const madeLines = made.map(({ pool, selection, per100 }) => line(pool, selection, per100)).sort();
  const toldLines = told
    .map(({ pool, selection, per100 }) => line(pool, selectionKey(selection), pointsOf(per100)))
    .sort();
  if (madeLines.join() !== toldLines.join()) {
    throw new Error(
      `dividends are ${madeLines.join(', ') || 'none'}, the record says ${toldLines.join(', ') || 'none'}`,
    );
  }
  return madeLines.length === 0 ? 'no pool pays' : `the stakes give these dividends: ${madeLines.join(', ')}`;
}

function dividendsOf(record: PublicRaceRecord, pool: Pool): { pool: Pool; selection: string; per100: bigint }[] {
  const rate = rateOf(record.rules, pool);
  if (rate === undefined) throw new Error(`the race has no pool ${pool}`);
  const stakes = stakesOf(record, pool);
  const gross = [...stakes.values()].reduce((sum, stake) => sum + stake, 0n);
  const total = parseTotals(record.totals)[pool]?.gross ?? 0n;
  if (gross !== total) throw new Error(`stakes of ${pool} add up to ${gross}, the total is ${total}`);

  const refunded = (record.result?.refunded ?? []).includes(pool);
  const winners = winningCombinations(pool, record.result?.order ?? [], record.rules.placesPaid).map(selectionKey);
  const stands = poolStands(pool, record.field.length - record.scratched.length);
  const settled = settlePool({
    pool,
    unit: UNIT_POINTS,
    step: DIVIDEND_STEP,
    rate,
    stakes,
    winners: stands ? winners : [],
  });
  if (gross > 0n && refunded !== (settled.kind === 'refund')) {
    throw new Error(`pool ${pool} is ${refunded ? 'told as refunded but pays' : 'told as paid but is refunded'}`);
  }
  return settled.kind === 'refund'
    ? []
    : [...settled.dividends].map(([selection, per100]) => ({ pool, selection, per100 }));
}

function stakesOf(record: PublicRaceRecord, pool: Pool): Map<string, bigint> {
  if (record.stakes === undefined) throw new Error('the record has no stakes');
  const stakes = new Map<string, bigint>();
  for (const { pool: of, selection, stake } of record.stakes) {
    if (of !== pool) continue;
    if (isScratched(selection, record.scratched)) throw new Error('a scratched horse has stakes');
    stakes.set(selectionKey(selection), (stakes.get(selectionKey(selection)) ?? 0n) + pointsOf(stake));
  }
  return stakes;
}

/** Own bets by the record's dividends, which `checkDividends` has recomputed. */
export function checkPayouts(record: PublicRaceRecord, own: readonly OwnReceipt[]): string {
  let all = 0n;
  for (const { leaf, returned } of own) {
    if (leaf.kind !== 'bet' || returned === undefined) continue;
    const due = dueFor(record, leaf);
    if (due !== pointsOf(returned)) {
      throw new Error(
        `${leaf.pool} ${selectionKey(leaf.selection)} for ${leaf.stake} is due ${due}, ${returned} came back`,
      );
    }
    all += due;
  }
  return `${all} points came back, as they should`;
}

function dueFor(record: PublicRaceRecord, bet: { pool: Pool; selection: readonly number[]; stake: string }): bigint {
  const stake = pointsOf(bet.stake);
  const refunded = record.phase === 'void' || (record.result?.refunded ?? []).includes(bet.pool);
  if (refunded || isScratched(bet.selection, record.scratched)) return stake;
  const dividend = (record.result?.dividends ?? []).find(
    ({ pool, selection }) => pool === bet.pool && selectionKey(selection) === selectionKey(bet.selection),
  );
  return dividend === undefined ? 0n : payout(stake, pointsOf(dividend.per100));
}
