import { describe, expect, it } from 'vitest';
import type { PlayerId, RaceId } from '../../lib/core/ids.ts';
import { RefusedError } from '../../lib/errors.ts';
import { type Ledger, type LedgerAnswer, type LedgerItem, type Logger, UnavailableError } from '../../lib/ports.ts';
import { createBatcher } from '../../lib/run/batcher.ts';
import { until } from '../helpers/until.ts';
import { bet } from './stage.ts';

const LIMITS = { ledgerQueue: 1_000, ledgerAnswerMs: 300, ledgerQueueMs: 2_000 };
const log: Logger = { error: () => {}, warn: () => {}, info: () => {}, debug: () => {} };
const race = 'race' as RaceId;
const OK: LedgerAnswer = { ok: true, repeated: false };

type Call = {
  readonly items: readonly LedgerItem[];
  answer(answers?: readonly LedgerAnswer[]): void;
  fail(error: Error): void;
};

/** A ledger whose calls wait until the test answers them. */
function heldLedger() {
  const calls: Call[] = [];
  const ledger: Ledger = {
    commitBatch: (items) =>
      new Promise((resolve, reject) => {
        calls.push({ items, answer: (answers = items.map(() => OK)) => resolve({ answers, added: [] }), fail: reject });
      }),
    wallet: async () => null,
  };
  return { ledger, calls };
}

const setUp = (limits: Partial<typeof LIMITS> = {}) => {
  const held = heldLedger();
  return { ...held, batcher: createBatcher({ ledger: held.ledger, limits: { ...LIMITS, ...limits }, log }) };
};
const outcome = (submitted: Promise<unknown>): Promise<string> =>
  submitted.then(
    () => 'ok',
    (error: unknown) =>
      error instanceof RefusedError
        ? `${error.refusal.code}${error.refusal.outcome === 'unknown' ? ' unknown' : ''}`
        : String(error),
  );
const unavailable = (fate: 'none' | 'unknown') => new UnavailableError('away', fate);

describe('batcher', () => {
  it('[LG28] gathers at most 200 commands a batch, has two batches under way at most, and keeps a player in one lane in order', async () => {
    const { batcher, calls } = setUp();
    const items = Array.from({ length: 900 }, (_, index) => bet(race, `p${index % 30}`, 1, 100n));
    const answers = items.map((item) => outcome(batcher.submit(item)));
    await until('both lanes', () => calls.length === 2);
    const laneOf = new Map<PlayerId, number>();
    const seen: LedgerItem[] = [];
    for (let at = 0; at < calls.length; at += 1) {
      const call = calls[at];
      expect(calls.length - at).toBeLessThanOrEqual(2);
      expect(call?.items.length).toBeLessThanOrEqual(200);
      seen.push(...(call?.items ?? []));
      call?.answer();
      await until('the next call or the end', () => calls.length > at + 1 || seen.length === items.length);
    }
    expect(new Set(await Promise.all(answers))).toEqual(new Set(['ok']));
    for (const name of new Set(items.map(({ playerId }) => playerId))) {
      const sent = seen.filter(({ playerId }) => playerId === name).map(({ commandId }) => commandId);
      expect(sent).toEqual(items.filter(({ playerId }) => playerId === name).map(({ commandId }) => commandId));
      laneOf.set(name, sent.length);
    }
    await batcher.close();
  });

  it('[LG29] a full queue answers OVERLOADED with a time to come back, and nothing of it is sent', async () => {
    const { batcher, calls } = setUp({ ledgerQueue: 3 });
    const taken = [1, 2, 3].map((n) => outcome(batcher.submit(bet(race, `p${n}`, 1, 100n))));
    const refused = bet(race, 'p4', 1, 100n);
    await expect(batcher.submit(refused)).rejects.toMatchObject({
      refusal: { code: 'OVERLOADED', retryAfterMs: 2_000 },
    });
    await until('sent', () => calls.flatMap(({ items }) => items).length === 3);
    for (const call of calls) call.answer();
    expect(await Promise.all(taken)).toEqual(['ok', 'ok', 'ok']);
    await batcher.close();
  });

  it('[LG30] what waits in the queue longer than its deadline is answered OVERLOADED and not sent', async () => {
    const { batcher, calls } = setUp({ ledgerAnswerMs: 5_000, ledgerQueueMs: 100 });
    const first = outcome(batcher.submit(bet(race, 'p', 1, 100n)));
    await until('sent', () => calls.length === 1);
    const submittedAt = performance.now();
    const second = outcome(batcher.submit(bet(race, 'p', 1, 100n)));
    await until('the deadline is past', () => performance.now() > submittedAt + 101);
    calls[0]?.answer();
    expect(await Promise.all([first, second])).toEqual(['ok', 'OVERLOADED']);
    expect(calls).toHaveLength(1);
    await batcher.close();
  });

  it('[LG31] a command whose lock was taken is sent again by itself until its deadline, then answered BUSY', async () => {
    const { batcher, calls } = setUp({ ledgerQueueMs: 150 });
    const [lucky, unlucky] = [bet(race, 'p', 1, 100n), bet(race, 'p', 2, 100n)];
    const answers = Promise.all([outcome(batcher.submit(lucky)), outcome(batcher.submit(unlucky))]);
    let told = false;
    void answers.then(() => {
      told = true;
    });
    for (let at = 0; !told; at += 1) {
      await until('a call or the end', () => calls.length > at || told);
      const call = calls[at];
      call?.answer(call.items.map((item) => (item === lucky && at > 0 ? OK : { ok: 'again' })));
    }
    expect(await answers).toEqual(['ok', 'BUSY']);
    expect(calls.length).toBeGreaterThan(3);
    await batcher.close();
  });

  it('[LG32] sent and unanswered is told as unknown, queued behind it as certainly not placed, and new ones are refused at once', async () => {
    const { batcher, calls } = setUp({ ledgerAnswerMs: 100 });
    const item = bet(race, 'p', 1, 100n);
    const sent = outcome(batcher.submit(item));
    await until('sent', () => calls.length === 1);
    const queued = outcome(batcher.submit(bet(race, 'p', 1, 100n)));
    expect(await Promise.all([sent, queued])).toEqual(['LEDGER_UNAVAILABLE unknown', 'LEDGER_UNAVAILABLE']);
    expect(await outcome(batcher.submit(bet(race, 'p', 1, 100n)))).toBe('LEDGER_UNAVAILABLE');
    expect(await outcome(batcher.submit(item))).toBe('LEDGER_UNAVAILABLE unknown');
    expect(batcher.stats().down).toBe(true);
    expect(calls).toHaveLength(1);

    calls[0]?.fail(unavailable('unknown'));
    await until('sent again', () => calls.length === 2);
    expect(calls[1]?.items).toEqual([item]);
    calls[1]?.answer([{ ok: true, repeated: true, balance: 5n }]);
    await until('up again', () => !batcher.stats().down);
    const later = outcome(batcher.submit(item));
    await until('asked', () => calls.length === 3);
    calls[2]?.answer([{ ok: true, repeated: true, balance: 5n }]);
    expect(await later).toBe('ok');
    await batcher.close();
  });

  it('[LG33] a ledger that is certainly away is tried again within the time for an answer, then told without doubt', async () => {
    const { batcher, calls } = setUp();
    const back = outcome(batcher.submit(bet(race, 'p', 1, 100n)));
    await until('sent', () => calls.length === 1);
    calls[0]?.fail(unavailable('none'));
    await until('sent again', () => calls.length === 2);
    calls[1]?.answer();
    expect(await back).toBe('ok');
    const start = performance.now();
    const away = outcome(batcher.submit(bet(race, 'p', 1, 100n)));
    let answered = false;
    void away.then(() => {
      answered = true;
    });
    for (let at = 2; !answered; at += 1) {
      await until('a call or the end', () => calls.length > at || answered, { everyMs: 1 });
      calls[at]?.fail(unavailable('none'));
    }
    expect(await away).toBe('LEDGER_UNAVAILABLE');
    expect(performance.now() - start).toBeLessThan(3_000);
    await batcher.close();
  });

  it('[LG34] a refusal is no answer while a lost attempt may still take effect', async () => {
    const { batcher, calls } = setUp({ ledgerAnswerMs: 60_000, ledgerQueueMs: 60_000 });
    let told: string | undefined;
    void outcome(batcher.submit(bet(race, 'p', 1, 100n))).then((answer) => {
      told = answer;
    });
    await until('sent', () => calls.length === 1);
    calls[0]?.fail(unavailable('unknown'));
    const lostAt = performance.now();
    for (let at = 1; told === undefined; at += 1) {
      await until('asked again', () => calls.length > at || told !== undefined);
      calls[at]?.answer([{ ok: false, code: 'INSUFFICIENT_POINTS' }]);
    }
    expect(told).toBe('INSUFFICIENT_POINTS');
    expect(performance.now() - lostAt).toBeGreaterThan(1_500);
    expect(calls.length).toBeGreaterThan(3);
    await batcher.close();
  });

  it('[LG35] an impossible command in a batch harms nobody else', async () => {
    const { batcher, calls } = setUp();
    const items = Array.from({ length: 9 }, () => bet(race, 'p', 1, 100n));
    const bad = items[4];
    let told = false;
    const answers = Promise.all(items.map((item) => outcome(batcher.submit(item))));
    void answers.then(() => {
      told = true;
    });
    for (let at = 0; !told; at += 1) {
      await until('a call or the end', () => calls.length > at || told);
      const call = calls[at];
      if (bad !== undefined && call?.items.includes(bad)) call.fail(new Error('check violated'));
      else call?.answer();
    }
    expect(await answers).toEqual(items.map((item) => (item === bad ? 'INTERNAL' : 'ok')));
    for (const item of items) {
      const accepted = calls.filter((call) => call.items.includes(item) && !call.items.includes(bad as LedgerItem));
      expect(accepted.length).toBe(item === bad ? 0 : 1);
    }
    await batcher.close();
  });

  it('[LG36] the same command twice at a time is sent once and answered twice; another body is a conflict', async () => {
    const { batcher, calls } = setUp();
    const item = bet(race, 'p', 1, 100n);
    const both = [outcome(batcher.submit(item)), outcome(batcher.submit(item))];
    const other = { ...item, bodyHash: 'ee' };
    const conflict = outcome(batcher.submit(other));
    await until('sent', () => calls.length === 1);
    expect(calls[0]?.items).toEqual([item, other]);
    calls[0]?.answer([OK, { ok: false, code: 'COMMAND_CONFLICT' }]);
    expect(await conflict).toBe('COMMAND_CONFLICT');
    expect(await Promise.all(both)).toEqual(['ok', 'ok']);
    await batcher.close();
  });

  it('[LG37] closing finishes what is queued, takes nothing new, and answers what cannot be finished', async () => {
    const { batcher, calls } = setUp();
    const queued = Array.from({ length: 3 }, (_, index) => outcome(batcher.submit(bet(race, `p${index}`, 1, 100n))));
    const closing = batcher.close();
    expect(batcher.close()).toBe(closing);
    expect(await outcome(batcher.submit(bet(race, 'late', 1, 100n)))).toBe('DRAINING');
    await until('sent', () => calls.flatMap(({ items }) => items).length === 3);
    for (const call of calls) call.answer();
    expect(await Promise.all(queued)).toEqual(['ok', 'ok', 'ok']);
    await closing;

    const stuck = setUp({ ledgerQueueMs: 150, ledgerAnswerMs: 60_000 });
    const pending = [outcome(stuck.batcher.submit(bet(race, 'p', 1, 100n)))];
    await until('sent', () => stuck.calls.length === 1);
    pending.push(outcome(stuck.batcher.submit(bet(race, 'p', 1, 100n))));
    await stuck.batcher.close();
    expect(await Promise.all(pending)).toEqual(['LEDGER_UNAVAILABLE unknown', 'DRAINING']);
  });

  it('[LG38] what a batch added is told, and races whose answer was lost are told to be read again', async () => {
    const { batcher, calls } = setUp();
    const told: unknown[] = [];
    batcher.onAdded(() => {
      throw new Error('a faulty listener');
    });
    batcher.onAdded((added, reread) => told.push({ added, reread }));
    const item = bet(race, 'p', 1, 100n);
    const answer = outcome(batcher.submit(item));
    await until('sent', () => calls.length === 1);
    calls[0]?.fail(unavailable('unknown'));
    await until('sent again', () => calls.length === 2);
    calls[1]?.answer([{ ok: true, repeated: true }]);
    expect(await answer).toBe('ok');
    expect(told).toEqual([{ added: [], reread: [race] }]);
    await batcher.close();
  });
});
