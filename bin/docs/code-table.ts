import type { ErrorCode } from '../../lib/errors.ts';
import type { RequestName } from '../../lib/protocol.ts';

type Where =
  | 'every request'
  | 'every request that changes something'
  | 'every request to PostgreSQL'
  | readonly RequestName[];

const IN_ROOM = [
  'room:role',
  'room:ready',
  'room:sync',
  'room:members',
  'room:configure',
  'room:handover',
  'room:kick',
  'chat:send',
  'chat:history',
  'chat:react',
  'race:start',
] as const;
const OF_HOST = ['room:configure', 'room:handover', 'room:kick', 'room:close', 'race:start'] as const;
const IN_RACE = ['bet:place', 'pick:choose', 'pick:clear', 'vote:place'] as const;

/** Which requests a code may answer, beside the ones that any request may get. A code that is missing does not compile. */
export const CODES: Readonly<Record<ErrorCode, Where>> = {
  BAD_REQUEST: 'every request',
  FORBIDDEN: ['race:start', ...IN_RACE, 'bet:quote', 'room:kick', 'room:ready'],
  NOT_FOUND: [
    'room:find',
    'room:join',
    'room:handover',
    'room:kick',
    'race:get',
    'race:frames:get',
    ...IN_RACE,
    'bet:quote',
    'bet:mine',
    'chat:send',
    'chat:react',
    'profile:get',
  ],
  NOT_MEMBER: [...IN_ROOM, 'room:leave', 'room:close', ...IN_RACE],
  ROOM_FULL: ['room:join', 'room:role'],
  ROOM_CLOSED: [
    'room:create',
    'room:find',
    'room:join',
    'room:leave',
    'room:role',
    'room:ready',
    'room:configure',
    'room:handover',
    'room:kick',
    'chat:send',
    'chat:react',
    'race:start',
  ],
  ROOM_LOCKED: ['room:join'],
  SPECTATORS_OFF: ['room:join', 'room:role'],
  WRONG_PASSWORD: ['room:join'],
  SLOW_MODE: ['chat:send'],
  NAME_INVALID: ['profile:update', 'room:create', 'room:configure'],
  NOT_HOST: OF_HOST,
  NOT_READY: ['pick:choose', 'pick:clear', 'vote:place'],
  NOT_ENOUGH_PLAYERS: ['race:start'],
  NOT_ENOUGH_HORSES: ['race:start'],
  RACE_IN_PROGRESS: ['race:start'],
  IN_RACE: ['room:role'],
  PHASE_CLOSED: [...IN_RACE, 'bet:quote'],
  SELECTION_INVALID: ['bet:place', 'bet:quote', 'pick:choose', 'vote:place'],
  STAKE_INVALID: ['bet:place', 'bet:quote'],
  INSUFFICIENT_POINTS: ['bet:place'],
  LIMIT_REACHED: ['bet:place', 'bet:quote', 'room:create', 'chat:react', 'wallet:claim'],
  COOL_OFF: ['bet:place'],
  FROZEN: ['bet:place', 'wallet:claim'],
  HORSE_TAKEN: ['pick:choose'],
  COMMAND_CONFLICT: 'every request that changes something',
  RATE_LIMITED: 'every request',
  BUSY: 'every request that changes something',
  OVERLOADED: 'every request that changes something',
  LEDGER_UNAVAILABLE: 'every request to PostgreSQL',
  TIMEOUT: 'every request',
  DRAINING: 'every request that changes something',
  INTERNAL: 'every request',
};
