import { ConfigError } from '../../config/config-error.ts';
import type { Subject } from '../../lib/ports.ts';
import type { AdminCommand } from './command.ts';
import { nameOf, REFUSED, subjectOf, withFreezer } from './freezer.ts';

/** Stops what a race or a wallet does with points until it is thawed. */
export function freezeCommand(kind: Subject['kind']): AdminCommand {
  const usage = `freeze ${kind} ${kind === 'race' ? 'RACE' : 'PLAYER'} --reason TEXT`;
  return {
    usage,
    async run([id, option, reason, ...rest]) {
      if (id === undefined || option !== '--reason' || !reason?.trim() || rest.length > 0)
        throw new ConfigError([`admin: ${usage}: name the id, and why, in quotes.`]);
      const subject = subjectOf(kind, id);
      const move = await withFreezer((freezer) => freezer.freeze(subject, reason.trim()));
      if (move === 'absent' || move === 'busy') {
        console.error(`${nameOf(subject)}: ${REFUSED[move][kind]}`);
        return 1;
      }
      console.log(`${nameOf(subject)} ${move === 'already' ? 'was frozen before' : 'is frozen'}`);
      return 0;
    },
  };
}
