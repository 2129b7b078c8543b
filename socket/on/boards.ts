import type { Handler, Handlers } from '../route.ts';

export type BoardRequests = { readonly get: Handler<'board:get'> };

export const boardHandlers = (boards: BoardRequests): Pick<Handlers, 'board:get'> => ({
  'board:get': (caller, payload) => boards.get(caller, payload),
});
