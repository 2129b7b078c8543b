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
  /** The load that is under way, or that is tried again soon; deliveries wait for it. */
  loading: Promise<void> | null;
  waiting: Delivery[];
  retry: NodeJS.Timeout | null;
  subscription: { close(): Promise<void> } | null;
  /** Called once each when the state has reached a seq. */
  readonly reached: Set<{ readonly epoch: Epoch; readonly seq: number; readonly resolve: () => void }>;
};

/** Until a store that did not answer is asked again for what a feed is missing. */
const RETRY_MS = 250;

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
    if (feed.retry !== null) clearTimeout(feed.retry);
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

  /** Loads again, as after a conflict that cannot be explained by what is still on its way. Rejects when the store does not answer. */
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
    let loaded: LoadedRoom | null = null;
    try {
      loaded = await this.#deps.store.load(roomId);
    } finally {
      if (loaded === null || this.#closed) await subscription.close();
    }
    if (loaded === null || this.#closed) return null;
    const idle = { loading: null, waiting: [], retry: null };
    feed = { roomId, state: this.#stateOf(loaded, null), ...idle, subscription, reached: new Set() };
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
    if (feed.loading !== null) {
      feed.waiting.push(delivery);
      return;
    }
    const { state } = feed;
    const fresh = delivery.epoch === state.epoch ? delivery.entries.filter(({ seq }) => seq > state.seq) : null;
    if (fresh?.length === 0) return;
    if (fresh?.[0]?.seq === state.seq + 1) this.#advance(feed, fresh, delivery);
    else {
      this.#load(feed).catch((error: unknown) =>
        this.#deps.log.warn({ err: error, roomId: feed.roomId }, 'room not loaded'),
      );
      feed.waiting.push(delivery);
    }
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

  /** One load at a time; who asks meanwhile shares it. Rejects when the store does not answer, and is then tried again by itself. */
  #load(feed: Feed): Promise<void> {
    feed.loading ??= this.#catchUp(feed).then(
      () => {
        feed.loading = null;
        for (const delivery of feed.waiting.splice(0)) this.#receive(feed, delivery);
      },
      (error: unknown) => {
        feed.retry = setTimeout(() => {
          feed.loading = null;
          this.#load(feed).catch(() => {});
        }, RETRY_MS);
        if (this.#feeds.get(feed.roomId) !== feed) clearTimeout(feed.retry);
        throw error;
      },
    );
    return feed.loading;
  }

  /** Missing entries are delivered from the log where it still has them; else the room is taken as it is now. */
  async #catchUp(feed: Feed): Promise<void> {
    const { store } = this.#deps;
    const { roomId, state } = feed;
    const { epoch, seq } = state;
    const loaded = await store.load(roomId);
    const missed = loaded?.epoch === epoch ? await store.since(roomId, epoch, seq) : null;
    if (this.#feeds.get(roomId) !== feed) return;
    if (loaded === null) {
      await this.leave(roomId);
    } else if (missed === null) {
      feed.state = this.#stateOf(loaded, state);
      for (const waiter of feed.reached) waiter.resolve();
      this.#tell(() => {
        for (const listener of this.#resets) listener(roomId);
      });
    } else {
      // What came after the load has not its versions; it is on its way to us by itself.
      const fresh = missed.filter((entry) => entry.seq <= loaded.seq);
      const { version, factVersion } = loaded.document;
      if (fresh.length > 0) this.#advance(feed, fresh, { epoch, version, factVersion });
    }
  }
}
