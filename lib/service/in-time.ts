import { type ArchiveRecords, type RaceRecords, type RoomRecords, UnavailableError } from '../ports.ts';

/**
 * How long requests wait for PostgreSQL: until it has been silent for `ms` while they waited. A call that is slow because the
 * machine is busy is no silence as long as others are answered, and a loop that was held up reads what has arrived before it
 * judges. The call itself goes its way.
 */
export function createPatience(ms: number) {
  let heardAt = performance.now();

  /** What `call` gives, or UnavailableError with this outcome. */
  async function wait<T>(call: Promise<T>, outcome: UnavailableError['outcome']): Promise<T> {
    const startedAt = performance.now();
    let timer: NodeJS.Timeout | undefined;
    const silence = new Promise<never>((_, reject) => {
      const judge = (): void => {
        const restMs = Math.max(startedAt, heardAt) + ms - performance.now();
        if (restMs > 0) look(restMs);
        else reject(new UnavailableError(`PostgreSQL: no answer within ${ms} ms`, outcome));
      };
      const look = (afterMs: number): void => {
        timer = setTimeout(() => setImmediate(judge), Math.ceil(afterMs));
      };
      look(ms);
    });
    const answer = call.then((given) => {
      heardAt = performance.now();
      return given;
    });
    answer.catch(() => {});
    silence.catch(() => {});
    try {
      return await Promise.race([answer, silence]);
    } finally {
      clearTimeout(timer);
    }
  }

  return {
    wait,
    rooms: (records: RoomRecords): RoomRecords => ({
      create: (row) => wait(records.create(row), 'unknown'),
      get: (roomId) => wait(records.get(roomId), 'none'),
      byCode: (code) => wait(records.byCode(code), 'none'),
      configure: (...change) => wait(records.configure(...change), 'unknown'),
      setHost: (...change) => wait(records.setHost(...change), 'unknown'),
      close: (roomId, cause) => wait(records.close(roomId, cause), 'unknown'),
      living: () => wait(records.living(), 'none'),
      livingCreatedBy: (playerId) => wait(records.livingCreatedBy(playerId), 'none'),
      facts: (roomId, above) => wait(records.facts(roomId, above), 'none'),
      behind: (known) => wait(records.behind(known), 'none'),
    }),
    archive: (archive: ArchiveRecords): Pick<ArchiveRecords, 'messages' | 'has'> => ({
      messages: (...page) => wait(archive.messages(...page), 'none'),
      has: (...message) => wait(archive.has(...message), 'none'),
    }),
    bets: (records: Pick<RaceRecords, 'mine'>): Pick<RaceRecords, 'mine'> => ({
      mine: (...of) => wait(records.mine(...of), 'none'),
    }),
  };
}
export type Patience = ReturnType<typeof createPatience>;
