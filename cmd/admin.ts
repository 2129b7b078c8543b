import { ConfigError } from '../config/config-error.ts';
import type { AdminCommand } from './admin/command.ts';
import { freezeCommand } from './admin/freeze.ts';
import { scratchCommand } from './admin/scratch.ts';
import { thawCommand } from './admin/thaw.ts';
import { voidCommand } from './admin/void.ts';

const COMMANDS: Readonly<Record<string, AdminCommand>> = {
  'race scratch': scratchCommand,
  'race void': voidCommand,
  'freeze race': freezeCommand('race'),
  'freeze wallet': freezeCommand('wallet'),
  'thaw race': thawCommand('race'),
  'thaw wallet': thawCommand('wallet'),
};

/** `npm run admin -- race scratch RACE NUMBER | race void RACE | freeze … | thaw …`: what admins do, beside a running server. */
async function main(): Promise<number> {
  const [subject = '', verb = '', ...words] = process.argv.slice(2);
  const command = COMMANDS[`${subject} ${verb}`];
  if (command !== undefined) return command.run(words);
  throw new ConfigError([
    `admin: ${subject === '' ? 'say what to do' : `no command "${`${subject} ${verb}`.trim()}"`}.`,
    ...Object.values(COMMANDS).map(({ usage }) => `  npm run admin -- ${usage}`),
  ]);
}

main().then(
  (code) => {
    process.exitCode = code;
  },
  (error: unknown) => {
    console.error(error instanceof ConfigError ? error.message : error);
    process.exitCode = 2;
  },
);
