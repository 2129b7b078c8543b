import type { Packet } from './recorder.ts';

/** What is true of a race, told by its record after the fact. Infinity: not yet. */
export type RaceTruth = { readonly closesAt: number; readonly endsAt: number; readonly seedAt: number };

export type Truth = {
  readonly races: ReadonlyMap<string, RaceTruth>;
  readonly players: ReadonlySet<string>;
};

/** The socket a packet came to. */
export type Receiver = {
  readonly playerId: string;
  /** Races in which the player has chosen, by the request that did it: `pick:choose <raceId>`. */
  readonly chose: ReadonlySet<string>;
  /** Bets of the player. */
  readonly bets: ReadonlySet<string>;
};

type Node = Readonly<Record<string, unknown>>;
type Around = { readonly raceId: string | undefined; readonly playerId: string | undefined };

const CHOICES = ['horse', 'place', 'vote', 'pick', 'selection', 'stake', 'number'];
const OUTCOMES = ['result', 'order', 'caught', 'finishMs', 'dividends', 'outcome'];
const isNode = (value: unknown): value is Node => typeof value === 'object' && value !== null && !Array.isArray(value);
const has = (value: unknown): boolean =>
  value !== undefined && value !== null && !(Array.isArray(value) && value.length === 0);

/** Whose choices, and which results, a packet tells before their time. Looks at every part of it, wherever it is. */
export function leaksIn({ json, at, answers }: Packet, receiver: Receiver, truth: Truth): string[] {
  const leaks: string[] = [];
  const closed = (raceId: string | undefined): boolean =>
    at >= (truth.races.get(raceId ?? '')?.closesAt ?? Number.POSITIVE_INFINITY);
  const ended = (raceId: string | undefined): boolean =>
    at >= (truth.races.get(raceId ?? '')?.endsAt ?? Number.POSITIVE_INFINITY);
  const other = (id: unknown): id is string => typeof id === 'string' && id !== receiver.playerId;

  function inObject(node: Node, around: Around): void {
    const id = [node['raceId'], node['id']].find((one) => typeof one === 'string' && truth.races.has(one));
    const raceId = (id as string | undefined) ?? around.raceId;
    const owner = [node['playerId'], node['id']].find((one) => typeof one === 'string' && truth.players.has(one));
    const playerId = (owner as string | undefined) ?? around.playerId;

    if (playerId === undefined) unowned(node, raceId);
    else if (other(playerId) && !closed(raceId))
      for (const key of CHOICES) if (has(node[key])) leaks.push(`${key} of ${playerId}`);
    // As a number `caught` is how often in all a player was, in the statistics of a profile; of a race it is who.
    const told = OUTCOMES.filter((key) => has(node[key]) && !(key === 'caught' && typeof node[key] === 'number'));
    if (!ended(raceId)) for (const key of told) leaks.push(`${key} of race ${raceId}`);
    if (has(node['seed']) && at < (truth.races.get(raceId ?? '')?.seedAt ?? Number.POSITIVE_INFINITY))
      leaks.push(`seed of race ${raceId}`);
    if (has(node['stakes']) && !closed(raceId)) leaks.push(`stakes of race ${raceId}`);
    if (typeof node['betId'] === 'string' && !receiver.bets.has(node['betId'])) leaks.push(`bet ${node['betId']}`);
    for (const [key, value] of Object.entries(node)) {
      // Nothing that is told goes by player: neither { [playerId]: 3 } nor [playerId, 3].
      if (truth.players.has(key) && other(key)) leaks.push(`entry of ${key}`);
      walk(value, { raceId, playerId });
    }
  }

  /** Choices nobody is named for are the receiver's own, in answers to what makes or asks for them. */
  function unowned(node: Node, raceId: string | undefined): void {
    const asked = answers?.request ?? '';
    const about = raceId ?? [...truth.races.keys()].find((one) => answers?.text.includes(one));
    const own = (by: string): boolean => receiver.chose.has(`${by} ${about}`);
    if (has(node['horse']) && asked === 'pick:choose') return;
    // Bets of any race, each looked at by its id.
    if (asked === 'bet:history') return;
    if (asked === 'bet:mine') {
      if (has(node['bets']) && !own('bet:place')) leaks.push(`bets in race ${about}`);
      if (has(node['vote']) && !own('vote:place')) leaks.push(`vote in race ${about}`);
      // Whoever did not pick may have got a horse at the draw.
      if (has(node['pick']) && !own('pick:choose') && !closed(about)) leaks.push(`pick in race ${about}`);
      return;
    }
    for (const key of ['horse', 'pick', 'vote']) if (has(node[key])) leaks.push(`${key} of nobody named`);
    if (has(node['bets']) && !own('bet:place')) leaks.push(`bets in race ${about}`);
  }

  function walk(value: unknown, around: Around): void {
    if (isNode(value)) return inObject(value, around);
    if (!Array.isArray(value)) return;
    const named = value.some((one) => truth.players.has(one as string) && other(one));
    if (named && value.some((one) => typeof one === 'number')) leaks.push('player beside a number');
    for (const one of value) walk(one, around);
  }

  walk(json, { raceId: undefined, playerId: undefined });
  return leaks;
}

/** Calls `visit` with every member of every object in the value. */
export function members(value: unknown, visit: (key: string, value: unknown, node: Node) => void): void {
  if (Array.isArray(value)) for (const one of value) members(one, visit);
  if (!isNode(value)) return;
  for (const [key, inner] of Object.entries(value)) {
    visit(key, inner, value);
    members(inner, visit);
  }
}

/** Belongs to one player alone, wherever the protocol gives it out. (A leaf does not: alone in its batch it is the published root.) */
const PRIVATE = new Set(['token', 'seat', 'inviteKey', 'nonce', 'tag', 'betId']);

/** What a socket was given that no other player's may be. */
export function privateValues(packets: readonly Packet[]): Set<string> {
  const values = new Set<string>();
  for (const { json } of packets) {
    members(json, (key, value) => {
      if (PRIVATE.has(key) && typeof value === 'string' && value !== '') values.add(value);
    });
  }
  return values;
}

/** Every run of characters that a secret may be made of. */
export function wordsOf(packets: readonly Packet[]): Set<string> {
  return new Set(packets.flatMap(({ text }) => text.split(/[^\w.-]+/u)));
}

/** Points by version of the wallet, as told. A second value for a version is somebody else's. */
export function balancesIn(packets: readonly Packet[]): Map<number, Set<string>> {
  const byVersion = new Map<number, Set<string>>();
  for (const { json } of packets) {
    members(json, (key, value, node) => {
      const version = node['balanceVersion'] ?? node['version'];
      if (!/balance$/iu.test(key) || typeof value !== 'string' || typeof version !== 'number') return;
      byVersion.set(version, (byVersion.get(version) ?? new Set()).add(value));
    });
  }
  return byVersion;
}

/** Whether any part tells this balance, under whatever name. */
export function tellsBalance(packets: readonly Packet[], balance: string): boolean {
  return packets.some(({ json, text }) => {
    if (!text.includes(balance)) return false;
    let told = false;
    members(json, (key, value) => {
      if (/balance|wallet|points/iu.test(key) && String(value) === balance) told = true;
    });
    return told;
  });
}
