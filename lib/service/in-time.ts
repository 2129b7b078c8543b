import {
  type ArchiveRecords,
  type BoardRecords,
  type Ledger,
  type PlayerRecords,
  type RaceRecords,
  type RoomRecords,
  type SeedKeyRecords,
  type Statements,
  UnavailableError,
} from '../ports.ts';
import { within } from './within.ts';

/** While PostgreSQL is silent one call in this time is sent all the same: its answer ends the silence. */
const PROBE_EVERY_MS = 1_000;

/**
 * How long requests wait for PostgreSQL: until it has been silent for `ms` while they waited; until something is heard of it,
 * further ones are refused at once, unsent. A call that is slow because the machine is busy is no silence as long as others
 * are answered, and a loop that was held up reads what has arrived before it judges. A call that was sent goes its way.
 */
export function createPatience(ms: number) {
  let heardAt = performance.now();
  let silent = false;
  let probedAt = Number.NEGATIVE_INFINITY;

  function heard(): void {
    heardAt = performance.now();
    silent = false;
  }

  function fellSilent(): void {
    if (!silent) probedAt = Number.NEGATIVE_INFINITY;
    silent = true;
  }

  /** The next call is the one that is sent in a silence. */
  function mayProbe(): boolean {
    const now = performance.now();
    if (now - probedAt < PROBE_EVERY_MS) return false;
    probedAt = now;
    return true;
  }

  /** What `call` gives, or UnavailableError: with this outcome, or 'none' where it was not sent. One that is under way is only waited for. */
  async function wait<T>(call: Promise<T> | (() => Promise<T>), outcome: UnavailableError['outcome']): Promise<T> {
    if (silent && typeof call === 'function' && !mayProbe()) {
      throw new UnavailableError('PostgreSQL: silent, not asked', 'none');
    }
    const startedAt = performance.now();
    let timer: NodeJS.Timeout | undefined;
    const silence = new Promise<never>((_, reject) => {
      const judge = (): void => {
        const restMs = Math.max(startedAt, heardAt) + ms - performance.now();
        if (restMs > 0) return look(restMs);
        fellSilent();
        reject(new UnavailableError(`PostgreSQL: no answer within ${ms} ms`, outcome));
      };
      const look = (afterMs: number): void => {
        timer = setTimeout(() => setImmediate(judge), Math.ceil(afterMs));
      };
      look(ms);
    });
    const answer = (typeof call === 'function' ? call() : call).then((given) => {
      heard();
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
    /** Waits for `work` no longer than for a silent PostgreSQL; it goes on. Rejects only where it does before. */
    glance: async (work: Promise<void>): Promise<void> => void (await within(work, ms)),
    rooms: (records: RoomRecords): RoomRecords => ({
      create: (row) => wait(() => records.create(row), 'unknown'),
      get: (roomId) => wait(() => records.get(roomId), 'none'),
      byCode: (code) => wait(() => records.byCode(code), 'none'),
      configure: (...change) => wait(() => records.configure(...change), 'unknown'),
      setHost: (...change) => wait(() => records.setHost(...change), 'unknown'),
      close: (roomId, cause) => wait(() => records.close(roomId, cause), 'unknown'),
      living: (only) => wait(() => records.living(only), 'none'),
      facts: (roomId, above) => wait(() => records.facts(roomId, above), 'none'),
      behind: (known) => wait(() => records.behind(known), 'none'),
    }),
    archive: (archive: ArchiveRecords): Pick<ArchiveRecords, 'messages' | 'has'> => ({
      messages: (...page) => wait(() => archive.messages(...page), 'none'),
      has: (...message) => wait(() => archive.has(...message), 'none'),
    }),
    /** What requests ask of races; the moves by which a race goes on are made without anybody waiting. */
    races: (records: RaceRecords): AskedRaces => ({
      get: (raceId) => wait(() => records.get(raceId), 'none'),
      latest: (roomId) => wait(() => records.latest(roomId), 'none'),
      started: (raceId) => wait(() => records.started(raceId), 'none'),
      history: (...page) => wait(() => records.history(...page), 'none'),
      record: (raceId) => wait(() => records.record(raceId), 'none'),
      staked: (raceId) => wait(() => records.staked(raceId), 'none'),
      mine: (...of) => wait(() => records.mine(...of), 'none'),
      open: (...race) => wait(() => records.open(...race), 'unknown'),
      bringForward: (...change) => wait(() => records.bringForward(...change), 'unknown'),
    }),
    seedKeys: (records: SeedKeyRecords): SeedKeyRecords => ({
      current: () => wait(() => records.current(), 'none'),
      get: (id) => wait(() => records.get(id), 'none'),
      published: () => wait(() => records.published(), 'none'),
    }),
    wallets: (ledger: Pick<Ledger, 'wallet'>): Pick<Ledger, 'wallet'> => ({
      wallet: (playerId) => wait(() => ledger.wallet(playerId), 'none'),
    }),
    boards: (records: BoardRecords): BoardRecords => ({
      lines: (...page) => wait(() => records.lines(...page), 'none'),
      around: (...of) => wait(() => records.around(...of), 'none'),
      statistics: (playerId) => wait(() => records.statistics(playerId), 'none'),
      curve: (...of) => wait(() => records.curve(...of), 'none'),
    }),
    statements: (records: Statements): Statements => ({
      standing: (...of) => wait(() => records.standing(...of), 'none'),
      entries: (...page) => wait(() => records.entries(...page), 'none'),
      bets: (...page) => wait(() => records.bets(...page), 'none'),
      setLimits: (change) => wait(() => records.setLimits(change), 'unknown'),
    }),
    /** 'none' also for what leaves nothing that anybody would notice: a player's row, a code that nobody was told. */
    players: (records: PlayerRecords): Omit<PlayerRecords, 'redeemLink'> => ({
      ensure: (player) => wait(() => records.ensure(player), 'none'),
      get: (playerId) => wait(() => records.get(playerId), 'none'),
      update: (...change) => wait(() => records.update(...change), 'unknown'),
      raiseSession: (playerId) => wait(() => records.raiseSession(playerId), 'unknown'),
      createLink: (...link) => wait(() => records.createLink(...link), 'none'),
    }),
  };
}
export type Patience = ReturnType<typeof createPatience>;

export type AskedRaces = Pick<
  RaceRecords,
  'get' | 'latest' | 'started' | 'history' | 'record' | 'staked' | 'mine' | 'open' | 'bringForward'
>;
