import { type Integers, integers } from '../core/random.ts';
import type { TestServer } from '../helpers/server.ts';
import { until } from '../helpers/until.ts';
import { startPlayServer } from '../play/table.ts';
import { type Crowd, gather } from './crowd.ts';
import { kill, type RaceNow, type Victims, Witness } from './world.ts';

/** For a hang, not for a speed. */
const PATIENCE = { deadlineMs: 60_000 };
/** About what a start takes. */
const START_MS = 1_200;

type Moment = {
  readonly name: string;
  /** Looked at every few milliseconds, in PostgreSQL itself. */
  readonly when: (race: RaceNow) => boolean;
  /** Then the kill comes at a random time within this. */
  readonly withinMs: number;
};

const MOMENTS: readonly Moment[] = [
  { name: 'open, bets in flight', when: (race) => race.phase === 'open' && race.closesInMs > 100, withinMs: 40 },
  { name: 'closing', when: (race) => race.phase === 'open' && race.closesInMs <= 60, withinMs: 80 },
  { name: 'closed before the draw', when: (race) => race.phase === 'closed' && race.outcome === null, withinMs: 1 },
  { name: 'closed after the draw', when: (race) => race.phase === 'closed' && race.outcome !== null, withinMs: 150 },
  { name: 'running', when: (race) => race.phase === 'running' && (race.endsInMs ?? 0) > 100, withinMs: 500 },
  { name: 'settling', when: (race) => race.phase === 'running' && (race.endsInMs ?? 99) <= 10, withinMs: 30 },
  { name: 'right after', when: (race) => (race.endedAgoMs ?? 999) < 100, withinMs: 40 },
];

export type Strike = {
  readonly victims: Victims;
  readonly kind: 'bet' | 'pick';
  readonly moment: string;
  /** What PostgreSQL had of that room's race when everything was dead (or, with it dead, when it was back). */
  readonly found: string;
  /** Commands on their way at the kill. */
  readonly inFlight: number;
  /** Killed once more while it started. */
  readonly twice: boolean;
  readonly backAfterMs: number;
};

export type Storm = {
  readonly server: TestServer;
  readonly witness: Witness;
  readonly crowd: Crowd;
  readonly strikes: readonly Strike[];
  close(): Promise<void>;
};

/** Every moment once, each in one kind of room; then all of them in the other kind; and so on, in the seed's order. */
function planOf(kills: number, random: Integers) {
  const plan: { readonly moment: Moment; readonly kind: 'bet' | 'pick' }[] = [];
  while (plan.length < kills) {
    const first = MOMENTS.map((moment) => ({ moment, bet: random.below(2) === 0 }));
    plan.push(...random.shuffle(first.map(({ moment, bet }) => ({ moment, kind: bet ? 'bet' : 'pick' }) as const)));
    plan.push(...random.shuffle(first.map(({ moment, bet }) => ({ moment, kind: bet ? 'pick' : 'bet' }) as const)));
  }
  return plan.slice(0, kills);
}

/**
 * Two rooms in play, killed `kills` times at the seed's moments and started again each time on the same port and data.
 * In the end the players rest, the rooms come to rest, and everything is there to be judged.
 */
export async function storm(victims: Victims, kills: number): Promise<Storm> {
  const random = integers();
  console.info(`crash test: ${kills} kills of ${victims}, seed ${random.seed} (PADDOCK_TEST_SEED repeats it)`);
  const server = await startPlayServer();
  const witness = new Witness(server.dataDir);
  const crowd = await gather(server.url, random);
  const strikes: Strike[] = [];

  for (const { moment, kind } of planOf(kills, random)) {
    strikes.push(await strike(moment, kind));
    console.info(JSON.stringify(strikes.at(-1)));
  }

  async function strike(moment: Moment, kind: 'bet' | 'pick'): Promise<Strike> {
    const room = kind === 'bet' ? crowd.bettors : crowd.pickers;
    const roomId = room[0]?.roomId;
    if (roomId === undefined) throw new Error('nobody is there');
    await until(
      `${moment.name} in the ${kind} room`,
      async () => {
        const race = await witness.newest(roomId);
        const known = room.filter((bot) => bot.seated && bot.race?.id === race?.id).length;
        return race !== undefined && known >= 2 && moment.when(race);
      },
      { ...PATIENCE, everyMs: 1 },
    );
    crowd.burst();
    await new Promise((resolve) => setTimeout(resolve, random.below(moment.withinMs)));
    const inFlight = crowd.bots.flatMap(({ sent }) => sent).filter((one) => one.inFlight).length;
    await kill(server, witness, victims);
    const killedAt = performance.now();
    if (victims === 'server') await witness.races();
    const before = victims === 'server' ? await witness.newest(roomId) : undefined;
    const twice = random.below(4) === 0;
    if (twice) await killWhileStarting();
    await server.restart();
    const race = before ?? (await witness.newest(roomId));
    const drawn = race?.phase === 'closed' ? (race.outcome === null ? ', not drawn' : ', drawn') : '';
    return {
      victims,
      kind,
      moment: moment.name,
      found: `${race?.phase}${drawn}`,
      inFlight,
      twice,
      backAfterMs: Math.round(performance.now() - killedAt),
    };
  }

  /** Wherever it is by then: recovering, migrating, putting rooms back, or up already. */
  async function killWhileStarting(): Promise<void> {
    const starting = server.restart().catch(() => {});
    await new Promise((resolve) => setTimeout(resolve, random.below(START_MS)));
    await kill(server, witness, victims);
    await starting;
  }

  crowd.rest();
  await comeToRest(server, witness, crowd);
  return {
    server,
    witness,
    crowd,
    strikes,
    async close() {
      for (const { client } of crowd.bots) client.close();
      await witness.close();
      await server.stop();
    },
  };
}

/** Everything that was sent is answered, no race is unfinished and none opens any more, and everybody has been told. */
async function comeToRest(server: TestServer, witness: Witness, crowd: Crowd): Promise<void> {
  await until('everybody is back', () => crowd.bots.every((bot) => bot.seated), PATIENCE);
  await until('every command is answered', () => crowd.bots.every((bot) => bot.unanswered().length === 0), PATIENCE);
  const [host] = crowd.pickers;
  if (host === undefined) throw new Error('nobody is there');
  let version = host.client.room?.snapshot.settingsVersion ?? 0;
  await until(
    'the pick room opens nothing by itself any more',
    async () => {
      const body = { roomId: host.roomId, version, patch: { settings: { mode: 'manual' } } } as const;
      const answer = await host.client.ask('room:configure', body);
      if (!answer.ok) version = Number(answer.data?.['version'] ?? version);
      return answer.ok;
    },
    PATIENCE,
  );
  await until(
    'no race is unfinished',
    async () => (await witness.races()).every(({ phase }) => phase === 'settled' || phase === 'void'),
    PATIENCE,
  );
  await until(
    'everybody is level',
    () =>
      [crowd.bettors, crowd.pickers].every(
        (room) => new Set(room.map(({ client }) => `${client.room?.epoch} ${client.room?.seq}`)).size === 1,
      ),
    PATIENCE,
  );
  await until(
    'everybody knows that the last race is over',
    async () => {
      const races = await witness.races();
      return crowd.bots.every((bot) => {
        const last = races.filter(({ roomId }) => roomId === bot.roomId).at(-1);
        return bot.race?.id === last?.id && bot.race?.phase === last?.phase;
      });
    },
    PATIENCE,
  );
  const response = await fetch(`${server.url}/readyz`);
  if (response.status !== 200) throw new Error(`not ready: ${await response.text()}`);
}
