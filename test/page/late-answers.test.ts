import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Server } from 'socket.io';
import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import type { Reply, RoomEvent, RoomEventsPacket, Snapshot } from '../../lib/protocol.ts';
import type { RoomState } from '../../public/src/state/feed.ts';
import { TestClient } from '../helpers/client.ts';
import { until } from '../helpers/until.ts';

const member = (id: string) => ({ id, nickname: id, role: 'player', connected: true, joinedAt: 1 });
const said = (seq: number) => ({ id: `m${seq}`, playerId: 'b', nickname: 'b', text: `line ${seq}`, at: seq });
const race = { id: 'x', phase: 'open', closesAt: 5, picked: [], totals: {} };

/** The room as it stood at `seq`: lines 1 to `seq` were said, and at 3 a race opened. */
function snapshotAt(seq: number, epoch = 'E1'): Snapshot {
  const lines = Array.from({ length: seq }, (_, index) => index + 1).filter((line) => line !== 3);
  return {
    id: 'r1',
    code: 'ABC234',
    name: 'room',
    kind: 'bet',
    epoch,
    seq,
    version: seq,
    degraded: {},
    settings: { capacity: 8 },
    settingsVersion: 1,
    hasPassword: false,
    hostId: 'a',
    expiresAt: 0,
    members: [member('a')],
    memberCount: 1,
    spectators: 0,
    race: seq >= 3 ? race : null,
    chat: lines.map(said),
    me: { playerId: 'a', role: 'player' },
  } as unknown as Snapshot;
}
const eventAt = (seq: number): RoomEvent =>
  (seq === 3
    ? { seq, at: seq, type: 'race opened', race }
    : { seq, at: seq, type: 'chat', message: said(seq) }) as unknown as RoomEvent;
const packet = (fromSeq: number, toSeq: number, epoch = 'E1'): RoomEventsPacket =>
  ({
    roomId: 'r1',
    epoch,
    fromSeq,
    toSeq,
    events: Array.from({ length: toSeq - fromSeq + 1 }, (_, index) => eventAt(fromSeq + index)),
  }) as unknown as RoomEventsPacket;

describe('a player of the tests', () => {
  /** What the next `room:join` is answered with, and what goes out before the answer and after it. */
  type Script = { before: RoomEventsPacket[]; answer: Snapshot; after: RoomEventsPacket[] };
  let script: Script;
  let client: TestClient;
  let asked = 0;
  const http = createServer();
  const io = new Server(http, { transports: ['websocket'] });
  io.on('connection', (socket) => {
    socket.on('room:join', (_payload, done: (answer: unknown) => void) => {
      for (const one of script.before) socket.emit('room:events', one);
      done({ ok: true, data: { room: script.answer, seat: `seat ${script.answer.seq}` } });
      for (const one of script.after) socket.emit('room:events', one);
    });
    socket.on('room:sync', (_payload, done: (answer: unknown) => void) => {
      asked += 1;
      done({ ok: true, data: { recovered: false, room: snapshotAt(3, 'E2') } });
    });
  });
  beforeAll(async () => {
    await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve));
  });
  afterAll(() => io.close());
  beforeEach(async () => {
    asked = 0;
    client = new TestClient(`http://127.0.0.1:${(http.address() as AddressInfo).port}`);
    await until('connected', () => client.socket.connected);
    return () => client.close();
  });

  const join = async (next: Script) => {
    script = next;
    await client.request('room:join', { roomId: 'r1' });
  };
  const held = () => [client.room?.seq, client.room?.events.map(({ seq }) => seq)];

  test('[RM79] keeps what came by events before the answer of an earlier moment', async () => {
    await join({ before: [], answer: snapshotAt(1), after: [packet(2, 2)] });
    await until('the second line', () => client.room?.seq === 2);
    // The same room again, as after a reload: its answer was made at 2, and comes after 3 and 4.
    await join({ before: [packet(3, 4)], answer: snapshotAt(2), after: [packet(5, 5)] });
    await until('the last line', () => client.room?.seq === 5);
    expect(held()).toEqual([5, [2, 3, 4, 5]]);
    expect([client.room?.seat, client.room?.snapshots, asked]).toEqual(['seat 2', 1, 0]);
  });

  test('[RM79] joins events that came before the first answer to what it says', async () => {
    await join({ before: [packet(1, 2), packet(3, 3)], answer: snapshotAt(2), after: [packet(4, 4)] });
    await until('the last line', () => client.room?.seq === 4);
    expect(held()).toEqual([4, [3, 4]]);
    expect(asked).toBe(0);
  });

  test('[RM79] takes an answer that is newer than its events, and one of a log that began anew', async () => {
    await join({ before: [], answer: snapshotAt(1), after: [] });
    await join({ before: [packet(2, 2)], answer: snapshotAt(4), after: [] });
    expect(client.room).toMatchObject({ seq: 4, snapshots: 2 });
    await join({ before: [], answer: snapshotAt(2, 'E2'), after: [packet(3, 3, 'E2')] });
    await until('the new log', () => client.room?.epoch === 'E2' && client.room.seq === 3);
  });
});

describe('the page', () => {
  /** What is used here of the page's state, which is compiled for browsers. */
  type State = {
    readonly room: { readonly value: RoomState | null };
    readonly mine: { value: Reply<'bet:mine'> | null };
    readonly enterRoom: (snapshot: Snapshot, ticket: string) => void;
    readonly onRoomEvents: (packet: RoomEventsPacket) => void;
    readonly resumeAuth: () => { resume?: object };
  };
  const file = new URL('../../public/src/state/room.ts', import.meta.url).pathname;
  let state: State;
  beforeEach(async () => {
    vi.resetModules();
    const location = {
      pathname: '/r/ABC234',
      hash: '',
      origin: 'http://localhost',
      protocol: 'http:',
      host: 'localhost',
    };
    vi.stubGlobal('location', location);
    vi.stubGlobal('history', { state: { paddock: true }, pushState: () => {}, replaceState: () => {} });
    vi.stubGlobal('navigator', { onLine: true, language: 'en', languages: ['en'] });
    vi.stubGlobal('addEventListener', () => {});
    vi.stubGlobal('document', { documentElement: {} });
    state = (await import(file)) as State;
    return () => vi.unstubAllGlobals();
  });
  const shown = () => {
    const room = state.room.value;
    return { seq: room?.seq, lines: room?.chat.map(({ text }) => text), race: room?.race?.id };
  };

  test('[PG1] keeps what came by events before the answer of an earlier moment', () => {
    state.enterRoom(snapshotAt(1), 'seat 1');
    state.onRoomEvents(packet(2, 4));
    const newer = { seq: 4, lines: ['line 1', 'line 2', 'line 4'], race: 'x' };
    expect(shown()).toEqual(newer);
    const mine: Reply<'bet:mine'> = { bets: [] };
    state.mine.value = mine;
    state.enterRoom(snapshotAt(2), 'seat 2');
    expect(shown()).toEqual(newer);
    expect(state.mine.value, 'what is known of the race that is shown').toBe(mine);
    state.onRoomEvents(packet(5, 5));
    expect(shown()).toMatchObject({ seq: 5, race: 'x' });
    expect(state.resumeAuth().resume).toMatchObject({ seq: 5, seat: 'seat 2' });
  });

  test('[PG1] joins events that came before the first answer to what it says', () => {
    state.onRoomEvents(packet(2, 2));
    state.onRoomEvents(packet(3, 4));
    state.enterRoom(snapshotAt(2), 'seat');
    expect(shown()).toEqual({ seq: 4, lines: ['line 1', 'line 2', 'line 4'], race: 'x' });
  });

  test('[PG1] takes an answer that is newer than its events, and one of a log that began anew', () => {
    state.enterRoom(snapshotAt(1), 'seat');
    state.onRoomEvents(packet(2, 2));
    state.enterRoom(snapshotAt(4), 'seat');
    expect(shown()).toEqual({ seq: 4, lines: ['line 1', 'line 2', 'line 4'], race: 'x' });
    state.enterRoom(snapshotAt(2, 'E2'), 'seat');
    expect(shown()).toMatchObject({ seq: 2, race: undefined });
  });
});
