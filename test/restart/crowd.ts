import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from 'vitest';
import type { MessageId, RaceId, RoomId } from '../../lib/core/ids.ts';
import type { ChatMessage, MemberView, Reply, RoomEvent, Snapshot } from '../../lib/protocol.ts';
import type { TestClient } from '../helpers/client.ts';
import { until } from '../helpers/until.ts';

export const PATIENCE = { deadlineMs: 30_000 };
/** The promise: after a restart everybody is back within this. */
export const BACK_MS = 10_000;

const BETWEEN_LINES_MS = 40;

export type Line = {
  readonly id: MessageId;
  readonly text: string;
  readonly roomId: RoomId;
  readonly acknowledgedAt: number;
};

/** People who keep talking, each in their own room, until they are told to stop. */
export function startTalk(clients: readonly TestClient[]) {
  const lines: Line[] = [];
  let stopped = false;
  const talk = async (client: TestClient, voice: number): Promise<void> => {
    for (let count = 1; !stopped; count += 1) {
      await sleep(BETWEEN_LINES_MS);
      const roomId = client.room?.snapshot.id;
      if (!client.socket.connected || roomId === undefined || stopped) continue;
      const text = `${voice}:${lines.length}:${count}`;
      try {
        const { messageId } = await client.request('chat:send', { roomId, text });
        lines.push({ id: messageId, text, roomId, acknowledgedAt: performance.now() });
      } catch {
        // Not acknowledged: it may be there or not.
      }
    }
  };
  const talking = clients.map(talk);
  return {
    lines: (): readonly Line[] => [...lines],
    async stop(): Promise<readonly Line[]> {
      stopped = true;
      await Promise.all(talking);
      return lines;
    },
  };
}

export type Placed = { readonly commandId: string; readonly answer: Reply<'bet:place'> };

/** Somebody who bets as fast as answers come, in one race, until told to stop. What was not acknowledged may be there or not. */
export function startBets(client: TestClient, raceId: RaceId, most: number) {
  const placed: Placed[] = [];
  let stopped = false;
  const betting = (async () => {
    for (let count = 0; count < most && !stopped; ) {
      await sleep(5);
      if (!client.socket.connected || stopped) continue;
      const commandId = randomUUID();
      const bet = { raceId, pool: 'win' as const, selection: [1 + (count % 8)], stake: '100', commandId };
      count += 1;
      const answer = await client.ask('bet:place', bet).catch(() => undefined);
      if (answer?.ok) placed.push({ commandId, answer: answer.data });
    }
  })();
  return {
    placed: (): readonly Placed[] => [...placed],
    async stop(): Promise<readonly Placed[]> {
      stopped = true;
      await betting;
      return placed;
    },
  };
}

/** What must be found again: who is in the room as what, who hosts, how it is set. */
export function peopleOf(room: Snapshot) {
  const member = ({ id, nickname, role, ready }: MemberView) => ({
    id,
    nickname,
    role,
    ...(ready !== undefined && { ready }),
  });
  const { code, name, kind, settings, settingsVersion, hasPassword, hostId, expiresAt } = room;
  return {
    code,
    name,
    kind,
    settings,
    settingsVersion,
    hasPassword,
    hostId,
    expiresAt,
    members: room.members.map(member).sort((a, b) => (a.id < b.id ? -1 : 1)),
  };
}

/** The room as it is now: a snapshot, whatever the client holds. */
export async function fresh(client: TestClient): Promise<ReturnType<typeof peopleOf>> {
  // What the client holds may be newer by a line of chat, and then it keeps its own snapshot.
  return peopleOf((await client.request('room:join', { roomId: client.room?.id ?? '' })).room);
}

/** Every message of the room's history, oldest first. */
export async function wholeHistory(client: TestClient): Promise<readonly ChatMessage[]> {
  const pages: ChatMessage[] = [];
  for (let before: string | undefined; ; ) {
    const page = await client.request('chat:history', {
      roomId: client.room?.id ?? '',
      limit: 50,
      ...(before && { before }),
    });
    pages.unshift(...page.messages);
    if (page.next === undefined) return pages;
    before = page.next;
  }
}

/** Where each client's events of a new life of the room begin, noted whenever a connection is lost. */
export function watchLives(clients: readonly TestClient[]) {
  const began = new Map<TestClient, number>();
  for (const client of clients)
    client.socket.on('disconnect', () => began.set(client, client.room?.events.length ?? 0));
  return {
    /** What the client was told since it is back. */
    since: (client: TestClient): readonly RoomEvent[] => client.room?.events.slice(began.get(client) ?? 0) ?? [],
    /** All in one room hold the same epoch and seq, came to it by one snapshot and the events after it, without a gap. */
    expectOneLife(room: readonly TestClient[]): void {
      const held = room.map(({ room: own }) => `${own?.epoch} ${own?.seq}`);
      expect(new Set(held).size, held.join(', ')).toBe(1);
      for (const client of room) {
        const from = client.room?.snapshot.seq ?? 0;
        const events = (client.room?.events.slice(began.get(client) ?? 0) ?? []).filter(({ seq }) => seq > from);
        expect(events.map(({ seq }) => seq)).toEqual(
          Array.from({ length: (client.room?.seq ?? 0) - from }, (_, index) => from + 1 + index),
        );
      }
      const [first] = room;
      const shared = Math.max(...room.map((client) => client.room?.snapshot.seq ?? 0));
      const tail = (client: TestClient) =>
        (client.room?.events.slice(began.get(client) ?? 0) ?? []).filter(({ seq }) => seq > shared);
      if (first) for (const client of room) expect(tail(client)).toEqual(tail(first));
    },
  };
}

/** Resolves once every client has said hello again and is in its room; gives how long that took, in ms. */
export async function untilBack(
  clients: readonly TestClient[],
  readies: ReadonlyMap<TestClient, number>,
): Promise<number> {
  const startedAt = performance.now();
  await until(
    'everybody is back',
    () =>
      clients.every(
        (client) => client.socket.connected && client.readies > (readies.get(client) ?? 0) && client.room !== undefined,
      ),
    { ...PATIENCE, everyMs: 5 },
  );
  return performance.now() - startedAt;
}

export const readiesOf = (clients: readonly TestClient[]): Map<TestClient, number> =>
  new Map(clients.map((client) => [client, client.readies]));

/** All in the room hold the same position of the log. */
export async function untilLevel(room: readonly TestClient[]): Promise<void> {
  await until(
    'all hold the same position',
    () => new Set(room.map(({ room: own }) => `${own?.epoch} ${own?.seq}`)).size === 1,
    PATIENCE,
  );
}
