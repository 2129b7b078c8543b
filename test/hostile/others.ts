import { type Case, FIELDS, type Field, honest, type Ids, REQUEST_NAMES, replaced } from './cases.ts';

/** Real ids of a room, of what is in it, and of who. */
export type World = {
  readonly name: string;
  readonly roomId: string;
  readonly epoch: string;
  readonly playerIds: readonly string[];
  readonly raceIds: readonly string[];
  readonly messageIds: readonly string[];
  /** Commands that its people have sent. */
  readonly commandIds: readonly string[];
};

type Kind = 'room' | 'epoch' | 'player' | 'race' | 'message' | 'command';

/** What a field's id names; one that is not here fails the test that looks for it. */
const NAMES: Readonly<Record<string, Kind>> = {
  roomId: 'room',
  epoch: 'epoch',
  playerId: 'player',
  mentions: 'player',
  raceId: 'race',
  rerunOf: 'race',
  messageId: 'message',
  replyTo: 'message',
  commandId: 'command',
  'room:members after': 'player',
  'race:history before': 'race',
  'chat:history before': 'message',
};

const EACH = 2;

type Shape = Field['shape'] & { readonly format?: string };
const isId = ({ pattern, format, items }: Shape): boolean =>
  pattern === String.raw`^[\x21-\x7e]+$` || format === 'uuid' || (items !== undefined && isId(items));

const nameOf = ({ request, path }: Field): string => `${request} ${path.join('.')}`;
const kindOf = (field: Field): Kind | undefined => NAMES[nameOf(field)] ?? NAMES[field.path.at(-1) ?? ''];

/** Every field that takes an id, of every request: told by its schema, so that none can be forgotten. */
export const ID_FIELDS = FIELDS.filter(({ shape }) => isId(shape));
export const UNKNOWN_ID_FIELDS = ID_FIELDS.filter((field) => kindOf(field) === undefined).map(nameOf);

/** A few of the kind; of commands another one each time, since the sender's own use of it counts from then on. */
function idsOf(world: World, kind: Kind, turn: number): readonly string[] {
  switch (kind) {
    case 'room':
      return [world.roomId];
    case 'epoch':
      return [world.epoch];
    case 'player':
      return world.playerIds.slice(0, EACH);
    case 'race':
      return world.raceIds.slice(-EACH);
    case 'message':
      return world.messageIds.slice(0, EACH);
    case 'command':
      return world.commandIds.slice(turn % world.commandIds.length).slice(0, 1);
  }
}

/** The world's ids by the name of their field; commands stay the sender's own. */
export function fill(world: World): Ids {
  const [playerId = 'nobody', raceId = 'no-race', messageId = 'no-message'] = [
    world.playerIds[0],
    world.raceIds.at(-1),
    world.messageIds[0],
  ];
  const { roomId, epoch } = world;
  return { roomId, epoch, playerId, raceId, rerunOf: raceId, messageId, replyTo: messageId };
}

/** The fields that are called the same in several requests and hold another thing in each. */
function filled(request: Field['request'], world: World): Record<string, unknown> {
  const ids = fill(world);
  const page: Record<string, Ids> = {
    'race:history': { before: ids['raceId'] ?? '' },
    'chat:history': { before: ids['messageId'] ?? '' },
    'room:members': { after: ids['playerId'] ?? '' },
  };
  const payload = honest(request, { ...ids, ...page[request] });
  return 'mentions' in payload ? { ...payload, mentions: [ids['playerId']] } : payload;
}

/**
 * A request that is honest but for one id, which is of a world the sender is not in; each field of each request with ids
 * of each world. Then each request wholly about such a world. `name` tells the field ("room:kick playerId").
 */
export function* foreign(
  own: () => World,
  others: () => readonly World[],
): Generator<Case & { readonly name: string }> {
  const category = 'others';
  for (const [turn, field] of ID_FIELDS.entries()) {
    const { request, path, shape } = field;
    const kind = kindOf(field);
    for (const world of kind === undefined ? [] : others()) {
      for (const id of idsOf(world, kind as Kind, turn)) {
        const args = [replaced(filled(request, own()), path, shape.items ? [id] : id)];
        yield { request, category, args, ack: true, name: nameOf(field) };
      }
    }
  }
  for (const request of REQUEST_NAMES) {
    for (const world of others()) {
      const about = filled(request, world);
      const hasIds = ID_FIELDS.some((field) => field.request === request && field.path[0] !== 'commandId');
      // Where nothing may be named, it is named all the same.
      const payload = hasIds ? about : { ...about, roomId: world.roomId, playerId: world.playerIds[0] };
      yield { request, category, args: [payload], ack: true, name: `${request} *` };
    }
  }
}

/** Requests with a foreign id that are answered all the same, and why that gives nothing away. */
export const PUBLIC: Readonly<Record<string, string>> = {
  'race:start rerunOf': 'the own open race closes sooner; nothing is run again',
  'race:get raceId': 'the record of a race is public',
  'race:frames:get raceId': 'frames are what everybody has been sent',
  'race:history roomId': 'a list of public records',
  'race:history before': 'a cursor into public records',
  'board:get roomId': 'made of public records',
  'bet:quote raceId': 'made of published totals',
  'bet:mine raceId': 'nothing: they are the asker’s own',
  'profile:get playerId': 'names are public',
  'room:members after': 'a cursor into the asker’s own room',
  'room:sync epoch': 'the asker’s own room, as it is',
  'chat:history before': 'a cursor into the asker’s own room',
  'chat:send mentions': 'who is not in the room is not mentioned',
};
