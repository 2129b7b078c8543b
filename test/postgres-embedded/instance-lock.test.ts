import { describe, expect, it } from 'vitest';
import type { Log } from '../../db/postgres/embedded/supervisor.ts';
import { takeInstanceLock } from '../../db/postgres/instance-lock.ts';
import { createTestDatabase, quietLog, startTestPostgres } from '../helpers/postgres.ts';
import { until } from '../helpers/until.ts';

/** Counts what the lock logs. */
function watch(onLost: () => void = () => {}) {
  const told = { lost: 0, retaken: 0 };
  const log: Log = {
    ...quietLog,
    error: (_fields, message) => {
      if (message !== 'instance_lock.lost') return;
      told.lost += 1;
      onLost();
    },
    info: (_fields, message) => void (told.retaken += message === 'instance_lock.retaken' ? 1 : 0),
  };
  return { told, log };
}

describe('instance lock', () => {
  it('[OP22] a second process on the same database is refused and told who has it; after a close the next gets it', async () => {
    const database = await createTestDatabase({ migrate: false });
    const other = await createTestDatabase({ migrate: false });
    const first = await takeInstanceLock(database.target, quietLog);
    await expect(takeInstanceLock(database.target, quietLog)).rejects.toThrow(
      new RegExp(`paddock-instance pid ${process.pid}`),
    );
    const elsewhere = await takeInstanceLock(other.target, quietLog);
    expect(elsewhere.held()).toBe(true);
    await Promise.all([first.close(), elsewhere.close()]);
    const next = await takeInstanceLock(database.target, quietLog);
    expect(next.held()).toBe(true);
    await next.close();
  });

  it('[OP22] a lost connection is told at once, nothing is held meanwhile, and the lock is taken again', async () => {
    const database = await createTestDatabase({ migrate: false });
    let heldWhenTold: boolean | undefined;
    const { told, log } = watch(() => {
      heldWhenTold = lock.held();
    });
    const lock = await takeInstanceLock(database.target, log);
    const pool = database.pool();
    await pool.query("select pg_terminate_backend(pid) from pg_locks where locktype = 'advisory' and granted");
    await until('the lock is taken again', () => told.retaken === 1 && lock.held());
    expect(told.lost).toBe(1);
    expect(heldWhenTold).toBe(false);
    await lock.close();
  });

  it('[OP22] it is taken again after the server was killed, and lost while the server is frozen', async () => {
    const postgres = await startTestPostgres();
    const database = await postgres.createDatabase();
    const { told, log } = watch();
    const lock = await takeInstanceLock(database.target, log);
    await postgres.stopHard();
    await until('the lock is taken again', () => told.retaken === 1 && lock.held());
    postgres.freeze();
    await until('the loss is noticed', () => !lock.held());
    postgres.thaw();
    await until('the lock is taken again', () => lock.held());
    expect(told).toEqual({ lost: 2, retaken: 2 });
    await lock.close();
    await postgres.stop();
  });
});
