import { randomUUID } from 'node:crypto';
import type { CommandId, PlayerId, RoomId } from '../../lib/core/ids.ts';
import type { RoomState } from '../../lib/core/room-live.ts';
import { DEFAULT_SETTINGS } from '../../lib/core/room-settings.ts';
import type { Member, RoomDocument } from '../../lib/core/room-state.ts';
import type { Logger } from '../../lib/ports.ts';

export const quiet: Logger = { error: () => {}, warn: () => {}, info: () => {}, debug: () => {} };
export const player = (name: string): PlayerId => name as PlayerId;
export const newCommandId = (): CommandId => randomUUID() as CommandId;

export function member(id: string, joinedAt: number, more: Partial<Member> = {}): Member {
  return { id: player(id), nickname: id, role: 'player', joinedAt, ...more };
}

export function makeDocument(patch: Partial<RoomDocument> = {}): RoomDocument {
  return {
    id: 'room-1' as RoomId,
    code: 'ABCDEF',
    kind: 'bet',
    house: false,
    locale: 'en',
    createdAt: 0,
    version: 1,
    factVersion: 0,
    name: 'a room',
    hasPassword: false,
    settings: DEFAULT_SETTINGS.bet,
    settingsVersion: 1,
    hostId: null,
    expiresAt: 1e12,
    members: [],
    kickedAt: {},
    race: null,
    closed: null,
    ...patch,
  };
}

export function makeState(
  document: RoomDocument,
  connected: readonly string[] = document.members.map((one) => one.id),
): RoomState {
  return {
    document,
    epoch: 'E1' as RoomState['epoch'],
    seq: 0,
    connected: new Set(connected.map(player)),
    awaySince: new Map(),
    emptySince: 0,
    chat: [],
  };
}
