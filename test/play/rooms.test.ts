import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { RoomId } from '../../lib/core/ids.ts';
import type { RoomCard, ServerEvents } from '../../lib/protocol.ts';
import { until } from '../helpers/until.ts';
import {
  at,
  ended,
  expectBalance,
  expectVerified,
  hurry,
  opened,
  PATIENCE,
  recordOf,
  setTable,
  type Table,
} from './table.ts';

let table: Table;
beforeAll(async () => {
  table = await setTable({ HOUSE_ROOMS: '1' });
});
afterAll(() => table?.close());

describe.concurrent('rooms', () => {
  it('[RM65] a change of what a race is run by applies to the next race, everything else at once, and only by the host', async () => {
    const { roomId, players } = await table.room('bet', ['ann', 'ben'], { openSeconds: 100, track: 'short' });
    const [ann, ben] = [at(players, 0), at(players, 1)];
    const version = ann.room?.snapshot.settingsVersion ?? -1;
    const { raceId } = await ann.request('race:start', { roomId });
    const patch = {
      name: '  저녁 내기  ',
      settings: { horses: 5, track: 'medium', pools: ['win'], maxStakePerRace: 300, capacity: 2 },
    } as const;
    expect((await ben.refused('room:configure', { roomId, version, patch: { name: 'mine' } })).code).toBe('NOT_HOST');
    const changed = await ann.request('room:configure', {
      roomId,
      version,
      patch: { ...patch, settings: { ...patch.settings, pools: ['win'] } },
    });
    expect(changed.version).toBe(version + 1);
    const told = await ben.event('settings changed', (event) => event.version === changed.version);
    expect(told).toMatchObject({ by: ann.id, patch: { name: '저녁 내기', settings: patch.settings } });
    // Two who change at once: the one who looked at an older version is told so.
    const late = await ann.refused('room:configure', { roomId, version, patch: { name: 'again' } });
    expect(late).toMatchObject({ code: 'BUSY', retryable: true, data: { version: changed.version } });
    const wrong = await ann.refused('room:configure', {
      roomId,
      version: changed.version,
      patch: { settings: { horses: 3 } },
    });
    expect(wrong).toMatchObject({ code: 'BAD_REQUEST', path: 'patch.settings.horses' });

    const outside = await table.player('cho');
    expect((await outside.refused('room:join', { roomId })).code).toBe('ROOM_FULL');
    await ben.request('bet:place', { raceId, pool: 'place', selection: [8], stake: '2000' });
    await hurry(ann, roomId);
    await ended(ann, raceId);
    const first = await recordOf(table, ann, raceId);
    expect([first.field.length, first.track, first.pools, first.maxStakePerRace]).toEqual([
      8,
      'short',
      ['win', 'place'],
      '5000',
    ]);

    const next = await ann.request('race:start', { roomId });
    const race = await opened(ben, 2);
    expect([race.field.length, race.track, race.pools, race.maxStakePerRace]).toEqual([5, 'medium', ['win'], '300']);
    const bet = { raceId: next.raceId, selection: [1], stake: '300' };
    expect((await ben.refused('bet:place', { ...bet, pool: 'place' })).code).toBe('SELECTION_INVALID');
    await ben.request('bet:place', { ...bet, pool: 'win' });
    expect((await ben.refused('bet:place', { ...bet, pool: 'win', stake: '100' })).code).toBe('LIMIT_REACHED');
    expect((await ben.refused('bet:place', { ...bet, pool: 'win', stake: '50' })).code).toBe('STAKE_INVALID');
    expect((await ben.request('bet:quote', { ...bet, pool: 'win', stake: '100' })).low).toMatch(/^\d+$/);
    await hurry(ann, roomId);
    await ended(ann, next.raceId);
    const second = await recordOf(table, ann, next.raceId);
    expectVerified(second, first);
    await expectBalance(ben, [first, second]);
  });

  it('[RM66] a password or the invite key opens the door, a wrong one does not, and too many wrong ones are not even looked at', async () => {
    const dee = await table.player('dee');
    const made = await dee.request('room:create', { kind: 'bet', password: '경마 좋아' });
    const { room, inviteKey = '' } = made;
    const roomId = room.id;
    expect(inviteKey.length).toBeGreaterThan(15);
    expect(JSON.stringify(room)).not.toContain('경마');
    expect(room.hasPassword).toBe(true);
    const [eve, fay, gil] = await Promise.all(['eve', 'fay', 'gil'].map((name) => table.player(name)));
    if (!eve || !fay || !gil) throw new Error('unreachable');
    expect((await eve.refused('room:join', { roomId })).code).toBe('WRONG_PASSWORD');
    const entered = await eve.request('room:join', { roomId, password: '경마 좋아' });
    expect(entered.inviteKey).toBeUndefined();
    await fay.request('room:join', { roomId, key: inviteKey });
    // Whoever is inside needs nothing: another device, a reload.
    await eve.request('room:join', { roomId });

    for (let tries = 1; tries <= 5; tries += 1)
      expect((await gil.refused('room:join', { roomId, password: `guess ${tries}` })).code).toBe('WRONG_PASSWORD');
    const blocked = await gil.refused('room:join', { roomId, password: '경마 좋아' });
    expect(blocked).toMatchObject({ code: 'RATE_LIMITED', retryable: true });
    expect(blocked.retryAfterMs).toBeGreaterThan(0);
    expect(blocked.retryAfterMs).toBeLessThanOrEqual(60_000);
    // Another room is another matter, and the key is no guess.
    const other = await table.room('bet', ['hal']);
    await gil.request('room:join', { roomId: other.roomId });
    await gil.request('room:join', { roomId, key: inviteKey });

    const opened = await dee.request('room:configure', {
      roomId,
      version: 0 + (dee.room?.snapshot.settingsVersion ?? 0),
      patch: { password: 'another' },
    });
    expect(opened.inviteKey).not.toBe(inviteKey);
    const change = await eve.event('settings changed');
    expect(JSON.stringify(change)).not.toContain('another');
    const ivy = await table.player('ivy');
    expect((await ivy.refused('room:join', { roomId, key: inviteKey })).code).toMatch(/WRONG_PASSWORD|RATE_LIMITED/);
    await ivy.request('room:join', { roomId, key: opened.inviteKey ?? '' });
    await dee.request('room:configure', { roomId, version: opened.version, patch: { password: null } });
    const jon = await table.player('jon');
    await jon.request('room:join', { roomId });
    expect(jon.room?.snapshot.hasPassword).toBe(false);
    for (const client of [dee, eve, fay, gil, ivy, jon])
      expect(JSON.stringify(client.messages)).not.toContain('경마 좋아');
  });

  it('[RM67] a full room takes spectators only and says so, a locked one nobody, and one connection is in one room', async () => {
    const { roomId, players } = await table.room('pick', ['kim', 'lou'], { capacity: 2 });
    const [kim, lou] = [at(players, 0), at(players, 1)];
    const max = await table.player('max');
    expect(await max.refused('room:join', { roomId })).toMatchObject({
      code: 'ROOM_FULL',
      retryable: true,
      data: { canSpectate: true },
    });
    await max.request('room:join', { roomId, as: 'spectator' });
    expect((await max.refused('room:role', { roomId, as: 'player' })).code).toBe('ROOM_FULL');
    await kim.request('room:configure', {
      roomId,
      version: kim.room?.snapshot.settingsVersion ?? 0,
      patch: { settings: { locked: true } },
    });
    const ned = await table.player('ned');
    expect((await ned.refused('room:join', { roomId, as: 'spectator' })).code).toBe('ROOM_LOCKED');
    const changed = await kim.event('settings changed');
    await kim.request('room:configure', {
      roomId,
      version: changed.version,
      patch: { settings: { locked: false, spectators: false } },
    });
    expect(await ned.refused('room:join', { roomId })).toMatchObject({
      code: 'ROOM_FULL',
      data: { canSpectate: false },
    });
    expect((await ned.refused('room:join', { roomId, as: 'spectator' })).code).toBe('SPECTATORS_OFF');

    const other = await table.room('bet', ['oda']);
    await lou.request('room:join', { roomId: other.roomId });
    const left = await kim.event('member left', ({ playerId }) => playerId === lou.id);
    expect(left.cause).toBe('left-elsewhere');
    expect((await lou.refused('chat:send', { roomId, text: 'hello?' })).code).toBe('NOT_MEMBER');
    // There is a place now, and one of the two who want it at the same moment gets it.
    await kim.request('room:configure', {
      roomId,
      version: changed.version + 1,
      patch: { settings: { spectators: true } },
    });
    const both = await Promise.all([max.ask('room:role', { roomId, as: 'player' }), ned.ask('room:join', { roomId })]);
    expect(both.filter(({ ok }) => ok)).toHaveLength(1);
    expect(both.flatMap((answer) => (answer.ok ? [] : [answer.code]))).toEqual(['ROOM_FULL']);
    if (both[1]?.ok) {
      await ned.request('room:leave', { roomId });
      await max.request('room:role', { roomId, as: 'player' });
    }
    const { members } = await max.request('room:members', { roomId });
    expect(members.map(({ nickname, role, ready }) => [nickname, role, ready])).toEqual([
      ['kim', 'player', true],
      ['max', 'player', true],
    ]);
  });

  it('[RM68] whoever watches the lobby is told every change, so that the list they hold is the list there is', async () => {
    const name = `Lobby ${randomUUID().slice(0, 8)}`;
    const watcher = await table.player('pam');
    const first = await watcher.request('lobby:watch', { search: name });
    expect(first).toMatchObject({ rooms: [], total: 0 });
    const held = new Map<RoomId, RoomCard>();
    let version = first.version;
    const updates = () =>
      watcher.messages
        .filter((one) => one.name === 'lobby:update')
        .map(({ data }) => data as ServerEvents['lobby:update']);
    let taken = 0;
    const follow = () => {
      for (const update of updates().slice(taken)) {
        taken += 1;
        expect(update.version).toBe(version + 1);
        version = update.version;
        for (const card of update.upserted) held.set(card.id, card);
        for (const roomId of update.removed) held.delete(roomId);
        expect(held.size).toBe(update.total);
      }
    };
    const sees = (what: string, probe: () => unknown) =>
      until(
        what,
        () => {
          follow();
          return probe();
        },
        PATIENCE,
      );

    const quy = await table.player('quy');
    const { room } = await quy.request('room:create', {
      kind: 'pick',
      name: `${name} one`,
      settings: { mode: 'manual', openSeconds: 100 },
    });
    await sees('the new room', () => held.get(room.id)?.players === 1);
    expect(held.get(room.id)).toMatchObject({
      code: room.code,
      name: `${name} one`,
      kind: 'pick',
      phase: 'idle',
      mode: 'manual',
      hasPassword: false,
      capacity: 20,
      locale: 'en',
    });
    const others = await Promise.all(['ray', 'sue', 'tim'].map((one) => table.player(one)));
    for (const client of others) await client.request('room:join', { roomId: room.id });
    await sees('four in it', () => held.get(room.id)?.players === 4);
    await at(others, 0).request('room:role', { roomId: room.id, as: 'spectator' });
    await sees('one watching', () => held.get(room.id)?.spectators === 1 && held.get(room.id)?.players === 3);
    await quy.request('race:start', { roomId: room.id });
    await sees(
      'a race that is open',
      () => held.get(room.id)?.phase === 'open' && held.get(room.id)?.closesAt !== undefined,
    );
    await hurry(quy, room.id);
    await sees('a race that is over', () => held.get(room.id)?.phase === 'idle');

    const uma = await table.player('uma');
    const hidden = await uma.request('room:create', { kind: 'bet', name: `${name} two`, settings: { listed: false } });
    await uma.request('room:configure', {
      roomId: hidden.room.id,
      version: hidden.room.settingsVersion,
      patch: { password: 'x', settings: { listed: true } },
    });
    await sees('the second room, with a lock', () => held.get(hidden.room.id)?.hasPassword === true);
    const fresh = await table.player('vic');
    const page = await fresh.request('lobby:watch', { search: name });
    await sees('the same as a newcomer', () => page.rooms.length === held.size);
    expect(Object.fromEntries(page.rooms.map((card) => [card.id, card]))).toEqual(Object.fromEntries(held));
    expect((await fresh.request('lobby:watch', { search: name, kind: 'bet' })).rooms.map(({ id }) => id)).toEqual([
      hidden.room.id,
    ]);

    await uma.request('room:close', { roomId: hidden.room.id });
    await quy.request('room:configure', {
      roomId: room.id,
      version: quy.room?.snapshot.settingsVersion ?? 0,
      patch: { settings: { listed: false } },
    });
    await sees('nothing any more', () => held.size === 0);
    await watcher.request('lobby:unwatch', {});
  });

  it('[RM69] a code brings people in; a closed room puts everybody out, its code says so, and its race is paid all the same', async () => {
    const { roomId, code, players } = await table.room('bet', ['wes', 'xia'], { openSeconds: 100, track: 'short' });
    const [wes, xia] = [at(players, 0), at(players, 1)];
    const finder = await table.player('yan');
    const commandId = randomUUID();
    const twice = await Promise.all(
      [1, 2].map(() => finder.request('room:create', { kind: 'bet', name: 'mine', commandId })),
    );
    expect(twice.map(({ room }) => [room.id, room.code])).toEqual(
      Array(2).fill([twice[0]?.room.id, twice[0]?.room.code]),
    );
    expect((await finder.refused('room:create', { kind: 'pick', name: 'mine', commandId })).code).toBe(
      'COMMAND_CONFLICT',
    );
    await finder.request('room:leave', { roomId: twice[0]?.room.id ?? '' });
    expect(
      await finder.request('room:find', { code: `${code.slice(0, 3)}-${code.slice(3).toLowerCase()}` }),
    ).toMatchObject({ id: roomId, code, players: 2 });
    expect((await finder.refused('room:find', { code: 'ZZZZZZ' })).code).toBe('NOT_FOUND');
    const { raceId } = await wes.request('race:start', { roomId });
    await opened(xia, 1);
    await xia.request('bet:place', { raceId, pool: 'win', selection: [3], stake: '800' });
    await hurry(wes, roomId);
    await xia.event('race running', (event) => event.raceId === raceId);
    expect((await xia.refused('room:close', { roomId })).code).toBe('NOT_HOST');
    await wes.request('room:close', { roomId });
    for (const client of players) {
      expect(await client.message('room:left')).toEqual({ roomId, cause: 'closed' });
      expect(client.room).toBeUndefined();
    }
    expect((await finder.refused('room:find', { code })).code).toBe('ROOM_CLOSED');
    expect((await finder.refused('room:join', { roomId })).code).toBe('ROOM_CLOSED');
    expect((await finder.refused('room:join', { roomId: 'r-nowhere' })).code).toBe('NOT_FOUND');
    await until(
      'the race is settled',
      async () => (await finder.request('race:get', { raceId })).phase === 'settled',
      PATIENCE,
    );
    const record = await recordOf(table, finder, raceId);
    expectVerified(record);
    await expectBalance(xia, [record]);
    // Whoever was away is told on coming back.
    const again = await table.player('xia', {
      token: xia.token ?? '',
      auth: { resume: { roomId, epoch: '01ARZ3NDEKTSV4RRFFQ69G5FAV', seq: 1 } },
    });
    expect(again.ready).toMatchObject({ resumed: false, left: { cause: 'closed' } });
  });

  it('[RC70] the house room runs while somebody is in it and idles otherwise', async () => {
    const zoe = await table.player('zoe');
    const { rooms } = await zoe.request('lobby:watch', { search: 'Dawn Track' });
    const house = at(rooms, 0);
    expect(house).toMatchObject({ kind: 'bet', mode: 'auto', players: 0, phase: 'idle' });
    expect((await zoe.request('race:history', { roomId: house.id })).races).toEqual([]);
    const { room } = await zoe.request('room:join', { roomId: house.id });
    expect(room.hostId).toBeNull();
    const race = await opened(zoe, 1);
    expect((await zoe.refused('race:start', { roomId: house.id })).code).toBe('NOT_HOST');
    expect((await zoe.refused('room:close', { roomId: house.id })).code).toBe('NOT_HOST');
    await ended(zoe, race.id);
    const second = await opened(zoe, 2);
    await zoe.request('room:leave', { roomId: house.id });
    await until(
      'the race ends without anybody',
      async () => (await zoe.request('race:get', { raceId: second.id })).phase === 'settled',
      PATIENCE,
    );
    // A whole round elsewhere is longer than the break between two of these.
    const { room: own } = await zoe.request('room:create', { kind: 'bet' });
    const { raceId } = await zoe.request('race:start', { roomId: own.id });
    await hurry(zoe, own.id);
    await ended(zoe, raceId);
    expect(
      (await zoe.request('race:history', { roomId: house.id, limit: 1 })).races.map(({ number }) => number),
    ).toEqual([2]);
    await zoe.request('room:join', { roomId: house.id });
    await opened(zoe, 3);
    expect(zoe.room?.snapshot.hostId).toBeNull();
  });
});
