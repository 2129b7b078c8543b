import { describe, expect, test } from 'vitest';
import type { PlayerId } from '../../lib/core/ids.ts';
import { caughtPlayers } from '../../lib/core/picks.ts';
import { simulate } from '../../lib/engine/index.ts';
import {
  type Evidence,
  foldBatchRoots,
  fromHex,
  leafHashOf,
  merklePath,
  type OwnReceipt,
  type PublicRaceRecord,
  parseBatch,
  raceKey,
  type StepName,
  toHex,
  utf8,
  verifyRace,
} from '../../lib/fairness/index.ts';
import { integers } from '../core/random.ts';
import { bet, betRace, digest, type MadeRace, pickRace, seal } from './races.ts';

const OTHER = toHex(digest('something else'));
const betMade = betRace();
const pickMade = pickRace();
const exclusive = pickRace({ raceId: 'race-pick-2', exclusive: true });

function firstFailure(record: PublicRaceRecord, evidence: Evidence = {}): StepName | 'none' {
  return verifyRace(record, evidence).find(({ ok }) => !ok)?.step ?? 'none';
}

/** Changes a record and makes its own hash anew, so that only the changed facts themselves can give it away. */
function forged(record: PublicRaceRecord, change: Partial<PublicRaceRecord>): PublicRaceRecord {
  return seal({ ...record, ...change });
}

function resultOf(record: PublicRaceRecord): NonNullable<PublicRaceRecord['result']> {
  if (record.result === undefined) throw new Error('no result');
  return record.result;
}

function stakeOf({ leaf }: OwnReceipt): string {
  return leaf.kind === 'bet' ? leaf.stake : '0';
}

function ownOf(made: MadeRace, tagged: (leaf: OwnReceipt['leaf']) => boolean): OwnReceipt[] {
  return made.leaves.flatMap(({ batch, leaves }) => {
    const hashes = leaves.map((leaf) => leafHashOf(made.record.id, leaf));
    return leaves.flatMap((leaf, index) =>
      tagged(leaf) ? [{ leaf, batch, path: merklePath(hashes, index), hash: toHex(hashes[index] as Uint8Array) }] : [],
    );
  });
}

describe('honest races', () => {
  test('[FR13] a bet race verifies from record and receipts, step by step', () => {
    const steps = verifyRace(betMade.record, { leaves: betMade.leaves });
    expect(steps.filter(({ ok }) => !ok)).toEqual([]);
    expect(steps.map(({ step }) => step)).toEqual([
      'commitment',
      'field',
      'record-link',
      'bets-root',
      'receipts',
      'order',
      'dividends',
    ]);
  });

  test('[FR13] a pick race verifies with its drawn horses, place and who is caught', () => {
    for (const made of [pickMade, exclusive, pickRace({ raceId: 'race-pick-3', votes: false })]) {
      const steps = verifyRace(made.record, { leaves: made.leaves });
      expect(steps.filter(({ ok }) => !ok)).toEqual([]);
      expect(steps.map(({ step }) => step)).toEqual([
        'commitment',
        'field',
        'record-link',
        'bets-root',
        'receipts',
        'order',
        'drawn-horses',
        'place-draw',
        'caught',
      ]);
    }
  });

  test('[FR13] 60 races of both kinds, with scratches and without bets, verify', () => {
    for (let run = 0; run < 20; run += 1) {
      const scratched = [...new Set([1 + (run % 8), 1 + ((3 * run) % 8)])].slice(0, run % 3);
      const races = [
        betRace({ raceId: `bet ${run}`, scratched }),
        betRace({
          raceId: `thin ${run}`,
          scratched,
          bets: run % 2 === 0 ? [] : [[bet(`thin ${run}`, 'ann', 'win', 4, 100)]],
        }),
        pickRace({
          raceId: `pick ${run}`,
          exclusive: run % 2 === 0,
          votes: run % 4 < 2,
          scratched: [1, 4, 6].slice(0, run % 3),
        }),
      ];
      for (const { record, leaves } of races) {
        expect(
          verifyRace(record, { leaves }).filter(({ ok }) => !ok),
          record.id,
        ).toEqual([]);
      }
    }
  });

  test('[FR13] a pool that a scratch left without enough runners is refunded whole', () => {
    const { record, leaves } = betRace({ raceId: 'race-bet-5', horses: 5, scratched: [2] });
    expect(resultOf(record).refunded).toEqual(['place']);
    expect(firstFailure(record, { leaves })).toBe('none');
    const own = ownOf({ record, leaves }, (leaf) => leaf.kind === 'bet' && leaf.pool === 'place');
    expect(firstFailure(record, { own: own.map((receipt) => ({ ...receipt, returned: stakeOf(receipt) })) })).toBe(
      'none',
    );
  });

  test('[FR13] a record that went through JSON with its keys in another order verifies all the same', () => {
    const turned = (value: unknown): unknown => {
      if (Array.isArray(value)) return value.map(turned);
      if (value === null || typeof value !== 'object') return value;
      return Object.fromEntries(
        Object.entries(value)
          .reverse()
          .map(([key, member]) => [key, turned(member)]),
      );
    };
    const record = turned(JSON.parse(JSON.stringify(betMade.record))) as PublicRaceRecord;
    expect(firstFailure({ ...record, shownAs: 'x' } as PublicRaceRecord)).toBe('none');
  });

  test('[FR14] a void race proves its commitment, field and link; nothing is asked of what it never had', () => {
    const { result: _result, batches: _batches, betsRoot: _root, stakes: _stakes, ...rest } = betMade.record;
    const record = seal({ ...rest, phase: 'void', voidReason: 'late-close', totals: {} });
    const steps = verifyRace(record);
    expect(steps.map(({ step }) => step)).toEqual(['commitment', 'field', 'record-link']);
    expect(steps.every(({ ok }) => ok)).toBe(true);
    const own: OwnReceipt = { leaf: bet(record.id, 'ann', 'win', 1, 500), returned: '500' };
    expect(verifyRace(record, { own: [own] }).find(({ step }) => step === 'payout')?.ok).toBe(true);
    expect(firstFailure(seal({ ...record, seed: OTHER }))).toBe('commitment');
  });

  test('[FR14] a race called settled must show a result', () => {
    const { result: _result, ...rest } = betMade.record;
    expect(firstFailure(seal(rest))).toBe('order');
  });
});

describe('a bet race that was tampered with', () => {
  const { record, leaves } = betMade;
  const { order, dividends = [], refunded = [] } = resultOf(record);
  const [runner, ...runners] = record.field;
  const [firstBatch, ...otherBatches] = record.batches ?? [];
  const stakes = record.stakes ?? [];
  if (runner === undefined || firstBatch === undefined) throw new Error('empty race');
  const paying = dividends[0];
  if (paying === undefined) throw new Error('no dividend to tamper with');
  const swapped = order.map((horse, index) => {
    const other = order[index === 0 ? 1 : index === 1 ? 0 : index] ?? horse;
    return { ...horse, number: other.number };
  });
  const shorter = otherBatches.map(parseBatch);

  const cases: [string, Partial<PublicRaceRecord>, StepName][] = [
    ['seed', { seed: OTHER }, 'commitment'],
    ['seed as upper-case hex', { seed: record.seed.toUpperCase() }, 'commitment'],
    ['commitment', { commitment: OTHER }, 'commitment'],
    ['commitment of the hex text instead of the bytes', { commitment: toHex(digest(record.seed)) }, 'commitment'],
    ['ability of a runner', { field: [{ ...runner, ability: runner.ability + 1 }, ...runners] }, 'field'],
    ['name of a runner', { field: [{ ...runner, name: { ko: '다른말', en: 'Other' } }, ...runners] }, 'field'],
    ['a runner left out', { field: runners }, 'field'],
    ['field hash', { fieldHash: OTHER }, 'field'],
    ['track', { track: 'long' }, 'field'],
    ['engine version', { simVersion: 2 }, 'field'],
    ['rules version', { rulesVersion: 2 }, 'field'],
    ['number', { number: 2 }, 'field'],
    ['room', { roomId: 'room-2' }, 'field'],
    ['places paid', { rules: { ...record.rules, placesPaid: 2 } }, 'field'],
    [
      'return rate',
      {
        rules: { ...record.rules, pools: record.rules.pools.map((pool) => ({ ...pool, rate: { num: 50, den: 100 } })) },
      },
      'field',
    ],
    ['bets root', { betsRoot: OTHER }, 'bets-root'],
    ['root of a batch', { batches: [{ ...firstBatch, root: OTHER }, ...otherBatches] }, 'bets-root'],
    ['count of a batch', { batches: [{ ...firstBatch, count: firstBatch.count + 1 }, ...otherBatches] }, 'bets-root'],
    [
      'totals of a batch',
      { batches: [{ ...firstBatch, totals: { win: { gross: '100', count: 1 } } }, ...otherBatches] },
      'bets-root',
    ],
    ['id of a batch', { batches: [{ ...firstBatch, batch: '39' }, ...otherBatches] }, 'bets-root'],
    ['a batch left out', { batches: otherBatches }, 'bets-root'],
    ['batches in another order', { batches: [...otherBatches, firstBatch] }, 'bets-root'],
    ['totals of the race', { totals: { ...record.totals, win: { gross: '100', count: 1 } } }, 'bets-root'],
    [
      'a batch left out everywhere',
      {
        batches: otherBatches,
        betsRoot: toHex(foldBatchRoots(shorter)),
        totals: {
          win: otherBatches[0]?.totals.win ?? { gross: '0', count: 0 },
          place: otherBatches[1]?.totals.place ?? { gross: '0', count: 0 },
        },
      },
      'order',
    ],
    ['race id', { id: 'race-bet-9' }, 'order'],
    ['a scratch added', { scratched: [runner.number] }, 'order'],
    ['two horses of the order swapped', { result: { order: swapped, dividends, refunded } }, 'order'],
    [
      'one millisecond',
      {
        result: {
          order: order.map((horse, index) => (index === 7 ? { ...horse, finishMs: horse.finishMs + 1 } : horse)),
          dividends,
          refunded,
        },
      },
      'order',
    ],
    [
      'a dividend',
      {
        result: {
          order,
          dividends: [{ ...paying, per100: String(BigInt(paying.per100) + 10n) }, ...dividends.slice(1)],
          refunded,
        },
      },
      'dividends',
    ],
    ['a dividend left out', { result: { order, dividends: dividends.slice(1), refunded } }, 'dividends'],
    [
      'a dividend too many',
      { result: { order, dividends: [...dividends, { pool: 'win', selection: [99], per100: '100' }], refunded } },
      'dividends',
    ],
    ['a pool told as refunded', { result: { order, dividends, refunded: ['win'] } }, 'dividends'],
    [
      'a stake',
      {
        stakes: stakes.map((stake, index) =>
          index === 0 ? { ...stake, stake: String(BigInt(stake.stake) + 100n) } : stake,
        ),
      },
      'dividends',
    ],
  ];

  test.each(cases)('[FR15] %s', (_name, change, step) => {
    const forgery = forged(record, change);
    expect(firstFailure(forgery)).toBe(step);
    expect(firstFailure({ ...forgery, recordHash: record.recordHash })).not.toBe('none');
  });

  test("[FR15] any change without a new record hash breaks the record's own hash", () => {
    for (const [name, change] of cases) {
      const broken = { ...record, ...change };
      expect(verifyRace(broken).find(({ step }) => step === 'record-link')?.ok, name).toBe(false);
    }
    const { stakes: _stakes, ...without } = record;
    expect(firstFailure(seal(without))).toBe('dividends');
  });

  test('[FR15] a run whose key was made from hex texts instead of bytes fails at the order', () => {
    const key = raceKey({
      seed: fromHex(record.seed),
      raceId: record.id,
      fieldHash: digest(record.fieldHash),
      scratches: [],
      rulesVersion: 1,
      betsRoot: fromHex(record.betsRoot ?? ''),
    });
    const { order: other } = simulate({ simVersion: 1, track: 'medium', horses: record.field, key });
    expect(firstFailure(forged(record, { result: { order: other, dividends, refunded } }))).toBe('order');
    expect(() =>
      raceKey({
        seed: utf8(record.seed),
        raceId: record.id,
        fieldHash: digest('x'),
        scratches: [],
        rulesVersion: 1,
        betsRoot: digest('y'),
      }),
    ).toThrow(TypeError);
  });

  test('[FR16] receipts that are changed, left out, added or reordered do not make the roots', () => {
    const [batch, ...rest] = leaves;
    if (batch === undefined) throw new Error('no receipts');
    const [leaf, second, ...more] = batch.leaves;
    if (leaf?.kind !== 'bet' || second === undefined) throw new Error('no bet');
    const others: Evidence['leaves'][] = [
      [{ ...batch, leaves: [{ ...leaf, stake: '600' }, second, ...more] }, ...rest],
      [{ ...batch, leaves: [{ ...leaf, tag: OTHER }, second, ...more] }, ...rest],
      [{ ...batch, leaves: [{ ...leaf, selection: [2] }, second, ...more] }, ...rest],
      [{ ...batch, leaves: [{ ...leaf, nonce: '' }, second, ...more] }, ...rest],
      [{ ...batch, leaves: [second, ...more] }, ...rest],
      [{ ...batch, leaves: [leaf, leaf, second, ...more] }, ...rest],
      [{ ...batch, leaves: [second, leaf, ...more] }, ...rest],
      [{ ...batch, batch: '41' }, ...rest],
      rest,
      [...rest, batch],
    ];
    for (const changed of others) {
      if (changed === undefined) continue;
      expect(firstFailure(record, { leaves: changed }), JSON.stringify(changed[0])).toBe('receipts');
    }
  });

  test('[FR16] a stake left out or told twice is found by the receipts', () => {
    const [first, ...others] = stakes;
    if (first === undefined) throw new Error('no stakes');
    for (const changed of [others, [...stakes, first]]) {
      expect(firstFailure(forged(record, { stakes: changed }), { leaves })).toBe('receipts');
      const step = verifyRace(forged(record, { stakes: changed })).find(({ ok }) => !ok);
      expect(step).toMatchObject({ step: 'dividends', detail: expect.stringContaining('add up') });
    }
  });

  test('[FR16] stakes moved between horses that lost are found by the receipts', () => {
    const paidHorses = dividends.map(({ pool, selection }) => `${pool} ${selection[0]}`);
    const losing = stakes.filter(
      ({ pool, selection }) => pool === 'win' && !paidHorses.includes(`win ${selection[0]}`),
    );
    const [from, to] = losing;
    if (from === undefined || to === undefined) throw new Error('too few losers');
    const moved = stakes.map((stake) => {
      if (stake === from) return { ...stake, stake: String(BigInt(stake.stake) - 100n) };
      return stake === to ? { ...stake, stake: String(BigInt(stake.stake) + 100n) } : stake;
    });
    const forgery = forged(record, { stakes: moved });
    expect(firstFailure(forgery)).toBe('none');
    expect(firstFailure(forgery, { leaves })).toBe('receipts');
  });
});

describe('own receipts', () => {
  const { record, leaves } = betMade;
  const own = ownOf(betMade, (leaf) => leaf.kind === 'bet' && leaf.commandId.startsWith('ann'));

  test('[FR17] own receipts are found by their path or among the published ones', () => {
    expect(own).toHaveLength(2);
    expect(firstFailure(record, { own })).toBe('none');
    const bare = own.map(({ leaf }) => ({ leaf }));
    expect(firstFailure(record, { own: bare, leaves })).toBe('none');
    expect(firstFailure(record, { own: bare })).toBe('own-receipt');
  });

  test('[FR17] a receipt with another content, leaf, path or batch, or shared by two bets, is told', () => {
    const [first, second] = own;
    if (first?.path === undefined || second === undefined || first.leaf.kind !== 'bet') throw new Error('no receipt');
    const { hash: _hash, ...unhashed } = first;
    const wrong: OwnReceipt[] = [
      { ...unhashed, leaf: { ...first.leaf, stake: '100' } },
      { ...unhashed, leaf: { ...first.leaf, nonce: 'ff' } },
      { ...first, hash: OTHER },
      { ...first, batch: '43' },
      { ...first, batch: '1' },
      { ...first, path: { ...first.path, index: first.path.index + 1 } },
      { ...first, path: { ...first.path, count: first.path.count + 1 } },
      { ...first, path: { ...first.path, count: first.path.count - 1 } },
      { ...first, path: { ...first.path, siblings: [] } },
    ];
    for (const receipt of wrong)
      expect(firstFailure(record, { own: [receipt] }), JSON.stringify(receipt)).toBe('own-receipt');
    const twice = [{ leaf: first.leaf }, { leaf: first.leaf }];
    expect(firstFailure(record, { own: twice, leaves })).toBe('own-receipt');
  });

  test('[FR18] what came back is units times the dividend, nothing, or the stake where it was refunded', () => {
    const scratched = betRace({ raceId: 'race-bet-3', scratched: [3] });
    for (const made of [betMade, scratched]) {
      const { dividends = [] } = resultOf(made.record);
      const all = ownOf(made, (leaf) => leaf.kind === 'bet');
      const due = all.map((receipt) => {
        const { leaf } = receipt;
        if (leaf.kind !== 'bet') throw new Error('no bet');
        const paid = dividends.find(({ pool, selection }) => pool === leaf.pool && selection[0] === leaf.selection[0]);
        const back = made.record.scratched.includes(leaf.selection[0] ?? 0)
          ? BigInt(leaf.stake)
          : (BigInt(leaf.stake) / 100n) * BigInt(paid?.per100 ?? '0');
        return { ...receipt, returned: String(back) };
      });
      expect(firstFailure(made.record, { own: due })).toBe('none');
      due.forEach((receipt, index) => {
        const more = { ...receipt, returned: String(BigInt(receipt.returned) + 10n) };
        expect(firstFailure(made.record, { own: due.map((kept, at) => (at === index ? more : kept)) })).toBe('payout');
      });
    }
  });

  test('[FR17] a player sees whether the record shows his own last pick and vote', () => {
    const bo = ownOf(pickMade, (leaf) => leaf.kind !== 'drawn' && leaf.commandId.startsWith('bo'));
    expect(bo).toHaveLength(3);
    expect(firstFailure(pickMade.record, { own: bo, playerId: 'bo' })).toBe('none');
    expect(firstFailure(pickMade.record, { own: bo, playerId: 'ann' })).toBe('own-receipt');
    const { picks = [], place } = pickMade.record;
    const otherPick = picks.map((pick) => (pick.playerId === 'bo' ? { ...pick, horse: 4 } : pick));
    expect(firstFailure(forged(pickMade.record, { picks: otherPick }), { own: bo, playerId: 'bo' })).toBe(
      'own-receipt',
    );
    if (place === undefined) throw new Error('no place');
    const otherVote = { ...place, votes: place.votes.filter(({ playerId }) => playerId !== 'bo') };
    expect(firstFailure(forged(pickMade.record, { place: otherVote }), { own: bo, playerId: 'bo' })).toBe(
      'own-receipt',
    );
  });

  test('[FR17] a vote of a player without a horse in the race is rightly not in the record', () => {
    const hal = ownOf(pickMade, (leaf) => leaf.kind !== 'drawn' && leaf.commandId.startsWith('hal'));
    expect(hal.map(({ leaf }) => leaf.kind)).toEqual(['pick', 'pick-clear', 'vote']);
    expect(firstFailure(pickMade.record, { own: hal, playerId: 'hal' })).toBe('none');
    const { place } = pickMade.record;
    if (place === undefined) throw new Error('no place');
    const counted = { ...place, votes: [...place.votes, { playerId: 'hal', place: 1 }] };
    expect(firstFailure(forged(pickMade.record, { place: counted }), { own: hal, playerId: 'hal' })).toBe(
      'own-receipt',
    );
  });
});

describe('a pick race that was tampered with', () => {
  test('[FR19] another horse for a player who had one drawn', () => {
    for (const { record } of [pickMade, exclusive]) {
      const picks = (record.picks ?? []).map((pick) =>
        pick.playerId === 'dan' ? { ...pick, horse: (pick.horse % 6) + 1 } : pick,
      );
      expect(firstFailure(forged(record, { picks }))).toBe('drawn-horses');
    }
  });

  test('[FR19] a pick that was taken back, told as standing', () => {
    const { record, leaves } = pickMade;
    const dan = ownOf(pickMade, (leaf) => leaf.kind !== 'drawn' && leaf.commandId.startsWith('dan'));
    expect(dan.map(({ leaf }) => leaf.kind)).toEqual(['pick', 'pick-clear']);
    expect(firstFailure(record, { own: dan, playerId: 'dan' })).toBe('none');
    const standing = { playerId: 'dan', horse: 3, drawn: false };
    const picks = (record.picks ?? []).map((pick) => (pick.playerId === 'dan' ? standing : pick));
    expect(firstFailure(forged(record, { picks }), { leaves })).toBe('receipts');
    expect(firstFailure(forged(record, { picks }), { own: dan, playerId: 'dan' })).toBe('own-receipt');
    const gone = [...(record.picks ?? []), { playerId: 'hal', horse: 3, drawn: false }];
    expect(firstFailure(forged(record, { picks: gone }), { leaves })).toBe('receipts');
  });

  test('[FR19] a drawn horse told as chosen, a pick invented, a horse taken twice', () => {
    const { record, leaves } = exclusive;
    const picks = record.picks ?? [];
    const chosen = picks.map((pick) => ({ ...pick, drawn: false }));
    expect(firstFailure(forged(record, { picks: chosen }), { leaves })).toBe('receipts');
    const invented = [...picks, { playerId: 'gil', horse: 1, drawn: false }];
    expect(firstFailure(forged(record, { picks: invented }), { leaves })).toBe('receipts');
    const doubled = picks.map((pick) => (pick.playerId === 'ann' ? { ...pick, horse: 5 } : pick));
    expect(firstFailure(forged(record, { picks: doubled }))).toBe('drawn-horses');
  });

  test('[FR19] another place, other votes, another player caught', () => {
    const { record, leaves } = pickMade;
    const { place } = record;
    if (place === undefined) throw new Error('no place');
    const drawn = place.drawn === 1 ? 2 : 1;
    expect(firstFailure(forged(record, { place: { ...place, drawn } }))).toBe('place-draw');
    const stuffed = { ...place, votes: [{ playerId: 'ann', place: drawn }] };
    expect(firstFailure(forged(record, { place: stuffed }))).toBe('place-draw');
    const invented = {
      ...place,
      votes: [...place.votes, { playerId: 'dan', place: 9 }, { playerId: 'gil', place: 9 }],
    };
    expect(firstFailure(forged(record, { place: invented }), { leaves })).toBe('receipts');
    const result = resultOf(record);
    expect(firstFailure(forged(record, { result: { ...result, caught: ['ann', 'bo', 'chae', 'dan'] } }))).toBe(
      'caught',
    );
    expect(firstFailure(forged(record, { result: { ...result, caught: [] } }))).toBe('caught');
  });
});

describe('dead heats among picked horses', () => {
  test('[FR19] who is caught is told as the room tells it, for ties of any shape and any place', () => {
    const { record } = pickMade;
    const { seed, below, shuffle } = integers();
    for (let run = 0; run < 300; run += 1) {
      let finishMs = 30_000;
      const order = shuffle([1, 2, 3, 4, 5, 6]).map((number, index) => {
        finishMs += index > 0 && below(2) === 0 ? 5 : 0;
        return { number, finishMs, place: index + 1 };
      });
      const players = ['ann', 'bo', 'chae', 'dan'].slice(0, 2 + below(3));
      const picks = players.map((playerId) => ({ playerId: playerId as PlayerId, horse: 1 + below(6), drawn: false }));
      const place = 1 + below(new Set(picks.map(({ horse }) => horse)).size);
      const caught = caughtPlayers(order, picks, place);
      const told = (names: string[]) =>
        verifyRace(
          forged(record, { picks, place: { drawn: place, votes: [] }, result: { order, caught: names } }),
        ).find(({ step }) => step === 'caught')?.ok;
      expect(caught.length).toBeGreaterThan(0);
      expect(told(caught), `seed ${seed}, run ${run}`).toBe(true);
      expect(told(caught.slice(1)), `seed ${seed}, run ${run}`).toBe(false);
    }
  });
});

describe('the chain of records', () => {
  const first = betMade.record;
  const linked = (previousRecordHash: string | null, number = 2) => {
    const made = betRace({ raceId: 'race-bet-4' }).record;
    return seal({ ...made, number, previousRecordHash });
  };
  const linkOf = (record: PublicRaceRecord, previous?: PublicRaceRecord) =>
    verifyRace(record, previous === undefined ? {} : { previous }).find(({ step }) => step === 'record-link')?.ok;

  test('[FR12] a record names its predecessor', () => {
    expect(linkOf(linked(first.recordHash), first)).toBe(true);
    expect(linkOf(linked(first.recordHash))).toBe(true);
  });

  test('[FR12] a predecessor that was changed, left out or belongs elsewhere is told', () => {
    const record = linked(first.recordHash);
    expect(linkOf(record, forged(first, { totals: {} }))).toBe(false);
    expect(linkOf(record, { ...first, totals: {} })).toBe(false);
    expect(linkOf(linked(OTHER), first)).toBe(false);
    expect(linkOf(linked(first.recordHash, 3), first)).toBe(false);
    expect(linkOf(record, forged(first, { roomId: 'room-2' }))).toBe(false);
    const elsewhere = forged(first, { roomId: 'room-2' });
    expect(linkOf(linked(elsewhere.recordHash), elsewhere)).toBe(false);
    expect(linkOf(linked(null))).toBe(false);
    expect(linkOf(linked(OTHER, 1))).toBe(false);
  });
});

describe('garbage', () => {
  test('[FR20] a malformed record fails a step and never throws', () => {
    for (const { record, leaves } of [betMade, pickMade]) {
      for (const key of Object.keys(record)) {
        for (const value of [null, 0, -1, 0.5, '', 'zz', {}, [], [null], [{}], { x: 1 }, undefined]) {
          if (JSON.stringify(value) === JSON.stringify(Reflect.get(record, key))) continue;
          const broken = { ...record, [key]: value } as PublicRaceRecord;
          const steps = verifyRace(broken, { leaves });
          expect(
            steps.some(({ ok }) => !ok),
            `${key}: ${JSON.stringify(value)}`,
          ).toBe(true);
        }
      }
    }
  });

  test('[FR20] malformed receipts fail their step and never throw', () => {
    for (const leaf of [null, {}, { kind: 'bet' }, { kind: 'other', tag: OTHER }, { kind: 'drawn', tag: 5 }]) {
      const leaves = [{ batch: '40', leaves: [leaf] }] as unknown as NonNullable<Evidence['leaves']>;
      expect(firstFailure(betMade.record, { leaves })).toBe('receipts');
      const own = [{ leaf }] as unknown as OwnReceipt[];
      expect(firstFailure(betMade.record, { own })).toBe('own-receipt');
    }
  });
});
