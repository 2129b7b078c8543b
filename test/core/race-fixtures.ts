import type { PlayerId, RaceId, RoomId } from '../../lib/core/ids.ts';
import type { RaceOutcome, RaceResult, RaceRow, RaceRules } from '../../lib/core/race-state.ts';
import { createDraws, makeField } from '../../lib/engine/index.ts';
import { commitment, fieldHash, toHex } from '../../lib/fairness/index.ts';
import type { RaceDetails } from '../../lib/ports.ts';

export const SEED = new Uint8Array(32).fill(5);
export const player = (name: string): PlayerId => name as PlayerId;
export const bytes = (n: number): Uint8Array => new Uint8Array(32).map((_, index) => (n >>> (8 * (index % 4))) & 255);

export const rules = (more: Partial<RaceRules> = {}): RaceRules => ({
  pools: [],
  placesPaid: 0,
  maxStakePerRace: 5_000,
  exclusivePicks: false,
  placeVote: true,
  openSeconds: 30,
  resultSeconds: 10,
  ...more,
});

/** A race row in `open`; times are small so that they read well. */
export function rowOf(more: Partial<RaceRow> = {}): RaceRow {
  const kind = more.kind ?? 'pick';
  const field = makeField({ draws: createDraws(bytes(1), 'fixture'), count: 6, equal: kind === 'pick' });
  const row: RaceRow = {
    id: 'race-1' as RaceId,
    roomId: 'room-1' as RoomId,
    kind,
    number: 1,
    phase: 'open',
    track: 'short',
    rules: rules(kind === 'bet' ? { pools: [{ pool: 'win', rate: { num: 80, den: 100 } }], placesPaid: 2 } : {}),
    field,
    fieldHash: '',
    simVersion: 1,
    rulesVersion: 1,
    seedKeyId: 'key-1',
    commitment: toHex(commitment(SEED)),
    previousRecordHash: null,
    participants: null,
    rerunOf: null,
    openedAt: 1_000,
    closesAt: 31_000,
    closedAt: null,
    startsAt: null,
    endsAt: null,
    endedAt: null,
    totals: {},
    scratched: [],
    betsRoot: null,
    outcome: null,
    seed: null,
    voidReason: null,
    recordHash: null,
    payoutsHeld: false,
    ...more,
  };
  return { ...row, fieldHash: toHex(fieldHash(row)) };
}

export const detailsOf = (row: RaceRow, more: Partial<RaceDetails> = {}): RaceDetails => ({
  row,
  picks: [],
  votes: [],
  result: null,
  ...more,
});

export const ORDER: RaceOutcome['order'] = [
  { number: 3, finishMs: 20_123, place: 1 },
  { number: 1, finishMs: 20_456, place: 2 },
  { number: 5, finishMs: 20_789, place: 3 },
  { number: 2, finishMs: 21_012, place: 4 },
  { number: 6, finishMs: 21_345, place: 5 },
  { number: 4, finishMs: 21_678, place: 6 },
];

export const OUTCOME: RaceOutcome = {
  order: ORDER,
  durationMs: 21_678,
  picks: [
    { playerId: player('ann'), horse: 3, drawn: false },
    { playerId: player('ben'), horse: 6, drawn: true },
  ],
  place: { drawn: 2, votes: [{ playerId: player('ann'), place: 2 }] },
  caught: [player('ben')],
};

export const RESULT: RaceResult = { order: ORDER, caught: [player('ben')], seed: toHex(SEED) };
