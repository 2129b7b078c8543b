import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { decideChat, decideReaction } from '../../lib/core/chat.ts';
import type { MessageId } from '../../lib/core/ids.ts';
import { decideRoom, nextHost, type RoomCommand } from '../../lib/core/room.ts';
import { applyToState, type RoomState } from '../../lib/core/room-live.ts';
import { DEFAULT_SETTINGS } from '../../lib/core/room-settings.ts';
import { snapshotFor } from '../../lib/core/room-snapshot.ts';
import type { ChatMessage } from '../../lib/protocol.ts';
import { makeDocument, makeState, member, player } from './fixtures.ts';

const RULES = { spectatorsPerRoom: 2 };
const join = (id: string, as: 'player' | 'spectator' = 'player'): RoomCommand => ({
  kind: 'join',
  playerId: player(id),
  nickname: id,
  as,
});
const errorOf = (decision: ReturnType<typeof decideRoom>) => ('error' in decision ? decision.error : null);
const eventsOf = (decision: ReturnType<typeof decideRoom>) => ('events' in decision ? decision.events : null);

describe('coming and going', () => {
  const settings = { ...DEFAULT_SETTINGS.bet, capacity: 2 };
  const full = makeDocument({ settings, members: [member('a', 1), member('b', 2)] });

  test('[RM1] the third player of two is refused and may watch', () => {
    expect(errorOf(decideRoom(makeState(full), join('c'), 9, RULES))).toEqual({
      code: 'ROOM_FULL',
      data: { canSpectate: true },
    });
    expect(eventsOf(decideRoom(makeState(full), join('c', 'spectator'), 9, RULES))).toHaveLength(1);
  });

  test('[RM1] spectators have a limit of their own', () => {
    const watched = makeDocument({
      settings,
      members: [...full.members, member('s', 3, { role: 'spectator' }), member('t', 4, { role: 'spectator' })],
    });
    expect(errorOf(decideRoom(makeState(watched), join('c', 'spectator'), 9, RULES))?.code).toBe('ROOM_FULL');
    expect(errorOf(decideRoom(makeState(watched), join('c'), 9, RULES))?.data).toEqual({ canSpectate: false });
  });

  test('[RM2] a locked room lets its host in and nobody else; without spectators nobody watches', () => {
    const locked = makeDocument({ hostId: player('h'), settings: { ...settings, locked: true, spectators: false } });
    expect(errorOf(decideRoom(makeState(locked), join('c'), 9, RULES))?.code).toBe('ROOM_LOCKED');
    expect(eventsOf(decideRoom(makeState(locked), join('h'), 9, RULES))).toHaveLength(1);
    const open = makeDocument({ settings: { ...settings, spectators: false } });
    expect(errorOf(decideRoom(makeState(open), join('c', 'spectator'), 9, RULES))?.code).toBe('SPECTATORS_OFF');
  });

  test('[RM3] joining again is no event', () => {
    expect(eventsOf(decideRoom(makeState(full), join('a'), 9, RULES))).toEqual([]);
  });

  test('[RM4] the host is the connected player longest in the room, then the spectator, then nobody', () => {
    const document = makeDocument({ members: [member('s', 1, { role: 'spectator' }), member('a', 2), member('b', 3)] });
    expect(nextHost(makeState(document))).toBe('a');
    expect(nextHost(makeState(document, ['s', 'b']))).toBe('b');
    expect(nextHost(makeState(document, ['s']))).toBe('s');
    expect(nextHost(makeState(document, []))).toBe(null);
  });

  test('[RM5] the host kicks others; an older seat ticket is void, a newer one is not', () => {
    const hosted = makeState(makeDocument({ hostId: player('a'), members: full.members }));
    expect(errorOf(decideRoom(hosted, { kind: 'kick', by: player('b'), playerId: player('a') }, 9, RULES))?.code).toBe(
      'NOT_HOST',
    );
    expect(errorOf(decideRoom(hosted, { kind: 'kick', by: player('a'), playerId: player('a') }, 9, RULES))?.code).toBe(
      'FORBIDDEN',
    );
    const kicked =
      eventsOf(
        decideRoom(hosted, { kind: 'kick', by: player('a'), playerId: player('b'), reason: 'spam' }, 9, RULES),
      ) ?? [];
    expect(kicked).toEqual([{ type: 'member left', playerId: 'b', cause: 'kicked', reason: 'spam' }]);
    const after = kicked.reduce((state, event) => applyToState(state, event, 100), hosted);
    const reseat = (issuedAt: number): RoomCommand => ({
      kind: 'reseat',
      playerId: player('b'),
      nickname: 'b',
      role: 'player',
      joinedAt: 2,
      issuedAt,
    });
    expect(errorOf(decideRoom(after, reseat(99), 200, RULES))?.code).toBe('FORBIDDEN');
    expect(eventsOf(decideRoom(after, reseat(101), 200, RULES))).toHaveLength(1);
    expect(eventsOf(decideRoom(after, join('b'), 200, RULES))).toHaveLength(1);
  });

  test('[RM98] a seat ticket from before a leave is void, also when there were many leaves since; a new seat’s is not', () => {
    const reseat = (id: string, issuedAt: number) =>
      decideRoom(
        room,
        { kind: 'reseat', playerId: player(id), nickname: id, role: 'player', joinedAt: 1, issuedAt },
        9_999,
        RULES,
      );
    let room = makeState(makeDocument({ members: [member('a', 1), member('b', 2)] }));
    const apply = (command: RoomCommand, at: number): void => {
      for (const event of eventsOf(decideRoom(room, command, at, RULES)) ?? []) room = applyToState(room, event, at);
    };
    apply({ kind: 'leave', playerId: player('b'), cause: 'left' }, 100);
    expect(errorOf(reseat('b', 99))?.code).toBe('NOT_MEMBER');
    expect(errorOf(reseat('b', 100))?.code).toBe('NOT_MEMBER');
    expect(eventsOf(reseat('b', 101))).toHaveLength(1);
    // Whose joining was lost: nobody knows that they had left.
    expect(eventsOf(reseat('c', 99))).toHaveLength(1);
    for (let other = 0; other < 250; other += 1) {
      apply(join(`p${other}`), 1_000 + other);
      apply({ kind: 'leave', playerId: player(`p${other}`), cause: 'left' }, 1_000 + other);
    }
    expect(errorOf(reseat('b', 99))?.code).toBe('NOT_MEMBER');
    expect(errorOf(reseat('p9', 1_009))?.code).toBe('NOT_MEMBER');
    expect(eventsOf(reseat('c', 2_000))).toHaveLength(1);
    expect(Object.keys(room.document.leftAt ?? {})).toHaveLength(200);
    apply(join('p249'), 3_000);
    expect(Object.keys(room.document.leftAt ?? {})).toHaveLength(199);
  });

  test('[RM6] events applied give a state in which presence and members agree', () => {
    const ids = ['a', 'b', 'c', 'd'];
    const command = fc.oneof(
      fc.record({
        kind: fc.constant('join' as const),
        playerId: fc.constantFrom(...ids.map(player)),
        nickname: fc.string(),
        as: fc.constantFrom('player' as const, 'spectator' as const),
      }),
      fc.record({
        kind: fc.constant('leave' as const),
        playerId: fc.constantFrom(...ids.map(player)),
        cause: fc.constant('left' as const),
      }),
      fc.record({
        kind: fc.constant('role' as const),
        playerId: fc.constantFrom(...ids.map(player)),
        as: fc.constantFrom('player' as const, 'spectator' as const),
      }),
      fc.record({
        kind: fc.constant('ready' as const),
        playerId: fc.constantFrom(...ids.map(player)),
        ready: fc.boolean(),
      }),
      fc.record({
        kind: fc.constant('presence' as const),
        playerId: fc.constantFrom(...ids.map(player)),
        connected: fc.boolean(),
      }),
    );
    fc.assert(
      fc.property(fc.array(command, { maxLength: 60 }), (commands) => {
        let state: RoomState = makeState(
          makeDocument({ kind: 'pick', settings: { ...DEFAULT_SETTINGS.pick, capacity: 3 } }),
        );
        commands.forEach((one, index) => {
          const decision = decideRoom(state, one, index, RULES);
          if ('events' in decision) for (const event of decision.events) state = applyToState(state, event, index);
        });
        const members = state.document.members.map((one) => one.id);
        expect([...state.connected, ...state.awaySince.keys()].sort()).toEqual([...members].sort());
        expect(state.document.members.filter((one) => one.role === 'player').length).toBeLessThanOrEqual(3);
        for (const one of state.document.members) expect(one.ready === undefined).toBe(one.role === 'spectator');
      }),
    );
  });
});

describe('snapshot', () => {
  const message = (index: number): ChatMessage => ({
    id: `m${index}` as MessageId,
    playerId: player('a'),
    nickname: 'a',
    text: '말'.repeat(200),
    at: index,
  });

  test('[RM11] members and chat are cut', () => {
    const members = Array.from({ length: 100 }, (_, index) => member(`p${index}`, index));
    const document = makeDocument({ hostId: player('p99'), members });
    const state = {
      ...makeState(document, ['p5', 'p70', 'p98']),
      chat: Array.from({ length: 50 }, (_, index) => message(index)),
    };
    const snapshot = snapshotFor(state, player('p98'), null, { degraded: {} });
    expect(snapshot.members.map((one) => one.id)).toEqual(['p98', 'p99', 'p5', 'p70']);
    expect(snapshot.memberCount).toBe(100);
    expect(Buffer.byteLength(JSON.stringify(snapshot.chat))).toBeLessThanOrEqual(6_144 + 100);
    expect(snapshot.chat.at(-1)?.id).toBe('m49');
    expect(
      snapshotFor(makeState(makeDocument({ members: members.slice(0, 60) })), player('p0'), null, { degraded: {} })
        .members,
    ).toHaveLength(60);
  });
});

describe('chat', () => {
  const limits = { chatCharacters: 200 };
  const room = makeState(
    makeDocument({
      hostId: player('h'),
      settings: { ...DEFAULT_SETTINGS.bet, slowModeSeconds: 10 },
      members: [member('h', 1), member('s', 2, { role: 'spectator' })],
    }),
  );
  const say = (state: RoomState, id: string, text: string, now: number, mentions: string[] = []) =>
    decideChat(
      state,
      { id: `${id}${now}` as MessageId, playerId: player(id), text, mentions: mentions.map(player) },
      now,
      limits,
    );

  test('[CH1] members write and what they write is cleaned', () => {
    const decision = say(room, 's', '  hi\u202e \n there\u0000 ', 5);
    expect('events' in decision && decision.events[0]).toMatchObject({
      type: 'chat',
      message: { text: 'hi there', nickname: 's', at: 5 },
    });
    expect(say(room, 'x', 'hi', 5)).toEqual({ error: { code: 'NOT_MEMBER' } });
    expect(say(room, 's', ' \u200b ', 5)).toEqual({ error: { code: 'BAD_REQUEST', path: 'text' } });
    expect(say(room, 's', '🐎'.repeat(200), 5)).toHaveProperty('events');
    expect(say(room, 's', '🐎'.repeat(201), 5)).toEqual({ error: { code: 'BAD_REQUEST', path: 'text' } });
  });

  test('[CH2] slow mode waits for everybody but the host', () => {
    const after = ['h', 's'].reduce((state, id) => {
      const decision = say(state, id, 'hi', 1_000);
      return 'events' in decision
        ? decision.events.reduce((next, event) => applyToState(next, event, 1_000), state)
        : state;
    }, room);
    expect(say(after, 's', 'again', 4_000)).toEqual({ error: { code: 'SLOW_MODE', retryAfterMs: 7_000 } });
    expect(say(after, 's', 'again', 11_000)).toHaveProperty('events');
    expect(say(after, 'h', 'again', 1_001)).toHaveProperty('events');
  });

  test('[CH3] mentions of strangers are dropped; reactions toggle', () => {
    const decision = say(room, 'h', 'hi', 5, ['s', 'x', 's']);
    expect('events' in decision && decision.events[0]).toMatchObject({ message: { mentions: ['s'] } });
    let state =
      'events' in decision ? decision.events.reduce((next, event) => applyToState(next, event, 5), room) : room;
    const react = (on: boolean) => {
      const made = decideReaction(state, { playerId: player('s'), messageId: 'h5' as MessageId, emoji: '👍', on });
      if ('events' in made) for (const event of made.events) state = applyToState(state, event, 6);
      return 'events' in made ? made.events.length : -1;
    };
    expect([react(true), react(true), react(false), react(false)]).toEqual([1, 0, 1, 0]);
    expect(state.chat[0]?.reactions).toBeUndefined();
  });
});
