import { createHmac } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { createDraws } from '../../lib/engine/index.ts';
import { uniformP } from '../helpers/chi-square.ts';
import { seedKey } from '../helpers/lanes.ts';

const WORD = 2 ** 32;

/** The same words, made with Node's own HMAC. */
function words(key: Uint8Array, label: string, count: number): number[] {
  const out: number[] = [];
  for (let counter = 0; out.length < count; counter += 1) {
    const tail = Buffer.alloc(4);
    tail.writeUInt32BE(counter);
    const block = createHmac('sha256', key)
      .update(Buffer.concat([Buffer.from([label.length]), Buffer.from(label), tail]))
      .digest();
    for (let at = 0; at < 32; at += 4) out.push(block.readUInt32BE(at));
  }
  return out.slice(0, count);
}

describe('draws', () => {
  test('[RC11] words are HMAC-SHA256(key, length ‖ label ‖ counter), big-endian', () => {
    const draws = createDraws(seedKey(1), 'paddock/race/v1');
    const drawn = Array.from({ length: 100 }, () => draws.below(WORD));
    expect(drawn).toEqual(words(seedKey(1), 'paddock/race/v1', 100));
  });

  test('[RC11] the committed vector: key 00…1f, label "vector"', () => {
    const draws = createDraws(
      Uint8Array.from({ length: 32 }, (_, i) => i),
      'vector',
    );
    expect([draws.below(WORD).toString(16), draws.below(WORD).toString(16), draws.below(100), draws.below(6)]).toEqual([
      '2a1f74a5',
      '3eef44c1',
      9,
      5,
    ]);
  });

  test('[RC11] words beyond the last whole multiple of n are rejected', () => {
    const n = 3 * 2 ** 30;
    const draws = createDraws(seedKey(2), 'reject');
    const kept = words(seedKey(2), 'reject', 400).filter((word) => word < n);
    expect(kept.length).toBeLessThan(350);
    expect(kept.map(() => draws.below(n))).toEqual(kept);
  });

  test.each([2, 3, 6, 7, 10, 12, 100])('[RC11] below(%i) is uniform', (n) => {
    const draws = createDraws(seedKey(3), `uniform ${n}`);
    const counts = new Array<number>(n).fill(0);
    for (let i = 0; i < 40_000; i += 1) {
      const value = draws.below(n);
      counts[value] = (counts[value] ?? 0) + 1;
    }
    expect(counts.reduce((a, b) => a + b)).toBe(40_000);
    expect(uniformP(counts)).toBeGreaterThan(0.001);
  });

  test('[RC11] shuffle keeps every item and gives all orders equally often', () => {
    const draws = createDraws(seedKey(4), 'shuffle');
    const seen = new Map<string, number>();
    const items = ['a', 'b', 'c', 'd'];
    for (let i = 0; i < 24_000; i += 1) {
      const order = draws.shuffle(items).join('');
      seen.set(order, (seen.get(order) ?? 0) + 1);
    }
    expect(items).toEqual(['a', 'b', 'c', 'd']);
    expect(seen.size).toBe(24);
    expect(uniformP([...seen.values()])).toBeGreaterThan(0.001);
  });

  test('[RC11] other labels and other keys give other streams', () => {
    const stream = (key: Uint8Array, label: string) => createDraws(key, label).below(WORD);
    expect(new Set([stream(seedKey(1), 'a'), stream(seedKey(1), 'b'), stream(seedKey(2), 'a')]).size).toBe(3);
  });

  test('[RC11] bad bounds, keys and labels are refused with a RangeError', () => {
    const draws = createDraws(seedKey(1), 'a');
    for (const n of [0, -1, 1.5, WORD + 1, Number.NaN]) expect(() => draws.below(n)).toThrow(RangeError);
    expect(() => createDraws(new Uint8Array(16), 'a')).toThrow(RangeError);
    for (const label of ['', '한', 'a\n', 'x'.repeat(65)])
      expect(() => createDraws(seedKey(1), label)).toThrow(RangeError);
    expect(draws.below(1)).toBe(0);
  });
});
