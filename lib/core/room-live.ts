import type { ChatMessage, RoomEventBody } from '../protocol.ts';
import { applyToChat } from './chat.ts';
import type { Epoch, PlayerId } from './ids.ts';
import { applyToRoom } from './room.ts';
import type { RoomDocument } from './room-state.ts';

/** A room at one position of its log: the document, and what is known of people and talk beside it. */
export type RoomState = {
  readonly document: RoomDocument;
  readonly epoch: Epoch;
  readonly seq: number;
  readonly connected: ReadonlySet<PlayerId>;
  /** Since when members are gone (server time); present for exactly those that are not connected. */
  readonly awaySince: ReadonlyMap<PlayerId, number>;
  /** When the last who was connected went (server time; when the room was loaded, if nobody was). */
  readonly emptySince: number;
  /** Newest last, at most `CHAT_TAIL`. */
  readonly chat: readonly ChatMessage[];
};

/** The state after one event. `seq`, versions and epoch are set by whoever knows them. */
export function applyToState(state: RoomState, event: RoomEventBody, at: number): RoomState {
  const document = applyToRoom(state.document, event, at);
  const chat = applyToChat(state.chat, event);
  const people = applyToPresence(state, event, at);
  return { ...state, ...people, document, chat };
}

type Presence = Pick<RoomState, 'connected' | 'awaySince' | 'emptySince'>;

function applyToPresence(state: RoomState, event: RoomEventBody, at: number): Presence {
  switch (event.type) {
    case 'member joined':
      return withPresence(state, event.member.id, event.member.connected, true, at);
    case 'member changed':
      if (event.patch.connected === undefined) return state;
      return withPresence(state, event.playerId, event.patch.connected, true, at);
    case 'member left':
      return withPresence(state, event.playerId, false, false, at);
    default:
      return state;
  }
}

function withPresence(state: Presence, playerId: PlayerId, isHere: boolean, isMember: boolean, at: number): Presence {
  const connected = new Set(state.connected);
  const awaySince = new Map(state.awaySince);
  connected.delete(playerId);
  awaySince.delete(playerId);
  if (isHere) connected.add(playerId);
  else if (isMember) awaySince.set(playerId, at);
  const emptied = state.connected.size > 0 && connected.size === 0;
  return { connected, awaySince, emptySince: emptied ? at : state.emptySince };
}
