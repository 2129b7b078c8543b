import { describe, expect, test } from 'vitest';
import type { RoomEvent, Snapshot } from '../../lib/protocol.ts';
import { applyEvent, isStale, type RoomState, receive, withMembers } from '../../public/src/state/feed.ts';
import { withUpdate } from '../../public/src/state/lobby-list.ts';

const member = (id: string, role: 'player' | 'spectator' = 'player') => ({ id, nickname: id, role, connected: true });

function room(patch: object = {}): RoomState {
  const base = {
    id: 'r1',
    code: 'ABC234',
    name: 'room',
    kind: 'bet',
    epoch: 'e1',
    seq: 10,
    version: 1,
    degraded: {},
    settings: { capacity: 8 },
    settingsVersion: 3,
    hasPassword: false,
    hostId: 'a',
    expiresAt: 0,
    members: [member('a'), member('b')],
    memberCount: 2,
    spectators: 0,
    race: null,
    chat: [],
    me: { playerId: 'a', role: 'player' },
  };
  return { ...base, ...patch } as unknown as RoomState;
}

const event = (seq: number, body: object): RoomEvent => ({ seq, at: seq, ...body }) as unknown as RoomEvent;
const chat = (seq: number) =>
  event(seq, { type: 'chat', message: { id: `m${seq}`, playerId: 'b', nickname: 'b', text: `${seq}`, at: seq } });
const packet = (epoch: string, events: RoomEvent[]) => ({ epoch: epoch as Snapshot['epoch'], events });

describe('the room as the page holds it', () => {
  test('[PG1] folds events in order and drops those it has', () => {
    const received = receive(room(), packet('e1', [chat(9), chat(10), chat(11), chat(12)]));
    if (received.kind !== 'applied') throw new Error('a gap was seen where there is none');
    expect(received.room.seq).toBe(12);
    expect(received.room.chat.map((message) => message.text)).toEqual(['11', '12']);
    expect(received.fresh.map(({ seq }) => seq)).toEqual([11, 12]);
  });

  test('[PG1] asks when an event is missing, at the front or in between, or when the log began anew', () => {
    expect(receive(room(), packet('e1', [chat(12)])).kind).toBe('gap');
    expect(receive(room(), packet('e1', [chat(11), chat(13)])).kind).toBe('gap');
    expect(receive(room(), packet('e2', [chat(1)])).kind).toBe('gap');
  });

  test('[PG1] an older snapshot of the same log tells nothing new', () => {
    expect(isStale(room(), room({ seq: 9 }))).toBe(true);
    expect(isStale(room(), room({ seq: 10 }))).toBe(false);
    expect(isStale(room(), room({ seq: 1, epoch: 'e2' }))).toBe(false);
    expect(isStale(null, room())).toBe(false);
  });

  test('[PG26] takes further members in, and not again who left before a late page came', () => {
    const crowd = room({ memberCount: 5 });
    const gone = applyEvent(crowd, event(11, { type: 'member left', playerId: 'd', cause: 'left' }));
    const paged = withMembers(gone, ['b', 'c', 'd', 'e'].map((id) => member(id)) as unknown as Snapshot['members']);
    expect(paged.members.map(({ id }) => id)).toEqual(['a', 'b', 'c', 'e']);
    expect(paged.memberCount).toBe(4);
    const back = applyEvent(paged, event(12, { type: 'member joined', member: member('d') }));
    expect(withMembers(back, [member('d')] as unknown as Snapshot['members']).members.map(({ id }) => id)).toEqual([
      'a',
      'b',
      'c',
      'e',
      'd',
    ]);
  });

  test('[PG2] counts people by who comes, goes and changes sides', () => {
    let now = applyEvent(room(), event(11, { type: 'member joined', member: { ...member('c'), joinedAt: 1 } }));
    now = applyEvent(now, event(12, { type: 'member changed', playerId: 'c', patch: { role: 'spectator' } }));
    expect([now.memberCount, now.spectators]).toEqual([3, 1]);
    now = applyEvent(now, event(13, { type: 'member joined', member: { ...member('c', 'spectator'), joinedAt: 1 } }));
    expect([now.memberCount, now.spectators]).toEqual([3, 1]);
    now = applyEvent(now, event(14, { type: 'member left', playerId: 'c', cause: 'left' }));
    expect([now.memberCount, now.spectators, now.members.length]).toEqual([2, 0, 2]);
    now = applyEvent(now, event(15, { type: 'member changed', playerId: 'a', patch: { role: 'spectator' } }));
    expect(now.me.role).toBe('spectator');
  });

  test('[PG2] follows a race from its opening to its result, and leaves another race alone', () => {
    const race = { id: 'x', phase: 'open', closesAt: 5, picked: [], totals: {} };
    let now = applyEvent(room({ nextOpensAt: 4 }), event(11, { type: 'race opened', race }));
    expect(now.nextOpensAt).toBeUndefined();
    now = applyEvent(now, event(12, { type: 'pick made', raceId: 'x', playerId: 'b', picked: true }));
    now = applyEvent(now, event(13, { type: 'pick made', raceId: 'other', playerId: 'a', picked: true }));
    expect(now.race?.picked).toEqual(['b']);
    now = applyEvent(now, event(14, { type: 'race closed', raceId: 'x', betsRoot: 'ff', totals: {} }));
    now = applyEvent(now, event(15, { type: 'race paused', phase: 'closed' }));
    expect(now.pausedPhase).toBe('closed');
    now = applyEvent(now, event(16, { type: 'race drawn', raceId: 'x', startsAt: 7, picks: [] }));
    now = applyEvent(now, event(17, { type: 'race running', raceId: 'x', startsAt: 7, endsAt: 9 }));
    expect([now.race?.phase, now.pausedPhase]).toEqual(['running', undefined]);
    now = applyEvent(
      now,
      event(18, { type: 'race settled', raceId: 'x', result: { order: [], seed: '' }, nextOpensAt: 20 }),
    );
    expect([now.race?.phase, now.nextOpensAt]).toEqual(['settled', 20]);
  });

  test('[LG156] says of a race on hold that its payouts wait, until it is paid', () => {
    const race = { id: 'x', phase: 'running', closesAt: 5, picked: [], totals: {} };
    let now = applyEvent(room(), event(11, { type: 'race opened', race }));
    const result = { order: [], seed: '' };
    now = applyEvent(now, event(12, { type: 'race settled', raceId: 'x', result, payoutsHeld: true }));
    expect(now.race).toMatchObject({ phase: 'settled', payoutsHeld: true });
    now = applyEvent(now, event(13, { type: 'race paid', raceId: 'other' }));
    expect(now.race?.payoutsHeld).toBe(true);
    now = applyEvent(now, event(14, { type: 'race paid', raceId: 'x' }));
    expect(now.race).toEqual({ ...race, phase: 'settled', result });
  });

  test('[PG2] puts a reaction on and takes it off again, once for each player', () => {
    const react = (seq: number, on: boolean) =>
      event(seq, { type: 'reaction', messageId: 'm11', emoji: '👍', playerId: 'a', on });
    let now = applyEvent(room(), chat(11));
    now = applyEvent(applyEvent(now, react(12, true)), react(13, true));
    expect(now.chat[0]?.reactions).toEqual([{ emoji: '👍', playerIds: ['a'] }]);
    now = applyEvent(now, react(14, false));
    expect(now.chat[0]?.reactions).toEqual([]);
  });
});

describe('the lobby as the page holds it', () => {
  const card = (id: string, patch: object = {}) => ({ id, name: id, code: id, kind: 'bet', ...patch }) as never;
  const list = { version: 4, rooms: [card('a'), card('b')], total: 2 };

  test('[PG3] changes cards in place, adds those that fit the filter and ignores what is older', () => {
    const update = {
      version: 5,
      upserted: [card('b', { name: 'B' }), card('c'), card('d', { kind: 'pick' })],
      removed: ['a' as never],
      total: 9,
    };
    const next = withUpdate(list, update, 'bet', '');
    expect(next.rooms.map(({ id, name }) => [id, name])).toEqual([
      ['c', 'c'],
      ['b', 'B'],
    ]);
    expect(next.total).toBe(9);
    expect(withUpdate(list, { ...update, version: 3 }, null, '')).toBe(list);
    expect(withUpdate(list, update, null, 'zzz').rooms.map(({ id }) => id)).toEqual(['b']);
  });
});
