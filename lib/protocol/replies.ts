/** What each request is answered with. */
import type { BetId, MessageId, PlayerId, RaceId } from '../core/ids.ts';
import type { Locale } from '../errors.ts';
import type { Board, Statistics } from './boards.ts';
import type { RoomEvent } from './events.ts';
import type {
  ChatMessage,
  FrameChunkView,
  MemberView,
  MyBet,
  RaceLine,
  RaceRecord,
  Receipt,
  RoomCard,
  Snapshot,
} from './views.ts';
import type { OwnLimits, PastBet, StatementEntry } from './wallet.ts';

export type Replies = {
  'time:sync': { sentAt: number; serverAt: number };
  'session:link': { code: string; expiresAt: number };
  'session:logout': Record<string, never>;
  'lobby:watch': { version: number; rooms: readonly RoomCard[]; total: number; next?: string };
  'lobby:unwatch': Record<string, never>;
  'room:create': { room: Snapshot; seat: string; inviteKey?: string };
  'room:find': RoomCard;
  'room:join': { room: Snapshot; seat: string /** to the host of a room with a password */; inviteKey?: string };
  'room:leave': Record<string, never>;
  'room:role': Record<string, never>;
  'room:ready': Record<string, never>;
  'room:sync': { recovered: true; events: readonly RoomEvent[] } | { recovered: false; room: Snapshot };
  'room:members': { members: readonly MemberView[]; next?: PlayerId };
  'room:configure': { version: number; inviteKey?: string };
  'room:handover': Record<string, never>;
  'room:kick': Record<string, never>;
  'room:close': Record<string, never>;
  'race:start': { raceId: RaceId; closesAt: number };
  'race:get': RaceRecord;
  'race:history': { races: readonly RaceLine[]; next?: RaceId };
  'race:frames:get': { chunks: readonly FrameChunkView[] };
  'bet:place': { betId: BetId; balance: string; balanceVersion: number; receipt: Receipt };
  'bet:quote': { low: string; high: string };
  'bet:mine': {
    bets: readonly MyBet[];
    pick?: { horse: number | null; receipt?: Receipt };
    vote?: { place: number; receipt?: Receipt };
  };
  'bet:history': { bets: readonly PastBet[]; next?: string };
  'pick:choose': { horse: number; receipt: Receipt };
  'pick:clear': Record<string, never>;
  'vote:place': { receipt: Receipt };
  'chat:send': { messageId: MessageId };
  'chat:history': { messages: readonly ChatMessage[]; next?: MessageId };
  'chat:react': Record<string, never>;
  'wallet:get': {
    balance: string;
    balanceVersion: number;
    dailyClaimableAt: number;
    /** `granted`: what it would be now; 0 where balance and open stakes together are no less than it fills up to. `claimableAt` 0: never had. */
    relief: { claimableAt: number; granted: string; upTo: string };
    limits: OwnLimits;
  };
  /** `restarted`: an entry has come in below the newest one read, so this is the first page again. */
  'wallet:history': { entries: readonly StatementEntry[]; next?: string; restarted?: true };
  'wallet:claim': { balance: string; balanceVersion: number; granted: string };
  'board:get': Board;
  'profile:get': {
    playerId: PlayerId;
    nickname: string;
    locale: Locale;
    createdAt: number;
    statistics: Statistics;
    /** to oneself only: the balance after each of the newest entries of the wallet, some left out, oldest first */
    curve?: readonly { at: number; balance: string }[];
    /** to oneself only */
    limits?: OwnLimits;
  };
  'profile:update': { nickname: string; locale: Locale; limits?: OwnLimits };
};
