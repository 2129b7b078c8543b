import { randomUUID } from 'node:crypto';
import type { RequestName } from '../../lib/protocol.ts';
import { type ConnectOptions, connect, type TestClient } from '../helpers/client.ts';
import type { TestServer } from '../helpers/server.ts';
import { until } from '../helpers/until.ts';
import type { World } from './others.ts';
import { createRecorder, type Recorder } from './recorder.ts';

export type Player = { readonly name: string; readonly client: TestClient; readonly recorder: Recorder };

export type Attacker = Player & {
  readonly kind: 'member' | 'owner' | 'outsider';
  /** The room it is in; for one that is in none, a room it would like to be in. */
  own(): World;
  /** Rooms it is not in. */
  others(): readonly World[];
  /** Back to where it belongs, after a request that was obeyed. */
  home(request: string, data: unknown): Promise<void>;
};

export const PASSWORD = 'correct-horse-battery';
export const PICK_PASSWORD = 'staple-of-the-pickers';
export const BET_TALK = 'only-for-bettors-ears';
export const PICK_TALK = 'only-for-pickers-ears';
export const BET_STAKES = { host: '4700', bettor: '4300' } as const;
/** Attackers cannot come by a balance below this: their own races take little. */
export const RARE_BELOW = 6_000;
const OWNERS_MOST = 500;
const ROUND = { mode: 'auto', openSeconds: 40, resultSeconds: 5 } as const;
const MOVES: readonly string[] = ['room:create', 'room:join', 'room:leave', 'room:close'] satisfies RequestName[];
/** Asked of the races of others all the while, in every phase. */
const PRIED = ['race:get', 'bet:mine', 'race:frames:get', 'bet:quote', 'race:history'] as const;

/** Of the commands that the people of a room send before all else: it is made, talked in, and reacted in. */
const COMMANDS = 60;
type Commands = readonly [string, string, ...string[]];
const commands = (): Commands => [randomUUID(), randomUUID(), ...Array.from({ length: COMMANDS }, () => randomUUID())];

export type Scene = Awaited<ReturnType<typeof openScene>>;

/** Two rooms of honest people with races going on, both behind passwords, and three attackers: a member, an owner of a locked room, an outsider. */
export async function openScene(server: TestServer) {
  const players: Player[] = [];

  async function enter(name: string, options: ConnectOptions = {}): Promise<Player> {
    const recorder = createRecorder();
    const client = await connect(server.url, {
      nickname: name,
      locale: 'en',
      ...options,
      onWebSocket: recorder.watch,
    });
    const player = { name, client, recorder };
    players.push(player);
    return player;
  }

  const commandIds = { bets: commands(), picks: commands() } as const;
  const host = await enter('host');
  const bets = await host.client.request('room:create', {
    commandId: commandIds.bets[0],
    kind: 'bet',
    password: PASSWORD,
    settings: ROUND,
  });
  const bettor = await enter('bettor');
  await bettor.client.request('room:join', { roomId: bets.room.id, password: PASSWORD });
  const chooser = await enter('chooser');
  const picks = await chooser.client.request('room:create', {
    commandId: commandIds.picks[0],
    kind: 'pick',
    password: PICK_PASSWORD,
    settings: ROUND,
  });
  const second = await enter('second');
  await second.client.request('room:join', { roomId: picks.room.id, password: PICK_PASSWORD });
  const talk = async ({ client }: Player, [, say, ...react]: Commands, text: string): Promise<void> => {
    const roomId = client.room?.id;
    const { messageId } = await client.request('chat:send', { commandId: say, roomId, text } as never);
    for (const [turn, commandId] of react.entries())
      await client.request('chat:react', { commandId, roomId, messageId, emoji: '🎉', on: turn % 2 === 0 } as never);
  };
  await talk(host, commandIds.bets, BET_TALK);
  await talk(chooser, commandIds.picks, PICK_TALK);
  const link = await bettor.client.request('session:link', {});

  function worldOf(name: string, client: TestClient, others: readonly Player[], commands: readonly string[]): World {
    const { room } = client;
    const events = room?.events ?? [];
    return {
      name,
      roomId: room?.id ?? 'no-room',
      epoch: room?.epoch ?? 'no-epoch',
      playerIds: [client.id, ...others.map((one) => one.client.id)],
      raceIds: events.flatMap((event) => (event.type === 'race opened' ? [event.race.id] : [])),
      messageIds: events.flatMap((event) =>
        event.type === 'chat' && event.message.playerId === client.id ? [event.message.id] : [],
      ),
      commandIds: commands,
    };
  }
  const betWorld = (): World => worldOf('bets', host.client, [bettor], commandIds.bets);
  const pickWorld = (): World => worldOf('picks', chooser.client, [second], commandIds.picks);

  const inside = await enter('inside');
  // Another of its requests may take it elsewhere before it is seated: then it tries again.
  const sit = (): Promise<unknown> =>
    until('the member is seated', async () => {
      const answer = await inside.client.ask('room:join', { roomId: picks.room.id, key: picks.inviteKey ?? '' });
      return answer.ok;
    });
  await sit();
  const owner = await enter('owner');
  let owned: string[] = [];
  const found = async (): Promise<void> => {
    owned = [];
    const settings = { mode: 'manual', locked: true, maxStakePerRace: OWNERS_MOST } as const;
    const created = await owner.client.ask('room:create', { kind: 'bet', settings });
    if (!created.ok) return;
    const { room } = created.data;
    // Others of its requests may be about to take it out of there again.
    await owner.client.ask('chat:send', { roomId: room.id, text: 'mine' });
    const started = await owner.client.ask('race:start', { roomId: room.id });
    if (started.ok) owned.push(started.data.raceId);
  };
  const ownedWorld = (): World => ({ ...worldOf('owned', owner.client, [], []), raceIds: owned });
  await found();
  const outside = await enter('outside');

  /** Whoever must go home while another trip is about to begin is brought along by it. */
  function trips(back: () => Promise<unknown>): () => Promise<void> {
    let running: Promise<unknown> = Promise.resolve();
    let next: Promise<void> | undefined;
    const begin = async (): Promise<void> => {
      next = undefined;
      running = back();
      await running;
    };
    return () => (next ??= running.then(begin));
  }
  const sitAgain = trips(async () => {
    await sit();
    const { id: roomId } = picks.room;
    await inside.client.ask('room:role', { roomId, as: 'player' });
    await inside.client.ask('room:ready', { roomId, ready: true });
  });
  const foundAgain = trips(found);
  const attackers: readonly Attacker[] = [
    {
      ...inside,
      kind: 'member',
      own: pickWorld,
      others: () => [betWorld(), ownedWorld()],
      home: async (request) => {
        if ([...MOVES, 'room:role', 'room:ready'].includes(request)) await sitAgain();
      },
    },
    {
      ...owner,
      kind: 'owner',
      own: ownedWorld,
      others: () => [betWorld(), pickWorld()],
      home: async (request) => {
        if (MOVES.includes(request)) await foundAgain();
      },
    },
    {
      ...outside,
      kind: 'outsider',
      own: pickWorld,
      others: () => [betWorld(), pickWorld()],
      home: async (_request, data) => {
        const roomId = (data as { readonly room?: { readonly id: string } }).room?.id;
        if (roomId !== undefined) await outside.client.ask('room:leave', { roomId } as never);
      },
    },
  ];

  /** What honest people had in each race, by its id. */
  const staked = new Map<string, bigint>();
  const rare = new Map<string, Player>();
  /** Phases of others' races in which somebody has pried. */
  const pried = new Set<string>();

  async function bet(player: Player, raceId: string, stake: string): Promise<void> {
    const answer = await player.client.ask('bet:place', { raceId, pool: 'win', selection: [1], stake } as never);
    if (!answer.ok) return;
    const { balance } = answer.data as { readonly balance: string };
    staked.set(raceId, (staked.get(raceId) ?? 0n) + BigInt(stake));
    if (Number(balance) < RARE_BELOW) rare.set(balance, player);
  }

  async function playRound(seen: Set<string>): Promise<void> {
    const [betRace, pickRace] = [betWorld().raceIds.at(-1), pickWorld().raceIds.at(-1)];
    if (betRace !== undefined && !seen.has(betRace)) {
      seen.add(betRace);
      await bet(host, betRace, BET_STAKES.host);
      await bet(bettor, betRace, BET_STAKES.bettor);
    }
    if (pickRace !== undefined && !seen.has(pickRace)) {
      seen.add(pickRace);
      await chooser.client.ask('pick:choose', { raceId: pickRace, horse: 3 });
      await second.client.ask('vote:place', { raceId: pickRace, place: 1 });
      await chooser.client.ask('bet:mine', { raceId: pickRace });
      await second.client.ask('bet:mine', { raceId: pickRace });
    }
  }

  async function pry({ kind, client, others }: Attacker): Promise<void> {
    for (const { roomId, raceIds } of others()) {
      const raceId = raceIds.at(-1);
      if (raceId === undefined) continue;
      for (const request of PRIED) {
        const more = {
          'race:frames:get': { fromMs: 0 },
          'bet:quote': { pool: 'win', selection: [1], stake: '100' },
        }[request as string];
        const about = request === 'race:history' ? { roomId } : { raceId };
        const answer = (await client.raw(request, { ...about, ...more })) as { data?: { phase?: string } };
        if (request === 'race:get') pried.add(`${kind} ${answer.data?.phase}`);
      }
    }
  }

  const PHASES = ['open', 'closed', 'running', 'settled'];
  let playing: Promise<unknown> | undefined;
  let stopped = false;
  const seen = new Set<string>();
  return {
    players,
    host,
    bettor,
    chooser,
    second,
    attackers,
    bets: bets.room,
    picks: picks.room,
    betWorld,
    pickWorld,
    staked,
    rare,
    /** Leads to the bettor's session, once. */
    linkCode: link.code,
    enter,
    /** The honest play on until `rest`. */
    play(): void {
      const again = async (everyMs: number, turn: () => Promise<unknown>): Promise<void> => {
        while (!stopped) {
          await turn();
          await new Promise((resolve) => setTimeout(resolve, everyMs));
        }
      };
      playing = Promise.all([again(25, () => playRound(seen)), again(75, () => Promise.all(attackers.map(pry)))]);
    },
    /** Every attacker has looked at races of others in every phase. */
    async pryThrough(): Promise<void> {
      const all = attackers.flatMap(({ kind }) => PHASES.map((phase) => `${kind} ${phase}`));
      await until('all have pried in all phases', () => all.every((one) => pried.has(one)), { deadlineMs: 60_000 });
    },
    async rest(): Promise<void> {
      stopped = true;
      await playing;
    },
    /** A race of each room has been seen to its end. */
    async seenThrough(): Promise<void> {
      for (const { client } of [host, chooser])
        await until('a race is over', () => client.room?.events.some(({ type }) => type === 'race settled'), {
          deadlineMs: 60_000,
        });
    },
  };
}
