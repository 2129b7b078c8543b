import { LRUCache } from 'lru-cache';
import { checkBet, checkBettor } from '../core/bets.ts';
import type { RaceId, RoomId } from '../core/ids.ts';
import { refuse } from '../errors.ts';
import type { LedgerQueue, Logger, Push, RaceRecords, ServerClock } from '../ports.ts';
import type { Payload, Reply, RoomEvent } from '../protocol.ts';
import { acceptedBefore } from './accepted-before.ts';
import { dayOf } from './calendar.ts';
import type { Caller } from './caller.ts';
import { bodyHash } from './command-mark.ts';
import { ledgerRead } from './ledger-errors.ts';
import type { Odds } from './odds.ts';
import type { RaceBook } from './race-book.ts';
import { betIdOf, type Leaves, receiptOf } from './race-items.ts';
import type { RoomAccess } from './room-access.ts';

export type BetsDeps = {
  readonly records: Pick<RaceRecords, 'mine' | 'outcomes'>;
  readonly queue: LedgerQueue;
  readonly rooms: RoomAccess;
  readonly book: RaceBook;
  readonly odds: Odds;
  readonly leaves: Leaves;
  readonly push: Push;
  readonly clock: ServerClock;
  /** decides where a day begins, e.g. Asia/Seoul */
  readonly timeZone: string;
  readonly log: Logger;
};

const REMEMBERED_RACES = 5_000;

/** Bets: checked here for what is fixed, judged by the ledger for what moves (phase, points, caps). */
export function createBetsService(deps: BetsDeps) {
  const { records, queue, rooms, book, odds, leaves, push, clock, timeZone, log } = deps;
  /** Races whose outcomes were told, or are being told. */
  const told = new LRUCache<RaceId, true>({ max: REMEMBERED_RACES });

  async function place(caller: Caller, payload: Payload<'bet:place'>): Promise<Reply<'bet:place'>> {
    const { raceId, commandId } = payload;
    const race = await book.race(raceId);
    const member = rooms.state(race.roomId)?.document.members.find(({ id }) => id === caller.playerId);
    const code = checkBettor({ member, race });
    const bet = checkBet(race, payload);
    if ('error' in bet) throw refuse(code ?? bet.error);

    const { pool, selection, stake } = bet;
    const parts = leaves.make(raceId, caller.playerId, payload, { kind: 'bet', pool, selection, stake: payload.stake });
    const betId = betIdOf(caller.playerId, commandId);
    const item = {
      kind: 'bet',
      playerId: caller.playerId,
      commandId,
      bodyHash: bodyHash('bet:place', payload),
      raceId,
      ...parts,
      betId,
      pool,
      selection,
      stake,
      day: dayOf(clock.now(), timeZone),
    } as const;
    const answer = await (code === null ? queue.submit(item) : acceptedBefore(queue, item, code));
    const { balance, balanceVersion } = answer;
    if (balance === undefined || balanceVersion === undefined)
      throw new Error('the ledger accepted a bet without its balance');
    // Whoever asked has it in the answer.
    const update = { balance: String(balance), version: balanceVersion, cause: 'stake', betId } as const;
    push.player(caller.playerId, 'wallet:update', update, caller.connectionId);
    return {
      betId: answer.betId ?? betId,
      balance: String(balance),
      balanceVersion,
      receipt: answer.receipt ?? receiptOf(raceId, commandId, parts),
    };
  }

  /**
   * Each player who is connected here, in the room or no longer, is told what became of their bets: once, whoever finds the
   * race over first. Rejects when PostgreSQL is away; then nobody has been told.
   */
  async function tellOutcomes(raceId: RaceId): Promise<void> {
    if (told.has(raceId)) return;
    told.set(raceId, true);
    try {
      await pushOutcomes(raceId);
    } catch (error) {
      told.delete(raceId);
      throw error;
    }
  }

  async function pushOutcomes(raceId: RaceId): Promise<void> {
    for (const { playerId, bets, balance, balanceVersion } of await records.outcomes(raceId)) {
      push.player(playerId, 'bet:settled', { raceId, bets });
      const cause = bets.some(({ outcome }) => outcome === 'paid') ? 'payout' : 'refund';
      if (bets.some(({ outcome }) => outcome !== 'lost'))
        push.player(playerId, 'wallet:update', { balance: String(balance), version: balanceVersion, cause });
    }
  }

  /** Players here whose bets with this horse came back while betting goes on. */
  async function tellRefunds(raceId: RaceId, horse: number): Promise<void> {
    for (const { playerId, bets, balance, balanceVersion } of await records.outcomes(raceId)) {
      const refunded = bets.filter(({ selection }) => selection.includes(horse));
      if (refunded.length === 0) continue;
      push.player(playerId, 'bet:settled', { raceId, bets: refunded });
      push.player(playerId, 'wallet:update', { balance: String(balance), version: balanceVersion, cause: 'refund' });
    }
  }

  function follow(roomId: RoomId, event: RoomEvent): void {
    if (event.type === 'horse scratched' && rooms.state(roomId)?.document.kind === 'bet')
      tellRefunds(event.raceId, event.number).catch((error: unknown) =>
        log.warn({ err: error, roomId, raceId: event.raceId }, 'refunds not told'),
      );
    if (event.type !== 'race settled' && event.type !== 'race void' && event.type !== 'race paid') return;
    if ('payoutsHeld' in event) return;
    if (rooms.state(roomId)?.document.kind !== 'bet') return;
    tellOutcomes(event.raceId).catch((error: unknown) =>
      log.warn({ err: error, roomId, raceId: event.raceId }, 'outcomes not told'),
    );
  }

  rooms.onEvents((roomId, events) => {
    for (const event of events) follow(roomId, event);
  });

  return {
    place,
    tellOutcomes,

    async quote(_caller: Caller, payload: Payload<'bet:quote'>): Promise<Reply<'bet:quote'>> {
      const race = await book.race(payload.raceId);
      if (race.kind !== 'bet') throw refuse('FORBIDDEN');
      if (race.phase !== 'open') throw refuse('PHASE_CLOSED');
      const bet = checkBet(race, payload);
      if ('error' in bet) throw refuse(bet.error);
      const range = await ledgerRead(odds.quote(race, bet));
      if (range === null) throw refuse('SELECTION_INVALID');
      return { low: String(range.low), high: String(range.high) };
    },

    async mine(caller: Caller, { raceId }: Payload<'bet:mine'>): Promise<Reply<'bet:mine'>> {
      await book.race(raceId);
      return ledgerRead(records.mine(raceId, caller.playerId));
    },
  };
}
