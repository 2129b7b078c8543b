import type { ServerClock } from '../../lib/ports.ts';
import type { Sessions } from '../../lib/service/sessions.ts';
import type { Handlers } from '../route.ts';

type Names = 'time:sync' | 'session:link' | 'session:logout' | 'profile:get' | 'profile:update';

export const sessionHandlers = (sessions: Sessions, clock: ServerClock): Pick<Handlers, Names> => ({
  'time:sync': (_caller, { sentAt }) => ({ sentAt, serverAt: Math.round(clock.now()) }),
  'session:link': (caller) => sessions.link(caller),
  'session:logout': (caller, payload) => sessions.logout(caller, payload),
  'profile:get': (caller, payload) => sessions.profile(caller, payload),
  'profile:update': (caller, payload) => sessions.update(caller, payload),
});
