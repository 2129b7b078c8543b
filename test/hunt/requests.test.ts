import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { until } from '../helpers/until.ts';
import { codeOf, type House, openHouse } from './house.ts';

let house: House;
beforeAll(async () => {
  house = await openHouse({ SEAT_SECONDS: '1' });
});
afterAll(() => house.close());

describe('a repeated command', () => {
  test('[RM83] of a host has one effect and the same answer, also once they are not host any more', async () => {
    const host = await house.player('host');
    const guest = await house.player('guest');
    const { room } = await host.request('room:create', { kind: 'bet' });
    await guest.request('room:join', { roomId: room.id });
    const configure = {
      commandId: randomUUID(),
      roomId: room.id,
      version: room.settingsVersion,
      patch: { name: 'renamed', password: 'sesame' },
    };
    const first = await host.request('room:configure', configure);
    expect(first.inviteKey).toBeDefined();
    expect(await host.request('room:configure', configure)).toEqual(first);
    const other = { ...configure, patch: { name: 'another body' } };
    expect(codeOf(await host.ask('room:configure', other))).toBe('COMMAND_CONFLICT');
    const handover = { commandId: randomUUID(), roomId: room.id, playerId: guest.id as never };
    await host.request('room:handover', handover);
    await host.request('room:handover', handover);
    expect(house.state(room.id)?.document).toMatchObject({ name: 'renamed', hostId: guest.id });
    await host.event('host changed');
    const changes = host.room?.events.filter(({ type }) => type === 'settings changed' || type === 'host changed');
    expect(changes).toHaveLength(2);
    const close = { commandId: randomUUID(), roomId: room.id };
    await guest.request('room:close', close);
    await guest.request('room:close', close);
  });
});

describe('settings', () => {
  test('[RM84] the log tells of settings as they are kept', async () => {
    const host = await house.player('host');
    const { room } = await host.request('room:create', { kind: 'bet' });
    await host.request('room:configure', {
      roomId: room.id,
      version: room.settingsVersion,
      patch: { settings: { pools: ['win', 'win'], openSeconds: 40 } },
    });
    const row = await house.records.rooms.get(room.id);
    expect(row?.settings.pools).toEqual(['win']);
    expect(house.state(room.id)?.document.settings).toEqual(row?.settings);
    expect((await host.event('settings changed')).patch.settings).toEqual({ pools: ['win'], openSeconds: 40 });
  });

  test('[RM85] a change is never made on settings that the log does not have yet', async () => {
    const host = await house.player('host');
    const { room } = await host.request('room:create', { kind: 'bet' });
    // Changed and not told: whoever changed it died between the two.
    const row = await house.records.rooms.get(room.id);
    const settings = { ...(row?.settings as NonNullable<typeof row>['settings']), capacity: 7 };
    const version = room.settingsVersion;
    await house.records.rooms.configure(
      room.id,
      version,
      { settings },
      {
        type: 'settings changed',
        version: version + 1,
        by: null,
        patch: { settings: { capacity: 7 } },
      },
    );
    await host.request('room:configure', {
      roomId: room.id,
      version: version + 1,
      patch: { settings: { openSeconds: 40 } },
    });
    expect((await house.records.rooms.get(room.id))?.settings).toMatchObject({ capacity: 7, openSeconds: 40 });
    const stale = await host.refused('room:configure', { roomId: room.id, version, patch: { name: 'stale' } });
    expect(stale).toMatchObject({ code: 'BUSY', data: { version: version + 2 } });
  });
});

test('[RM86] the members of a large room come in pages, each once, though who stood at a page’s end leaves', async () => {
  const host = await house.player('host');
  const { room } = await host.request('room:create', { kind: 'bet', settings: { capacity: 200 } });
  const others = await Promise.all(Array.from({ length: 129 }, (_, index) => house.player(`m${index}`)));
  for (const other of others) await other.request('room:join', { roomId: room.id });
  const seen: string[] = [];
  let after: string | undefined;
  do {
    const page = await host.request('room:members', { roomId: room.id, ...(after && { after: after as never }) });
    expect(page.members.length).toBeLessThanOrEqual(60);
    seen.push(...page.members.map(({ id }) => id));
    const last = others.find(({ id }) => id === page.members.at(-1)?.id);
    if (page.next !== undefined) await last?.request('room:leave', { roomId: room.id });
    after = page.next;
  } while (after !== undefined);
  expect(seen).toEqual([host.id, ...others.map(({ id }) => id)]);
});

test('[RM87] the host’s place passes on with the cause for which it was lost', async () => {
  const host = await house.player('host');
  const guest = await house.player('guest');
  const { room } = await host.request('room:create', { kind: 'bet' });
  await guest.request('room:join', { roomId: room.id });
  host.socket.disconnect();
  expect(await guest.event('host changed', ({ hostId }) => hostId === guest.id)).toMatchObject({ cause: 'timeout' });
  const next = await house.player('next');
  await next.request('room:join', { roomId: room.id });
  // Into another room on the same connection: at once, as by leaving.
  await guest.request('room:create', { kind: 'bet' });
  expect(await next.event('host changed', ({ hostId }) => hostId === next.id)).toMatchObject({ cause: 'left' });
  await next.request('room:leave', { roomId: room.id });
  await until('nobody hosts', () => house.state(room.id)?.document.hostId === null);
  const last = await house.player('last');
  await last.request('room:join', { roomId: room.id });
  expect(await last.event('host changed', ({ hostId }) => hostId === last.id)).toMatchObject({ cause: 'joined' });
});
