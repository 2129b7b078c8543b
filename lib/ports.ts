/**
 * What services need of the outside, in the domain's words. Drivers implement these in `db/`; only `server.ts` knows which.
 * Every call may reject with an `UnavailableError` when the truth behind it cannot be reached within its deadline.
 * Times are server time in ms.
 */

export * from './ports/archive.ts';
export * from './ports/audit.ts';
export * from './ports/boards.ts';
export * from './ports/common.ts';
export * from './ports/ledger.ts';
export * from './ports/players.ts';
export * from './ports/push.ts';
export * from './ports/races.ts';
export * from './ports/room-store.ts';
export * from './ports/rooms.ts';
export * from './ports/simulations.ts';
export * from './ports/statements.ts';
