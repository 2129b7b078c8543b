import { ConfigError } from '../../config/config-error.ts';
import type { RaceId } from '../../lib/core/ids.ts';
import type { AdminCommand } from './command.ts';
import { withRaces } from './races.ts';

const usage = 'race void RACE [--reason admin]';

/** Ends a race that is not over without a result; every stake goes back. */
export const voidCommand: AdminCommand = {
  usage,
  async run([race, option, reason, ...rest]) {
    const known = option === undefined || (option === '--reason' && reason === 'admin' && rest.length === 0);
    if (race === undefined || !known)
      throw new ConfigError([`admin: ${usage}: name a race id; the only reason there is to give is admin.`]);
    const move = await withRaces((races) => races.voidRace(race as RaceId));
    if (move === 'moved') {
      console.log(`race ${race} is void, every stake was refunded`);
      return 0;
    }
    const why = { already: 'it is over', absent: 'there is no such race' } as const;
    console.error(`race ${race}: ${move === 'already' || move === 'absent' ? why[move] : 'others hold it: try again'}`);
    return 1;
  },
};
