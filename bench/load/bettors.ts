/**
 * The load of the rows `bets` and `rush`, a process of its own: connects players, takes them into their rooms and lets them
 * bet as told by messages of its parent. Tells raw figures, never averages.
 */
import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Answer, Wire } from './wire.ts';

export type Order =
  | { readonly do: 'join'; readonly url: string; readonly rooms: readonly string[]; readonly playersPerRoom: number }
  /** As many bets at a time as `outstanding` for each player, for this long. */
  | { readonly do: 'flood'; readonly races: readonly string[]; readonly ms: number; readonly outstanding: number }
  /** Evenly, so many a second over all players. */
  | { readonly do: 'stream'; readonly races: readonly string[]; readonly ms: number; readonly perSecond: number }
  /** So many in all, from the moment `at` on, over `overMs`. */
  | {
      readonly do: 'rush';
      readonly races: readonly string[];
      readonly bets: number;
      readonly at: number;
      readonly overMs: number;
    };

export type Told = {
  readonly codes: Readonly<Record<string, number>>;
  /** from sending to the acknowledgement, one for each bet */
  readonly latenciesMs: readonly number[];
  readonly ms: number;
  readonly cpuMs: number;
  /** from the first bet sent to the last answer */
  readonly lastAnswerMs: number;
};

type Player = { readonly wire: Wire; readonly room: number };
const players: Player[] = [];

async function join({ url, rooms, playersPerRoom }: Extract<Order, { do: 'join' }>): Promise<void> {
  for (const [room, roomId] of rooms.entries()) {
    const group = await Promise.all(
      Array.from({ length: playersPerRoom }, async () => {
        const wire = await Wire.open(url, { protocol: 1, nickname: 'bettor' });
        const answer = await wire.ask('room:join', { commandId: randomUUID(), roomId });
        if (!answer.ok) throw new Error(`room:join: ${answer.code}`);
        return { wire, room };
      }),
    );
    players.push(...group);
  }
}

/** `go` is given what sends one bet of a player; resolves when all that was sent is answered. */
async function measured(
  races: readonly string[],
  go: (bet: (player: Player) => Promise<void>) => Promise<unknown>,
): Promise<Told> {
  const codes: Record<string, number> = {};
  const latenciesMs: number[] = [];
  let horse = 0;
  let lastAt = 0;
  const bet = (player: Player): Promise<void> =>
    new Promise((resolve) => {
      horse = (horse % 8) + 1;
      const sentAt = performance.now();
      const payload = {
        commandId: randomUUID(),
        raceId: races[player.room],
        pool: 'win',
        selection: [horse],
        stake: '100',
      };
      player.wire.send('bet:place', payload, (answer: Answer) => {
        lastAt = performance.now();
        latenciesMs.push(lastAt - sentAt);
        const code = answer.ok ? 'OK' : (answer.code ?? 'none');
        codes[code] = (codes[code] ?? 0) + 1;
        resolve();
      });
    });
  const cpu = process.cpuUsage();
  const began = performance.now();
  await go(bet);
  const used = process.cpuUsage(cpu);
  const ms = performance.now() - began;
  return { codes, latenciesMs, ms, cpuMs: (used.user + used.system) / 1_000, lastAnswerMs: lastAt - began };
}

async function flood({ races, ms, outstanding }: Extract<Order, { do: 'flood' }>): Promise<Told> {
  const end = performance.now() + ms;
  return measured(races, (bet) =>
    Promise.all(
      players.flatMap((player) =>
        Array.from({ length: outstanding }, async () => {
          while (performance.now() < end) await bet(player);
        }),
      ),
    ),
  );
}

async function stream({ races, ms, perSecond }: Extract<Order, { do: 'stream' }>): Promise<Told> {
  return measured(races, async (bet) => {
    const began = performance.now();
    const pending: Promise<void>[] = [];
    for (let sent = 0; performance.now() - began < ms; ) {
      const due = Math.floor(((performance.now() - began) * perSecond) / 1_000);
      for (; sent < due; sent++) {
        const player = players[sent % players.length];
        if (player) pending.push(bet(player));
      }
      await sleep(1);
    }
    await Promise.all(pending);
  });
}

async function rush({ races, bets, at, overMs }: Extract<Order, { do: 'rush' }>): Promise<Told> {
  await sleep(Math.max(0, at - Date.now()));
  return measured(races, async (bet) => {
    const began = performance.now();
    const pending: Promise<void>[] = [];
    while (pending.length < bets) {
      const due = Math.min(bets, Math.ceil(((performance.now() - began) / overMs) * bets));
      while (pending.length < due) {
        const player = players[pending.length % players.length];
        if (player) pending.push(bet(player));
      }
      await new Promise((resolve) => setImmediate(resolve));
    }
    await Promise.all(pending);
  });
}

process.on('message', (order: Order) => {
  const work =
    order.do === 'join'
      ? join(order)
      : order.do === 'flood'
        ? flood(order)
        : order.do === 'stream'
          ? stream(order)
          : rush(order);
  work.then(
    (told) => process.send?.({ told: told ?? null }),
    (error: unknown) => process.send?.({ failed: String(error) }),
  );
});
