/** Names for the parts of the wire contract; the contract's module itself stays out of the page. */
import type { ChatMessage, MemberView, RaceView, Replies, RequestName, Snapshot } from '../../lib/protocol.ts';

export type {
  Ack,
  Board,
  BoardRow,
  ChatMessage,
  FrameChunkView,
  Handshake,
  MemberView,
  MyBet,
  OddsView,
  OwnLimits,
  PastBet,
  Payload,
  RaceLine,
  RaceRecord,
  RaceView,
  Receipt,
  Replies,
  Reply,
  RequestName,
  RoomCard,
  RoomEvent,
  RoomEventBody,
  RoomEventsPacket,
  ServerEvents,
  SettledBet,
  Snapshot,
  StatementEntry,
} from '../../lib/protocol.ts';

export type Runner = RaceView['field'][number];
export type Silks = Runner['silks'];
export type Pool = RaceView['pools'][number];
export type Phase = RaceView['phase'];
export type Track = RaceView['track'];
export type RaceResult = NonNullable<RaceView['result']>;
export type Kind = Snapshot['kind'];
export type Settings = Snapshot['settings'];
export type Role = MemberView['role'];
export type PlayerId = MemberView['id'];
export type RoomId = Snapshot['id'];
export type RaceId = RaceView['id'];
export type MessageId = ChatMessage['id'];
export type Epoch = Snapshot['epoch'];
export type BoardMetric = import('../../lib/protocol.ts').Payload<'board:get'>['metric'];
export type BoardWindow = import('../../lib/protocol.ts').Payload<'board:get'>['window'];
export type Mine = Replies['bet:mine'];
export type Locale = 'ko' | 'en';

/** Requests that change something: they carry a command id. */
export type CommandName = {
  [Name in RequestName]: import('../../lib/protocol.ts').Payload<Name> extends { commandId: unknown } ? Name : never;
}[RequestName];
export type AskName = Exclude<RequestName, CommandName>;
