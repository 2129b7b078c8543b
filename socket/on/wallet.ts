import type { Handler, Handlers } from '../route.ts';

export type WalletRequests = {
  readonly get: Handler<'wallet:get'>;
  readonly claim: Handler<'wallet:claim'>;
};
export type StatementRequests = {
  readonly entries: Handler<'wallet:history'>;
  readonly bets: Handler<'bet:history'>;
};

type Names = Extract<keyof Handlers, `wallet:${string}`> | 'bet:history';

export const walletHandlers = (wallet: WalletRequests, statement: StatementRequests): Pick<Handlers, Names> => ({
  'wallet:get': (caller, payload) => wallet.get(caller, payload),
  'wallet:claim': (caller, payload) => wallet.claim(caller, payload),
  'wallet:history': (caller, payload) => statement.entries(caller, payload),
  'bet:history': (caller, payload) => statement.bets(caller, payload),
});
