import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { connect } from '../../test/helpers/client.ts';
import { until } from '../../test/helpers/until.ts';
import type { Row } from '../row.ts';
import { latencies, withRooms } from './bets.ts';

const BETS = 5_000;
const OVER_MS = 100;
const TARGET_MS = 2_000;
const OPEN_SECONDS = 20;

/** 5,000 bets of 400 players in the last 100 ms of one race: all answered, taken or too late. No peer: nobody else promises this. */
export const rush: Row = {
  name: 'rush',
  unit: 'ms to the last answer',
  peer: 'none',
  peerFigure: null,
  target: 'every one answered within 2 s, audit clean',
  met: (value) => value <= TARGET_MS,
  pairs: 5,
  measure: () =>
    withRooms(
      1,
      400,
      async ({ server, races, roomIds, tell }) => {
        const watcher = await connect(server.url);
        await watcher.request('room:join', { roomId: roomIds.at(-1) ?? '' });
        // Everybody has a wallet by then, as in any race but the very first.
        await tell({ do: 'stream', races, ms: 1_000, perSecond: 400 });
        const closesAt = watcher.room?.snapshot.race?.closesAt ?? 0;
        const told = await tell({ do: 'rush', races, bets: BETS, at: closesAt - OVER_MS, overMs: OVER_MS });
        const answered = told.latenciesMs.length;
        const odd = Object.keys(told.codes).filter((code) => code !== 'OK' && code !== 'PHASE_CLOSED');
        if (answered !== BETS || odd.length > 0) throw new Error(`answers: ${JSON.stringify(told.codes)}`);
        await until('the race is over', () => watcher.room?.events.some(({ type }) => type === 'race settled'), {
          deadlineMs: 120_000,
        });
        watcher.close();
        auditOf(server.dataDir);
        return {
          ours: told.lastAnswerMs,
          peer: Number.NaN,
          notes: { answers: JSON.stringify(told.codes), latency: latencies(told) },
        };
      },
      OPEN_SECONDS,
    ),
};

/** Throws where the ledger is not sound: `npm run audit` beside the running server. */
function auditOf(dataDir: string): void {
  const command = fileURLToPath(new URL('../../cmd/audit.ts', import.meta.url));
  execFileSync(process.execPath, ['--import', 'tsx', command], {
    env: { ...process.env, DATA_DIR: dataDir },
    stdio: 'pipe',
  });
}
