/** Ids are opaque strings; the brand keeps a room's id from being handed over where a race's is wanted. */
declare const brand: unique symbol;
export type Brand<Name extends string> = string & { readonly [brand]: Name };

export type PlayerId = Brand<'PlayerId'>;
export type RoomId = Brand<'RoomId'>;
export type RaceId = Brand<'RaceId'>;
export type BetId = Brand<'BetId'>;
export type MessageId = Brand<'MessageId'>;
/** A UUID made by the client and kept until the command is answered. */
export type CommandId = Brand<'CommandId'>;
/** Names one life of a room's log (a ULID); a seq is never used twice within it. */
export type Epoch = Brand<'Epoch'>;

/** For the end of a switch over a union: a new member that is not handled is a type error. */
export function assertNever(value: never): never {
  throw new Error(`unhandled case: ${JSON.stringify(value)}`);
}
