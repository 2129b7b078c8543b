import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { verifyRace } from '../../lib/fairness/verify.ts';
import { type RaceRecords, UnavailableError } from '../../lib/ports.ts';
import type { RoomEvent } from '../../lib/protocol.ts';
import { until } from '../helpers/until.ts';
import { type Arena, callerOf, commandId, createArena } from './arena.ts';

let arena: Arena;
beforeAll(async () => {
  arena = await createArena({ timeScale: 50 });
});
afterAll(async () => {
  await arena.close();
});

const PHASES = ['race opened', 'race closed', 'race drawn', 'race running', 'race settled'];
const phasesOf = (events: readonly RoomEvent[]): string[] =>
  events.map(({ type }) => type).filter((type) => type.startsWith('race ') && type !== 'race closing');

/** Moves a race to its end by hand: no timers, every move asked for by `callers` at once. */
async function drive(
  raceId: Parameters<RaceRecords['get']>[0],
  callers: readonly { advance(id: typeof raceId): Promise<number | null> }[],
): Promise<void> {
  await until(
    'the race is over',
    async () => {
      const next = await Promise.all(callers.map(({ advance }) => advance(raceId)));
      return next.every((at) => at === null);
    },
    { everyMs: 5 },
  );
}

describe('races survive', () => {
  it('[RC40] the process that opened it dies: another one finishes the race', async () => {
    const roomId = await arena.room('bet');
    const first = await arena.instance();
    await first.join(roomId, 'host');
    const { raceId } = await first.start(roomId, 'host');
    await first.bet(raceId, 'host', 1, 100);
    await first.closeSoon(roomId);
    await first.close();
    const second = await arena.instance();
    await until('the race is over', async () => (await arena.records.get(raceId))?.row.phase === 'settled');
    await second.join(roomId, 'host');
    expect(second.view(roomId)).toMatchObject({ id: raceId, phase: 'settled' });
    expect(await arena.audit()).toEqual([]);
  });

  it('[RC41] many callers on several instances at once: every phase once, one result, points right', async () => {
    const roomId = await arena.room('bet');
    const instances = await Promise.all([1, 2, 3].map(() => arena.instance({ timers: false })));
    const [first, second] = instances;
    if (!first || !second) throw new Error('unreachable');
    for (const one of instances) await one.join(roomId, 'host');
    const { raceId } = await first.start(roomId, 'host');
    for (let horse = 1; horse <= 8; horse += 1) await second.bet(raceId, `host`, horse, 100);
    await first.closeSoon(roomId);
    await drive(
      raceId,
      [...instances, ...instances].map(({ rounds }) => rounds),
    );
    for (const one of instances) {
      await one.until(roomId, 'race settled');
      expect(phasesOf(one.eventsOf(roomId))).toEqual(PHASES);
    }
    expect(await arena.audit()).toEqual([]);
    expect(arena.lines.filter(({ level }) => level === 'error')).toEqual([]);
  });

  it('[RC42] a process dies after any move and before it has told of it: the same result, every phase told once', async () => {
    for (const move of ['open', 'close', 'draw', 'run', 'settle'] as const) {
      const kind = move === 'draw' || move === 'run' ? 'pick' : 'bet';
      const roomId = await arena.room(kind);
      let dead = false;
      const dying = await arena.instance({
        timers: false,
        records: (records) =>
          dyingAfter(move, records, () => {
            dead = true;
          }),
      });
      const heir = await arena.instance({ timers: false });
      for (const name of ['host', 'ann']) await dying.join(roomId, name);
      await heir.rooms.serve(roomId);
      const started = dying.start(roomId, 'host').catch(() => null);
      if (move === 'open') await started;
      const raceId = (await until('a race', () => arena.records.latest(roomId))).row.id;
      if (kind === 'pick') {
        await started;
        await heir.pick(raceId, 'host', 1);
        await heir.pick(raceId, 'ann', 2);
      }
      await heir.closeSoon(roomId);
      if (!dead)
        await until(
          `death after ${move}`,
          async () => dead || ((await dying.rounds.advance(raceId).catch(() => null)) === null && dead),
          { everyMs: 5 },
        );
      expect(dead, move).toBe(true);
      await drive(raceId, [heir.rounds]);
      await heir.rooms.publishFacts(roomId);
      await heir.until(roomId, 'race settled');
      expect(phasesOf(heir.eventsOf(roomId)), move).toEqual(PHASES);
    }
    expect(await arena.audit()).toEqual([]);
  });

  it('[RC43] two instances opening one automatic room open one race', async () => {
    const roomId = await arena.room('bet', { mode: 'auto' }, null);
    const instances = await Promise.all([1, 2, 3, 4].map(() => arena.instance({ timers: false })));
    await Promise.all(instances.map((one) => one.rooms.serve(roomId)));
    await instances[0]?.join(roomId, 'ann');
    await Promise.all(
      instances.map((one) =>
        until('it is known that Ann is there', () => one.rooms.state(roomId)?.connected.size === 1),
      ),
    );
    await Promise.all(instances.map((one) => one.openings.consider(roomId)));
    expect((await arena.records.history(roomId, null, 20)).races).toHaveLength(1);
  });

  it('[RC44] the ledger is away at a deadline: members are told once that the race is paused, and it goes on by itself', async () => {
    const roomId = await arena.room('bet');
    let away = false;
    const server = await arena.instance({ records: (records) => unavailableWhile(() => away, records) });
    await server.join(roomId, 'host');
    const { raceId } = await server.start(roomId, 'host');
    await server.bet(raceId, 'host', 1, 100);
    await server.closeSoon(roomId);
    away = true;
    await expect(server.races.get(callerOf('host'), { raceId })).rejects.toMatchObject({
      refusal: { code: 'LEDGER_UNAVAILABLE' },
    });
    expect(await server.until(roomId, 'race paused')).toMatchObject({ phase: 'open' });
    expect(server.view(roomId)).toMatchObject({ phase: 'open', id: raceId });
    await until('several tries', () => server.raceClock?.watching === 1);
    away = false;
    await server.until(roomId, 'race settled');
    expect(server.eventsOf(roomId).filter(({ type }) => type === 'race paused')).toHaveLength(1);
    expect(await arena.audit()).toEqual([]);
  });

  it('[RC45] a race that could not be closed for more than 60 s is void and everything comes back', async () => {
    let aheadMs = 0;
    const later = await createArena({ timeScale: 50, clock: { now: () => Date.now() + aheadMs } });
    try {
      const roomId = await later.room('bet');
      const server = await later.instance({ timers: false });
      await server.join(roomId, 'host');
      const { raceId } = await server.start(roomId, 'host');
      await server.bet(raceId, 'host', 1, 300);
      // The database's own clock decides: this instance's is a minute ahead, and nothing is moved by it.
      aheadMs = 61_000;
      await server.rounds.advance(raceId);
      expect((await later.records.get(raceId))?.row.phase).toBe('open');
      // As if a minute and more had passed; what was bet meanwhile now looks late to the audit, and only that.
      await later.pool.query('alter table race disable trigger race_is_guarded');
      await later.pool.query(
        'update race set closes_at = closes_at - 70000, opened_at = opened_at - 70000 where id = $1',
        [raceId],
      );
      aheadMs = 0;
      expect(await server.rounds.advance(raceId)).toBeNull();
      await server.until(roomId, 'race void');
      expect(server.eventsOf(roomId).at(-1)).toMatchObject({ reason: 'late-close' });
      expect(await later.balance('host')).toBe(10_000n);
      const record = await server.races.get(callerOf('host'), { raceId });
      expect(verifyRace(record as never).filter(({ ok }) => !ok)).toEqual([]);
      expect((await server.bets.mine(callerOf('host'), { raceId })).bets).toMatchObject([
        { outcome: 'refunded', returned: '300' },
      ]);
      const broken = (await later.audit()).map(({ invariant }) => invariant);
      expect(broken).toEqual(['nothing-after-the-close']);
    } finally {
      await later.close();
    }
  });

  it('[RC46] frames leave at their time, whole and in order, and a newcomer gets those that are out', async () => {
    const slow = await createArena({ timeScale: 10 });
    try {
      const roomId = await slow.room('bet');
      const server = await slow.instance();
      await server.join(roomId, 'host');
      const { raceId } = await server.start(roomId, 'host');
      await server.closeSoon(roomId);
      const running = await server.until(roomId, 'race running');
      if (running.type !== 'race running') throw new Error('unreachable');
      server.sender.sendSoFar('newcomer', roomId);
      await until('the newcomer has frames', () =>
        server.sent.some(({ to, event }) => to === 'newcomer' && event === 'race:frames'),
      );
      const asked = await server.races.frames(callerOf('host'), { raceId, fromMs: 4_000 });
      await server.until(roomId, 'race settled');
      const sent = server
        .messages('race:frames')
        .filter(({ to }) => to === roomId)
        .map(({ message }) => message as { chunk: number; fromMs: number; untilMs: number });
      expect(sent.map(({ chunk }) => chunk)).toEqual(sent.map((_, index) => index));
      for (const [index, chunk] of sent.slice(1).entries()) expect(chunk.fromMs).toBe(sent[index]?.untilMs);
      const due = new Map((await server.frames.prepare(raceId)).map(({ chunk, dueAt }) => [chunk, dueAt]));
      for (const { event, message, at } of server.sent) {
        if (event === 'race:frames')
          expect(at, 'sent before its time').toBeGreaterThanOrEqual(
            (due.get((message as { chunk: number }).chunk) ?? 0) - 1,
          );
      }
      const all = await server.races.frames(callerOf('host'), { raceId, fromMs: 0 });
      expect(all.chunks.map(({ chunk }) => chunk)).toEqual(sent.map(({ chunk }) => chunk));
      expect(asked.chunks.length).toBeLessThan(all.chunks.length);
      expect(asked.chunks.every(({ untilMs }) => untilMs > 4_000)).toBe(true);
    } finally {
      await slow.close();
    }
  });

  it('[RC47] odds are told at most four times a second and once for good after the close', async () => {
    const roomId = await arena.room('bet');
    const server = await arena.instance();
    await server.join(roomId, 'host');
    const { raceId } = await server.start(roomId, 'host');
    for (let index = 0; index < 20; index += 1)
      await server.bet(raceId, 'host', 1 + (index % 8), 100, index % 2 ? 'win' : 'place');
    await server.closeSoon(roomId);
    await server.until(roomId, 'race closed');
    await until('the final odds', () =>
      server.messages('race:odds').some(({ message }) => (message as { final: boolean }).final),
    );
    const lines = server
      .messages('race:odds')
      .map(({ message, at }) => ({ ...(message as { final: boolean; version: number; totals: object }), at }));
    const odds = lines.map(({ at: _, ...message }) => message);
    const live = lines.filter(({ final }) => !final);
    for (const [index, { at }] of live.slice(1).entries()) expect(at - (live[index]?.at ?? 0)).toBeGreaterThan(225);
    expect(odds.filter(({ final }) => final)).toHaveLength(1);
    expect(odds.at(-1)).toMatchObject({
      final: true,
      totals: { win: { gross: '1000', count: 10 }, place: { gross: '1000', count: 10 } },
    });
    for (const [index, { version }] of odds.slice(1).entries())
      expect(version).toBeGreaterThan(odds[index]?.version ?? 0);
  });

  it("[RC48] who is the address's thirty-first of a day starts at zero and sees it before the first bet", async () => {
    const server = await arena.instance({ timers: false });
    await arena.pool.query(
      "insert into player (id, nickname, locale, starts_at_zero, created_at) values ('late', 'late', 'en', true, 0)",
    );
    expect(await server.wallet.get(callerOf('late'), {})).toMatchObject({ balance: '0', balanceVersion: 0 });
    expect(await server.wallet.claim(callerOf('late'), { commandId: commandId(), kind: 'daily' })).toMatchObject({
      balance: '2000',
    });
  });

  it('[RC48] the daily allowance is given once a day, on any instance, and says when it can be had again', async () => {
    const server = await arena.instance({ timers: false });
    const before = await server.wallet.get(callerOf('kim'), {});
    expect(before).toMatchObject({ balance: '10000' });
    expect(before.dailyClaimableAt).toBeLessThanOrEqual(Date.now());
    const id = commandId();
    const first = await server.wallet.claim(callerOf('kim'), { commandId: id, kind: 'daily' });
    expect(first).toMatchObject({ balance: '12000', granted: '2000' });
    expect(await server.wallet.claim(callerOf('kim'), { commandId: id, kind: 'daily' })).toEqual(first);
    const other = await arena.instance({ timers: false });
    await expect(other.wallet.claim(callerOf('kim'), { commandId: commandId(), kind: 'daily' })).rejects.toMatchObject({
      refusal: { code: 'LIMIT_REACHED' },
    });
    expect((await other.wallet.get(callerOf('kim'), {})).dailyClaimableAt).toBeGreaterThan(Date.now());
  });
});

type Move = 'open' | 'close' | 'draw' | 'run' | 'settle';

/** The move is made and stored, then the process is gone: nothing it asks for afterwards arrives. */
function dyingAfter(move: Move, records: RaceRecords, died: () => void): RaceRecords {
  let dead = false;
  return new Proxy(records, {
    get:
      (target, name: keyof RaceRecords) =>
      async (...parts: never[]) => {
        if (dead) throw new UnavailableError('dead', 'none');
        const answer = await (target[name] as (...all: never[]) => Promise<unknown>)(...parts);
        if (name !== move) return answer;
        dead = true;
        died();
        throw new UnavailableError('dead', 'unknown');
      },
  });
}

function unavailableWhile(away: () => boolean, records: RaceRecords): RaceRecords {
  return new Proxy(records, {
    get:
      (target, name: keyof RaceRecords) =>
      async (...parts: never[]) => {
        if (away()) throw new UnavailableError('away', 'none');
        return (target[name] as (...all: never[]) => Promise<unknown>)(...parts);
      },
  });
}
