import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { PlayerId } from '../../lib/core/ids.ts';
import { verifyRace } from '../../lib/fairness/verify.ts';
import type { OddsView, RaceView, RoomEvent } from '../../lib/protocol.ts';
import { until } from '../helpers/until.ts';
import { type Arena, callerOf, commandId, createArena } from './arena.ts';

let arena: Arena;
beforeAll(async () => {
  arena = await createArena();
});
afterAll(async () => {
  await arena.close();
});

const is = (code: string) => ({ refusal: { code } });
const settledOf = (event: RoomEvent) => {
  if (event.type !== 'race settled') throw new Error(event.type);
  return event.result;
};

async function stage(
  settings: Parameters<Arena['room']>[1] = {},
  names = ['host', 'ann', 'ben'],
  options: Parameters<Arena['instance']>[0] = {},
) {
  const server = await arena.instance(options);
  const roomId = await arena.room('pick', settings);
  for (const name of names) await server.join(roomId, name);
  return { server, roomId };
}

describe('a round of a pick room', () => {
  it('[RC30] catches somebody, closes once the last has picked, and its record verifies', async () => {
    const { server, roomId } = await stage();
    const { raceId } = await server.start(roomId, 'host');
    await server.pick(raceId, 'host', 1);
    await server.pick(raceId, 'ann', 2);
    await server.picks.vote(callerOf('ann'), { commandId: commandId(), raceId, place: 1 });
    expect(server.view(roomId)).toMatchObject({ phase: 'open', picked: ['host', 'ann'] });
    expect(JSON.stringify(server.view(roomId))).not.toContain('"picks"');
    await server.pick(raceId, 'ben', 'random');
    await server.until(roomId, 'race closing');
    const drawn = await server.until(roomId, 'race drawn');
    expect(drawn).toMatchObject({ place: { drawn: 1, votes: [{ playerId: 'ann', place: 1 }] } });
    const result = settledOf(await server.until(roomId, 'race settled'));
    expect(result.caught?.length).toBeGreaterThan(0);
    const record = await server.races.get(callerOf('x'), { raceId });
    expect(verifyRace(record as never).filter(({ ok }) => !ok)).toEqual([]);
    expect(record.previousRecordHash).toBeNull();
    expect(arena.lines).toEqual([]);
  });

  it('[RC31] needs two ready players, takes picks of ready ones only, and says which horse is impossible', async () => {
    const { server, roomId } = await stage({}, ['host', 'ann', 'cat']);
    await server.join(roomId, 'watcher', 'spectator');
    await server.patch(roomId, 'ann', { ready: false });
    await server.patch(roomId, 'cat', { ready: false });
    await expect(server.start(roomId, 'host')).rejects.toMatchObject(is('NOT_ENOUGH_PLAYERS'));
    await server.patch(roomId, 'cat', { ready: true });
    const { raceId } = await server.start(roomId, 'host');
    await expect(server.pick(raceId, 'ann', 1)).rejects.toMatchObject(is('NOT_READY'));
    await expect(server.pick(raceId, 'watcher', 1)).rejects.toMatchObject(is('FORBIDDEN'));
    await expect(server.pick(raceId, 'host', 5)).rejects.toMatchObject(is('SELECTION_INVALID'));
    await expect(
      server.picks.vote(callerOf('host'), { commandId: commandId(), raceId, place: 5 }),
    ).rejects.toMatchObject(is('SELECTION_INVALID'));
    const id = commandId();
    const first = await server.pick(raceId, 'host', 'random', id);
    expect(await server.pick(raceId, 'host', 'random', id)).toEqual(first);
    await expect(server.pick(raceId, 'host', 2, id)).rejects.toMatchObject(is('COMMAND_CONFLICT'));
  });

  it('[RC32] where picks are exclusive a horse goes to whoever is first, what is gone is shown, by whom is not', async () => {
    const { server, roomId } = await stage({ exclusivePicks: true, horses: 4 }, ['host', 'ann', 'ben']);
    const { raceId } = await server.start(roomId, 'host');
    const picks = await Promise.allSettled(['host', 'ann', 'ben'].map((name) => server.pick(raceId, name, 3)));
    expect(picks.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    for (const pick of picks) if (pick.status === 'rejected') expect(pick.reason).toMatchObject(is('HORSE_TAKEN'));
    await server.until(roomId, 'pick made');
    await until('the horse is shown as gone', () =>
      server.messages('race:odds').some(({ message }) => String((message as OddsView).taken) === '3'),
    );
    expect(await server.odds.current(roomId)).toMatchObject([{ raceId, taken: [3] }]);
    const others = await Promise.all(
      ['host', 'ann', 'ben'].map((name) => server.pick(raceId, name, 'random').then(({ horse }) => horse)),
    );
    expect(new Set(others).size).toBe(3);
    const drawn = await server.until(roomId, 'race drawn');
    if (drawn.type !== 'race drawn') throw new Error('unreachable');
    expect(drawn.picks?.map(({ horse }) => horse).sort()).toEqual([...others].sort());
  });

  it('[RC33] exclusive picks are refused where horses are fewer than ready players', async () => {
    const { server, roomId } = await stage({ exclusivePicks: true, horses: 4 }, ['host', 'a', 'b', 'c', 'd']);
    await expect(server.start(roomId, 'host')).rejects.toMatchObject(is('NOT_ENOUGH_HORSES'));
  });

  it('[RC34] a ready, connected player without a pick gets a horse drawn; one who is away does not', async () => {
    const { server, roomId } = await stage({}, ['host', 'ann', 'ben', 'off']);
    const { raceId } = await server.start(roomId, 'host');
    await server.pick(raceId, 'host', 1);
    await server.pick(raceId, 'ann', 2);
    await server.patch(roomId, 'off', { connected: false });
    await server.leave(roomId, 'ann');
    await server.closeSoon(roomId);
    const drawn = await server.until(roomId, 'race drawn');
    if (drawn.type !== 'race drawn') throw new Error('unreachable');
    expect(drawn.picks?.map(({ playerId, drawn }) => [playerId, drawn])).toEqual([
      ['ann', false],
      ['ben', true],
      ['host', false],
    ]);
    await server.until(roomId, 'race settled');
    const record = await server.races.get(callerOf('x'), { raceId });
    expect(verifyRace(record as never).filter(({ ok }) => !ok)).toEqual([]);
  });

  it('[RC35] a kick before the close drops the pick', async () => {
    const { server, roomId } = await stage({}, ['host', 'ann', 'ben']);
    const { raceId } = await server.start(roomId, 'host');
    await server.pick(raceId, 'ann', 4);
    await server.leave(roomId, 'ann', 'kicked');
    await server.picks.dropPick(roomId, 'ann' as PlayerId);
    await server.picks.dropPick(roomId, 'ann' as PlayerId);
    await server.pick(raceId, 'host', 1);
    await server.pick(raceId, 'ben', 2);
    const drawn = await server.until(roomId, 'race drawn');
    if (drawn.type !== 'race drawn') throw new Error('unreachable');
    expect(drawn.picks?.map(({ playerId }) => playerId)).toEqual(['ben', 'host']);
    expect(server.eventsOf(roomId).filter((event) => event.type === 'pick made' && !event.picked)).toHaveLength(1);
  });

  it('[RC36] fewer than two picks at the close: void', async () => {
    const { server, roomId } = await stage({}, ['host', 'ann']);
    const { raceId } = await server.start(roomId, 'host');
    await server.pick(raceId, 'host', 1);
    await server.patch(roomId, 'ann', { connected: false });
    await server.closeSoon(roomId);
    expect(await server.until(roomId, 'race void')).toMatchObject({ reason: 'too-few-picks' });
    const record = await server.races.get(callerOf('x'), { raceId });
    expect(verifyRace(record as never).filter(({ ok }) => !ok)).toEqual([]);
    expect(record).not.toHaveProperty('picks');
  });

  it('[RC37] all on one horse: no race, and the next one opens with exclusive picks', async () => {
    const { server, roomId } = await stage({}, ['host', 'ann']);
    const { raceId } = await server.start(roomId, 'host');
    await server.pick(raceId, 'host', 2);
    await server.pick(raceId, 'ann', 2);
    expect(await server.until(roomId, 'race void')).toMatchObject({ reason: 'same-horse' });
    expect(await server.until(roomId, 'notice')).toMatchObject({ key: 'exclusive-next' });
    const record = await server.races.get(callerOf('x'), { raceId });
    expect(record.picks?.map(({ horse }) => horse)).toEqual([2, 2]);
    expect(verifyRace(record as never).filter(({ ok }) => !ok)).toEqual([]);
    await server.start(roomId, 'host');
    await server.until(roomId, 'race opened', 2);
    expect(server.view(roomId)?.rules.exclusivePicks).toBe(true);
  });

  it('[RC38] several on the caught horse run again among themselves, drawn for where absent; others only watch', async () => {
    const { server, roomId } = await stage({}, ['host', 'ann', 'ben']);
    const { raceId, caught } = await untilSeveralCaught(server, roomId);
    const free = ['host', 'ann', 'ben'].find((name) => !caught.includes(name as PlayerId)) ?? '';
    const rerun = await server.start(roomId, 'host', raceId);
    const view = server.view(roomId) as RaceView;
    expect(view).toMatchObject({ participants: caught, rerunOf: raceId });
    await expect(server.pick(rerun.raceId, free, 1)).rejects.toMatchObject(is('FORBIDDEN'));
    const away = caught[0] ?? '';
    const here = caught[1] ?? '';
    await server.patch(roomId, away, { connected: false });
    await server.pick(rerun.raceId, here, 1);
    await server.until(
      roomId,
      'race closed',
      server.eventsOf(roomId).filter(({ type }) => type === 'race closed').length + 1,
    );
    const details = await arena.records.get(rerun.raceId);
    expect(details?.picks.map(({ playerId }) => playerId).sort()).toEqual([...caught].sort());
  });

  it('[RC39] an automatic room opens the rerun by itself, and waits for two before anything', async () => {
    const { server, roomId } = await stage({ mode: 'auto' }, ['ann'], { timeScale: 50 });
    await server.raceClock?.considerOpening(roomId);
    expect(server.view(roomId)).toBeNull();
    await server.join(roomId, 'ben');
    await server.until(roomId, 'race opened');
    for (let round = 1; ; round += 1) {
      await server.until(roomId, 'race opened', round);
      const view = server.view(roomId) as RaceView;
      const previous = round === 1 ? null : (await server.races.history(callerOf('x'), { roomId })).races[1];
      if ((previous?.caught?.length ?? 0) >= 2) {
        expect(view).toMatchObject({ rerunOf: previous?.id, participants: previous?.caught });
        break;
      }
      // Ann and Ben on one horse and a third player on another: caught together half of the time.
      if (round === 1) await server.join(roomId, 'cat');
      const horse = (name: string) => (name === 'cat' ? 2 : 1);
      for (const name of ['ann', 'ben', 'cat']) await server.pick(view.id, name, horse(name));
      await server.until(roomId, 'race settled', round);
    }
    expect(arena.lines).toEqual([]);
  });
});

/** Two on one horse, one on another, last is caught: half of the rounds catch two. */
async function untilSeveralCaught(server: Awaited<ReturnType<Arena['instance']>>, roomId: RaceView['roomId']) {
  for (let round = 1; ; round += 1) {
    const { raceId } = await server.start(roomId, 'host');
    await server.pick(raceId, 'host', 1);
    await server.pick(raceId, 'ann', 1);
    await server.pick(raceId, 'ben', 2);
    const { caught = [] } = settledOf(await server.until(roomId, 'race settled', round));
    if (caught.length > 1) return { raceId, caught };
    expect(caught).toEqual(['ben']);
  }
}
