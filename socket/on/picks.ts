import type { Handler, Handlers } from '../route.ts';

export type PickRequests = {
  readonly choose: Handler<'pick:choose'>;
  readonly clear: Handler<'pick:clear'>;
  readonly vote: Handler<'vote:place'>;
};

export const pickHandlers = (picks: PickRequests): Pick<Handlers, 'pick:choose' | 'pick:clear' | 'vote:place'> => ({
  'pick:choose': (caller, payload) => picks.choose(caller, payload),
  'pick:clear': (caller, payload) => picks.clear(caller, payload),
  'vote:place': (caller, payload) => picks.vote(caller, payload),
});
