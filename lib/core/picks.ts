import type { ErrorCode } from '../errors.ts';
import { drawHorses, drawPlace } from '../fairness/index.ts';
import type { PickRow, RaceDetails, VoteRow } from '../ports.ts';
import type { RaceView } from '../protocol.ts';
import type { PlayerId } from './ids.ts';
import type { PickReveal, PlaceReveal, Placing } from './race-state.ts';
import type { Member, RoomDocument } from './room-state.ts';

/** What a pick is decided by: a member of the room, the race as everybody sees it. */
export type PickContext = { readonly member: Member | undefined; readonly race: RaceView };

/** Whether this member may pick, clear or vote in this race at all. The phase is the ledger's to judge. */
export function checkPicker({ member, race }: PickContext): ErrorCode | null {
  if (member === undefined) return 'NOT_MEMBER';
  if (race.kind !== 'pick' || member.role !== 'player') return 'FORBIDDEN';
  if (race.participants !== undefined && !race.participants.includes(member.id)) return 'FORBIDDEN';
  // A rerun is among its participants, whether they sat out in between or not.
  if (race.participants === undefined && member.ready === false) return 'NOT_READY';
  return null;
}

export function checkHorse(race: RaceView, horse: number): ErrorCode | null {
  return freeHorses(race, []).includes(horse) ? null : 'SELECTION_INVALID';
}

/** A vote above the number of picked horses counts as last, so any place of the field can be voted for. */
export function checkVote(race: RaceView, place: number): ErrorCode | null {
  if (!race.rules.placeVote) return 'FORBIDDEN';
  return place >= 1 && place <= race.field.length ? null : 'SELECTION_INVALID';
}

/** Horses a pick may still go to: not scratched and, where picks are exclusive, not taken. Ascending. */
export function freeHorses(race: Pick<RaceView, 'field' | 'scratched' | 'rules'>, taken: readonly number[]): number[] {
  const gone = new Set(race.rules.exclusivePicks ? [...race.scratched, ...taken] : race.scratched);
  return race.field.flatMap(({ number }) => (gone.has(number) ? [] : [number]));
}

/** Players who take part in the room's next race: in order of joining. */
export function readyPlayers(document: Pick<RoomDocument, 'members'>): PlayerId[] {
  return document.members.filter(({ role, ready }) => role === 'player' && ready !== false).map(({ id }) => id);
}

/** Who is waited for: participants of a rerun or ready players, connected ones only. */
export function awaited(
  document: Pick<RoomDocument, 'members'>,
  connected: ReadonlySet<PlayerId>,
  race: Pick<RaceView, 'participants'>,
): PlayerId[] {
  const all = race.participants ?? readyPlayers(document);
  return all.filter(
    (id) => connected.has(id) && document.members.some((member) => member.id === id && member.role === 'player'),
  );
}

/**
 * The round need not wait any longer: everybody awaited has picked, and there will be two horses' players to run a race
 * for. In a rerun one pick will do, since participants who are away get a horse drawn.
 */
export function everybodyPicked(waitedFor: readonly PlayerId[], picked: readonly PlayerId[], rerun: boolean): boolean {
  return picked.length >= (rerun ? 1 : 2) && waitedFor.length > 0 && waitedFor.every((id) => picked.includes(id));
}

export type PeopleAtClose = {
  readonly document: Pick<RoomDocument, 'members' | 'kickedAt'>;
  readonly connected: ReadonlySet<PlayerId>;
};

/**
 * Players who get a horse drawn at the close: ready and connected ones without a pick; in a rerun every participant
 * without one, there or not, but those who were kicked meanwhile. `people` is null where the room is not served.
 */
export function drawnForAtClose(
  race: { readonly participants: readonly PlayerId[] | null; readonly openedAt: number },
  picked: readonly PlayerId[],
  people: PeopleAtClose | null,
): PlayerId[] {
  const without = (ids: readonly PlayerId[]) => ids.filter((id) => !picked.includes(id));
  if (race.participants !== null) {
    return without(race.participants).filter((id) => (people?.document.kickedAt[id] ?? -1) < race.openedAt);
  }
  return people === null ? [] : without(awaited(people.document, people.connected, {}));
}

export type PickDraw =
  | { readonly kind: 'race'; readonly picks: readonly PickReveal[]; readonly place: PlaceReveal }
  | { readonly kind: 'void'; readonly reason: 'too-few-picks' | 'same-horse'; readonly picks: readonly PickReveal[] };

export type PickDrawInput = {
  /** K, 32 bytes */
  readonly key: Uint8Array;
  readonly picks: readonly PickRow[];
  readonly votes: readonly VoteRow[];
  /** horses that run, ascending */
  readonly runners: readonly number[];
  readonly exclusive: boolean;
};

/** The draw's input from the stored race. */
export function pickInput({ row, picks, votes }: RaceDetails, key: Uint8Array): PickDrawInput {
  const runners = row.field.map(({ number }) => number).filter((number) => !row.scratched.includes(number));
  return { key, picks, votes, runners, exclusive: row.rules.exclusivePicks };
}

/**
 * What the draw makes of picks and votes: horses for those who have none, then the place that gets caught. A vote counts
 * only from a player with a horse in the race. A pure function of K and what was stored at the close.
 */
export function drawPicks(input: PickDrawInput): PickDraw {
  const picks = withDrawnHorses(input);
  const horses = new Set(picks.map(({ horse }) => horse));
  if (picks.length < 2) return { kind: 'void', reason: 'too-few-picks', picks };
  if (horses.size < 2) return { kind: 'void', reason: 'same-horse', picks };
  const votes = input.votes
    .filter(({ playerId }) => picks.some((pick) => pick.playerId === playerId))
    .map(({ playerId, place }) => ({ playerId, place }))
    .sort(byPlayer);
  const places = votes.map(({ place }) => place);
  return { kind: 'race', picks, place: { drawn: drawPlace(input.key, places, horses.size), votes } };
}

/** Where picks are exclusive and more wait than horses are left, the later ids go without and sit this race out. */
function withDrawnHorses({ key, picks, runners, exclusive }: PickDrawInput): PickReveal[] {
  const chosen = picks.flatMap(({ playerId, horse }) => (horse === null ? [] : [{ playerId, horse, drawn: false }]));
  const taken = chosen.map(({ horse }) => horse);
  const horses = exclusive ? runners.filter((number) => !taken.includes(number)) : runners;
  const waiting = picks.flatMap(({ playerId, horse }) => (horse === null ? [playerId] : [])).sort();
  const players = exclusive ? waiting.slice(0, horses.length) : waiting;
  const drawn = drawHorses(key, { players, horses, exclusive });
  const late = players.flatMap((playerId) => {
    const horse = drawn.get(playerId);
    return horse === undefined ? [] : [{ playerId, horse, drawn: true }];
  });
  return [...chosen, ...late].sort(byPlayer);
}

const byPlayer = (a: { readonly playerId: string }, b: { readonly playerId: string }): number =>
  a.playerId < b.playerId ? -1 : a.playerId > b.playerId ? 1 : 0;

/**
 * Horses at the drawn place, counted among picked horses only. In a dead heat all horses that share the place are: with
 * two of them on 2 and 3 either place catches both.
 */
export function caughtHorses(order: readonly Placing[], pickedHorses: ReadonlySet<number>, place: number): number[] {
  const picked = order.filter(({ number }) => pickedHorses.has(number));
  return picked
    .filter((horse) => {
      const before = picked.filter((other) => other.finishMs < horse.finishMs).length;
      const level = picked.filter((other) => other.finishMs === horse.finishMs).length;
      return before < place && place <= before + level;
    })
    .map(({ number }) => number);
}

/** Everybody who is on a caught horse, in the order of the picks. */
export function caughtPlayers(order: readonly Placing[], picks: readonly PickReveal[], place: number): PlayerId[] {
  const horses = caughtHorses(order, new Set(picks.map(({ horse }) => horse)), place);
  return picks.filter(({ horse }) => horses.includes(horse)).map(({ playerId }) => playerId);
}
