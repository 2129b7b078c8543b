import debounce from 'lodash.debounce';
import type { RoomId } from '../core/ids.ts';
import { matchesSearch } from '../core/lobby.ts';
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

/**
 * What several watchers look at: the rooms of one page as last sent, so that changes go out as differences. A room stays
 * on the page while others overtake it: a list that is being read must not jump, and what nobody sees is not sent.
 */
type View = {
  readonly query: LobbyQuery;
  readonly watchers: Set<string>;
  cards: ReadonlyMap<RoomId, RoomCard>;
  total: number;
  version: number;
};
type Page = ReturnType<RoomStore['list']>;
type Changes = ReadonlyMap<RoomId, RoomCard | null>;

/** The list of rooms for those that watch it; nobody else hears of it. */
export function createLobby(deps: LobbyDeps) {
  const { store, push, log } = deps;
  const views = new Set<View>();
  const watching = new Map<string, View>();
  let changes = new Map<RoomId, RoomCard | null>();

  const send = debounce(() => void refreshAll(), GATHER_MS, { leading: true, trailing: true, maxWait: LONGEST_MS });
  const subscription = store.watchCards(({ roomId, card }) => {
    if (views.size === 0) return;
    changes.set(roomId, card);
    send();
  });

  async function refreshAll(): Promise<void> {
    const since = changes;
    changes = new Map();
    // Views of one search differ in what they show, not in what there is.
    const pages = new Map<string, Page>();
    const pageOf = (query: LobbyQuery): Page => {
      const key = JSON.stringify(query);
      const page = pages.get(key) ?? store.list(query);
      pages.set(key, page);
      return page;
    };
    try {
      await Promise.all([...views].map((view) => refresh(view, since, pageOf(view.query))));
    } catch (error) {
      log.warn({ err: error }, 'lobby not refreshed');
    }
  }

  async function refresh(view: View, since: Changes, page: Page): Promise<void> {
    const { rooms, total } = await page;
    const before = view.cards;
    const now = new Map<RoomId, RoomCard>();
    for (const [roomId, card] of before) {
      const current = since.has(roomId) ? since.get(roomId) : card;
      if (current && matchesSearch(current, view.query)) now.set(roomId, current);
    }
    for (const card of rooms) if (now.size < PAGE || now.has(card.id)) now.set(card.id, card);
    const upserted = [...now.values()].filter((card) => JSON.stringify(before.get(card.id)) !== JSON.stringify(card));
    const removed = [...before.keys()].filter((roomId) => !now.has(roomId));
    if (upserted.length === 0 && removed.length === 0 && total === view.total) return;
    view.cards = now;
    view.total = total;
    view.version++;
    const update = { version: view.version, upserted, removed, total };
    for (const connectionId of [...view.watchers]) {
      if (!push.connection(connectionId, 'lobby:update', update)) unwatch(connectionId);
    }
  }

  function unwatch(connectionId: string): void {
    const view = watching.get(connectionId);
    if (view === undefined) return;
    watching.delete(connectionId);
    view.watchers.delete(connectionId);
    if (view.watchers.size === 0) views.delete(view);
  }

  /** Watchers of the same rooms share a view; whoever comes later and sees others first has one of their own. */
  function viewOf(query: LobbyQuery, rooms: readonly RoomCard[], total: number): View {
    const wanted = JSON.stringify(query);
    for (const view of views) {
      const same = JSON.stringify(view.query) === wanted && view.cards.size === rooms.length;
      if (same && rooms.every((card) => JSON.stringify(view.cards.get(card.id)) === JSON.stringify(card))) return view;
    }
    return { query, watchers: new Set(), cards: new Map(rooms.map((card) => [card.id, card])), total, version: 1 };
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
      const page = await store.list(query);
      // Again: the same connection may have asked for another page meanwhile.
      unwatch(caller.connectionId);
      const view = viewOf(query, page.rooms, page.total);
      views.add(view);
      view.watchers.add(caller.connectionId);
      watching.set(caller.connectionId, view);
      return {
        version: view.version,
        rooms: page.rooms,
        total: page.total,
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
