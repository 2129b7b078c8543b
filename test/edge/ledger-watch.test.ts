import { afterEach, expect, it } from 'vitest';
import { watchLedger } from '../../lib/run/ledger-watch.ts';
import { quietLog } from '../helpers/postgres.ts';
import { until } from '../helpers/until.ts';

const closing: (() => void)[] = [];
afterEach(() => {
  for (const close of closing.splice(0)) close();
});

it('[OP83] two misses in a row are told, and so is the return', async () => {
  const told: boolean[] = [];
  let asked = 0;
  let answer: () => Promise<unknown> = async () => 1;
  const watch = watchLedger({
    ask: () => {
      asked += 1;
      return answer();
    },
    log: { ...quietLog, debug: () => {} },
    onChange: (away) => told.push(away),
  });
  closing.push(watch.close);
  const looks = async (count: number) => {
    const from = asked;
    await until('it was asked', () => asked >= from + count);
  };
  // One refusal between answers, then silence.
  answer = () => {
    answer = async () => 1;
    return Promise.reject(new Error('once'));
  };
  await looks(3);
  expect([watch.away(), told]).toEqual([false, []]);
  answer = () => new Promise(() => {});
  await until('it is away', watch.away);
  expect(told).toEqual([true]);
  answer = async () => 1;
  await until('it is back', () => !watch.away());
  expect(told).toEqual([true, false]);
});
