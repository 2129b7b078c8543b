import { expect, test } from 'vitest';
import type { Epoch } from '../../lib/core/ids.ts';
import { until } from '../helpers/until.ts';
import type { MakeStore } from './contract.ts';
import {
  changed,
  chat,
  commitOn,
  documentOf,
  eventOf,
  firstCommit,
  follow,
  joined,
  loaded,
  mark,
  mustCommit,
  newRoomId,
  player,
  roomWith,
} from './fixtures.ts';
import { withStore } from './with-store.ts';

export function logContract(makeStore: MakeStore): void {
  const withOne = (title: string, work: Parameters<typeof withStore>[1]) =>
    test(title, () => withStore(makeStore, work));

  withOne(
    '[RM12] events follow each other from 1 on, and an entry is the event as it is sent',
    async (one, other, under) => {
      const roomId = newRoomId();
      const before = under.now();
      const made = await mustCommit(one, firstCommit(documentOf(roomId), { events: [joined('p1')] }));
      expect([made.fromSeq, made.toSeq]).toEqual([1, 1]);
      const next = await mustCommit(other, commitOn(await loaded(other, roomId), { events: [chat('a'), chat('b')] }));
      expect([next.epoch, next.fromSeq, next.toSeq]).toEqual([made.epoch, 2, 3]);
      const entries = (await one.since(roomId, made.epoch, 0)) ?? [];
      expect(entries.map(({ seq, type }) => [seq, type])).toEqual([
        [1, 'member joined'],
        [2, 'chat'],
        [3, 'chat'],
      ]);
      for (const entry of entries) {
        expect(eventOf(entry)).toMatchObject({ seq: entry.seq, at: entry.at, type: entry.type });
        expect(entry.at).toBeGreaterThanOrEqual(before);
      }
      expect(eventOf(entries[1] as (typeof entries)[number])).toMatchObject({ message: { text: 'a' } });
      expect(next.at).toBe(entries[1]?.at);
    },
  );

  withOne('[RM12] a commit that is refused leaves nothing behind', async (one, other) => {
    const room = await roomWith(one, 2);
    const follower = await follow(other, room.document.id);
    const stale = { ...room, document: { ...room.document, version: 7 } };
    const refused = await one.commit(
      commitOn(stale, {
        document: changed(stale, { name: 'x' }),
        events: [joined('p2')],
        commands: [mark('p2')],
        card: null,
      }),
    );
    expect(refused).toEqual({ kind: 'conflict' });
    expect(await loaded(other, room.document.id)).toEqual(room);
    const last = await mustCommit(one, commitOn(room, { events: [chat('after')] }));
    expect(last.fromSeq).toBe(room.seq + 1);
    await until('the follower has it', () => follower.seen.length === 1);
    expect(follower.faults).toEqual([]);
    await follower.close();
  });

  withOne(
    '[RM13] the first commit needs an absent room, later ones the state they were decided on',
    async (one, other) => {
      const room = await roomWith(one, 0);
      expect(await other.commit(firstCommit(documentOf(room.document.id)))).toEqual({ kind: 'conflict' });
      const absent = { ...room, document: documentOf(newRoomId()) };
      expect(await one.commit(commitOn(absent, { events: [chat('x')] }))).toEqual({ kind: 'absent' });
      expect(await one.load(absent.document.id)).toBeNull();
      const otherEpoch = { ...room, epoch: '01ANOTHER' as Epoch };
      expect(await one.commit(commitOn(otherEpoch, { events: [chat('x')] }))).toEqual({ kind: 'conflict' });

      await mustCommit(one, commitOn(room, { document: changed(room, { name: 'new' }), events: [joined('p1')] }));
      expect(await other.commit(commitOn(room, { events: [chat('x')] }))).toEqual({ kind: 'conflict' });
      const now = await loaded(other, room.document.id);
      expect([now.document.name, now.document.version]).toEqual(['new', room.document.version + 1]);
    },
  );

  withOne(
    '[RM13] talk neither writes the document nor raises its version, so writers of it do not collide',
    async (one, other) => {
      const room = await roomWith(one, 0);
      await mustCommit(one, commitOn(room, { events: [chat('a')] }));
      await mustCommit(other, commitOn(room, { events: [chat('b')] }));
      const now = await loaded(one, room.document.id);
      expect(now.document.version).toBe(room.document.version);
      expect(now.chat.map(({ text }) => text)).toEqual(['a', 'b']);
    },
  );

  withOne('[RM14] a commit after its time is refused and never happens', async (one, _other, under) => {
    const room = await roomWith(one, 0);
    const notAfter = under.now() + 50;
    await under.advance(100);
    expect(await one.commit(commitOn(room, { notAfter, events: [chat('late')] }))).toEqual({ kind: 'late' });
    expect((await loaded(one, room.document.id)).seq).toBe(0);
    await mustCommit(one, commitOn(room, { notAfter: under.now() + 10_000, events: [chat('in time')] }));
  });

  withOne(
    '[RM8] a repeat on any instance is told with its first result, and nothing of its commit is written',
    async (one, other) => {
      const room = await roomWith(one, 0);
      const first = mark('p1', 'body', '{"n":1}');
      const fresh = mark('p2');
      await mustCommit(one, commitOn(room, { commands: [first], events: [chat('once')] }));
      const repeated = await other.commit(
        commitOn(room, { commands: [fresh, first], events: [chat('x'), chat('once')] }),
      );
      expect(repeated).toEqual({ kind: 'repeated', repeats: [{ index: 1, result: '{"n":1}' }] });
      expect((await loaded(one, room.document.id)).seq).toBe(1);
      expect(await other.answered(room.document.id, fresh.playerId, fresh.commandId, 'body')).toBeNull();

      const otherBody = { ...first, bodyHash: 'other' };
      const conflict = await other.commit(commitOn(room, { commands: [otherBody], events: [chat('x')] }));
      expect(conflict).toEqual({ kind: 'repeated', repeats: [{ index: 0, result: 'conflict' }] });
      expect(await other.answered(room.document.id, first.playerId, first.commandId, 'body')).toBe('{"n":1}');
      expect(await other.answered(room.document.id, first.playerId, first.commandId, 'other')).toBe('conflict');
      expect(await other.answered(room.document.id, player('p9'), first.commandId, 'body')).toBeNull();
    },
  );

  withOne('[RM8] results are forgotten after their time', async (one, _other, under) => {
    const room = await roomWith(one, 0);
    const command = mark('p1');
    await mustCommit(one, commitOn(room, { commands: [command], events: [chat('a')] }));
    await under.advance(2_000);
    expect(await one.answered(room.document.id, command.playerId, command.commandId, 'body')).toBeNull();
  });

  withOne('[RM8] a command that was refused is not remembered', async (one) => {
    const room = await roomWith(one, 0);
    const command = mark('p1');
    const stale = { ...room, document: { ...room.document, version: 9 } };
    expect(await one.commit(commitOn(stale, { commands: [command], events: [chat('a')] }))).toEqual({
      kind: 'conflict',
    });
    expect(await one.answered(room.document.id, command.playerId, command.commandId, 'body')).toBeNull();
    await mustCommit(one, commitOn(room, { commands: [command], events: [chat('a')] }));
  });

  withOne('[RM10] facts enter in their order, each once', async (one, other) => {
    const room = await roomWith(one, 0, { factVersion: 4 });
    const fact = (from: number, to: number) =>
      commitOn(room, {
        document: changed(room, { factVersion: to }),
        facts: { from, to },
        events: [chat(`fact ${to}`)],
      });
    expect(await one.commit(fact(5, 6))).toEqual({ kind: 'fact-gap', factVersion: 4 });
    expect(await one.commit(fact(3, 4))).toEqual({ kind: 'fact-gap', factVersion: 4 });
    await mustCommit(one, fact(4, 6));
    expect(await other.commit(fact(4, 6))).toEqual({ kind: 'conflict' });
    expect((await loaded(other, room.document.id)).document.factVersion).toBe(6);
  });

  withOne('[RM15] entries since a position come complete or not at all', async (one, other) => {
    const room = await roomWith(one, 30);
    const { id } = room.document;
    expect((await other.since(id, room.epoch, 27))?.map(({ seq }) => seq)).toEqual([28, 29, 30]);
    expect(await other.since(id, room.epoch, 30)).toEqual([]);
    expect(await other.since(id, room.epoch, 31)).toBeNull();
    expect(await other.since(id, '01ANOTHER' as Epoch, 3)).toBeNull();
    expect(await other.since(newRoomId(), room.epoch, 0)).toBeNull();
  });

  withOne('[RM15] the newest 500 entries stay, also when the archive has them', async (one) => {
    const room = await roomWith(one, 900);
    const { id, version } = room.document;
    await one.archived(id, { epoch: room.epoch, seq: 900 }, version);
    const kept = await one.since(id, room.epoch, 400);
    expect(kept?.length).toBe(500);
    const all = await one.since(id, room.epoch, 0);
    expect(all === null || all.length === 900).toBe(true);
  });

  withOne('[RM9] instances hear of every commit in order, with the versions after it', async (one, other) => {
    const room = await roomWith(one, 0);
    const { id } = room.document;
    const versions: [number, number][] = [];
    const versionsEnd = await other.subscribe(id, ({ version, factVersion }) => versions.push([version, factVersion]));
    const followers = [await follow(one, id), await follow(other, id)];
    await mustCommit(one, commitOn(room, { events: [chat('a'), chat('b')] }));
    await mustCommit(
      other,
      commitOn(room, {
        document: changed(room, { factVersion: 1 }),
        facts: { from: 0, to: 1 },
        events: [joined('p1')],
      }),
    );
    await until('all have heard', () => followers.every(({ seen }) => seen.length === 3) && versions.length === 2);
    expect(followers.map(({ seen }) => seen.map(({ seq }) => seq))).toEqual([
      [1, 2, 3],
      [1, 2, 3],
    ]);
    expect(followers.flatMap(({ faults }) => faults)).toEqual([]);
    expect(versions).toEqual([
      [1, 0],
      [2, 1],
    ]);
    await Promise.all([versionsEnd.close(), ...followers.map((follower) => follower.close())]);
  });

  withOne('[RM9] a closed subscription is silent, and another room is not heard', async (one, other) => {
    const [room, elsewhere] = [await roomWith(one, 0), await roomWith(one, 0)];
    const heard: number[] = [];
    const closing = await other.subscribe(room.document.id, ({ entries }) =>
      heard.push(...entries.map(({ seq }) => seq)),
    );
    const staying = await follow(other, room.document.id);
    await mustCommit(one, commitOn(elsewhere, { events: [chat('not for them')] }));
    await mustCommit(one, commitOn(room, { events: [chat('1')] }));
    await until('the first is heard', () => heard.length === 1 && staying.seen.length === 1);
    await closing.close();
    await mustCommit(one, commitOn(room, { events: [chat('2')] }));
    await until('the other still hears', () => staying.seen.length === 2);
    expect(heard).toEqual([1]);
    await staying.close();
  });

  withOne('[RM9] heads tell where the logs are, of the rooms that exist', async (one, other) => {
    const [a, b] = [await roomWith(one, 3), await roomWith(one, 0)];
    const heads = await other.heads([a.document.id, b.document.id, newRoomId()]);
    expect(Object.fromEntries(heads)).toEqual({
      [a.document.id]: { epoch: a.epoch, seq: 3 },
      [b.document.id]: { epoch: b.epoch, seq: 0 },
    });
  });

  withOne('[RM16] a load has the newest 50 messages with the reactions that stand', async (one, other) => {
    const room = await roomWith(one, 60);
    const target = room.chat.at(-1);
    if (target === undefined) throw new Error('no chat');
    const react = (name: string, on: boolean) =>
      ({ type: 'reaction', messageId: target.id, emoji: '👍', playerId: player(name), on }) as const;
    await mustCommit(one, commitOn(room, { events: [react('a', true), react('b', true), react('a', false)] }));
    const now = await loaded(other, room.document.id);
    expect(now.chat.map(({ text }) => text)).toEqual(Array.from({ length: 50 }, (_, index) => `text ${index + 11}`));
    expect(now.chat.at(-1)?.reactions).toEqual([{ emoji: '👍', playerIds: ['b'] }]);
  });

  withOne('[RM17] a restored room is the same in a new epoch; one that is there is left alone', async (one, other) => {
    const room = await roomWith(one, 5, { version: 8, factVersion: 3 });
    const { id } = room.document;
    expect(await other.restore(documentOf(id), [], null)).toBe('exists');
    expect(await loaded(other, id)).toEqual(room);
    await one.archived(id, { epoch: room.epoch, seq: room.seq }, room.document.version);
    await one.remove(id);
    expect(await other.load(id)).toBeNull();
    expect(await other.since(id, room.epoch, 0)).toBeNull();

    expect(await other.restore(room.document, room.chat, null)).toBe('restored');
    const back = await loaded(one, id);
    expect(back).toEqual({ ...room, epoch: back.epoch, seq: 0 });
    expect(back.epoch).not.toBe(room.epoch);
    const next = await mustCommit(one, commitOn(back, { events: [chat('again')] }));
    expect([next.epoch, next.fromSeq]).toEqual([back.epoch, 1]);
  });
}
