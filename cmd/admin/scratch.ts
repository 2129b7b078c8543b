import { ConfigError } from '../../config/config-error.ts';
import type { RaceId } from '../../lib/core/ids.ts';
import type { AdminCommand } from './command.ts';
import { withRaces } from './races.ts';

const usage = 'race scratch RACE NUMBER';

const REFUSED = {
  busy: 'others hold the race: try again',
  absent: 'there is no such race',
  'no-runner': 'the race has no such horse',
  frozen: 'it is frozen, and what the scratch would give back has to wait: thaw the race, or void it',
  late: 'the race is not open, or closes within 10 seconds: nothing can be scratched any more',
} as const;

/** Takes a horse out of an open race; every bet with it goes back. */
export const scratchCommand: AdminCommand = {
  usage,
  async run([race, number, ...rest]) {
    if (race === undefined || !/^\d{1,2}$/.test(number ?? '') || rest.length > 0)
      throw new ConfigError([`admin: ${usage}: name a race id and the number of a horse.`]);
    const { move, left, voided } = await withRaces((races) => races.scratch(race as RaceId, Number(number)));
    if (move !== 'moved' && move !== 'already') {
      console.error(`race ${race}, horse ${number}: ${REFUSED[move]}`);
      return 1;
    }
    console.log(
      `race ${race}: horse ${number} ${move === 'moved' ? 'is scratched' : 'was scratched before'}, ${left} left`,
    );
    if (voided) console.log(`race ${race}: too few runners, it is void and every stake was refunded`);
    return 0;
  },
};
