import type { RoomId } from '../../lib/core/ids.ts';
import { foldName } from '../../lib/core/lobby.ts';
import type { LobbyQuery } from '../../lib/ports.ts';
import type { RoomCard } from '../../lib/protocol.ts';

/** A page holds so many cards at most, whatever was asked for. */
const PAGE = 50;

/** What decides a card's place: rooms that take bets or picks now, then the fuller ones, then the id. */
type Place = { readonly rank: 0 | 1; readonly players: number; readonly id: string };
type Item = { readonly place: Place; readonly card: RoomCard; readonly folded: string };

/** The cards of listed rooms, kept in order. A cursor is a place, so that pages go on where they stopped while cards move. */
export class LobbyIndex {
  readonly #byRoom = new Map<RoomId, Item>();
  readonly #ordered: Item[] = [];

  /** Sets or removes a card; false when nothing changed. */
  set(roomId: RoomId, card: RoomCard | null): boolean {
    const old = this.#byRoom.get(roomId);
    if (old === undefined ? card === null : card !== null && JSON.stringify(card) === JSON.stringify(old.card))
      return false;
    if (old !== undefined) {
      this.#ordered.splice(this.#position(old.place), 1);
      this.#byRoom.delete(roomId);
    }
    if (card !== null) {
      const item = { place: placeOf(card), card, folded: foldName(card.name) };
      this.#ordered.splice(this.#position(item.place), 0, item);
      this.#byRoom.set(roomId, item);
    }
    return true;
  }

  list(query: LobbyQuery): { readonly rooms: readonly RoomCard[]; readonly total: number; readonly next?: string } {
    const search = foldName(query.search ?? '');
    const after = query.after === undefined ? null : decode(query.after);
    const limit = Math.max(1, Math.min(query.limit, PAGE));
    const matching =
      search === '' && query.kind === undefined
        ? this.#ordered
        : this.#ordered.filter(
            ({ card, folded }) => (query.kind === undefined || card.kind === query.kind) && folded.includes(search),
          );
    const from = after === null ? 0 : firstAfter(matching, after);
    const page = matching.slice(from, from + limit);
    const last = page.at(-1);
    const more = last !== undefined && from + limit < matching.length;
    return {
      rooms: page.map(({ card }) => card),
      total: matching.length,
      ...(more ? { next: encode(last.place) } : {}),
    };
  }

  /** Where the place stands or would stand. */
  #position(place: Place): number {
    return lowerBound(this.#ordered, (item) => compare(item.place, place) < 0);
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
