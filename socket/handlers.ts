import type { ServerClock } from '../lib/ports.ts';
import type { RoomsService } from '../lib/service/room-contracts.ts';
import type { Sessions } from '../lib/service/sessions.ts';
import { type BetRequests, betHandlers } from './on/bets.ts';
import { type BoardRequests, boardHandlers } from './on/boards.ts';
import { type ChatRequests, chatHandlers } from './on/chat.ts';
import { type LobbyRequests, lobbyHandlers } from './on/lobby.ts';
import { type PickRequests, pickHandlers } from './on/picks.ts';
import { type RaceRequests, raceHandlers } from './on/races.ts';
import { roomHandlers } from './on/rooms.ts';
import { sessionHandlers } from './on/sessions.ts';
import { type StatementRequests, type WalletRequests, walletHandlers } from './on/wallet.ts';
import type { Handlers } from './route.ts';

export type Services = {
  readonly clock: ServerClock;
  readonly sessions: Sessions;
  readonly rooms: RoomsService;
  readonly chat: ChatRequests;
  readonly lobby: LobbyRequests;
  readonly races: RaceRequests;
  readonly bets: BetRequests;
  readonly picks: PickRequests;
  readonly wallet: WalletRequests;
  readonly statement: StatementRequests;
  readonly boards: BoardRequests;
};

/** A handler for every request of the protocol: one that is missing does not compile. */
export const createHandlers = (services: Services): Handlers => ({
  ...sessionHandlers(services.sessions, services.clock),
  ...lobbyHandlers(services.lobby),
  ...roomHandlers(services.rooms),
  ...raceHandlers(services.races),
  ...betHandlers(services.bets),
  ...pickHandlers(services.picks),
  ...chatHandlers(services.chat),
  ...boardHandlers(services.boards),
  ...walletHandlers(services.wallet, services.statement),
});
