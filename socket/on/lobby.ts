import type { Handler, Handlers } from '../route.ts';

export type LobbyRequests = {
  readonly watch: Handler<'lobby:watch'>;
  readonly unwatch: Handler<'lobby:unwatch'>;
};

export const lobbyHandlers = (lobby: LobbyRequests): Pick<Handlers, Extract<keyof Handlers, `lobby:${string}`>> => ({
  'lobby:watch': (caller, payload) => lobby.watch(caller, payload),
  'lobby:unwatch': (caller, payload) => lobby.unwatch(caller, payload),
});
