import type { Handler, Handlers } from '../route.ts';

export type RaceRequests = {
  readonly start: Handler<'race:start'>;
  readonly get: Handler<'race:get'>;
  readonly history: Handler<'race:history'>;
  readonly frames: Handler<'race:frames:get'>;
};

export const raceHandlers = (races: RaceRequests): Pick<Handlers, Extract<keyof Handlers, `race:${string}`>> => ({
  'race:start': (caller, payload) => races.start(caller, payload),
  'race:get': (caller, payload) => races.get(caller, payload),
  'race:history': (caller, payload) => races.history(caller, payload),
  'race:frames:get': (caller, payload) => races.frames(caller, payload),
});
