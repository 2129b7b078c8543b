import type { RaceRecord } from '../../lib/protocol.ts';
import { members, type Receiver, type Truth } from './leaks.ts';
import type { Packet } from './recorder.ts';
import type { Player } from './scene.ts';

export type Got = ReadonlyMap<string, readonly Packet[]>;

/** What is true of every race that any packet is about, as its record tells now; and who there is. */
export async function truthOf(got: Got, players: ReadonlyMap<string, string>, { client }: Player) {
  const raceIds = new Set<string>();
  for (const packets of got.values())
    for (const { json } of packets)
      members(json, (key, value) => void (key === 'raceId' && typeof value === 'string' && raceIds.add(value)));
  const races = new Map<string, RaceRecord>();
  for (const raceId of raceIds) {
    const answer = await client.ask('race:get', { raceId } as never);
    if (answer.ok) races.set(raceId, answer.data as RaceRecord);
  }
  const never = Number.POSITIVE_INFINITY;
  const truth: Truth = {
    players: new Set(players.keys()),
    races: new Map(
      [...races].map(([id, { phase, closesAt, endsAt: end = never }]) => {
        const endsAt = phase === 'settled' ? end : never;
        return [id, { closesAt, endsAt, seedAt: phase === 'void' ? closesAt : endsAt }];
      }),
    ),
  };
  return { truth, races };
}

/** What the player did, as its own answers tell. */
export function receiverOf(playerId: string, packets: readonly Packet[]): Receiver {
  const chose = new Set<string>();
  const bets = new Set<string>();
  for (const { json, answers } of packets) {
    const [answer] = (Array.isArray(json) ? json : []) as [{ readonly ok: boolean; readonly data?: unknown }?];
    if (!answers || !answer?.ok) continue;
    const raceId = /"raceId":"([^"]+)"/u.exec(answers.text)?.[1];
    chose.add(`${answers.request} ${raceId}`);
    if (answers.request === 'bet:place') bets.add((answer.data as { readonly betId: string }).betId);
  }
  return { playerId, chose, bets };
}
