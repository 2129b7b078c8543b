import type { Handler, Handlers } from '../route.ts';

export type BetRequests = {
  readonly place: Handler<'bet:place'>;
  readonly quote: Handler<'bet:quote'>;
  readonly mine: Handler<'bet:mine'>;
};

export const betHandlers = (bets: BetRequests): Pick<Handlers, 'bet:place' | 'bet:quote' | 'bet:mine'> => ({
  'bet:place': (caller, payload) => bets.place(caller, payload),
  'bet:quote': (caller, payload) => bets.quote(caller, payload),
  'bet:mine': (caller, payload) => bets.mine(caller, payload),
});
