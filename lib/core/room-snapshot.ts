import type { ChatMessage, MemberView, RaceView, Snapshot } from '../protocol.ts';
import type { Epoch, PlayerId } from './ids.ts';
import { countRole, memberOf, memberView, type RoomPeople } from './room.ts';
import type { Member } from './room-state.ts';

const MEMBERS_SHOWN = 60;
const MESSAGES_SHOWN = 20;
const CHAT_BYTES = 6_144;

export type SnapshotSource = RoomPeople & {
  readonly epoch: Epoch;
  readonly seq: number;
  readonly chat: readonly ChatMessage[];
};

/** The room as one member sees it at (epoch, seq). Throws nothing; `me` is a spectator where the player is no member. */
export function snapshotFor(
  room: SnapshotSource,
  playerId: PlayerId,
  race: RaceView | null,
  more: { readonly degraded: Snapshot['degraded']; readonly nextOpensAt?: number },
): Snapshot {
  const { document } = room;
  return {
    id: document.id,
    code: document.code,
    name: document.name,
    kind: document.kind,
    epoch: room.epoch,
    seq: room.seq,
    version: document.version,
    degraded: more.degraded,
    settings: document.settings,
    settingsVersion: document.settingsVersion,
    hasPassword: document.hasPassword,
    hostId: document.hostId,
    expiresAt: document.expiresAt,
    members: shownMembers(room, playerId),
    memberCount: document.members.length,
    spectators: countRole(document, 'spectator'),
    race,
    ...(more.nextOpensAt === undefined ? {} : { nextOpensAt: more.nextOpensAt }),
    chat: newestChat(room.chat, MESSAGES_SHOWN, CHAT_BYTES),
    me: { playerId, role: memberOf(document, playerId)?.role ?? 'spectator' },
  };
}

/** All members up to 60; above: the host, me and the first connected ones. */
function shownMembers(room: RoomPeople, me: PlayerId): MemberView[] {
  const { members, hostId } = room.document;
  if (members.length <= MEMBERS_SHOWN) return members.map((member) => memberView(room, member));
  const first = (member: Member): boolean => member.id === me || member.id === hostId;
  const others = members.filter((member) => !first(member) && room.connected.has(member.id));
  return [...members.filter(first), ...others].slice(0, MEMBERS_SHOWN).map((member) => memberView(room, member));
}

/** The newest messages, oldest first, at most `count` and about `bytes` of JSON (three bytes for each character outside ASCII). */
export function newestChat(chat: readonly ChatMessage[], count: number, bytes: number): ChatMessage[] {
  const taken: ChatMessage[] = [];
  let size = 0;
  for (const message of chat.slice(-count).reverse()) {
    size += utf8Bytes(JSON.stringify(message));
    if (size > bytes && taken.length > 0) break;
    taken.unshift(message);
  }
  return taken;
}

function utf8Bytes(text: string): number {
  let bytes = 0;
  for (const character of text) {
    const point = character.codePointAt(0) ?? 0;
    bytes += point < 0x80 ? 1 : point < 0x800 ? 2 : point < 0x10000 ? 3 : 4;
  }
  return bytes;
}
