import type { PlayerId, RoomId } from '../core/ids.ts';
import { cardOf, decideRoom, memberOf, memberView, type RoomCommand, raceIsOver } from '../core/room.ts';
import { DEFAULT_SETTINGS, expiryOf, patchSettings } from '../core/room-settings.ts';
import type { Member } from '../core/room-state.ts';
import { refuse } from '../errors.ts';
import type { Logger, RaceRecords, RoomRecords, RoomRow } from '../ports.ts';
import type { Payload, Reply, RequestName } from '../protocol.ts';
import type { Caller } from './caller.ts';
import { commandMark } from './command-mark.ts';
import type { Patience } from './in-time.ts';
import type { RoomState } from './room-access.ts';
import { createRoomConfigure, roomName } from './room-configure.ts';
import type { RoomsService } from './room-contracts.ts';
import { createRoomDoors, type RoomDoorsDeps } from './room-doors.ts';
import type { RoomFacts } from './room-facts.ts';
import type { RoomHosts } from './room-hosts.ts';
import type { Membership, MembershipDeps } from './room-membership.ts';
import { createRoomResume } from './room-resume.ts';
import { hashPassword, newRoomCode, normaliseRoomCode } from './room-secrets.ts';

export type RoomsDeps = Pick<MembershipDeps, 'store' | 'feeds' | 'commands' | 'clock' | 'secrets' | 'rules'> & {
  readonly records: RoomRecords;
  /** The same without a deadline of their own, for what is finished though its player has been told that it is late. */
  readonly slowRecords: Pick<RoomRecords, 'configure'>;
  readonly patience: Pick<Patience, 'wait'>;
  readonly raceRecords: Pick<RaceRecords, 'mine'>;
  readonly membership: Membership;
  readonly facts: Pick<RoomFacts, 'publish'>;
  readonly hosts: RoomHosts;
  /** Puts a living room that the store does not have into it; false: there is no such living room. */
  readonly revive: (roomId: RoomId) => Promise<boolean>;
  readonly limits: { readonly livingRoomsPerPlayer: number };
  readonly passwordGuard: RoomDoorsDeps['passwordGuard'];
  readonly log: Logger;
};

const CLOSED_SHOWN_MS = 7 * 86_400_000;
const MEMBERS_PAGE = 60;
const CODE_TRIES = 5;

export function createRooms(deps: RoomsDeps): RoomsService {
  const { records, membership, feeds, commands, secrets, clock, facts, store } = deps;
  const doors = createRoomDoors(deps);
  const configure = createRoomConfigure({ ...deps, records: deps.slowRecords, doors });
  const { resume, missedBy } = createRoomResume({ ...deps, open });

  /** The served room, brought back into the store if only PostgreSQL knows it. */
  async function open(roomId: RoomId): Promise<RoomState | null> {
    return (await feeds.serve(roomId)) ?? ((await deps.revive(roomId)) ? await feeds.serve(roomId) : null);
  }

  async function serve(roomId: RoomId): Promise<RoomState> {
    const state = await open(roomId);
    if (state !== null && state.document.closed === null) return state;
    const row = await records.get(roomId);
    throw refuse(row === null ? 'NOT_FOUND' : 'ROOM_CLOSED');
  }

  function memberState(caller: Caller, roomId: RoomId): RoomState {
    const state = feeds.state(roomId);
    if (state === null || memberOf(state.document, caller.playerId) === undefined) throw refuse('NOT_MEMBER');
    return state;
  }

  function hostState(caller: Caller, roomId: RoomId): RoomState {
    const state = memberState(caller, roomId);
    if (state.document.hostId !== caller.playerId) throw refuse('NOT_HOST');
    return state;
  }

  /** A room command with its command id: repeats answer as the first time. */
  function command<Name extends RequestName>(
    name: Name,
    caller: Caller,
    payload: Payload<Name> & { commandId: Payload<'room:leave'>['commandId']; roomId: RoomId },
    rule: RoomCommand,
  ): Promise<unknown> {
    return commands.submit(payload.roomId, {
      mark: commandMark(name, caller.playerId, payload),
      decide: (room, now) => decideRoom(room, rule, now, deps.rules),
    });
  }

  async function enter(
    caller: Caller,
    roomId: RoomId,
  ): Promise<{ room: ReturnType<Membership['snapshot']>; seat: string }> {
    const entered = await membership.enter(caller, roomId);
    if (entered === null) throw refuse(feeds.state(roomId) === null ? 'ROOM_CLOSED' : 'NOT_MEMBER');
    return { room: entered.room, seat: entered.seat };
  }

  /**
   * For what PostgreSQL decides, past the room's line of commands: the answer is remembered there afterwards, so that a repeat has
   * no second effect and the same answer.
   */
  async function once<Name extends 'room:configure' | 'room:handover'>(
    name: Name,
    caller: Caller,
    payload: Payload<Name>,
    run: () => Promise<Reply<Name>>,
  ): Promise<Reply<Name>> {
    const { roomId } = payload;
    const mark = commandMark(name, caller.playerId, payload);
    const known = await store.answered(roomId, mark.playerId, mark.commandId, mark.bodyHash);
    if (known === 'conflict') throw refuse('COMMAND_CONFLICT');
    if (known !== null) return JSON.parse(known) as Reply<Name>;
    const done = run().then(async (result) => {
      await commands
        .submit(roomId, { mark, decide: () => ({ events: [], result }) })
        .catch((error: unknown) => deps.log.warn({ err: error, roomId, name }, 'answer not remembered'));
      return result;
    });
    return deps.patience.wait(done, 'unknown');
  }

  async function insert(row: Omit<Parameters<RoomRecords['create']>[0], 'code'>): Promise<RoomRow> {
    for (let tries = 0; tries < CODE_TRIES; tries++) {
      const created = await records.create({ ...row, code: newRoomCode() });
      if (created.kind === 'created' || created.kind === 'exists') return created.row;
      if (created.kind === 'limit') throw refuse('LIMIT_REACHED');
    }
    throw refuse('BUSY');
  }

  return {
    async create(caller, payload) {
      const roomId = secrets.roomId(caller.playerId, payload.commandId);
      const settings = patchSettings(DEFAULT_SETTINGS[payload.kind], payload.settings ?? {});
      const now = clock.now();
      const row = await insert({
        id: roomId,
        kind: payload.kind,
        house: false,
        locale: caller.locale,
        name: roomName(payload.name, caller),
        passwordHash: payload.password === undefined ? null : await hashPassword(payload.password),
        settings,
        hostId: caller.playerId,
        createdBy: caller.playerId,
        mostLiving: deps.limits.livingRoomsPerPlayer,
        createdAt: now,
        expiresAt: expiryOf(settings, now),
      });
      if (row.closedAt !== null) throw refuse('ROOM_CLOSED');
      doors.remember(roomId, row.settingsVersion, row.passwordHash);
      await serve(roomId);
      const { commandId } = payload;
      await command(
        'room:create',
        caller,
        { ...payload, commandId, roomId },
        { kind: 'join', playerId: caller.playerId, nickname: caller.nickname, as: 'player' },
      );
      const entered = await enter(caller, roomId);
      const { passwordHash } = row;
      return { ...entered, ...(passwordHash === null ? {} : { inviteKey: secrets.inviteKey(roomId, passwordHash) }) };
    },

    async find(_caller, payload) {
      const row = await records.byCode(normaliseRoomCode(payload.code));
      if (row === null) throw refuse('NOT_FOUND');
      if (row.closedAt !== null)
        throw refuse(clock.now() - row.closedAt < CLOSED_SHOWN_MS ? 'ROOM_CLOSED' : 'NOT_FOUND');
      return cardOf((await serve(row.id)).document);
    },

    async join(caller, payload) {
      const state = await serve(payload.roomId);
      if (memberOf(state.document, caller.playerId) === undefined) {
        await doors.open(caller, payload, state.document);
        await command('room:join', caller, payload, {
          kind: 'join',
          playerId: caller.playerId,
          nickname: caller.nickname,
          as: payload.as ?? 'player',
        });
      }
      const entered = await enter(caller, payload.roomId);
      const isHost = entered.room.hostId === caller.playerId;
      return { ...entered, ...(isHost ? await doors.invite(state.document) : {}) };
    },

    async leave(caller, payload) {
      await membership.leave(caller, () =>
        command('room:leave', caller, payload, { kind: 'leave', playerId: caller.playerId, cause: 'left' }),
      );
      return {};
    },

    async role(caller, payload) {
      const { document } = memberState(caller, payload.roomId);
      if (document.race !== null && !raceIsOver(document)) {
        const mine = await deps.raceRecords.mine(document.race.id, caller.playerId);
        if (mine.bets.length > 0 || mine.pick !== undefined) throw refuse('IN_RACE');
      }
      await command('room:role', caller, payload, { kind: 'role', playerId: caller.playerId, as: payload.as });
      return {};
    },

    async ready(caller, payload) {
      await command('room:ready', caller, payload, { kind: 'ready', playerId: caller.playerId, ready: payload.ready });
      return {};
    },

    async sync(caller, payload) {
      memberState(caller, payload.roomId);
      const missed = await missedBy(payload.roomId, payload);
      if (missed !== null) return { recovered: true, events: missed };
      await membership.withRace(payload.roomId);
      return { recovered: false, room: membership.snapshot(memberState(caller, payload.roomId), caller.playerId) };
    },

    async members(caller, payload) {
      const state = memberState(caller, payload.roomId);
      const { page, next } = membersAfter(state.document.members, payload.after);
      return { members: page.map((member) => memberView(state, member)), ...(next === undefined ? {} : { next }) };
    },

    async configure(caller, payload) {
      const { roomId, patch } = payload;
      const changed = await once('room:configure', caller, payload, () =>
        configure(caller, payload, () => hostState(caller, roomId)),
      );
      const state = feeds.state(roomId);
      return { ...changed, ...(state !== null && patch.password ? await doors.invite(state.document) : {}) };
    },

    handover: (caller, payload) =>
      once('room:handover', caller, payload, async () => {
        const { document } = hostState(caller, payload.roomId);
        if (memberOf(document, payload.playerId) === undefined) throw refuse('NOT_FOUND', { path: 'playerId' });
        if (payload.playerId !== caller.playerId)
          await deps.hosts.handOver(payload.roomId, caller.playerId, payload.playerId);
        return {};
      }),

    async kick(caller, payload) {
      memberState(caller, payload.roomId);
      await deps.hosts.kick(caller, payload);
      return {};
    },

    async close(caller, payload) {
      const known = feeds.state(payload.roomId);
      if (known === null && (await records.get(payload.roomId))?.closedAt) return {};
      hostState(caller, payload.roomId);
      await records.close(payload.roomId, 'closed');
      await facts.publish(payload.roomId);
      return {};
    },

    resume,

    disconnected(caller) {
      membership.disconnected(caller.connectionId);
    },

    renamed(caller) {
      for (const roomId of membership.roomsOf(caller.playerId))
        membership.inBackground(roomId, { kind: 'rename', playerId: caller.playerId, nickname: caller.nickname });
    },

    roomOf: membership.roomOf,
  };
}

/** The page behind a cursor. It holds on to when its last member came, since that one may be gone by the next page. */
function membersAfter(members: readonly Member[], cursor: PlayerId | undefined) {
  const [id, joinedAt] = cursor?.split('@', 2) ?? [];
  const at = members.findIndex((member) => member.id === id);
  const next = members.findIndex((member) => member.joinedAt >= Number(joinedAt));
  const from = cursor === undefined ? 0 : at >= 0 ? at + 1 : next < 0 ? members.length : next;
  const page = members.slice(from, from + MEMBERS_PAGE);
  const last = page.at(-1);
  const more = last !== undefined && from + page.length < members.length;
  return { page, next: more ? (`${last.id}@${last.joinedAt}` as PlayerId) : undefined };
}
