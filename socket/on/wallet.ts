import type { Handler, Handlers } from '../route.ts';

export type WalletRequests = {
  readonly get: Handler<'wallet:get'>;
  readonly claim: Handler<'wallet:claim'>;
};

export const walletHandlers = (
  wallet: WalletRequests,
): Pick<Handlers, Extract<keyof Handlers, `wallet:${string}`>> => ({
  'wallet:get': (caller, payload) => wallet.get(caller, payload),
  'wallet:claim': (caller, payload) => wallet.claim(caller, payload),
});
