import type { RoomId } from '../core/ids.ts';
import { memberOf } from '../core/room.ts';
import { RefusedError } from '../errors.ts';
import type { RoomRecords } from '../ports.ts';
import type { Handshake, Payload, RoomEvent } from '../protocol.ts';
import type { Caller } from './caller.ts';
import type { RoomState } from './room-access.ts';
import type { Resumed } from './room-contracts.ts';
import type { Membership, MembershipDeps } from './room-membership.ts';

export type RoomResumeDeps = Pick<MembershipDeps, 'store' | 'feeds' | 'secrets'> & {
  readonly records: Pick<RoomRecords, 'get'>;
  readonly membership: Membership;
  /** null: there is no such living room. */
  readonly open: (roomId: RoomId) => Promise<RoomState | null>;
};

type Wish = NonNullable<Handshake['resume']>;
type Cause = Extract<Resumed, { kind: 'left' }>['cause'];

/** Back into a room after the connection was lost: with the missing events, with the room as it is, or with why not. */
export function createRoomResume(deps: RoomResumeDeps) {
  const { store, feeds, secrets, records, membership } = deps;

  /** Rejects when it cannot be told now whether the seat is there: the client must ask again. */
  async function resume(caller: Caller, wish: Wish): Promise<Resumed> {
    const { roomId } = wish;
    const state = await deps.open(roomId);
    if (state === null || state.document.closed !== null)
      return { kind: 'left', cause: await closeCause(roomId, state) };
    if (memberOf(state.document, caller.playerId) === undefined) {
      const refused = await reseat(caller, wish, state);
      if (refused !== null) return { kind: 'left', cause: refused };
    }
    // First, so that entering has nothing to wait for and nothing comes in between.
    await membership.withRace(roomId);
    const missed = await missedBy(roomId, wish);
    const entered = await membership.enter(caller, roomId);
    if (entered === null) {
      const now = feeds.state(roomId);
      const closed = now === null || now.document.closed !== null;
      return { kind: 'left', cause: closed ? await closeCause(roomId, now) : seatCause(caller, now) };
    }
    const { epoch, seq } = entered.state;
    if (missed === null || epoch !== wish.epoch || seq !== (missed.at(-1)?.seq ?? wish.seq))
      return { kind: 'snapshot', room: entered.room, seat: entered.seat };
    return {
      kind: 'events',
      packet: { roomId, epoch, fromSeq: wish.seq + 1, toSeq: seq, events: missed },
    };
  }

  async function closeCause(roomId: RoomId, state: RoomState | null): Promise<Cause> {
    return state?.document.closed?.cause ?? (await records.get(roomId))?.closeCause ?? 'gone';
  }

  /** Why a seat of this life of the room has ended. */
  function seatCause(caller: Caller, state: RoomState, issuedAt = 0): Cause {
    const kickedAt = state.document.kickedAt[caller.playerId];
    return kickedAt !== undefined && kickedAt >= issuedAt ? 'kicked' : 'timeout';
  }

  /** The seat ticket's holder sits down again where the document lost the join; null: seated. */
  async function reseat(caller: Caller, wish: Wish, state: RoomState): Promise<Cause | null> {
    const { playerId, nickname } = caller;
    const ticket = wish.seat === undefined ? null : secrets.openSeat(wish.seat);
    if (ticket === null || ticket.roomId !== wish.roomId || ticket.playerId !== playerId) return 'timeout';
    const { role, joinedAt, issuedAt } = ticket;
    // A seat of this epoch ended for a cause (left, timed out, kicked); only a new epoch can have lost it.
    if (state.epoch === ticket.epoch) return seatCause(caller, state, issuedAt);
    try {
      await membership.submit(wish.roomId, { kind: 'reseat', playerId, nickname, role, joinedAt, issuedAt });
      return null;
    } catch (error) {
      if (error instanceof RefusedError && error.refusal.code === 'FORBIDDEN') return 'kicked';
      if (error instanceof RefusedError && error.refusal.code === 'NOT_MEMBER') return 'timeout';
      if (error instanceof RefusedError && error.refusal.code === 'ROOM_CLOSED')
        return closeCause(wish.roomId, feeds.state(wish.roomId));
      throw error;
    }
  }

  /** Everything delivered above the client's position; null when it must take a snapshot. */
  async function missedBy(
    roomId: RoomId,
    at: Pick<Payload<'room:sync'>, 'epoch' | 'seq'>,
  ): Promise<readonly RoomEvent[] | null> {
    const state = feeds.state(roomId);
    if (state === null || state.epoch !== at.epoch || at.seq > state.seq) return null;
    if (at.seq === state.seq) return [];
    const entries = await store.since(roomId, at.epoch, at.seq);
    const now = feeds.state(roomId);
    if (entries === null || now === null || now.epoch !== at.epoch) return null;
    return entries.filter((entry) => entry.seq <= now.seq).map((entry) => JSON.parse(entry.json) as RoomEvent);
  }

  return { resume, missedBy };
}
