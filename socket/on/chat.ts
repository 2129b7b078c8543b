import type { Handler, Handlers } from '../route.ts';

export type ChatRequests = {
  readonly send: Handler<'chat:send'>;
  readonly history: Handler<'chat:history'>;
  readonly react: Handler<'chat:react'>;
};

export const chatHandlers = (chat: ChatRequests): Pick<Handlers, Extract<keyof Handlers, `chat:${string}`>> => ({
  'chat:send': (caller, payload) => chat.send(caller, payload),
  'chat:history': (caller, payload) => chat.history(caller, payload),
  'chat:react': (caller, payload) => chat.react(caller, payload),
});
