import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { PublicRecord } from '../../lib/core/public-race.ts';
import {
  expectCommands,
  expectFacts,
  expectPoints,
  expectRepeats,
  expectSameResults,
  expectTold,
  expectVerified,
  recordsOf,
} from './judge.ts';
import { type Storm, storm } from './storm.ts';
import type { Victims } from './world.ts';

/** CRASH_KILLS: of each kind, for the long form. */
const KILLS: Readonly<Record<Victims, number>> = { server: 11, both: 10 };
const kills = (victims: Victims): number => Number(process.env['CRASH_KILLS'] ?? KILLS[victims]);
const MINUTES = 60_000;
const DEADLINE_MS = 5 * MINUTES + 1 * MINUTES * Math.max(kills('server'), kills('both'));

const started = new Map<Victims, Promise<Storm>>();
beforeAll(async () => {
  // Both at once: most of a storm is waiting for a moment and for a start.
  for (const victims of ['server', 'both'] as const) started.set(victims, storm(victims, kills(victims)));
  await Promise.allSettled(started.values());
}, DEADLINE_MS);
afterAll(async () => {
  for (const one of started.values()) await (await one.catch(() => null))?.close();
});

describe.each([['the server alone', 'server'] as const, ['the server and PostgreSQL together', 'both'] as const])(
  'kill -9 of %s',
  (_, victims) => {
    let done: Storm;
    let records: PublicRecord[];
    beforeAll(async () => {
      const one = started.get(victims);
      if (one === undefined) throw new Error('not begun');
      done = await one;
      const races = await done.witness.races();
      records = await recordsOf(
        done.server.url,
        races.map(({ id }) => id),
      );
      const settled = records.filter(({ phase }) => phase === 'settled').length;
      console.info(`${victims}: ${records.length} races, ${settled} settled, ${done.strikes.length} kills`);
    });

    it('[OP100] everything comes back on the same port and data, and the players’ own clients find their seats again', () => {
      expect(done.strikes).toHaveLength(kills(victims));
      for (const bot of done.crowd.bots) {
        expect(bot.seated).toBe(true);
        expect(bot.lostSeats).toEqual([]);
        expect(bot.client.refusals).toEqual([]);
        expect(bot.client.readies).toBeGreaterThan(1);
      }
      expect(done.server.lines().filter(({ level }) => level >= 50)).toEqual([]);
    });

    it('[RC80] every race comes to its end, with the outcome that was stored before', () => {
      expect(records.filter(({ phase }) => phase !== 'settled' && phase !== 'void')).toEqual([]);
      expect(records.filter(({ kind, phase }) => kind === 'bet' && phase !== 'settled')).toEqual([]);
      expect(expectSameResults(done.witness, records)).toBeGreaterThan(0);
    });

    it('[RC81] every race verifies from its record, its predecessor and all receipts', async () => {
      await expectVerified(done.witness, records, done.crowd.bots);
    });

    it('[RC82] every phase of every race is published once, over all epochs', async () => {
      await expectFacts(done.witness, records);
      const bySnapshot = done.crowd.bots.map((bot) =>
        expectTold(
          bot,
          records.filter(({ roomId }) => roomId === bot.roomId),
        ),
      );
      console.info(`${victims}: phases told by a snapshot, by player: ${bySnapshot.join(' ')}`);
    });

    it('[LG60] what was accepted is there once and as it was, what was refused is not, and nothing else is', async () => {
      const sent = done.crowd.bots.flatMap((bot) => bot.sent);
      const lost = sent.filter((one) => one.lost);
      const accepted = lost.filter(({ answer }) => answer?.ok);
      console.info(
        `${victims}: ${sent.length} commands, ${lost.length} were on their way at a kill, ${accepted.length} of those accepted`,
      );
      expect(sent.filter(({ answer }) => answer?.ok)).not.toEqual([]);
      for (const bot of done.crowd.bots) await expectCommands(bot, records);
    });

    it('[LG61] a command that is asked again after all of it is answered as the first time', async () => {
      for (const bot of done.crowd.bots) {
        const kept = bot.sent.filter(
          ({ name, answer }) => /^(bet|pick|vote|wallet):/.test(name) && answer?.ok && name !== 'pick:clear',
        );
        await expectRepeats(bot, [...kept.slice(0, 8), ...kept.filter(({ lost }) => lost).slice(0, 12)]);
      }
    });

    it('[LG62] every point is right: payouts by the record, balances by the payouts, and the audit finds nothing', async () => {
      await expectPoints(done.witness, done.crowd.bots, records);
    });

    it('[OP101] nothing that was said is said twice, also when it is sent once more now', async () => {
      for (const bot of done.crowd.bots) {
        const history = async () =>
          (await bot.client.request('chat:history', { roomId: bot.roomId, limit: 50 })).messages;
        const before = await history();
        expect(new Set(before.map(({ text }) => text)).size).toBe(before.length);
        const texts = new Set(before.map(({ text }) => text));
        const said = bot.sent.filter(({ name, body }) => name === 'chat:send' && texts.has(String(body['text'])));
        for (const { name, body, answer } of said) expect(await bot.client.raw(name, body)).toEqual(answer);
        expect(await history()).toEqual(before);
      }
    });
  },
);
