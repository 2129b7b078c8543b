import { describe, expect, test } from 'vitest';
import { estimate } from '../../public/src/net/clock.ts';
import { createCommands, type WireAnswer } from '../../public/src/net/commands.ts';
import { uuidFrom } from '../../public/src/net/random.ts';
import { GIVE_UP_MS, judge } from '../../public/src/net/retry.ts';

type Sent = { payload: unknown; done: (answer: WireAnswer | null) => void };

/** A line made by hand: what is sent stays here until the test answers it; time moves when the test says so. */
function line() {
  const sent: Sent[] = [];
  let now = 0;
  let timers: { at: number; run: () => void }[] = [];
  const commands = createCommands({
    transmit: (_name, payload, _timeoutMs, done) => void sent.push({ payload, done }),
    now: () => now,
    later: (run, afterMs) => void timers.push({ at: now + afterMs, run }),
  });
  return {
    sent,
    commands,
    pass(ms: number): void {
      now += ms;
      const due = timers.filter((timer) => timer.at <= now);
      timers = timers.filter((timer) => timer.at > now);
      for (const timer of due) timer.run();
    },
  };
}

const refused = (code: string, more: object = {}): WireAnswer => ({ ok: false, code, retryable: true, ...more });
const settled = async (answer: Promise<WireAnswer>): Promise<WireAnswer | 'open'> =>
  Promise.race([answer, Promise.resolve().then(() => Promise.resolve('open' as const))]);

describe('commands of the page', () => {
  test('[PG4] waits for the line, and is sent again with the same body when an answer was lost', async () => {
    const { sent, commands, pass } = line();
    const answer = commands.run('bet:place', { commandId: 'c1' });
    expect(sent).toHaveLength(0);
    commands.lineUp();
    expect(sent).toHaveLength(1);
    commands.lineDown();
    sent[0]?.done(null);
    pass(1_000);
    expect(sent).toHaveLength(1);
    commands.lineUp();
    expect(sent.map(({ payload }) => payload)).toEqual([{ commandId: 'c1' }, { commandId: 'c1' }]);
    sent[1]?.done({ ok: true, data: { betId: 'b' } });
    expect(await answer).toEqual({ ok: true, data: { betId: 'b' } });
    commands.lineUp();
    expect(sent).toHaveLength(2);
  });

  test('[PG4] repeats an unknown outcome until it is known, however often', async () => {
    const { sent, commands, pass } = line();
    commands.lineUp();
    const answer = commands.run('bet:place', {});
    for (let round = 0; round < 20; round += 1) {
      sent.at(-1)?.done(refused('LEDGER_UNAVAILABLE', { outcome: 'unknown' }));
      pass(6_000);
    }
    expect(sent).toHaveLength(21);
    expect(await settled(answer)).toBe('open');
    sent.at(-1)?.done(refused('PHASE_CLOSED', { retryable: false }));
    expect(await answer).toMatchObject({ code: 'PHASE_CLOSED' });
  });

  test('[PG4] takes no passing refusal for the fate of what may have happened before it', async () => {
    const { sent, commands, pass } = line();
    commands.lineUp();
    const answer = commands.run('bet:place', {});
    sent.at(-1)?.done(refused('LEDGER_UNAVAILABLE', { outcome: 'unknown' }));
    pass(6_000);
    // Another process, or the same one started anew, knows nothing of the first time.
    for (let round = 0; round < 10; round += 1) {
      sent.at(-1)?.done(refused('LEDGER_UNAVAILABLE', { retryAfterMs: 1_000 }));
      pass(6_000);
    }
    expect(sent).toHaveLength(12);
    expect(await settled(answer)).toBe('open');
    sent.at(-1)?.done({ ok: true, data: { betId: 'b' } });
    expect(await answer).toMatchObject({ ok: true });
    const lost = commands.run('bet:place', {});
    sent.at(-1)?.done(null);
    pass(GIVE_UP_MS);
    sent.at(-1)?.done(refused('LEDGER_UNAVAILABLE'));
    expect(await lost).toMatchObject({ outcome: 'unknown' });
    // A full room is full: had the first try gone through, the answer would say so.
    expect(judge({ ok: false, code: 'ROOM_FULL', retryable: true }, 2, 0, true).kind).toBe('answer');
  });

  test('[PG4] gives up after five minutes and says that the outcome is unknown', async () => {
    const { commands, pass } = line();
    const answer = commands.run('chat:send', {});
    pass(GIVE_UP_MS + 60_000);
    expect(await answer).toMatchObject({ ok: false, outcome: 'unknown' });
    expect(commands.waiting()).toBe(0);
  });

  test('[PG4] repeats refusals that pass by themselves a few times, and none that the player must decide about', () => {
    const busy = { ok: false, code: 'BUSY', retryable: true } as const;
    expect(judge(busy, 1, 0).kind).toBe('again');
    expect(judge(busy, 4, 0).kind).toBe('answer');
    expect(judge({ ...busy, retryAfterMs: 60_000 }, 1, 0).kind).toBe('answer');
    for (const code of ['ROOM_FULL', 'INSUFFICIENT_POINTS', 'RACE_IN_PROGRESS', 'SLOW_MODE', 'LEDGER_UNAVAILABLE']) {
      expect(judge({ ok: false, code, retryable: true }, 1, 0).kind, code).toBe('answer');
    }
  });

  test('[PG5] believes the round trip with the least delay', () => {
    const trips = [
      { sentAt: 0, serverAt: 5_300, receivedAt: 400 },
      { sentAt: 1_000, serverAt: 6_010, receivedAt: 1_020 },
      { sentAt: 2_000, serverAt: 7_900, receivedAt: 2_900 },
    ];
    expect(estimate(trips)).toEqual({ offsetMs: 5_000, roundTripMs: 20 });
    expect(estimate([])).toBeNull();
  });

  test('[PG5] makes version 4 UUIDs without a secure context', () => {
    const uuid = uuidFrom(new Uint8Array(16).fill(0xff));
    expect(uuid).toBe('ffffffff-ffff-4fff-bfff-ffffffffffff');
    expect(uuidFrom(new Uint8Array(16))).toMatch(
      /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/,
    );
  });
});
