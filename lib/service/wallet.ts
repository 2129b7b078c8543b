import { refuse } from '../errors.ts';
import type { Ledger, LedgerQueue, Push, ServerClock } from '../ports.ts';
import type { Payload, Reply } from '../protocol.ts';
import { dayOf, startOfDay, startOfNextDay } from './calendar.ts';
import type { Caller } from './caller.ts';
import { bodyHash } from './command-mark.ts';
import { ledgerRead } from './ledger-errors.ts';

export type WalletDeps = {
  readonly ledger: Pick<Ledger, 'wallet'>;
  readonly queue: LedgerQueue;
  readonly push: Push;
  readonly clock: ServerClock;
  /** points a day, for asking */
  readonly dailyPoints: number;
  /** points a player begins with, shown until the wallet is made by its first use */
  readonly startPoints: number;
  /** decides where a day begins, e.g. Asia/Seoul */
  readonly timeZone: string;
};

export function createWalletService({ ledger, queue, push, clock, dailyPoints, startPoints, timeZone }: WalletDeps) {
  return {
    async get(caller: Caller, _payload: Payload<'wallet:get'>): Promise<Reply<'wallet:get'>> {
      const wallet = await ledgerRead(ledger.wallet(caller.playerId));
      const now = clock.now();
      const claimed = wallet?.lastDailyDay === dayOf(now, timeZone);
      return {
        balance: String(wallet?.balance ?? startPoints),
        balanceVersion: wallet?.version ?? 0,
        dailyClaimableAt: claimed ? startOfNextDay(now, timeZone) : startOfDay(now, timeZone),
      };
    },

    /** Once a day and player, whatever the command id. */
    async claim(caller: Caller, payload: Payload<'wallet:claim'>): Promise<Reply<'wallet:claim'>> {
      const { playerId } = caller;
      const answer = await queue.submit({
        kind: 'claim',
        playerId,
        commandId: payload.commandId,
        bodyHash: bodyHash('wallet:claim', payload),
        claim: payload.kind,
        amount: BigInt(dailyPoints),
        day: dayOf(clock.now(), timeZone),
      });
      const { balance, balanceVersion, granted } = answer;
      if (balance === undefined || balanceVersion === undefined)
        throw refuse('INTERNAL', {}, new Error('the ledger granted without a balance'));
      push.player(playerId, 'wallet:update', { balance: String(balance), version: balanceVersion, cause: 'grant' });
      return { balance: String(balance), balanceVersion, granted: String(granted ?? BigInt(dailyPoints)) };
    },
  };
}
