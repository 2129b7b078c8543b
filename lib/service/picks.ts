import type { PlayerId, RaceId, RoomId } from '../core/ids.ts';
import { checkHorse, checkPicker, checkVote, freeHorses } from '../core/picks.ts';
import { takenHorses } from '../core/public-race.ts';
import { type ErrorCode, RefusedError, refuse } from '../errors.ts';
import type { LedgerItem, LedgerQueue, Logger, RaceRecords } from '../ports.ts';
import type { Payload, RaceView, Reply } from '../protocol.ts';
import { acceptedBefore } from './accepted-before.ts';
import type { Caller } from './caller.ts';
import { bodyHash } from './command-mark.ts';
import { ledgerRead } from './ledger-errors.ts';
import type { RaceBook } from './race-book.ts';
import type { RaceIds } from './race-ids.ts';
import { type Leaves, receiptOf } from './race-items.ts';
import type { RoomAccess } from './room-access.ts';

export type PicksDeps = {
  readonly records: Pick<RaceRecords, 'get' | 'mine'>;
  readonly queue: LedgerQueue;
  readonly rooms: RoomAccess;
  readonly book: RaceBook;
  readonly leaves: Leaves;
  readonly ids: RaceIds;
  readonly log: Logger;
  /** Uniform integer in 0…n-1, for "any horse". */
  readonly randomBelow: (n: number) => number;
};

type Wish = { readonly race: RaceView; readonly code: ErrorCode | null };
type ChoiceItem = Extract<LedgerItem, { kind: 'pick' | 'pick-clear' | 'vote' }>;

/** "Any horse" in an exclusive room: others take horses meanwhile, so the draw is made again. */
const RANDOM_TRIES = 6;

/** Between two tries to drop the pick of a kicked player. */
const FIRST_RETRY_MS = 100;
const LAST_RETRY_MS = 2_000;

/** Picks and place votes. Whether a horse is still free and the race still open is the ledger's to judge. */
export function createPicksService(deps: PicksDeps) {
  const { records, queue, rooms, book, leaves, ids, log, randomBelow } = deps;

  /** The race, and why this player cannot choose in it now. */
  async function raceOfPicker(caller: Caller, raceId: RaceView['id']): Promise<Wish> {
    const race = await book.race(raceId);
    const member = rooms.state(race.roomId)?.document.members.find(({ id }) => id === caller.playerId);
    return { race, code: checkPicker({ member, race }) };
  }

  const give = (item: ChoiceItem, code: ErrorCode | null) =>
    code === null ? queue.submit(item) : acceptedBefore(queue, item, code);

  /**
   * The pick stands already: a log that is busy must not make it look otherwise. A repeat may be the first answer that
   * arrives, and then nobody has been told; what stands by now is told, which may be newer than the command.
   */
  async function tell(
    race: RaceView,
    playerId: PlayerId,
    change: { picked: boolean; repeated: boolean },
  ): Promise<void> {
    if (change.repeated && openRace(race.roomId) !== race.id) return;
    try {
      const picked = change.repeated ? (await records.mine(race.id, playerId)).pick !== undefined : change.picked;
      await rooms.append(race.roomId, [{ type: 'pick made', raceId: race.id, playerId, picked }]);
    } catch (error) {
      log.warn({ err: error, roomId: race.roomId, raceId: race.id }, 'pick not told');
    }
  }

  async function choose(caller: Caller, payload: Payload<'pick:choose'>): Promise<Reply<'pick:choose'>> {
    const wish = await raceOfPicker(caller, payload.raceId);
    if (payload.horse !== 'random') {
      const code = checkHorse(wish.race, payload.horse);
      if (code !== null) throw refuse(wish.code ?? code);
      return submit(caller, payload, wish, payload.horse);
    }
    for (let tries = 1; ; tries += 1) {
      try {
        return await submit(caller, payload, wish, await anyHorse(wish.race));
      } catch (error) {
        const taken = error instanceof RefusedError && error.refusal.code === 'HORSE_TAKEN';
        if (!taken || tries === RANDOM_TRIES) throw error;
      }
    }
  }

  async function anyHorse(race: RaceView): Promise<number> {
    const details = race.rules.exclusivePicks ? await ledgerRead(records.get(race.id)) : null;
    const free = freeHorses(race, details === null ? [] : takenHorses(details.picks));
    // None is free: the ledger says so, unless this is a repeat that it answers.
    const from = free.length > 0 ? free : freeHorses(race, []).slice(0, 1);
    const horse = from[randomBelow(Math.max(from.length, 1))] ?? from[0];
    if (horse === undefined) throw refuse('SELECTION_INVALID');
    return horse;
  }

  async function submit(
    caller: Caller,
    payload: Payload<'pick:choose'>,
    { race, code }: Wish,
    horse: number,
  ): Promise<Reply<'pick:choose'>> {
    const { commandId, raceId } = payload;
    const parts = leaves.make(raceId, caller.playerId, payload, { kind: 'pick', horse });
    const item = {
      kind: 'pick',
      playerId: caller.playerId,
      commandId,
      bodyHash: bodyHash('pick:choose', payload),
      raceId,
      ...parts,
      horse,
    } as const;
    const answer = await give(item, code);
    await tell(race, caller.playerId, { picked: true, repeated: answer.repeated });
    return { horse: answer.horse ?? horse, receipt: answer.receipt ?? receiptOf(raceId, commandId, parts) };
  }

  async function submitClear(playerId: PlayerId, payload: Payload<'pick:clear'>, { race, code }: Wish): Promise<void> {
    const parts = leaves.make(race.id, playerId, payload, { kind: 'pick-clear' });
    const item = {
      kind: 'pick-clear',
      playerId,
      commandId: payload.commandId,
      bodyHash: bodyHash('pick:clear', payload),
      raceId: race.id,
      ...parts,
    } as const;
    const answer = await give(item, code);
    await tell(race, playerId, { picked: false, repeated: answer.repeated });
  }

  /** The room's race as long as picks are taken in it. */
  function openRace(roomId: RoomId): RaceId | null {
    const race = rooms.state(roomId)?.document.race;
    return race?.phase === 'open' ? race.id : null;
  }

  /**
   * A kick before the close drops the pick: tried until it is gone or the race no longer open, through any outage. Ends early
   * when the room is not served any more; never rejects.
   */
  async function dropPick(roomId: RoomId, playerId: PlayerId): Promise<void> {
    const raceId = openRace(roomId);
    if (raceId === null || rooms.state(roomId)?.document.kind !== 'pick') return;
    for (let failures = 0; openRace(roomId) === raceId; failures += 1) {
      try {
        return await dropOnce(raceId, playerId);
      } catch (error) {
        if (error instanceof RefusedError && error.refusal.code === 'PHASE_CLOSED') return;
        if (failures === 0) log.warn({ err: error, roomId, raceId }, 'pick of a kicked player not dropped yet');
        await pause(Math.min(FIRST_RETRY_MS * 2 ** failures, LAST_RETRY_MS));
      }
    }
  }

  /** Once for each command that made a pick. */
  async function dropOnce(raceId: RaceId, playerId: PlayerId): Promise<void> {
    const mine = await records.mine(raceId, playerId);
    if (mine.pick === undefined) return;
    const commandId = ids.command('kicked', raceId, playerId, mine.pick.receipt?.commandId ?? '');
    await submitClear(playerId, { commandId, raceId }, { race: await book.race(raceId), code: null });
  }

  return {
    choose,
    dropPick,

    async clear(caller: Caller, payload: Payload<'pick:clear'>): Promise<Reply<'pick:clear'>> {
      await submitClear(caller.playerId, payload, await raceOfPicker(caller, payload.raceId));
      return {};
    },

    async vote(caller: Caller, payload: Payload<'vote:place'>): Promise<Reply<'vote:place'>> {
      const wish = await raceOfPicker(caller, payload.raceId);
      const code = checkVote(wish.race, payload.place);
      if (code !== null) throw refuse(wish.code ?? code);
      const { commandId, raceId, place } = payload;
      const parts = leaves.make(raceId, caller.playerId, payload, { kind: 'vote', place });
      const item = {
        kind: 'vote',
        playerId: caller.playerId,
        commandId,
        bodyHash: bodyHash('vote:place', payload),
        raceId,
        ...parts,
        place,
      } as const;
      const answer = await give(item, wish.code);
      return { receipt: answer.receipt ?? receiptOf(raceId, commandId, parts) };
    },
  };
}

/** Keeps no process alive. */
function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms).unref());
}
