/**
 * A placing process: the real batcher and ledger on a database, told what to do by its parent. Numbers of requests come
 * back with their answers, so that the parent knows what was unanswered when it ended this process.
 */
import type { Pool } from 'pg';
import { createPool, type PgTarget } from '../../db/postgres/connect.ts';
import { createLedger } from '../../db/postgres/ledger.ts';
import { createRaceRecords } from '../../db/postgres/races.ts';
import { RefusedError } from '../../lib/errors.ts';
import type { LedgerItem, Logger } from '../../lib/ports.ts';
import { type Batcher, createBatcher } from '../../lib/run/batcher.ts';
import type { AcceptedAnswer } from '../../lib/run/batcher-lane.ts';

export type PlacerTerms = { readonly startPoints: number; readonly answerMs: number };
export type ToPlacer =
  | { readonly kind: 'open'; readonly target: PgTarget; readonly terms: PlacerTerms }
  | { readonly kind: 'submit'; readonly n: number; readonly item: LedgerItem }
  | {
      readonly kind: 'settle';
      readonly n: number;
      readonly settle: Parameters<ReturnType<typeof createRaceRecords>['settle']>;
    };
export type Refused = { readonly code: string; readonly unknown: boolean };
export type FromPlacer =
  | { readonly kind: 'ready' | 'opened' }
  | { readonly kind: 'answer'; readonly n: number; readonly answer: AcceptedAnswer; readonly ms: number }
  | { readonly kind: 'refused'; readonly n: number; readonly refused: Refused; readonly ms: number }
  | { readonly kind: 'moved'; readonly n: number; readonly move: string };

const log: Logger = { error: () => {}, warn: () => {}, info: () => {}, debug: () => {} };
const tell = (message: FromPlacer) => process.send?.(message);
let pool: Pool | undefined;
let batcher: Batcher | undefined;

async function submit(n: number, item: LedgerItem): Promise<void> {
  const from = performance.now();
  try {
    if (batcher === undefined) throw new Error('not open');
    tell({ kind: 'answer', n, answer: await batcher.submit(item), ms: performance.now() - from });
  } catch (error) {
    const { code, outcome } =
      error instanceof RefusedError ? error.refusal : { code: String(error), outcome: undefined };
    tell({ kind: 'refused', n, refused: { code, unknown: outcome === 'unknown' }, ms: performance.now() - from });
  }
}

process.on('message', async (message: ToPlacer) => {
  if (message.kind === 'submit') return submit(message.n, message.item);
  if (message.kind === 'settle') {
    if (pool === undefined) throw new Error('not open');
    return tell({ kind: 'moved', n: message.n, move: await createRaceRecords(pool).settle(...message.settle) });
  }
  await batcher?.close();
  await pool?.end();
  const { target, terms } = message;
  pool = createPool(target, { applicationName: 'placer', max: 4 }, () => {});
  batcher = createBatcher({
    ledger: createLedger(pool, { startPoints: terms.startPoints }),
    limits: { ledgerQueue: 20_000, ledgerAnswerMs: terms.answerMs, ledgerQueueMs: 2_000 },
    log,
  });
  tell({ kind: 'opened' });
});
process.on('disconnect', () => process.exit());
tell({ kind: 'ready' });
