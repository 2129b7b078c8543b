// A process that only goes up and down: what it should do is told by its arguments.
import { createLifecycle } from '../../lib/run/lifecycle.ts';

const say = (line: string) => process.stdout.write(`${line}\n`);
const log = {
  error: (_: object, event: string) => say(event),
  warn: (_: object, event: string) => say(event),
  info: (_: object, event: string) => say(event),
  debug: () => {},
};
const [kind] = process.argv.slice(2);

const lifecycle = createLifecycle({ log, hardLimitMs: kind === 'hard' ? 1_000 : 20_000 });
const holdOpen = setInterval(() => {}, 1_000);

await lifecycle
  .start(async () => {
    lifecycle.onStop('first', 5_000, () => say('stopped first'));
    lifecycle.onStop('failing', 5_000, () => {
      throw new Error('it broke');
    });
    if (kind === 'hang' || kind === 'hard')
      lifecycle.onStop('hanging', kind === 'hang' ? 300 : 60_000, () => new Promise(() => {}));
    if (kind === 'slow') lifecycle.onStop('slow', 15_000, () => new Promise(() => {}));
    lifecycle.onStop('last', 5_000, () => say('stopped last'));
    if (kind === 'fail') throw new Error('it cannot start');
    say('up');
    if (kind === 'throw') setImmediate(() => Promise.reject(new Error('nobody caught this')));
  })
  .catch((error: unknown) => {
    say(String(error));
    clearInterval(holdOpen);
    process.exit(1);
  });
