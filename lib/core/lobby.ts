import type { RoomCard } from '../protocol.ts';
import type { RoomKind } from './room-state.ts';

/** Names and searches as they are compared: composed, without case. */
export function foldName(text: string): string {
  return text.normalize('NFC').toLowerCase().trim();
}

export function matchesSearch(
  card: RoomCard,
  query: { readonly search?: string | undefined; readonly kind?: RoomKind | undefined },
): boolean {
  const ofKind = query.kind === undefined || card.kind === query.kind;
  return ofKind && foldName(card.name).includes(foldName(query.search ?? ''));
}
