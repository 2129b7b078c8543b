import { LRUCache } from 'lru-cache';
import type { RoomId } from '../../lib/core/ids.ts';
import { foldName } from '../../lib/core/lobby.ts';
import type { RoomKind } from '../../lib/core/room-state.ts';
import type { LobbyQuery } from '../../lib/ports.ts';
import type { RoomCard } from '../../lib/protocol.ts';

/** A page holds so many cards at most, whatever was asked for. */
const PAGE = 50;

/** What decides a card's place: rooms that take bets or picks now, then the fuller ones, then the id. */
type Place = { readonly rank: 0 | 1; readonly players: number; readonly id: string };
type Item = { readonly place: Place; readonly card: RoomCard; readonly folded: string };

/** What a list is of: the folded search (empty: all names) and the kind. */
type Subject = { readonly search: string; readonly kind: RoomKind | undefined };

/** Lists of searches that are kept up to date because somebody asked for them lately. */
const SEARCHES = 64;
const KINDS: readonly (RoomKind | undefined)[] = [undefined, 'bet', 'pick'];

/**
 * The cards of listed rooms, kept in order: all of them, those of each kind, and those of the latest searches, so that a page
 * is cut from a list that is there. Only a search that is new reads cards, those of the shortest list that has all it can find.
 * A cursor is a place, so that pages go on where they stopped while cards move.
 */
export class LobbyIndex {
  readonly #byRoom = new Map<RoomId, Item>();
  readonly #kinds = KINDS.map((kind) => new OrderedList({ search: '', kind }, []));
  readonly #searches = new LRUCache<string, OrderedList>({ max: SEARCHES });

  /** Sets or removes a card; false when nothing changed. */
  set(roomId: RoomId, card: RoomCard | null): boolean {
    const old = this.#byRoom.get(roomId);
    if (old === undefined ? card === null : card !== null && JSON.stringify(card) === JSON.stringify(old.card))
      return false;
    const item = card === null ? undefined : { place: placeOf(card), card, folded: foldName(card.name) };
    if (item === undefined) this.#byRoom.delete(roomId);
    else this.#byRoom.set(roomId, item);
    for (const list of this.#kinds) list.replace(old, item);
    for (const list of this.#searches.values()) list.replace(old, item);
    return true;
  }

  list(query: LobbyQuery): { readonly rooms: readonly RoomCard[]; readonly total: number; readonly next?: string } {
    const { items } = this.#listOf({ search: foldName(query.search ?? ''), kind: query.kind });
    const after = query.after === undefined ? null : decode(query.after);
    const limit = Math.max(1, Math.min(query.limit, PAGE));
    const from = after === null ? 0 : firstAfter(items, after);
    const page = items.slice(from, from + limit);
    const last = page.at(-1);
    const more = last !== undefined && from + limit < items.length;
    return {
      rooms: page.map(({ card }) => card),
      total: items.length,
      ...(more ? { next: encode(last.place) } : {}),
    };
  }

  #listOf(subject: Subject): OrderedList {
    const key = `${subject.kind ?? ''} ${subject.search}`;
    const kept =
      subject.search === '' ? this.#kinds.find(({ kind }) => kind === subject.kind) : this.#searches.get(key);
    if (kept !== undefined) return kept;
    const wider = [...this.#kinds, ...this.#searches.values()].filter((list) => list.includes(subject));
    const shortest = wider.reduce((best, list) => (list.items.length < best.items.length ? list : best));
    const list = new OrderedList(subject, shortest.items);
    this.#searches.set(key, list);
    return list;
  }
}

class OrderedList {
  readonly search: string;
  readonly kind: RoomKind | undefined;
  readonly items: Item[];

  /** `from`: ordered, with at least all that the list is of. */
  constructor({ search, kind }: Subject, from: readonly Item[]) {
    this.search = search;
    this.kind = kind;
    this.items = from.filter((item) => this.#holds(item));
  }

  /** Whether everything that a list of `other` holds is in this one. */
  includes(other: Subject): boolean {
    return (this.kind === undefined || this.kind === other.kind) && other.search.includes(this.search);
  }

  replace(old: Item | undefined, item: Item | undefined): void {
    if (old !== undefined && this.#holds(old)) this.items.splice(this.#position(old.place), 1);
    if (item !== undefined && this.#holds(item)) this.items.splice(this.#position(item.place), 0, item);
  }

  #holds({ card, folded }: Item): boolean {
    return (this.kind === undefined || card.kind === this.kind) && folded.includes(this.search);
  }

  /** Where the place stands or would stand. */
  #position(place: Place): number {
    return lowerBound(this.items, (item) => compare(item.place, place) < 0);
  }
}

function placeOf(card: RoomCard): Place {
  return { rank: card.phase === 'open' ? 0 : 1, players: card.players, id: card.id };
}

function compare(a: Place, b: Place): number {
  if (a.rank !== b.rank) return a.rank - b.rank;
  if (a.players !== b.players) return b.players - a.players;
  return a.id < b.id ? -1 : a.id > b.id ? 1 : 0;
}

function firstAfter(items: readonly Item[], place: Place): number {
  return lowerBound(items, (item) => compare(item.place, place) <= 0);
}

/** The first index whose item is not `before`. */
function lowerBound(items: readonly Item[], before: (item: Item) => boolean): number {
  let low = 0;
  let high = items.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    const item = items[middle];
    if (item !== undefined && before(item)) low = middle + 1;
    else high = middle;
  }
  return low;
}

function encode(place: Place): string {
  return Buffer.from(`${place.rank}.${place.players}.${place.id}`).toString('base64url');
}

/** A cursor that was not made here reads as none: the first page. */
function decode(cursor: string): Place | null {
  const found = /^([01])\.(\d{1,6})\.(.+)$/s.exec(Buffer.from(cursor, 'base64url').toString('utf8'));
  const [, rank, players, id] = found ?? [];
  if (id === undefined) return null;
  return { rank: rank === '0' ? 0 : 1, players: Number(players), id };
}
