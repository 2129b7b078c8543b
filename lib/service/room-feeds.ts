import type { Epoch, PlayerId, RoomId } from '../core/ids.ts';
import { memberOf } from '../core/room.ts';
import { applyToState, type RoomState } from '../core/room-live.ts';
import type { Delivery, LoadedRoom, LogEntry, Logger, RoomStore, ServerClock } from '../ports.ts';
import type { RoomEvent } from '../protocol.ts';

type EntriesListener = (roomId: RoomId, epoch: Epoch, entries: readonly LogEntry[]) => void;
type EventsListener = (roomId: RoomId, events: readonly RoomEvent[]) => void;

/** One served room: subscribed, loaded, and moved on only by what the log delivers. */
type Feed = {
  readonly roomId: RoomId;
  state: RoomState;
  /** Deliveries that came while a load was under way; null when none is. */
  waiting: Delivery[] | null;
  subscription: { close(): Promise<void> } | null;
  /** Called once each when the state has reached a seq. */
  readonly reached: Set<{ readonly epoch: Epoch; readonly seq: number; readonly resolve: () => void }>;
};

export type RoomFeedsDeps = {
  readonly store: RoomStore;
  readonly clock: ServerClock;
  readonly log: Logger;
};

/**
 * The rooms this instance serves, each as delivered so far. The order that loses nothing: subscription confirmed → buffer →
 * load → drop what the load has → deliver. A gap or a new epoch is answered by loading again.
 */
export class RoomFeeds {
  readonly #deps: RoomFeedsDeps;
  readonly #feeds = new Map<RoomId, Feed>();
  readonly #opening = new Map<RoomId, Promise<Feed | null>>();
  readonly #entries: EntriesListener[] = [];
  readonly #events: EventsListener[] = [];
  readonly #resets: ((roomId: RoomId) => void)[] = [];
  #closed = false;

  constructor(deps: RoomFeedsDeps) {
    this.#deps = deps;
  }

  state(roomId: RoomId): RoomState | null {
    return this.#feeds.get(roomId)?.state ?? null;
  }

  served(): readonly RoomId[] {
    return [...this.#feeds.keys()];
  }

  onEntries(listener: EntriesListener): void {
    this.#entries.push(listener);
  }

  onEvents(listener: EventsListener): void {
    this.#events.push(listener);
  }

  /** The room had to be loaded anew: what its members hold may not join up with what comes. */
  onReset(listener: (roomId: RoomId) => void): void {
    this.#resets.push(listener);
  }

  async serve(roomId: RoomId): Promise<RoomState | null> {
    const feed = this.#feeds.get(roomId) ?? (await this.#open(roomId));
    return feed?.state ?? null;
  }

  async leave(roomId: RoomId): Promise<void> {
    const feed = this.#feeds.get(roomId);
    if (!feed) return;
    this.#feeds.delete(roomId);
    for (const waiter of feed.reached) waiter.resolve();
    await feed.subscription?.close();
  }

  /** Resolves when the room has been delivered up to (epoch, seq), when its epoch has changed, or after `timeoutMs`. */
  async caughtUp(roomId: RoomId, epoch: Epoch, seq: number, timeoutMs: number): Promise<void> {
    const feed = this.#feeds.get(roomId);
    if (!feed || feed.state.epoch !== epoch || feed.state.seq >= seq) return;
    await new Promise<void>((resolve) => {
      const done = (): void => {
        clearTimeout(timer);
        feed.reached.delete(waiter);
        resolve();
      };
      const waiter = { epoch, seq, resolve: done };
      const timer = setTimeout(done, timeoutMs);
      feed.reached.add(waiter);
    });
  }

  async close(): Promise<void> {
    this.#closed = true;
    await Promise.all([...this.#feeds.keys()].map((roomId) => this.leave(roomId)));
  }

  /** Loads again, as after a conflict that cannot be explained by what is still on its way. */
  async reload(roomId: RoomId): Promise<void> {
    const feed = this.#feeds.get(roomId);
    if (feed) await this.#load(feed);
  }

  #open(roomId: RoomId): Promise<Feed | null> {
    if (this.#closed) return Promise.resolve(null);
    const underWay = this.#opening.get(roomId);
    if (underWay) return underWay;
    const opening = this.#subscribeAndLoad(roomId).finally(() => this.#opening.delete(roomId));
    this.#opening.set(roomId, opening);
    return opening;
  }

  async #subscribeAndLoad(roomId: RoomId): Promise<Feed | null> {
    const early: Delivery[] = [];
    let feed: Feed | null = null;
    const subscription = await this.#deps.store.subscribe(roomId, (delivery) => {
      if (feed === null) early.push(delivery);
      else this.#receive(feed, delivery);
    });
    const loaded = await this.#deps.store.load(roomId);
    if (loaded === null) {
      await subscription.close();
      return null;
    }
    feed = { roomId, state: this.#stateOf(loaded, null), waiting: null, subscription, reached: new Set() };
    this.#feeds.set(roomId, feed);
    for (const delivery of early) this.#receive(feed, delivery);
    return feed;
  }

  #stateOf(loaded: LoadedRoom, before: RoomState | null): RoomState {
    const now = this.#deps.clock.now();
    const connected = new Set<PlayerId>(loaded.present.filter((id) => memberOf(loaded.document, id) !== undefined));
    const away = loaded.document.members.filter((member) => !connected.has(member.id));
    return {
      document: loaded.document,
      epoch: loaded.epoch,
      seq: loaded.seq,
      connected,
      awaySince: new Map(away.map((member) => [member.id, before?.awaySince.get(member.id) ?? now])),
      emptySince: before?.emptySince ?? now,
      chat: loaded.chat,
    };
  }

  #receive(feed: Feed, delivery: Delivery): void {
    if (feed.waiting !== null) {
      feed.waiting.push(delivery);
      return;
    }
    const { state } = feed;
    if (delivery.epoch !== state.epoch) {
      this.#repair(feed, delivery);
      return;
    }
    const fresh = delivery.entries.filter((entry) => entry.seq > state.seq);
    const first = fresh[0];
    if (first === undefined) return;
    if (first.seq !== state.seq + 1) {
      this.#repair(feed, delivery);
      return;
    }
    this.#advance(feed, fresh, delivery);
  }

  #advance(
    feed: Feed,
    fresh: readonly LogEntry[],
    delivery: Pick<Delivery, 'epoch' | 'version' | 'factVersion'>,
  ): void {
    const events = fresh.map((entry) => JSON.parse(entry.json) as RoomEvent);
    let state = feed.state;
    for (const event of events) state = { ...applyToState(state, event, event.at), seq: event.seq };
    const versions = { version: delivery.version, factVersion: delivery.factVersion };
    feed.state = { ...state, document: { ...state.document, ...versions } };
    this.#tell(() => {
      for (const listener of this.#entries) listener(feed.roomId, delivery.epoch, fresh);
    });
    this.#tell(() => {
      for (const listener of this.#events) listener(feed.roomId, events);
    });
    for (const waiter of feed.reached) if (feed.state.seq >= waiter.seq) waiter.resolve();
  }

  /** A listener that throws must not stop the log for the others. */
  #tell(call: () => void): void {
    try {
      call();
    } catch (error) {
      this.#deps.log.error({ err: error }, 'room listener failed');
    }
  }

  #repair(feed: Feed, delivery: Delivery): void {
    feed.waiting = [delivery];
    this.#load(feed).catch((error: unknown) => {
      this.#deps.log.warn({ err: error, roomId: feed.roomId }, 'room repair failed');
    });
  }

  /** Missing entries are delivered from the log where it still has them; else the room is taken as it is now. */
  async #load(feed: Feed): Promise<void> {
    const { epoch, seq } = feed.state;
    feed.waiting ??= [];
    try {
      const missed = await this.#deps.store.since(feed.roomId, epoch, seq);
      const loaded = await this.#deps.store.load(feed.roomId);
      if (loaded === null) {
        await this.leave(feed.roomId);
        return;
      }
      const bridged = missed !== null && loaded.epoch === epoch;
      if (bridged && missed.length > 0) {
        this.#advance(feed, missed, {
          epoch,
          version: loaded.document.version,
          factVersion: loaded.document.factVersion,
        });
      } else if (!bridged) {
        feed.state = this.#stateOf(loaded, feed.state);
        for (const waiter of feed.reached) waiter.resolve();
        this.#tell(() => {
          for (const listener of this.#resets) listener(feed.roomId);
        });
      }
    } finally {
      const waiting = feed.waiting ?? [];
      feed.waiting = null;
      for (const delivery of waiting) this.#receive(feed, delivery);
    }
  }
}
