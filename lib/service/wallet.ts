import { refuse } from '../errors.ts';
import type { LedgerQueue, Push, ServerClock, Standing, Statements } from '../ports.ts';
import type { Payload, Reply } from '../protocol.ts';
import { dayOf, startOfDay, startOfNextDay } from './calendar.ts';
import type { Caller } from './caller.ts';
import { bodyHash } from './command-mark.ts';
import { ledgerRead } from './ledger-errors.ts';
import { limitsAt, NO_LIMITS } from './own-limits.ts';

const HOUR_MS = 3_600_000;

export type WalletDeps = {
  readonly statements: Pick<Statements, 'standing'>;
  readonly queue: LedgerQueue;
  readonly push: Push;
  readonly clock: ServerClock;
  /** points a day, for asking */
  readonly dailyPoints: number;
  /** what balance and open stakes together are filled up to, for asking, … */
  readonly reliefPoints: number;
  /** … and how long after that again */
  readonly reliefEveryHours: number;
  /** points a player begins with, shown until the wallet is made by its first use */
  readonly startPoints: number;
  /** decides where a day begins, e.g. Asia/Seoul */
  readonly timeZone: string;
};

export function createWalletService(deps: WalletDeps) {
  const { statements, queue, push, clock, dailyPoints, startPoints, timeZone } = deps;
  const reliefPoints = BigInt(deps.reliefPoints);
  const reliefEveryMs = deps.reliefEveryHours * HOUR_MS;

  function reliefOf(standing: Standing | null): Reply<'wallet:get'>['relief'] {
    const held = standing === null ? BigInt(startPoints) : standing.balance + standing.openStakes;
    const last = standing?.lastReliefAt ?? null;
    return {
      claimableAt: last === null ? 0 : last + reliefEveryMs,
      granted: String(held < reliefPoints ? reliefPoints - held : 0n),
      upTo: String(reliefPoints),
    };
  }

  return {
    async get(caller: Caller, _payload: Payload<'wallet:get'>): Promise<Reply<'wallet:get'>> {
      const now = Math.floor(clock.now());
      const today = dayOf(now, timeZone);
      const standing = await ledgerRead(statements.standing(caller.playerId, today, reliefPoints));
      const claimed = standing?.lastDailyDay === today;
      return {
        balance: String(standing?.balance ?? startPoints),
        balanceVersion: standing?.version ?? 0,
        dailyClaimableAt: claimed ? startOfNextDay(now, timeZone) : startOfDay(now, timeZone),
        relief: reliefOf(standing),
        limits: limitsAt(standing?.limits ?? NO_LIMITS, now, timeZone),
      };
    },

    /** The daily allowance once a day, relief once in a while: whatever the command id, whatever the device. */
    async claim(caller: Caller, payload: Payload<'wallet:claim'>): Promise<Reply<'wallet:claim'>> {
      const { playerId } = caller;
      const daily = payload.kind === 'daily';
      const answer = await queue.submit({
        kind: 'claim',
        playerId,
        commandId: payload.commandId,
        bodyHash: bodyHash('wallet:claim', payload),
        claim: payload.kind,
        amount: daily ? BigInt(dailyPoints) : reliefPoints,
        everyMs: daily ? 0 : reliefEveryMs,
        day: dayOf(clock.now(), timeZone),
      });
      const { balance, balanceVersion, granted } = answer;
      if (balance === undefined || balanceVersion === undefined || granted === undefined)
        throw refuse('INTERNAL', {}, new Error('the ledger granted without a balance'));
      push.player(playerId, 'wallet:update', { balance: String(balance), version: balanceVersion, cause: 'grant' });
      return { balance: String(balance), balanceVersion, granted: String(granted) };
    },
  };
}
