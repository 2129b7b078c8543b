import type { RoomsService } from '../../lib/service/room-contracts.ts';
import type { Handlers } from '../route.ts';

export const roomHandlers = (rooms: RoomsService): Pick<Handlers, Extract<keyof Handlers, `room:${string}`>> => ({
  'room:create': (caller, payload) => rooms.create(caller, payload),
  'room:find': (caller, payload) => rooms.find(caller, payload),
  'room:join': (caller, payload) => rooms.join(caller, payload),
  'room:leave': (caller, payload) => rooms.leave(caller, payload),
  'room:role': (caller, payload) => rooms.role(caller, payload),
  'room:ready': (caller, payload) => rooms.ready(caller, payload),
  'room:sync': (caller, payload) => rooms.sync(caller, payload),
  'room:members': (caller, payload) => rooms.members(caller, payload),
  'room:configure': (caller, payload) => rooms.configure(caller, payload),
  'room:handover': (caller, payload) => rooms.handover(caller, payload),
  'room:kick': (caller, payload) => rooms.kick(caller, payload),
  'room:close': (caller, payload) => rooms.close(caller, payload),
});
