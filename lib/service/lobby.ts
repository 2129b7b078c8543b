import debounce from 'lodash.debounce';
import type { RoomId } from '../core/ids.ts';
import type { LobbyQuery, Logger, Push, RoomStore } from '../ports.ts';
import type { Payload, Reply, RoomCard } from '../protocol.ts';
import type { Caller } from './caller.ts';

export type LobbyDeps = {
  readonly store: Pick<RoomStore, 'list' | 'watchCards'>;
  readonly push: Push;
  readonly log: Logger;
};

const PAGE = 50;
/** Pushes are gathered for this long, and under steady change sent at least this often. */
const GATHER_MS = 200;
const LONGEST_MS = 1_000;

/** What several watchers look at: one page of one search. Kept as last sent, so that changes go out as differences. */
type View = {
  readonly query: LobbyQuery;
  readonly watchers: Set<string>;
  cards: ReadonlyMap<RoomId, RoomCard>;
  total: number;
  version: number;
};

/** The list of rooms for those that watch it; nobody else hears of it. */
export function createLobby(deps: LobbyDeps) {
  const { store, push, log } = deps;
  const views = new Map<string, View>();
  const watching = new Map<string, string>();

  const send = debounce(() => void refreshAll(), GATHER_MS, { leading: true, trailing: true, maxWait: LONGEST_MS });
  const subscription = store.watchCards(() => {
    if (views.size > 0) send();
  });

  async function refreshAll(): Promise<void> {
    try {
      await Promise.all([...views.values()].map(refresh));
    } catch (error) {
      log.warn({ err: error }, 'lobby not refreshed');
    }
  }

  async function refresh(view: View): Promise<void> {
    const page = await store.list(view.query);
    const before = view.cards;
    const now = new Map(page.rooms.map((card) => [card.id, card]));
    const upserted = page.rooms.filter((card) => JSON.stringify(before.get(card.id)) !== JSON.stringify(card));
    const removed = [...before.keys()].filter((roomId) => !now.has(roomId));
    if (upserted.length === 0 && removed.length === 0 && page.total === view.total) return;
    view.cards = now;
    view.total = page.total;
    view.version++;
    const update = { version: view.version, upserted, removed, total: page.total };
    for (const connectionId of [...view.watchers]) {
      if (!push.connection(connectionId, 'lobby:update', update)) unwatch(connectionId);
    }
  }

  function unwatch(connectionId: string): void {
    const key = watching.get(connectionId);
    if (key === undefined) return;
    watching.delete(connectionId);
    const view = views.get(key);
    view?.watchers.delete(connectionId);
    if (view?.watchers.size === 0) views.delete(key);
  }

  return {
    /** One view a connection; watching another page replaces it. */
    async watch(caller: Caller, payload: Payload<'lobby:watch'>): Promise<Reply<'lobby:watch'>> {
      unwatch(caller.connectionId);
      const search = payload.search?.trim().toLowerCase();
      const query: LobbyQuery = {
        limit: PAGE,
        ...(search ? { search } : {}),
        ...(payload.kind === undefined ? {} : { kind: payload.kind }),
        ...(payload.after === undefined ? {} : { after: payload.after }),
      };
      const key = JSON.stringify(query);
      const page = await store.list(query);
      // What is kept is what the others were sent; they hear of the difference first, then all hold the same.
      const view = views.get(key) ?? {
        query,
        watchers: new Set<string>(),
        cards: new Map(page.rooms.map((card) => [card.id, card])),
        total: page.total,
        version: 1,
      };
      views.set(key, view);
      await refresh(view);
      view.watchers.add(caller.connectionId);
      watching.set(caller.connectionId, key);
      return {
        version: view.version,
        rooms: [...view.cards.values()],
        total: view.total,
        ...(page.next === undefined ? {} : { next: page.next }),
      };
    },

    async unwatch(caller: Caller, _payload: Payload<'lobby:unwatch'>): Promise<Reply<'lobby:unwatch'>> {
      unwatch(caller.connectionId);
      return {};
    },

    disconnected: unwatch,

    close(): void {
      send.cancel();
      subscription.close();
      views.clear();
    },
  };
}
export type Lobby = ReturnType<typeof createLobby>;
