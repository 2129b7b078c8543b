import { afterEach, expect, test, vi } from 'vitest';
import type { MessageId } from '../../lib/core/ids.ts';
import { UnavailableError } from '../../lib/ports.ts';
import { createSaidBefore } from '../../lib/service/said-before.ts';
import { makeDocument, makeState, player } from './fixtures.ts';

afterEach(() => {
  vi.useRealTimers();
});

const older = makeState(makeDocument({ createdAt: Date.now() - 60_000 }));
const [ann, ben] = [player('ann'), player('ben')];

/** An archive whose questions stay open until the test answers them. */
function archiveByHand() {
  const open: { id: string; answer: (said: boolean) => void; fail: (error: Error) => void }[] = [];
  const has = (_room: unknown, id: MessageId) =>
    new Promise<boolean>((answer, fail) => open.push({ id, answer, fail }));
  const saidBefore = createSaidBefore({ archive: { has }, clock: { now: () => Date.now() } });
  const answers: string[] = [];
  const ask = async (who: typeof ann, id: string, state = older) => {
    const said = await saidBefore(state, who, id as MessageId).catch(() => 'failed');
    answers.push(`${id} ${said}`);
  };
  const asked = () => open.map(({ id }) => id);
  const turn = () => new Promise<void>((resolve) => setImmediate(resolve));
  return { open, ask, asked, answers, turn };
}

test('[CH6] what one player says is looked for in its order, and nobody waits for another', async () => {
  const { open, ask, asked, answers, turn } = archiveByHand();
  void ask(ann, 'a1');
  void ask(ann, 'a2');
  void ask(ben, 'b1');
  await turn();
  expect(asked()).toEqual(['a1', 'b1']);
  open[1]?.answer(true);
  await turn();
  open[0]?.fail(new Error('an archive that is broken'));
  await turn();
  expect(asked()).toEqual(['a1', 'b1', 'a2']);
  open[2]?.answer(false);
  await turn();
  expect(answers).toEqual(['b1 true', 'a1 failed', 'a2 false']);
});

test('[CH6] what the room still holds is judged by the room, which knows what was said', async () => {
  const { ask, asked, answers, turn } = archiveByHand();
  const message = { id: 'held' as MessageId, playerId: ann, nickname: 'ann', text: 'hello', at: 1 };
  void ask(ann, 'held', { ...older, chat: [message] });
  await turn();
  expect([asked(), answers]).toEqual([[], ['held false']]);
});

test('[CH6] talk goes on while the archive is away', async () => {
  const { open, ask, answers, turn } = archiveByHand();
  void ask(ann, 'a1');
  await turn();
  open[0]?.fail(new UnavailableError('away', 'none'));
  await turn();
  expect(answers).toEqual(['a1 false']);
});

test('[CH6] the archive is asked about rooms from before the start, and in the first ten minutes only', async () => {
  vi.useFakeTimers({ toFake: ['Date', 'performance'] });
  const { ask, asked, answers, turn } = archiveByHand();
  void ask(ann, 'new', makeState(makeDocument({ createdAt: Date.now() + 1 })));
  await turn();
  expect([asked(), answers]).toEqual([[], ['new false']]);
  vi.advanceTimersByTime(599_000);
  void ask(ann, 'old');
  await turn();
  expect([asked(), answers]).toEqual([['old'], ['new false']]);
  vi.advanceTimersByTime(2_000);
  void ask(ben, 'late');
  await turn();
  expect([asked(), answers]).toEqual([['old'], ['new false', 'late false']]);
});
