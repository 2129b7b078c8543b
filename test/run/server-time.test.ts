import { describe, expect, test } from 'vitest';
import { readServerTime } from '../../db/postgres/server-time.ts';
import type { Logger } from '../../lib/ports.ts';
import { createServerTime } from '../../lib/run/server-time.ts';
import { startTestPostgres } from '../helpers/postgres.ts';
import { until } from '../helpers/until.ts';

const quiet: Logger = { error: () => {}, warn: () => {}, info: () => {}, debug: () => {} };

/** A database clock and a monotonic one that stand still unless moved. */
function clocks() {
  const state = { monotonic: 5_000, server: 1_000_000, tripsMs: [0], away: false };
  let asked = 0;
  const pass = (ms: number): void => {
    state.monotonic += ms;
    state.server += ms;
  };
  const ask = async (): Promise<number> => {
    if (state.away) throw new Error('away');
    const trip = state.tripsMs[asked++ % state.tripsMs.length] as number;
    pass(trip * 0.8);
    const told = state.server;
    pass(trip * 0.2);
    return told;
  };
  return { state, pass, ask, asked: () => asked };
}

describe('server time', () => {
  test("[OP46] it is the database's clock, to within half the fastest of eight trips", async () => {
    const { state, pass, ask, asked } = clocks();
    state.tripsMs = [40, 90, 30, 6, 200, 70, 25, 400];
    const time = createServerTime({ ask, log: quiet, monotonic: () => state.monotonic });
    expect(time.ready()).toBe(false);
    expect(() => time.now()).toThrow(/not known/);
    await time.sync();
    expect(asked()).toBe(8);
    expect(time.ready()).toBe(true);
    expect(Math.abs(time.now() - state.server)).toBeLessThanOrEqual(3);
    pass(3_600_000);
    expect(Math.abs(time.now() - state.server)).toBeLessThanOrEqual(3);
    expect(Number.isInteger(time.now())).toBe(true);
    time.close();
  });

  test('[OP46] in an outage it goes on', async () => {
    const { state, pass, ask } = clocks();
    const time = createServerTime({ ask, log: quiet, monotonic: () => state.monotonic });
    await time.sync();
    state.away = true;
    pass(60_000);
    await expect(time.sync()).rejects.toThrow('away');
    expect(time.ready()).toBe(true);
    expect(time.now()).toBe(state.server);
    time.close();
  });

  test('[OP46] found behind it goes on at half speed until it is right: it neither goes back nor stands still', async () => {
    const { state, pass, ask } = clocks();
    const time = createServerTime({ ask, log: quiet, monotonic: () => state.monotonic });
    await time.sync();
    const before = time.now();
    state.server -= 1_000;
    await time.sync();
    let last = time.now();
    expect(last).toBe(before);
    for (let step = 0; step < 19; step += 1) {
      pass(100);
      const now = time.now();
      expect(now - last).toBe(50);
      last = now;
    }
    pass(100);
    expect(time.now()).toBe(state.server);
    pass(100);
    expect(time.now()).toBe(state.server);
    time.close();
  });

  test('[OP46] found ahead it is set at once', async () => {
    const { state, ask } = clocks();
    const time = createServerTime({ ask, log: quiet, monotonic: () => state.monotonic });
    await time.sync();
    state.server += 5_000;
    await time.sync();
    expect(time.now()).toBe(state.server);
    time.close();
  });

  test('[OP46] it looks by itself, again and again, until it is closed', async () => {
    let asked = 0;
    let away = true;
    const ask = async (): Promise<number> => {
      asked += 1;
      if (away) throw new Error('away');
      return 1_000_000;
    };
    const time = createServerTime({ ask, log: quiet, everyMs: 5, samples: 2 });
    await until('it has tried', () => asked > 0);
    expect(time.ready()).toBe(false);
    away = false;
    await until('it knows', () => time.ready());
    const before = asked;
    await until('it looks again', () => asked > before + 3);
    time.close();
    const closed = asked;
    await time.sync();
    expect(asked).toBe(closed);
  });

  test('[OP46] with a real database, through its outage', async () => {
    const postgres = await startTestPostgres();
    const database = await postgres.createDatabase({ migrate: true });
    const pool = database.pool({ statementTimeoutMs: 500, connectTimeoutMs: 500 });
    const time = createServerTime({ ask: () => readServerTime(pool), log: quiet, everyMs: 50 });
    await time.sync();
    // One machine, so one clock: the difference is that of the trip.
    expect(Math.abs(time.now() - Date.now())).toBeLessThan(500);
    let last = time.now();
    await postgres.stopHard();
    let checks = 0;
    while (!(await readServerTime(pool).catch(() => null))) {
      const now = time.now();
      expect(now).toBeGreaterThanOrEqual(last);
      last = now;
      checks += 1;
      expect(checks).toBeLessThan(1_000_000);
      await new Promise((resolve) => setImmediate(resolve));
    }
    await time.sync();
    expect(time.now()).toBeGreaterThanOrEqual(last);
    expect(Math.abs(time.now() - Date.now())).toBeLessThan(500);
    time.close();
    await postgres.stop();
  });
});
