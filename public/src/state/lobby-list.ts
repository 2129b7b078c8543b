import type { Kind, RoomCard, ServerEvents } from '../types.ts';

export type LobbyList = {
  readonly version: number;
  readonly rooms: readonly RoomCard[];
  readonly total: number;
  readonly next?: string;
};

/** Cards that changed stay where they are; new ones that fit the filter go to the top. */
export function withUpdate(
  list: LobbyList,
  update: ServerEvents['lobby:update'],
  kind: Kind | null,
  wanted: string,
): LobbyList {
  if (update.version < list.version) return list;
  const removed = new Set<string>(update.removed);
  const changed = new Map(update.upserted.map((card) => [card.id, card]));
  const kept = list.rooms.filter((card) => !removed.has(card.id)).map((card) => changed.get(card.id) ?? card);
  const known = new Set(kept.map((card) => card.id));
  const needle = wanted.trim().toLowerCase();
  const added = update.upserted.filter(
    (card) =>
      !known.has(card.id) &&
      (kind === null || card.kind === kind) &&
      (needle === '' || card.name.toLowerCase().includes(needle) || card.code.toLowerCase().includes(needle)),
  );
  return { ...list, version: update.version, rooms: [...added, ...kept], total: update.total };
}
