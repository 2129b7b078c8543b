import { userInfo } from 'node:os';
import { ConfigError } from '../../config/config-error.ts';
import type { Subject } from '../../lib/ports.ts';
import type { AdminCommand } from './command.ts';
import { nameOf, REFUSED, subjectOf, withFreezer } from './freezer.ts';

/** Lets a race or a wallet go on; what a race that is over owes is paid at once. */
export function thawCommand(kind: Subject['kind']): AdminCommand {
  const usage = `thaw ${kind} ${kind === 'race' ? 'RACE' : 'PLAYER'}`;
  return {
    usage,
    async run([id, ...rest]) {
      if (id === undefined || rest.length > 0)
        throw new ConfigError([`admin: ${usage}: name the id, and nothing else.`]);
      const subject = subjectOf(kind, id);
      const { move, paid } = await withFreezer((freezer) => freezer.thaw(subject, userInfo().username));
      if (move === 'absent' || move === 'busy') {
        console.error(`${nameOf(subject)}: ${REFUSED[move][kind]}`);
        return 1;
      }
      console.log(`${nameOf(subject)} ${move === 'thawed' ? 'is thawed' : 'was not frozen'}`);
      if (paid) console.log(`${nameOf(subject)}: its payouts and refunds are made`);
      return 0;
    },
  };
}
