import { setTimeout as sleep } from 'node:timers/promises';
import type { RaceView } from '../../lib/protocol.ts';
import type { Integers } from '../core/random.ts';
import { Bot } from './bot.ts';

const BETS_A_RACE = 6;
const PICKS_A_RACE = 3;
/** The last picker waits, so that a pick room stays open for a while. */
const SLOW_PICKER_MS = 400;

export type Crowd = {
  readonly bots: readonly Bot[];
  readonly bettors: readonly Bot[];
  readonly pickers: readonly Bot[];
  /** Everybody of the bet room bets at once and does not wait. */
  burst(): void;
  /** Nobody begins anything any more. */
  rest(): void;
};

/**
 * Three players in a bet room whose host opens and hurries the races, three in an automatic pick room. They bet, pick,
 * vote and chat without waiting for each other, at random moments of the seed.
 */
export async function gather(url: string, random: Integers): Promise<Crowd> {
  const common = { track: 'short', resultSeconds: 10 };
  const host = await Bot.create(url, 'ann', { kind: 'bet', settings: { ...common, openSeconds: 120 } });
  const picker = await Bot.create(url, 'dan', {
    kind: 'pick',
    settings: { ...common, openSeconds: 60, mode: 'auto' },
  });
  const bettors = [host, await Bot.join(url, 'ben', host.roomId), await Bot.join(url, 'cho', host.roomId)];
  const pickers = [picker, await Bot.join(url, 'eve', picker.roomId), await Bot.join(url, 'fay', picker.roomId)];
  const bots = [...bettors, ...pickers];
  let resting = false;

  /** A life at its own pace: what it waits for are the bot's own answers and moments, never the server's state. */
  async function live(act: () => Promise<void> | void): Promise<void> {
    while (!resting) {
      await act();
      await sleep(20 + random.below(60));
    }
  }

  for (const bot of bots) void bot.send('wallet:claim', { kind: 'daily' });
  for (const bot of pickers) {
    // A crash may cost the last second of what is no point, pick or fact: who was ready says so again.
    const ready = (): void => {
      if (!resting) void bot.send('room:ready', { roomId: bot.roomId, ready: true });
    };
    bot.client.socket.on('session:ready', ready);
    ready();
  }
  for (const bot of bettors) void live(() => bettor(bot, random));
  for (const [index, bot] of pickers.entries()) {
    void live(() => pick(bot, random, index === 2));
    void live(() => vote(bot, random));
  }
  const hurried = new Set<string>();
  void live(() => direct(host, hurried));

  return {
    bots,
    bettors,
    pickers,
    burst() {
      for (const bot of bettors) for (let bets = 0; bets < 3; bets += 1) placeBet(bot, random);
    },
    rest() {
      resting = true;
    },
  };
}

function openRace(bot: Bot): RaceView | null {
  return bot.seated && bot.race?.phase === 'open' ? bot.race : null;
}

const countOf = (bot: Bot, raceId: string, name: string): number =>
  bot.sent.filter((one) => one.raceId === raceId && one.name === name).length;

function placeBet(bot: Bot, random: Integers): void {
  const race = openRace(bot);
  if (race === null) return;
  void bot.send('bet:place', {
    raceId: race.id,
    pool: random.below(2) === 0 ? 'win' : 'place',
    selection: [1 + random.below(race.field.length)],
    stake: String(100 * (1 + random.below(2))),
    ...(random.below(2) === 0 && { nonce: 'ab'.repeat(16) }),
  });
}

function bettor(bot: Bot, random: Integers): void {
  const race = openRace(bot);
  if (race !== null && countOf(bot, race.id, 'bet:place') < BETS_A_RACE) placeBet(bot, random);
  if (bot.seated && random.below(10) === 0) talk(bot);
}

function talk(bot: Bot): void {
  void bot.send('chat:send', { roomId: bot.roomId, text: `${bot.client.id} says ${bot.sent.length}` });
}

/** Opens the next race, and brings its close forward once the host has bet enough. */
async function direct(bot: Bot, hurried: Set<string>): Promise<void> {
  if (!bot.seated) return;
  const { race } = bot;
  const over = race === null || race.phase === 'settled' || race.phase === 'void';
  const enough = race?.phase === 'open' && countOf(bot, race.id, 'bet:place') >= BETS_A_RACE && !hurried.has(race.id);
  if (enough) hurried.add(race.id);
  if (over || enough) await bot.send('race:start', { roomId: bot.roomId });
}

async function pick(bot: Bot, random: Integers, slow: boolean): Promise<void> {
  const race = openRace(bot);
  if (race === null || race.participants?.includes(bot.client.id as never) === false) return;
  const before = countOf(bot, race.id, 'pick:choose');
  if (before >= PICKS_A_RACE) return;
  if (before === 0 && slow) await sleep(SLOW_PICKER_MS);
  if (before > 0 && random.below(5) === 0) await bot.send('pick:clear', { raceId: race.id });
  const horse = random.below(3) === 0 ? 'random' : 1 + random.below(race.field.length);
  await bot.send('pick:choose', { raceId: race.id, horse });
  if (random.below(5) === 0) talk(bot);
}

async function vote(bot: Bot, random: Integers): Promise<void> {
  const race = openRace(bot);
  if (race === null || race.participants?.includes(bot.client.id as never) === false) return;
  if (!race.rules.placeVote || countOf(bot, race.id, 'vote:place') > 0) return;
  await bot.send('vote:place', { raceId: race.id, place: 1 + random.below(race.field.length) });
}
