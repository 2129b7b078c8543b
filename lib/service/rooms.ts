import type { RoomId } from '../core/ids.ts';
import { cardOf, decideRoom, memberOf, memberView, type RoomCommand, raceIsOver } from '../core/room.ts';
import { DEFAULT_SETTINGS, expiryOf, patchSettings } from '../core/room-settings.ts';
import type { RoomSettings } from '../core/room-state.ts';
import { characters, cleanLine } from '../core/text.ts';
import { refuse } from '../errors.ts';
import type { ArchiveRecords, RaceRecords, RoomRecords, RoomRow } from '../ports.ts';
import type { Payload, RequestName, RoomEvent } from '../protocol.ts';
import type { Caller } from './caller.ts';
import { commandMark } from './command-mark.ts';
import type { RoomState } from './room-access.ts';
import type { RoomsService } from './room-contracts.ts';
import type { RoomFacts } from './room-facts.ts';
import type { RoomHosts } from './room-hosts.ts';
import type { Membership, MembershipDeps } from './room-membership.ts';
import { hashPassword, newRoomCode, normaliseRoomCode, passwordMatches, sameText } from './room-secrets.ts';

export type RoomsDeps = Pick<MembershipDeps, 'store' | 'feeds' | 'commands' | 'clock' | 'secrets' | 'rules'> & {
  readonly records: RoomRecords;
  readonly archive: Pick<ArchiveRecords, 'messages'>;
  readonly raceRecords: Pick<RaceRecords, 'mine'>;
  readonly membership: Membership;
  readonly facts: RoomFacts;
  readonly hosts: RoomHosts;
  /** Puts a living room that the store does not have into it; false: there is no such living room. */
  readonly revive: (roomId: RoomId) => Promise<boolean>;
  readonly limits: { readonly livingRoomsPerPlayer: number };
  /** Wrong passwords by address and room. */
  readonly passwordGuard: {
    /** ms to wait; 0: may try. */
    blockedForMs(address: string, roomId: RoomId): number;
    wrong(address: string, roomId: RoomId): void;
  };
};

const ROOM_NAME_CHARACTERS = 30;
const CLOSED_SHOWN_MS = 7 * 86_400_000;
const MEMBERS_PAGE = 60;
const CODE_TRIES = 5;

export function createRooms(deps: RoomsDeps): RoomsService {
  const { records, membership, feeds, commands, secrets, clock, facts } = deps;

  /** The served room, brought back into the store if only PostgreSQL knows it. */
  async function serve(roomId: RoomId): Promise<RoomState> {
    const state = (await feeds.serve(roomId)) ?? ((await deps.revive(roomId)) ? await feeds.serve(roomId) : null);
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
    if (entered === null) throw refuse('ROOM_CLOSED');
    return { room: entered.room, seat: entered.seat };
  }

  async function mayEnter(caller: Caller, payload: Payload<'room:join'>, state: RoomState): Promise<void> {
    if (!state.document.hasPassword || state.document.hostId === caller.playerId) return;
    const row = await records.get(payload.roomId);
    if (row === null || row.passwordHash === null) return;
    if (payload.key !== undefined && sameText(payload.key, secrets.inviteKey(row.id, row.passwordHash))) return;
    const blockedForMs = deps.passwordGuard.blockedForMs(caller.address, row.id);
    if (blockedForMs > 0) throw refuse('RATE_LIMITED', { retryAfterMs: blockedForMs });
    if (payload.password !== undefined && (await passwordMatches(payload.password, row.passwordHash))) return;
    if (payload.password !== undefined || payload.key !== undefined) deps.passwordGuard.wrong(caller.address, row.id);
    throw refuse('WRONG_PASSWORD');
  }

  async function insert(row: Omit<Parameters<RoomRecords['create']>[0], 'code'>): Promise<RoomRow> {
    for (let tries = 0; tries < CODE_TRIES; tries++) {
      const created = await records.create({ ...row, code: newRoomCode() });
      if (created.kind !== 'code-taken') return created.row;
    }
    throw refuse('BUSY');
  }

  return {
    async create(caller, payload) {
      const roomId = secrets.roomId(caller.playerId, payload.commandId);
      const earlier = await records.get(roomId);
      if (earlier === null && (await records.livingCreatedBy(caller.playerId)) >= deps.limits.livingRoomsPerPlayer)
        throw refuse('LIMIT_REACHED');
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
        createdAt: now,
        expiresAt: expiryOf(settings, now),
      });
      if (row.closedAt !== null) throw refuse('ROOM_CLOSED');
      await serve(roomId);
      const { commandId } = payload;
      await command(
        'room:create',
        caller,
        { ...payload, commandId, roomId },
        { kind: 'join', playerId: caller.playerId, nickname: caller.nickname, as: 'player' },
      );
      const entered = await enter(caller, roomId);
      return { ...entered, ...invite(row) };
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
        await mayEnter(caller, payload, state);
        await command('room:join', caller, payload, {
          kind: 'join',
          playerId: caller.playerId,
          nickname: caller.nickname,
          as: payload.as ?? 'player',
        });
      }
      const entered = await enter(caller, payload.roomId);
      deps.hosts.ensure(payload.roomId);
      const row =
        entered.room.hostId === caller.playerId && entered.room.hasPassword ? await records.get(payload.roomId) : null;
      return { ...entered, ...(row === null ? {} : invite(row)) };
    },

    async leave(caller, payload) {
      await membership.leave(caller, () =>
        command('room:leave', caller, payload, { kind: 'leave', playerId: caller.playerId, cause: 'left' }),
      );
      deps.hosts.ensure(payload.roomId);
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
      const from =
        payload.after === undefined ? 0 : state.document.members.findIndex((member) => member.id === payload.after) + 1;
      const page = state.document.members.slice(from, from + MEMBERS_PAGE);
      const last = page.at(-1);
      const more = from + page.length < state.document.members.length && last !== undefined;
      return { members: page.map((member) => memberView(state, member)), ...(more ? { next: last.id } : {}) };
    },

    async configure(caller, payload) {
      const { document } = hostState(caller, payload.roomId);
      const { patch } = payload;
      const settings = patch.settings === undefined ? undefined : patchSettings(document.settings, patch.settings);
      const name = patch.name === undefined ? undefined : roomName(patch.name, caller);
      const longer = settings !== undefined && patch.settings?.lifetimeMinutes !== undefined;
      const expiresAt = longer ? expiryOf(settings, clock.now()) : undefined;
      const passwordHash =
        patch.password === undefined ? undefined : patch.password === null ? null : await hashPassword(patch.password);
      const changed = await records.configure(
        payload.roomId,
        payload.version,
        {
          ...(name === undefined ? {} : { name }),
          ...(passwordHash === undefined ? {} : { passwordHash }),
          ...(settings === undefined ? {} : { settings }),
          ...(expiresAt === undefined ? {} : { expiresAt }),
        },
        {
          type: 'settings changed',
          version: payload.version + 1,
          by: caller.playerId,
          patch: {
            ...(name === undefined ? {} : { name }),
            ...(passwordHash === undefined ? {} : { hasPassword: passwordHash !== null }),
            ...(settings === undefined ? {} : { settings: patch.settings as Partial<RoomSettings> }),
            ...(expiresAt === undefined ? {} : { expiresAt }),
          },
        },
      );
      if (changed.kind === 'absent') throw refuse('NOT_FOUND');
      if (changed.kind === 'conflict') throw refuse('BUSY', { data: { version: changed.version } });
      await facts.publish(payload.roomId);
      return {
        version: changed.version,
        ...(passwordHash ? { inviteKey: secrets.inviteKey(payload.roomId, passwordHash) } : {}),
      };
    },

    async handover(caller, payload) {
      const { document } = hostState(caller, payload.roomId);
      if (memberOf(document, payload.playerId) === undefined) throw refuse('NOT_FOUND', { path: 'playerId' });
      if (payload.playerId !== caller.playerId)
        await deps.hosts.handOver(payload.roomId, caller.playerId, payload.playerId);
      return {};
    },

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

    async resume(caller, resume) {
      const state =
        (await feeds.serve(resume.roomId)) ??
        ((await deps.revive(resume.roomId)) ? await feeds.serve(resume.roomId) : null);
      if (state === null || state.document.closed !== null)
        return { kind: 'left', cause: state?.document.closed?.cause ?? (await closeCause(resume.roomId)) };
      if (memberOf(state.document, caller.playerId) === undefined) {
        const refused = await reseat(caller, resume, state);
        if (refused !== null) return { kind: 'left', cause: refused };
      }
      await membership.withRace(resume.roomId);
      const missed = await missedBy(resume.roomId, resume);
      const entered = await membership.enter(caller, resume.roomId);
      if (entered === null) return { kind: 'left', cause: 'gone' };
      deps.hosts.ensure(resume.roomId);
      const { epoch, seq } = entered.state;
      if (missed === null || epoch !== resume.epoch || seq !== (missed.at(-1)?.seq ?? resume.seq))
        return { kind: 'snapshot', room: entered.room, seat: entered.seat };
      return {
        kind: 'events',
        packet: { roomId: resume.roomId, epoch, fromSeq: resume.seq + 1, toSeq: seq, events: missed },
      };
    },

    disconnected(caller) {
      membership.disconnected(caller.connectionId);
    },

    renamed(caller) {
      for (const roomId of membership.roomsOf(caller.playerId))
        membership.inBackground(roomId, { kind: 'rename', playerId: caller.playerId, nickname: caller.nickname });
    },

    roomOf: membership.roomOf,
  };

  function invite(row: RoomRow): { inviteKey?: string } {
    return row.passwordHash === null ? {} : { inviteKey: secrets.inviteKey(row.id, row.passwordHash) };
  }

  async function closeCause(roomId: RoomId): Promise<'closed' | 'expired' | 'gone'> {
    return (await records.get(roomId).catch(() => null))?.closeCause ?? 'gone';
  }

  /** Everything delivered above the client's position; null when it must take a snapshot. */
  async function missedBy(
    roomId: RoomId,
    at: Pick<Payload<'room:sync'>, 'epoch' | 'seq'>,
  ): Promise<readonly RoomEvent[] | null> {
    const state = feeds.state(roomId);
    if (state === null || state.epoch !== at.epoch || at.seq > state.seq) return null;
    if (at.seq === state.seq) return [];
    const entries = await deps.store.since(roomId, at.epoch, at.seq);
    const now = feeds.state(roomId);
    if (entries === null || now === null || now.epoch !== at.epoch) return null;
    return entries.filter((entry) => entry.seq <= now.seq).map((entry) => JSON.parse(entry.json) as RoomEvent);
  }

  /** The seat ticket's holder sits down again where the document lost the join; null: seated. */
  async function reseat(
    caller: Caller,
    resume: Parameters<RoomsService['resume']>[1],
    state: RoomState,
  ): Promise<'kicked' | 'timeout' | null> {
    const ticket = resume.seat === undefined ? null : secrets.openSeat(resume.seat);
    if (ticket === null || ticket.roomId !== resume.roomId || ticket.playerId !== caller.playerId) return 'timeout';
    // A seat of this epoch ended for a cause (left, timed out, kicked); only a new epoch can have lost it.
    if (state.epoch === ticket.epoch)
      return state.document.kickedAt[caller.playerId] === undefined ? 'timeout' : 'kicked';
    const command: RoomCommand = {
      kind: 'reseat',
      playerId: caller.playerId,
      nickname: caller.nickname,
      role: ticket.role,
      joinedAt: ticket.joinedAt,
      issuedAt: ticket.issuedAt,
    };
    return membership.submit(resume.roomId, command).then(
      () => null,
      () => 'kicked' as const,
    );
  }
}

/** A given name cleaned (NAME_INVALID when too long); none or empty: named after its maker. */
function roomName(given: string | undefined, caller: Pick<Caller, 'nickname' | 'locale'>): string {
  const name = cleanLine(given ?? '');
  if (characters(name) > ROOM_NAME_CHARACTERS) throw refuse('NAME_INVALID', { path: 'name' });
  if (name !== '') return name;
  return caller.locale === 'ko' ? `${caller.nickname}의 방` : `${caller.nickname}'s room`;
}
