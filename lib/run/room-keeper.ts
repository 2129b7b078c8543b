import type { RoomId } from '../core/ids.ts';
import { raceIsOver } from '../core/room.ts';
import type { Logger, RoomRecords, ServerClock } from '../ports.ts';
import type { RoomState } from '../service/room-access.ts';
import type { RoomCommands } from '../service/room-commands.ts';
import type { RoomFacts } from '../service/room-facts.ts';
import type { RoomFeeds } from '../service/room-feeds.ts';
import type { RoomHosts } from '../service/room-hosts.ts';
import { LEASE_RENEWAL_MS, type Membership } from '../service/room-membership.ts';

export type RoomKeeperDeps = {
  readonly feeds: RoomFeeds;
  readonly commands: RoomCommands;
  readonly membership: Membership;
  readonly hosts: RoomHosts;
  readonly facts: RoomFacts;
  readonly records: Pick<RoomRecords, 'close'>;
  readonly clock: ServerClock;
  readonly log: Logger;
  readonly limits: { readonly seatSeconds: number };
  /** The store lets go of a closed room once the archive has it. */
  readonly removeRoom: (roomId: RoomId) => Promise<void>;
};

type Tick = {
  readonly since: number;
  readonly now: number;
  /** PostgreSQL has not answered what was asked last: nothing more is asked of it. */
  readonly away: boolean;
};

const TICK_MS = 1_000;
/** Members of a closed room read its last words before the feed goes. */
const AFTER_CLOSE_MS = 5_000;
const WARN_MINUTES = [10, 1];

/** What happens to rooms by time alone: seats end, hosts are replaced, rooms expire or stand empty too long, facts catch up. */
export class RoomKeeper {
  readonly #deps: RoomKeeperDeps;
  readonly #timer: NodeJS.Timeout;
  #lastTick: number;
  #lastLease = 0;
  /** One question at a time: a silent PostgreSQL must not hold up what needs none. */
  #catchingUp: Promise<void> | null = null;
  /** The last question of that kind was refused: until one is answered again it is the only one that is asked. */
  #refused = false;
  /** Rooms that are being closed: with PostgreSQL away the next tick must not ask on top of it. */
  readonly #expiring = new Set<RoomId>();

  constructor(deps: RoomKeeperDeps) {
    this.#deps = deps;
    this.#lastTick = deps.clock.now();
    this.#timer = setInterval(() => this.#tick(), TICK_MS);
    this.#timer.unref();
  }

  async close(): Promise<void> {
    clearInterval(this.#timer);
    await this.#catchingUp;
  }

  #tick(): void {
    const { feeds, clock, membership, facts, log } = this.#deps;
    const now = clock.now();
    const since = this.#lastTick;
    this.#lastTick = now;
    if (now - this.#lastLease >= LEASE_RENEWAL_MS) {
      this.#lastLease = now;
      membership.renewLeases();
    }
    membership.catchUp();
    const away = this.#refused || this.#catchingUp !== null;
    for (const roomId of feeds.served()) {
      const state = feeds.state(roomId);
      if (state) this.#keep(roomId, state, { since, now, away });
    }
    this.#catchingUp ??= facts
      .publishBehind()
      .then(
        () => {
          this.#refused = false;
        },
        (error: unknown) => {
          this.#refused = true;
          log.debug({ err: error }, 'facts not compared');
        },
      )
      .finally(() => {
        this.#catchingUp = null;
      });
  }

  #keep(roomId: RoomId, state: RoomState, { since, now, away }: Tick): void {
    const { document } = state;
    if (document.closed !== null) {
      if (now - document.closed.at > AFTER_CLOSE_MS) this.#dismiss(roomId);
      return;
    }
    this.#endSeats(roomId, state, now);
    if (!away) this.#deps.hosts.ensure(roomId);
    if (document.house) return;
    this.#warn(roomId, state, since, now);
    if (away) return;
    const expired = document.expiresAt <= now;
    if ((expired || this.#standsEmpty(state, now)) && raceIsOver(document)) this.#expire(roomId);
  }

  #endSeats(roomId: RoomId, state: RoomState, now: number): void {
    for (const [playerId, since] of state.awaySince) {
      if (now - since < this.#deps.limits.seatSeconds * 1_000) continue;
      this.#deps.membership.endSeat(roomId, playerId);
    }
  }

  #warn(roomId: RoomId, { document }: RoomState, since: number, now: number): void {
    for (const minutes of WARN_MINUTES) {
      const at = document.expiresAt - minutes * 60_000;
      if (since < at && at <= now) this.#append(roomId, minutes);
    }
  }

  #append(roomId: RoomId, minutes: number): void {
    this.#deps.commands
      .submit(roomId, {
        mark: null,
        decide: () => ({ events: [{ type: 'notice', key: 'closing-soon', params: { minutes } }] }),
      })
      .catch((error: unknown) => this.#deps.log.debug({ err: error, roomId }, 'notice dropped'));
  }

  /** Nobody connected since `emptyGraceSeconds`, counted from the last who left or from the end of the race. */
  #standsEmpty({ document, connected, awaySince, emptySince }: RoomState, now: number): boolean {
    if (connected.size > 0) return false;
    const last = Math.max(document.createdAt, emptySince, document.race?.endsAt ?? 0, ...awaySince.values());
    return now - last >= document.settings.emptyGraceSeconds * 1_000;
  }

  #expire(roomId: RoomId): void {
    const { records, facts, log } = this.#deps;
    if (this.#expiring.has(roomId)) return;
    this.#expiring.add(roomId);
    records
      .close(roomId, 'expired')
      .then(() => facts.publish(roomId))
      .catch((error: unknown) => log.debug({ err: error, roomId }, 'room not closed yet'))
      .finally(() => this.#expiring.delete(roomId));
  }

  #dismiss(roomId: RoomId): void {
    const { feeds, commands, removeRoom, log } = this.#deps;
    commands.forget(roomId);
    feeds
      .leave(roomId)
      .then(() => removeRoom(roomId))
      .catch((error: unknown) => log.warn({ err: error, roomId }, 'closed room not removed'));
  }
}
