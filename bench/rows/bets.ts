import { fork } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { connect } from '../../test/helpers/client.ts';
import { startServer, type TestServer } from '../../test/helpers/server.ts';
import { until } from '../../test/helpers/until.ts';
import type { Told } from '../load/bettors.ts';
import { forkBettors } from '../load/fork.ts';
import type { Row } from '../row.ts';

const RACES = 20;
const PLAYERS_PER_RACE = 20;
const FLOOD_MS = 6_000;
const WARM_MS = 2_000;
const OUTSTANDING = 3;
const TARGET_PER_SECOND = 12_000;
const TARGET_RATIO = 8;
const STREAM_PER_SECOND = 5_000;

/**
 * Durable bets, acknowledged end to end through the socket with the full ledger, as many as go; the peer takes one
 * transaction for each. Told besides: 1 and 500 races, the latency at 5,000 a second, who used the CPU.
 */
export const bets: Row = {
  name: 'bets',
  unit: 'bets/s',
  peer: 'Socket.IO with one transaction a bet, the same rows',
  peerFigure: 950,
  target: '≥ 12,000/s at 20 races, ≥ 8 × the peer; p99 ≤ 60 ms at 5,000/s',
  met: (value, ratio) => value >= TARGET_PER_SECOND && ratio >= TARGET_RATIO,
  pairs: 5,
  measure: async (index) => {
    const ours = await withRooms(RACES, PLAYERS_PER_RACE, async (stage) => {
      const flood = await stage.flood(OUTSTANDING);
      if (index > 0) return { flood };
      const stream = await stage.tell({ do: 'stream', races: stage.races, ms: FLOOD_MS, perSecond: STREAM_PER_SECOND });
      return { flood, stream };
    });
    const peer = await peerPerSecond();
    const notes: Record<string, string> = { cpu: ours.flood.cpu };
    if (ours.stream) {
      notes[`at ${STREAM_PER_SECOND}/s`] = latencies(ours.stream);
      notes['1 race'] = await withRooms(1, 400, async (stage) => rateOf(await stage.flood(OUTSTANDING)));
      notes['500 races'] = await withRooms(500, 1, async (stage) => rateOf(await stage.flood(OUTSTANDING)));
    }
    return { ours: perSecond(ours.flood), peer, notes };
  },
};

const rateOf = (told: Told): string => `${Math.round(perSecond(told))}/s (${latencies(told)})`;

export function perSecond({ codes, ms }: Told): number {
  const { OK = 0, ...others } = codes;
  const refused = Object.values(others).reduce((sum, count) => sum + count, 0);
  if (refused > OK / 1_000) throw new Error(`refused: ${JSON.stringify(codes)}`);
  return (OK * 1_000) / ms;
}

export function latencies({ latenciesMs }: Told): string {
  const sorted = [...latenciesMs].sort((a, b) => a - b);
  const at = (share: number): string => (sorted[Math.floor(sorted.length * share)] ?? Number.NaN).toFixed(1);
  return `p50 ${at(0.5)} ms, p99 ${at(0.99)} ms`;
}

export type Stage = {
  readonly server: TestServer;
  readonly races: readonly string[];
  readonly roomIds: readonly string[];
  readonly tell: (order: Parameters<ReturnType<typeof forkBettors>['tell']>[0]) => Promise<Told>;
  /** As many as go, after a warm-up. */
  flood(outstanding: number): Promise<Told & { readonly cpu: string }>;
};

const MOST = '1000000';

/** A server with so many open races and players connected from another process. */
export async function withRooms<T>(
  races: number,
  playersPerRace: number,
  work: (stage: Stage) => Promise<T>,
  openSeconds = 300,
): Promise<T> {
  const server = await startServer({
    env: {
      START_POINTS: '1000000000',
      // As `npm start` has it.
      NODE_OPTIONS: '--max-semi-space-size=64',
      REQUESTS_PER_SECOND: MOST,
      REQUEST_BURST: MOST,
      BETS_PER_SECOND: MOST,
      ROOMS_PER_MINUTE: MOST,
      LIVING_ROOMS_PER_PLAYER: MOST,
      CONNECTIONS_PER_ADDRESS: MOST,
      NEW_PLAYERS_PER_ADDRESS_AND_DAY: MOST,
    },
  });
  const bettors = forkBettors();
  try {
    const host = await connect(server.url, { nickname: 'host' });
    const roomIds: string[] = [];
    const settings = { mode: 'auto', openSeconds, maxStakePerRace: 1_000_000_000, capacity: 500 } as const;
    for (let index = 0; index < races; index++)
      roomIds.push((await host.request('room:create', { kind: 'bet', settings })).room.id);
    await bettors.tell({ do: 'join', url: server.url, rooms: roomIds, playersPerRoom: playersPerRace });
    const raceIds: string[] = [];
    for (const roomId of roomIds) {
      await host.request('room:join', { roomId, as: 'spectator' });
      const opened = () => host.room?.snapshot.race ?? host.room?.events.find((event) => event.type === 'race opened');
      const race = await until('a race', opened);
      raceIds.push('race' in race ? race.race.id : race.id);
    }
    const tell: Stage['tell'] = async (order) => {
      const told = await bettors.tell(order);
      if (told === null) throw new Error(`nothing measured: ${order.do}`);
      return told;
    };
    const result = await work({
      server,
      races: raceIds,
      roomIds,
      tell,
      async flood(outstanding) {
        await tell({ do: 'flood', races: raceIds, ms: WARM_MS, outstanding });
        const before = cpuMs(server.pid());
        const told = await tell({ do: 'flood', races: raceIds, ms: FLOOD_MS, outstanding });
        const count = told.codes['OK'] ?? 1;
        const each = (ms: number): string => `${((ms * 1_000) / count).toFixed(0)} µs`;
        const cpu = `server ${each(cpuMs(server.pid()) - before)}, load generator ${each(told.cpuMs)} a bet`;
        return { ...told, cpu };
      },
    });
    host.close();
    return result;
  } finally {
    bettors.close();
    await server.stop();
  }
}

/** User and system time of a process so far, from the kernel's own count in hundredths of a second. */
function cpuMs(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
  return (Number(fields[11]) + Number(fields[12])) * 10;
}

async function peerPerSecond(): Promise<number> {
  const child = fork(fileURLToPath(new URL('../peers/bet-by-bet.ts', import.meta.url)), {
    execArgv: ['--import', 'tsx'],
  });
  const bettors = forkBettors();
  try {
    const port = await new Promise<number>((resolve, reject) => {
      child.once('message', (message) => resolve(Number(message)));
      child.once('exit', () => reject(new Error('the peer did not start')));
    });
    const rooms = Array.from({ length: RACES }, (_, index) => `race-${index}`);
    await bettors.tell({ do: 'join', url: `http://127.0.0.1:${port}`, rooms, playersPerRoom: PLAYERS_PER_RACE });
    const flood = (ms: number) => bettors.tell({ do: 'flood', races: rooms, ms, outstanding: OUTSTANDING });
    await flood(WARM_MS / 2);
    const told = await flood(FLOOD_MS / 2);
    return told === null ? Number.NaN : perSecond(told);
  } finally {
    bettors.close();
    child.kill('SIGTERM');
    await new Promise((resolve) => child.once('exit', resolve));
  }
}
