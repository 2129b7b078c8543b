import type { PlayerId } from '../core/ids.ts';
import { refuse } from '../errors.ts';
import type { LimitsRow, ServerClock, Statements } from '../ports.ts';
import type { OwnLimits, Payload } from '../protocol.ts';
import { dayOf, startOfDay, startOfNextDay } from './calendar.ts';
import { bodyHash } from './command-mark.ts';
import { ledgerRead, ledgerWrite } from './ledger-errors.ts';

const HOUR_MS = 3_600_000;
/** For whom the ledger has no wallet yet. */
export const NO_LIMITS: LimitsRow = { dailyStake: null, next: null, coolOffUntil: 0, staked: 0n };

export type OwnLimitsDeps = {
  readonly statements: Pick<Statements, 'standing' | 'setLimits'>;
  readonly clock: ServerClock;
  /** decides where a day begins, e.g. Asia/Seoul */
  readonly timeZone: string;
};

/** The limits as they are at `now`: what was to begin with a day has begun, a break that is over is none. */
export function limitsAt(row: LimitsRow, now: number, timeZone: string): OwnLimits {
  const begun = row.next !== null && row.next.from <= dayOf(now, timeZone);
  const daily = begun ? row.next.dailyStake : row.dailyStake;
  return {
    dailyStake: daily?.toString() ?? null,
    ...(daily !== null && { stakedToday: row.staked.toString() }),
    ...(row.next !== null &&
      !begun && {
        next: { dailyStake: row.next.dailyStake?.toString() ?? null, from: startOfNextDay(now, timeZone) },
      }),
    ...(row.coolOffUntil > now && { coolOffUntil: row.coolOffUntil }),
  };
}

/** Limits that players set themselves: tighter at once, wider from the next day on; a break is only ever lengthened. */
export function createOwnLimits({ statements, clock, timeZone }: OwnLimitsDeps) {
  return {
    async get(playerId: PlayerId): Promise<OwnLimits> {
      const now = clock.now();
      const standing = await ledgerRead(statements.standing(playerId, dayOf(now, timeZone), 0n));
      return limitsAt(standing?.limits ?? NO_LIMITS, now, timeZone);
    },

    /** Once for each command id, whatever process it comes to. */
    async change(
      playerId: PlayerId,
      payload: Payload<'profile:update'> & { readonly limits: NonNullable<Payload<'profile:update'>['limits']> },
    ): Promise<OwnLimits> {
      const { dailyStake, coolOffHours } = payload.limits;
      const now = clock.now();
      const row = await ledgerWrite(
        statements.setLimits({
          playerId,
          commandId: payload.commandId,
          bodyHash: bodyHash('profile:update', payload),
          ...(dailyStake !== undefined && { dailyStake: dailyStake === null ? null : BigInt(dailyStake) }),
          ...(coolOffHours !== undefined && { coolOffMs: coolOffHours * HOUR_MS }),
          day: dayOf(now, timeZone),
          dayFrom: startOfDay(now, timeZone),
          nextDay: dayOf(startOfNextDay(now, timeZone), timeZone),
        }),
      );
      if (row === 'conflict') throw refuse('COMMAND_CONFLICT');
      return limitsAt(row, now, timeZone);
    },
  };
}

export type OwnLimitsService = ReturnType<typeof createOwnLimits>;
