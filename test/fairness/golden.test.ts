import { createHash, createHmac } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import {
  batchRootMessage,
  canonicalJson,
  commitment,
  deriveSeed,
  drawHorses,
  drawPlace,
  encodeLeaf,
  fieldHash,
  fromHex,
  type Leaf,
  leafHashOf,
  type OpeningFacts,
  type PublicRaceRecord,
  parseBatch,
  playerTag,
  type RecordBatch,
  raceKey,
  raceTagKey,
  recordHash,
  toHex,
  verifyRace,
} from '../../lib/fairness/index.ts';

type Golden = {
  seeds: { seedKey: string; raceId: string; seed: string; commitment: string };
  field: { opening: OpeningFacts; canonical: string; fieldHash: string };
  keys: { scratches: number[]; rulesVersion: number; beacon?: string; betsRoot: string; key: string }[];
  tags: { tagSecret: string; playerId: string; tagKey: string; tag: string };
  leaves: { leaf: Leaf; encoding: string; hash: string }[];
  batchMessage: { batch: RecordBatch; message: string };
  draws: {
    key: string;
    places: { votes: number[]; pickedCount: number; place: number }[];
    horses: { players: string[]; horses: number[]; exclusive: boolean; drawn: Record<string, number> }[];
  };
  records: PublicRaceRecord[];
};
const golden = JSON.parse(readFileSync(new URL('../golden/fairness.json', import.meta.url), 'utf8')) as Golden;
const { seeds, field, tags } = golden;

/** Written a second time on Node's own crypto, so that the vectors are not only what the code under test says of itself. */
const bytes = (part: string | Buffer): Buffer => (typeof part === 'string' ? Buffer.from(part, 'utf8') : part);
function parts(...list: (string | Buffer)[]): Buffer {
  return Buffer.concat(
    list.flatMap((part) => {
      const length = Buffer.alloc(4);
      length.writeUInt32BE(bytes(part).length);
      return [length, bytes(part)];
    }),
  );
}
const hex = (text: string): Buffer => Buffer.from(text, 'hex');
const u32 = (...values: number[]): Buffer => {
  const out = Buffer.alloc(4 * values.length);
  values.forEach((value, index) => {
    out.writeUInt32BE(value, 4 * index);
  });
  return out;
};
const u64 = (value: bigint): Buffer => {
  const out = Buffer.alloc(8);
  out.writeBigUInt64BE(value);
  return out;
};
const sha = (message: Buffer): string => createHash('sha256').update(message).digest('hex');
const mac = (key: string, message: Buffer): string => createHmac('sha256', hex(key)).update(message).digest('hex');

describe('committed vectors', () => {
  test('[FR5] the seed comes from seed key and race id, the commitment is its hash', () => {
    expect(mac(seeds.seedKey, parts('paddock/seed/v1', seeds.raceId))).toBe(seeds.seed);
    expect(toHex(deriveSeed(fromHex(seeds.seedKey), seeds.raceId))).toBe(seeds.seed);
    expect(sha(hex(seeds.seed))).toBe(seeds.commitment);
    expect(toHex(commitment(fromHex(seeds.seed)))).toBe(seeds.commitment);
    expect(toHex(deriveSeed(fromHex(seeds.seedKey), `${seeds.raceId}0`))).not.toBe(seeds.seed);
  });

  test('[FR5] a digest handed over as text is refused, not hashed', () => {
    expect(() => commitment(new TextEncoder().encode(seeds.seed))).toThrow(TypeError);
    expect(() => deriveSeed(new TextEncoder().encode(seeds.seedKey), seeds.raceId)).toThrow(TypeError);
    expect(() => raceTagKey(new Uint8Array(31), seeds.raceId)).toThrow(TypeError);
  });

  test('[FR6] the field hash covers every fact fixed at opening', () => {
    expect(canonicalJson(field.opening)).toBe(field.canonical);
    expect(sha(parts('paddock/field/v1', field.canonical))).toBe(field.fieldHash);
    expect(toHex(fieldHash(field.opening))).toBe(field.fieldHash);
    const [runner, ...others] = field.opening.field;
    const [pool, ...pools] = field.opening.rules.pools;
    if (runner === undefined || pool === undefined) throw new Error('empty vector');
    const rules = field.opening.rules;
    const changes: Partial<OpeningFacts>[] = [
      { roomId: 'room-2' },
      { number: 2 },
      { kind: 'pick' },
      { track: 'long' },
      { simVersion: 2 },
      { rulesVersion: 2 },
      { rules: { ...rules, placesPaid: 2 } },
      { rules: { ...rules, maxStakePerRace: 1 } },
      { rules: { ...rules, exclusivePicks: !rules.exclusivePicks } },
      { rules: { ...rules, placeVote: !rules.placeVote } },
      { rules: { ...rules, pools } },
      { rules: { ...rules, pools: [{ ...pool, rate: { num: 81, den: 100 } }, ...pools] } },
      { field: others },
      { field: [...others, runner] },
      ...(['ability', 'stamina', 'number'] as const).map((key) => ({ field: [{ ...runner, [key]: 77 }, ...others] })),
      {
        field: [
          { ...runner, style: runner.style === 'closer' ? ('stalker' as const) : ('closer' as const) },
          ...others,
        ],
      },
      { field: [{ ...runner, name: { ...runner.name, ko: '다른말' } }, ...others] },
      { field: [{ ...runner, morningLine: '9.9' }, ...others] },
    ];
    const hashes = changes.map((change) => toHex(fieldHash({ ...field.opening, ...change })));
    expect(new Set([...hashes, field.fieldHash]).size).toBe(changes.length + 1);
  });

  test('[FR6] what a race row carries beside the fixed facts does not change the field hash', () => {
    const row = { ...field.opening, phase: 'open', rules: { ...field.opening.rules, openSeconds: 30 } };
    expect(toHex(fieldHash(row))).toBe(field.fieldHash);
  });

  test('[FR7] K is made from seed, race, field, scratches in their order, rules, bets root and beacon', () => {
    for (const { scratches, rulesVersion, beacon, betsRoot, key } of golden.keys) {
      const message = [
        'paddock/v1',
        seeds.raceId,
        hex(field.fieldHash),
        u32(...scratches),
        u32(rulesVersion),
        hex(betsRoot),
        ...(beacon === undefined ? [] : [hex(beacon)]),
      ];
      expect(mac(seeds.seed, parts(...message))).toBe(key);
      const made = raceKey({
        seed: fromHex(seeds.seed),
        raceId: seeds.raceId,
        fieldHash: fromHex(field.fieldHash),
        scratches,
        rulesVersion,
        betsRoot: fromHex(betsRoot),
        ...(beacon === undefined ? {} : { beacon: fromHex(beacon) }),
      });
      expect(toHex(made)).toBe(key);
    }
    expect(new Set(golden.keys.map(({ key }) => key)).size).toBe(golden.keys.length);
  });

  test("[FR8] a tag is the same in one race, another in every other, and needs the server's secret", () => {
    expect(mac(tags.tagSecret, parts('paddock/tag/v1', seeds.raceId))).toBe(tags.tagKey);
    expect(mac(tags.tagKey, parts(tags.playerId))).toBe(tags.tag);
    const key = raceTagKey(fromHex(tags.tagSecret), seeds.raceId);
    expect(toHex(key)).toBe(tags.tagKey);
    expect(toHex(playerTag(key, tags.playerId))).toBe(tags.tag);
    const others = [
      playerTag(key, 'player-2'),
      playerTag(raceTagKey(fromHex(tags.tagSecret), 'other race'), tags.playerId),
      playerTag(raceTagKey(fromHex(seeds.seed), seeds.raceId), tags.playerId),
    ];
    expect(new Set([tags.tag, ...others.map(toHex)]).size).toBe(4);
  });

  test('[FR9] leaves of every kind are encoded as written down', () => {
    expect(golden.leaves.map(({ leaf }) => leaf.kind)).toEqual(['bet', 'pick', 'pick-clear', 'vote', 'drawn']);
    for (const { leaf, encoding, hash } of golden.leaves) {
      const own = leaf.kind === 'drawn' ? [] : [leaf.commandId, hex(leaf.nonce)];
      const content =
        leaf.kind === 'bet'
          ? [leaf.pool, u32(...leaf.selection), u64(BigInt(leaf.stake))]
          : leaf.kind === 'pick'
            ? [u32(leaf.horse)]
            : leaf.kind === 'vote'
              ? [u32(leaf.place)]
              : [];
      const byHand = parts('paddock/leaf/v1', leaf.kind, seeds.raceId, hex(leaf.tag), ...own, ...content);
      expect(byHand.toString('hex')).toBe(encoding);
      expect(toHex(encodeLeaf(seeds.raceId, leaf))).toBe(encoding);
      expect(sha(Buffer.concat([Buffer.of(0), byHand]))).toBe(hash);
      expect(toHex(leafHashOf(seeds.raceId, leaf))).toBe(hash);
      expect(toHex(leafHashOf('other race', leaf))).not.toBe(hash);
    }
  });

  test('[FR9] a leaf with a malformed tag, nonce, stake or horse is refused', () => {
    const [bet, pick] = golden.leaves.map(({ leaf }) => leaf);
    if (bet?.kind !== 'bet' || pick?.kind !== 'pick') throw new Error('other vectors');
    for (const stake of ['-100', '1e3', '1.5', '', '0100', '9223372036854775808', ' 100']) {
      expect(() => encodeLeaf('r', { ...bet, stake }), stake).toThrow();
    }
    expect(() => encodeLeaf('r', { ...bet, tag: 'ab' })).toThrow(TypeError);
    expect(() => encodeLeaf('r', { ...bet, nonce: 'XY' })).toThrow(TypeError);
    expect(() => encodeLeaf('r', { ...pick, horse: 1.5 })).toThrow(RangeError);
    expect(() => encodeLeaf('r', { ...pick, horse: -1 })).toThrow(RangeError);
  });

  test('[FR10] the signed message of a batch names race, commitment, field and all of the batch', () => {
    const { batch, message } = golden.batchMessage;
    const race = { raceId: seeds.raceId, commitment: fromHex(seeds.commitment), fieldHash: fromHex(field.fieldHash) };
    expect(toHex(batchRootMessage(race, parseBatch(batch)))).toBe(message);
    const totals = Buffer.concat([parts('place'), u64(300n), u32(1), parts('win'), u64(1200n), u32(2)]);
    const byHand = parts(
      'paddock/batch/v1',
      seeds.raceId,
      hex(seeds.commitment),
      hex(field.fieldHash),
      u64(7n),
      hex(batch.root),
      u32(3),
      totals,
    );
    expect(byHand.toString('hex')).toBe(message);
  });

  test('[FR11] drawn places and horses are what the vectors say, whatever the order they are asked in', () => {
    const key = fromHex(golden.draws.key);
    for (const { votes, pickedCount, place } of golden.draws.places) {
      expect(drawPlace(key, votes, pickedCount)).toBe(place);
      expect(drawPlace(key, [...votes].reverse(), pickedCount)).toBe(place);
    }
    for (const { players, horses, exclusive, drawn } of golden.draws.horses) {
      expect(Object.fromEntries(drawHorses(key, { players, horses, exclusive }))).toEqual(drawn);
      const turned = { players: [...players].reverse(), horses: [...horses].reverse(), exclusive };
      expect(Object.fromEntries(drawHorses(key, turned))).toEqual(drawn);
    }
  });

  test('[FR12] stored records keep their hash, and all but the run itself is recomputed from them', () => {
    expect(golden.records.map(({ kind }) => kind)).toEqual(['bet', 'pick', 'bet']);
    for (const record of golden.records) {
      expect(toHex(recordHash(record))).toBe(record.recordHash);
      // The order belongs to the engine's own golden set.
      const steps = verifyRace(record).filter(({ step }) => step !== 'order');
      expect(steps.filter(({ ok }) => !ok)).toEqual([]);
      expect(steps.length).toBeGreaterThanOrEqual(5);
    }
  });
});
