import { expect, test } from 'vitest';
import { balancesIn, leaksIn, privateValues, type Receiver, type Truth, tellsBalance, wordsOf } from './leaks.ts';
import type { Packet } from './recorder.ts';

const CLOSE = 1_000;
const END = 2_000;
const truth: Truth = {
  races: new Map([['race-1', { closesAt: CLOSE, endsAt: END, seedAt: END }]]),
  players: new Set(['me', 'you']),
};
const me: Receiver = { playerId: 'me', chose: new Set(), bets: new Set(['mine']) };

function packet(json: unknown, at: number, request?: string): Packet {
  const answers = request === undefined ? undefined : { request, text: `420["${request}",{"raceId":"race-1"}]` };
  return { text: `42${JSON.stringify(json)}`, json, at, answers };
}

/** Told too early, and from when on each is all right (Infinity: never). */
const PLANTED: readonly { readonly what: string; readonly json: unknown; readonly from: number }[] = [
  { what: 'a pick', json: ['x', { id: 'race-1', picks: [{ playerId: 'you', horse: 3 }] }], from: CLOSE },
  { what: 'a pick on its event', json: [{ raceId: 'race-1', playerId: 'you', horse: 1 }], from: CLOSE },
  { what: 'a pick deep in a person', json: { playerId: 'you', more: [{ pick: { horse: 1 } }] }, from: Infinity },
  { what: 'a pick in a member', json: { members: [{ id: 'you', horse: 2 }] }, from: Infinity },
  { what: 'a vote', json: { raceId: 'race-1', place: { votes: [{ playerId: 'you', place: 1 }] } }, from: CLOSE },
  { what: 'a pick by player', json: { raceId: 'race-1', picks: { you: 3 } }, from: Infinity },
  { what: 'a pick in a pair', json: { raceId: 'race-1', picks: [['you', 3]] }, from: Infinity },
  { what: 'a horse of nobody', json: ['x', { raceId: 'race-1', horse: 3 }], from: Infinity },
  { what: 'a bet', json: { raceId: 'race-1', bets: [{ betId: 'yours', selection: [1] }] }, from: Infinity },
  { what: 'a stake', json: { raceId: 'race-1', playerId: 'you', stake: '100' }, from: CLOSE },
  { what: 'stakes', json: { id: 'race-1', stakes: [{ selection: [1], stake: '100' }] }, from: CLOSE },
  { what: 'a seed', json: { room: { race: { id: 'race-1', result: null, seed: 'ab' } } }, from: END },
  { what: 'an order', json: { races: [{ id: 'race-1', order: [{ number: 1, place: 1 }] }] }, from: END },
  { what: 'a finish', json: { raceId: 'race-1', frames: [{ finishMs: 30_000 }] }, from: END },
  { what: 'who is caught', json: { raceId: 'race-1', caught: ['me'] }, from: END },
];

test('[OP93] the search finds every planted leak before its time, and nothing after it', () => {
  for (const { what, json, from } of PLANTED) {
    for (const at of [0, CLOSE - 1, CLOSE, END - 1, END]) {
      expect(leaksIn(packet(json, at), me, truth).length > 0, `${what} at ${at}`).toBe(at < from);
    }
  }
});

test('[OP93] the search takes what is the player’s own, and the same for another’s where it was never chosen', () => {
  const mine = [{ ok: true, data: { bets: [], pick: { horse: 3 }, vote: { place: 2 } } }];
  const chose = new Set(['pick:choose race-1', 'vote:place race-1']);
  expect(leaksIn(packet(mine, 0, 'bet:mine'), { ...me, chose }, truth)).toEqual([]);
  expect(leaksIn(packet(mine, 0, 'bet:mine'), me, truth)).toEqual(['vote in race race-1', 'pick in race race-1']);
  expect(leaksIn(packet([{ playerId: 'me', raceId: 'race-1', horse: 3 }], 0), me, truth)).toEqual([]);
  expect(leaksIn(packet([{ ok: true, data: { horse: 3 } }], 0, 'pick:choose'), me, truth)).toEqual([]);
});

test('[OP93] tokens, seats and balances are found wherever they stand', () => {
  const own = [
    packet(['session:ready', { token: 'abc.def-g', player: { balance: '10000' } }], 0),
    packet([{ ok: true, data: { balance: '5700', balanceVersion: 2 } }], 0),
  ];
  expect([...privateValues(own)]).toEqual(['abc.def-g']);
  const other = [packet(['x', { link: 'http://there/#t=abc.def-g&x', deep: [{ balance: 5_700 }] }], 0)];
  expect(wordsOf(other).has('abc.def-g')).toBe(true);
  expect([tellsBalance(other, '5700'), tellsBalance(other, '570')]).toEqual([true, false]);
  const twice = [...own, packet(['wallet:update', { balance: '5300', version: 2 }], 0)];
  expect(balancesIn(own).get(2)?.size).toBe(1);
  expect(balancesIn(twice).get(2)?.size).toBe(2);
});
