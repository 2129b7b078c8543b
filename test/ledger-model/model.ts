/**
 * What the ledger should hold, kept by somebody who knows the rules and not the product. Commands go in with what they were
 * answered; a command whose fate could have been one of several (a close in the middle, a lost answer) teaches the model
 * which one it was, and everything after must agree with it. What disagrees is thrown as a Disagreement.
 */
import { choiceCodes, choose, isChoice, type Standing, standing } from './choosing.ts';
import {
  type Accepted,
  bodyOf,
  type Command,
  Disagreement,
  type Event,
  type ModelBet,
  type ModelRace,
  own,
  show,
  type Terms,
  type Told,
} from './commands.ts';
import { keyOf, POOLS, type PoolName, type Settled, settlePool, UNIT, winnersOf } from './dividends.ts';

type Wallet = {
  balance: bigint;
  version: number;
  readonly days: Set<string>;
  relieved: boolean;
  frozen: boolean;
  coolOff: boolean;
  /** a day; all of a list is one day to own limits */
  limit: bigint | null;
};

/** One moment of a player within a burst. */
type Moment = Pick<Wallet, 'balance' | 'relieved' | 'frozen' | 'coolOff' | 'limit'> & {
  readonly open: bigint;
  readonly staked: ReadonlyMap<string, bigint>;
  readonly today: bigint;
  readonly days: ReadonlySet<string>;
  readonly held: ReadonlySet<string>;
};

/** What an event does to bets. */
type Effect = { readonly race: ModelRace } & (
  | { readonly kind: 'settle' | 'void' }
  | { readonly kind: 'scratch'; readonly horse: number }
);
type Bet = Extract<Command, { kind: 'bet' }>;
type Chosen = { readonly command: Command; readonly told: Accepted };
/** A burst as it is being judged. */
type Burst = {
  readonly event: Event | null;
  readonly effect: Effect | null;
  readonly before: Standing;
  readonly chosen: readonly Command[];
};

export class Model {
  readonly terms: Terms;
  readonly races = new Map<string, ModelRace>();
  readonly bets: ModelBet[] = [];
  readonly accepted = new Map<string, Chosen>();
  readonly #wallets = new Map<string, Wallet>();
  readonly #settled = new Map<string, Settled | null>();
  takeout = 0n;
  breakage = 0n;
  granted = 0n;

  constructor(terms: Terms) {
    this.terms = terms;
  }

  wallet(player: string): Wallet {
    const known = this.#wallets.get(player);
    if (known !== undefined) return known;
    const { start } = this.terms;
    const made = { days: new Set<string>(), relieved: false, frozen: false, coolOff: false, limit: null };
    this.#wallets.set(player, { balance: start, version: 1, ...made });
    return this.wallet(player);
  }

  betsOf(race: string): ModelBet[] {
    return this.bets.filter((bet) => bet.race === race);
  }

  /** Commands that were under way at the same time as the event, with their definite answers. */
  burst(answers: readonly { readonly command: Command; readonly told: Told }[], event: Event | null): void {
    const { chosen, refused } = this.#sort(answers);
    const effect = this.#effect(event);
    const commands = chosen.map(({ command }) => command);
    const burst: Burst = { event, effect, before: standing(this.races), chosen: commands };
    const players = new Set([...chosen, ...refused].map(({ command }) => command.player));
    for (const bet of effect === null ? [] : this.betsOf(effect.race.id)) players.add(bet.player);
    const moments = new Map<string, Moment[]>();
    for (const player of players) {
      const money = chosen.filter(({ command }) => command.player === player && !isChoice(command));
      moments.set(player, this.#walk(player, money, burst));
    }
    choose(this.races, commands.filter(isChoice), burst.before, event);
    for (const one of chosen) this.accepted.set(own(one.command), one);
    for (const { command, code } of refused) {
      const allowed = this.#allowed(command, moments.get(command.player) ?? [], burst);
      if (!allowed.has(code)) throw new Disagreement(`${show(command)} was told ${code}, possible: ${[...allowed]}`);
    }
    if (event !== null) this.#finish(event, effect);
  }

  /** New ones by their fate; what was accepted before must be answered as it was. */
  #sort(answers: readonly { readonly command: Command; readonly told: Told }[]) {
    const fresh = new Map<string, { command: Command; told: Told[] }>();
    for (const { command, told } of answers) {
      const before = this.accepted.get(own(command));
      if (before === undefined) {
        const entry = fresh.get(own(command)) ?? { command, told: [] };
        entry.told.push(told);
        fresh.set(own(command), entry);
      } else if (bodyOf(before.command) === bodyOf(command)) sameAgain(command, before.told, told);
      else if (told.ok || !['COMMAND_CONFLICT', 'not placed'].includes(told.code))
        throw new Disagreement(`${show(command)} has the id of ${show(before.command)} and was told ${show(told)}`);
    }
    const chosen: Chosen[] = [];
    const refused: { command: Command; code: string }[] = [];
    for (const { command, told } of fresh.values()) {
      const [first, ...more] = told.filter((one): one is Accepted => one.ok);
      for (const other of more) sameAgain(command, first as Accepted, other);
      if (first !== undefined) chosen.push({ command, told: first });
      for (const one of told) if (!one.ok && one.code !== 'not placed') refused.push({ command, code: one.code });
    }
    return { chosen, refused };
  }

  // ---- a player's burst ----

  #moment(player: string): Moment {
    const { balance, relieved, frozen, coolOff, limit, days } = this.wallet(player);
    const staked = new Map<string, bigint>();
    let [today, open] = [0n, 0n];
    for (const bet of this.bets) {
      if (bet.player !== player) continue;
      today += bet.stake;
      if (bet.outcome === null) open += bet.stake;
      const race = this.#race(bet.race);
      const back = bet.outcome === 'refunded' && race.phase === 'open';
      if (back || bet.selection.some((horse) => race.scratched.has(horse))) continue;
      staked.set(bet.race, (staked.get(bet.race) ?? 0n) + bet.stake);
    }
    const held = new Set([...this.races.values()].filter((race) => race.frozen).map(({ id }) => id));
    return { balance, relieved, frozen, coolOff, limit, open, today, staked, days: new Set(days), held };
  }

  /** The moment as it is before the event and after it, where the event leaves no trace in the wallet. */
  #sides(now: Moment, player: string, event: Event | null): Moment[] {
    if (event === null) return [now];
    if ('player' in event) {
      if (event.player !== player) return [now];
      if (event.kind === 'limit') return [now, { ...now, limit: narrower(now.limit, event.daily) }];
      if (event.kind === 'cool-off') return [now, { ...now, coolOff: true }];
      return [now, { ...now, frozen: event.kind === 'freeze-wallet' }];
    }
    if (event.kind !== 'freeze' && event.kind !== 'thaw') return [now];
    const others = [...now.held].filter((id) => id !== event.race);
    return [now, { ...now, held: new Set(event.kind === 'freeze' ? [...others, event.race] : others) }];
  }

  /** The player's accepted commands in the order of the wallet's versions; a version nobody was told of is the event's. */
  #walk(player: string, entries: readonly Chosen[], { event, effect }: Burst): Moment[] {
    const wallet = this.wallet(player);
    const moments = this.#sides(this.#moment(player), player, event);
    let happened = false;
    const pass = () => {
      happened = true;
      if (effect === null) return;
      this.#resolve(effect, player);
      moments.push(...this.#sides(this.#moment(player), player, event));
    };
    for (const { command, told } of [...entries].sort((a, b) => Number(a.told.version) - Number(b.told.version))) {
      if (Number(told.version) === wallet.version + 2 && !happened) pass();
      if (Number(told.version) !== wallet.version + 1)
        throw new Disagreement(`${show(command)} was told version ${told.version} after ${wallet.version}`);
      const sides = this.#sides(this.#moment(player), player, event);
      wallet.version += 1;
      if (command.kind === 'bet') this.#stake(command, sides, happened ? effect : null);
      else this.#grant(command, told, sides, effect);
      if (told.balance !== wallet.balance)
        throw new Disagreement(`${show(command)} was told balance ${told.balance}, should be ${wallet.balance}`);
      moments.push(...this.#sides(this.#moment(player), player, event));
    }
    if (!happened) pass();
    return moments;
  }

  #stake(command: Bet, sides: readonly Moment[], passed: Effect | null): void {
    const codes = sides.map((now) => this.#betCode(command, now));
    const here = passed !== null && passed.race.id === command.race;
    const behind = here && (passed.kind !== 'scratch' || command.selection.includes(passed.horse));
    if (!codes.includes('ok') || behind)
      throw new Disagreement(`${show(command)} was accepted, should be ${behind ? `behind ${passed.kind}` : codes}`);
    this.wallet(command.player).balance -= command.stake;
    const { player, id, race, pool, selection, stake } = command;
    this.bets.push({ player, command: id, race, pool, selection, stake, outcome: null, returned: 0n });
  }

  #grant(command: Command, told: Accepted, sides: readonly Moment[], effect: Effect | null): void {
    const wallet = this.wallet(command.player);
    const [now] = sides;
    if (now === undefined || sides.every(({ frozen }) => frozen))
      throw new Disagreement(`${show(command)} was granted by a frozen wallet`);
    let due = this.terms.daily;
    if (command.kind === 'daily') {
      if (now.days.has(command.day)) throw new Disagreement(`${show(command)} was granted twice`);
      wallet.days.add(command.day);
    } else if (command.kind === 'relief') {
      // Stakes that a settlement has just lost leave no trace in the wallet.
      const opens = [now.open, now.open - this.#losing(effect, command.player)];
      const dues = opens.map((open) => this.terms.relief - now.balance - open).filter((points) => points > 0n);
      due = dues.find((points) => points === told.granted) ?? dues[0] ?? 0n;
      if (due === 0n || (now.relieved && !command.again))
        throw new Disagreement(`${show(command)} was granted ${told.granted}`);
      wallet.relieved = true;
    }
    if (told.granted !== due) throw new Disagreement(`${show(command)} was granted ${told.granted}, should be ${due}`);
    wallet.balance += due;
    this.granted += due;
  }

  #losing(effect: Effect | null, player: string): bigint {
    if (effect?.kind !== 'settle') return 0n;
    const lost = this.#outcomes(effect).filter(({ bet, outcome }) => bet.player === player && outcome === 'lost');
    return lost.reduce((sum, { bet }) => sum + bet.stake, 0n);
  }

  // ---- what may be refused, and how ----

  /** Why the bet cannot be, at this moment of the player. */
  #betCode(command: Bet, now: Moment): string {
    const race = this.races.get(command.race);
    if (race === undefined) return 'NOT_FOUND';
    if (race.phase !== 'open') return 'PHASE_CLOSED';
    if (now.frozen || now.held.has(race.id)) return 'FROZEN';
    const { pool, selection, stake } = command;
    const possible =
      race.pools.includes(pool) &&
      selection.length === POOLS[pool].size &&
      new Set(selection).size === selection.length &&
      selection.every((horse) => race.runners.includes(horse) && !race.scratched.has(horse));
    if (!possible) return 'SELECTION_INVALID';
    if (stake <= 0n || stake % UNIT !== 0n) return 'STAKE_INVALID';
    if (now.coolOff) return 'COOL_OFF';
    if (stake + (now.staked.get(race.id) ?? 0n) > race.cap) return 'LIMIT_REACHED';
    if (now.limit !== null && now.today + stake > now.limit) return 'LIMIT_REACHED';
    return stake > now.balance ? 'INSUFFICIENT_POINTS' : 'ok';
  }

  /** Codes with which the command may have been refused, at any moment of the burst. */
  #allowed(command: Command, moments: readonly Moment[], burst: Burst): Set<string> {
    const { event, effect } = burst;
    const codes = new Set<string>();
    if (command.kind === 'daily' || command.kind === 'relief') {
      const losing = this.#losing(effect, command.player);
      for (const { frozen, days, balance, open, relieved } of moments) {
        if (frozen) codes.add('FROZEN');
        else if (
          command.kind === 'daily'
            ? days.has(command.day)
            : (relieved && !command.again) || balance + open - losing >= this.terms.relief
        )
          codes.add('LIMIT_REACHED');
      }
      return codes;
    }
    const race = this.races.get(command.race);
    if (race === undefined) return new Set(['NOT_FOUND']);
    if (race.phase !== 'open') return new Set(['PHASE_CLOSED']);
    const mine = event !== null && 'race' in event && event.race === race.id;
    if (mine && (event.kind === 'close' || event.kind === 'void')) codes.add('PHASE_CLOSED');
    if (command.kind === 'bet') {
      for (const now of moments) codes.add(this.#betCode(command, now));
      if (mine && event.kind === 'scratch' && command.selection.includes(event.horse)) codes.add('SELECTION_INVALID');
    } else for (const code of choiceCodes(command, race, burst)) codes.add(code);
    codes.delete('ok');
    return codes;
  }

  // ---- events ----

  #effect(event: Event | null): Effect | null {
    if (event === null || !('race' in event)) return null;
    const race = this.#race(event.race);
    if (event.kind === 'scratch') return { kind: 'scratch', race, horse: event.horse };
    if (event.kind === 'thaw' && race.held) return { kind: race.phase === 'void' ? 'void' : 'settle', race };
    const waits = race.frozen && this.betsOf(race.id).length > 0;
    return (event.kind === 'settle' || event.kind === 'void') && !waits ? { kind: event.kind, race } : null;
  }

  /** What the effect does to the player's bets, or everybody's; each wallet changes once. */
  #resolve(effect: Effect, player: string | null): void {
    const back = new Map<string, bigint>();
    for (const { bet, outcome, returned } of this.#outcomes(effect)) {
      if (player !== null && bet.player !== player) continue;
      bet.outcome = outcome;
      bet.returned = returned;
      back.set(bet.player, (back.get(bet.player) ?? 0n) + returned);
    }
    for (const [name, points] of back) {
      const wallet = this.wallet(name);
      wallet.balance += points;
      if (points > 0n) wallet.version += 1;
    }
  }

  /** What becomes of each bet that is not resolved yet. */
  #outcomes(effect: Effect): { bet: ModelBet; outcome: 'paid' | 'lost' | 'refunded'; returned: bigint }[] {
    const { race } = effect;
    const bets = this.betsOf(race.id).filter(({ outcome }) => outcome === null);
    const refund = (bet: ModelBet) => ({ bet, outcome: 'refunded' as const, returned: bet.stake });
    if (effect.kind === 'void') return bets.map(refund);
    if (effect.kind === 'scratch') return bets.filter(({ selection }) => selection.includes(effect.horse)).map(refund);
    return bets.map((bet) => {
      const settled = this.#settle(race, bet.pool);
      if (settled === null) return refund(bet);
      const per100 = settled.per100.get(keyOf(bet.selection));
      if (per100 === undefined) return { bet, outcome: 'lost', returned: 0n };
      return { bet, outcome: 'paid', returned: (bet.stake / UNIT) * per100 };
    });
  }

  /** Of a race that is closed and has its finish: nothing of it can change any more. */
  #settle(race: ModelRace, pool: PoolName): Settled | null {
    const key = `${race.id} ${pool}`;
    let settled = this.#settled.get(key);
    if (settled === undefined) this.#settled.set(key, (settled = this.#compute(race, pool)));
    return settled;
  }

  #compute(race: ModelRace, pool: PoolName): Settled | null {
    const stakes = new Map<string, bigint>();
    for (const bet of this.betsOf(race.id)) {
      if (bet.pool !== pool || bet.selection.some((horse) => race.scratched.has(horse))) continue;
      stakes.set(keyOf(bet.selection), (stakes.get(keyOf(bet.selection)) ?? 0n) + bet.stake);
    }
    if (race.finish === null || race.runners.length - race.scratched.size < POOLS[pool].least) return null;
    return settlePool(pool, stakes, winnersOf(pool, race.finish, race.placesPaid));
  }

  #finish(event: Event, effect: Effect | null): void {
    if (effect?.kind === 'settle') {
      for (const pool of effect.race.pools) {
        const settled = this.#settle(effect.race, pool);
        this.takeout += settled?.takeout ?? 0n;
        this.breakage += settled?.breakage ?? 0n;
      }
    }
    if (effect !== null) this.#resolve(effect, null);
    if ('player' in event) {
      const wallet = this.wallet(event.player);
      if (event.kind === 'limit') wallet.limit = narrower(wallet.limit, event.daily);
      else if (event.kind === 'cool-off') wallet.coolOff = true;
      else wallet.frozen = event.kind === 'freeze-wallet';
      return;
    }
    const race = this.#race(event.race);
    if (event.kind === 'close') {
      race.phase = 'closed';
      for (const player of race.kind === 'pick' ? event.drawn : [])
        if (!race.picks.has(player)) race.picks.set(player, null);
    } else if (event.kind === 'scratch') {
      race.scratched.add(event.horse);
      for (const [player, horse] of race.picks) if (horse === event.horse) race.picks.delete(player);
    } else if (event.kind === 'freeze') race.frozen = true;
    else if (event.kind === 'thaw') {
      race.frozen = false;
      race.held = false;
    } else {
      race.phase = event.kind === 'void' ? 'void' : 'settled';
      race.held = effect === null;
    }
  }

  #race(id: string): ModelRace {
    const race = this.races.get(id);
    if (race === undefined) throw new Disagreement(`no race ${id}`);
    return race;
  }
}

function sameAgain(command: Command, first: Accepted, told: Told): void {
  if (!told.ok && told.code === 'not placed') return;
  if (show(first) !== show(told))
    throw new Disagreement(`${show(command)} was told ${show(first)} and then ${show(told)}`);
}

/** A limit works at once where it is lower; a wider one, or none, begins another day. */
function narrower(limit: bigint | null, daily: bigint | null): bigint | null {
  if (limit === null) return daily;
  return daily !== null && daily < limit ? daily : limit;
}
