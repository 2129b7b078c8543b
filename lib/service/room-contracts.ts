import type { RoomId } from '../core/ids.ts';
import type { Handshake, Payload, Reply, RequestName, RoomEventsPacket, Snapshot } from '../protocol.ts';
import type { Caller } from './caller.ts';

export type Resumed =
  | { readonly kind: 'events'; readonly packet: RoomEventsPacket }
  | { readonly kind: 'snapshot'; readonly room: Snapshot; readonly seat: string }
  /** The seat is gone; `cause` is what `session:ready.left` tells. */
  | { readonly kind: 'left'; readonly cause: 'closed' | 'expired' | 'kicked' | 'timeout' | 'gone' };

type Answer<Name extends RequestName> = (caller: Caller, payload: Payload<Name>) => Promise<Reply<Name>>;

/** What the edge may ask of rooms; one method a request, and the connection's own comings and goings. */
export interface RoomsService {
  readonly create: Answer<'room:create'>;
  readonly find: Answer<'room:find'>;
  readonly join: Answer<'room:join'>;
  readonly leave: Answer<'room:leave'>;
  readonly role: Answer<'room:role'>;
  readonly ready: Answer<'room:ready'>;
  readonly sync: Answer<'room:sync'>;
  readonly members: Answer<'room:members'>;
  readonly configure: Answer<'room:configure'>;
  readonly handover: Answer<'room:handover'>;
  readonly kick: Answer<'room:kick'>;
  readonly close: Answer<'room:close'>;
  /** After the handshake; attaches the connection where it can. */
  resume(caller: Caller, resume: NonNullable<Handshake['resume']>): Promise<Resumed>;
  /** The connection is gone. Never throws. */
  disconnected(caller: Caller): void;
  /** The player has a new nickname: tell the rooms they are in. Never throws. */
  renamed(caller: Caller): void;
  roomOf(connectionId: string): RoomId | null;
}
