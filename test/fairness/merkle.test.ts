import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import {
  batchLeafHash,
  encodeTotals,
  foldBatchRoots,
  leafHash,
  merklePath,
  merkleRoot,
  parseBatch,
  type RecordBatch,
  toHex,
  utf8,
  verifyPath,
} from '../../lib/fairness/index.ts';

type Golden = {
  trees: { count: number; leafEncodings: string[]; leafHashes: string[]; root: string; paths: string[][] }[];
  folds: { batches: RecordBatch[]; encodedTotals: string[]; batchLeafHashes: string[]; betsRoot: string }[];
};
const golden = JSON.parse(readFileSync(new URL('../golden/merkle.json', import.meta.url), 'utf8')) as Golden;

const hash = (...parts: Uint8Array[]): Buffer => createHash('sha256').update(Buffer.concat(parts)).digest();

/** RFC 6962's own, recursive definition: split at the largest power of two below the count. */
function rootBySplitting(hashes: readonly Uint8Array[]): Uint8Array {
  const [first] = hashes;
  if (first === undefined) return hash();
  if (hashes.length === 1) return first;
  let split = 1;
  while (split * 2 < hashes.length) split *= 2;
  return hash(Buffer.of(1), rootBySplitting(hashes.slice(0, split)), rootBySplitting(hashes.slice(split)));
}

const leavesOf = (count: number) => Array.from({ length: count }, (_, index) => leafHash(utf8(`leaf ${index}`)));

describe('the tree', () => {
  test.each(golden.trees)('[FR2] the committed vector of $count leaves', (tree) => {
    const encodings = tree.leafEncodings.map((hex) => Buffer.from(hex, 'hex'));
    const hashes = encodings.map((encoding) => leafHash(encoding));
    expect(hashes.map(toHex)).toEqual(tree.leafHashes);
    expect(encodings.map((encoding) => hash(Buffer.of(0), encoding).toString('hex'))).toEqual(tree.leafHashes);
    expect(toHex(merkleRoot(hashes))).toBe(tree.root);
    expect(toHex(rootBySplitting(hashes))).toBe(tree.root);
    expect(hashes.map((_, index) => merklePath(hashes, index).siblings)).toEqual(tree.paths);
  });

  test('[FR2] the empty tree is SHA-256 of nothing', () => {
    expect(toHex(merkleRoot([]))).toBe(hash().toString('hex'));
    expect(toHex(foldBatchRoots([]))).toBe(hash().toString('hex'));
  });

  test('[FR3] every leaf of every tree up to 33 leads to the root, at its own index and nowhere else', () => {
    for (let count = 1; count <= 33; count += 1) {
      const leaves = leavesOf(count);
      const root = merkleRoot(leaves);
      expect(toHex(root)).toBe(toHex(rootBySplitting(leaves)));
      leaves.forEach((leaf, index) => {
        const path = merklePath(leaves, index);
        expect(verifyPath(leaf, path, root), `${index} of ${count}`).toBe(true);
        for (let other = 0; other <= 2 * count; other += 1) {
          if (other !== index)
            expect(verifyPath(leaf, { ...path, index: other }, root), `${index} as ${other} of ${count}`).toBe(false);
        }
      });
    }
  });

  test('[FR3] a path that is changed, cut, lengthened or malformed leads nowhere', () => {
    const leaves = leavesOf(13);
    const root = merkleRoot(leaves);
    const leaf = leaves[4] as Uint8Array;
    const path = merklePath(leaves, 4);
    const [first = '', ...rest] = path.siblings;
    expect(verifyPath(leaf, path, root)).toBe(true);
    const forged = [
      { ...path, siblings: rest },
      { ...path, siblings: [...path.siblings, first] },
      { ...path, siblings: [first.replace(/^./, (digit) => (digit === '0' ? '1' : '0')), ...rest] },
      { ...path, siblings: [first.toUpperCase(), ...rest] },
      { ...path, siblings: ['', ...rest] },
      { ...path, index: -1 },
      { ...path, index: 4.5 },
      { ...path, index: Number.NaN },
      { ...path, count: 4 },
      { ...path, count: Number.POSITIVE_INFINITY },
      { ...path, count: 2 ** 53 },
    ];
    for (const wrong of forged) expect(verifyPath(leaf, wrong, root), JSON.stringify(wrong)).toBe(false);
    expect(verifyPath(leafHash(utf8('leaf 5')), path, root)).toBe(false);
    expect(verifyPath(leaf, path, leaf)).toBe(false);
    expect(() => merklePath(leaves, 13)).toThrow(RangeError);
  });

  test('[FR2] a leaf, a node and a batch never hash alike, and order matters', () => {
    const [a, b] = leavesOf(2) as [Uint8Array, Uint8Array];
    const node = merkleRoot([a, b]);
    expect(toHex(leafHash(Buffer.concat([a, b])))).not.toBe(toHex(node));
    expect(toHex(merkleRoot([b, a]))).not.toBe(toHex(node));
    expect(toHex(merkleRoot([a, b, b]))).not.toBe(toHex(node));
    expect(() => merkleRoot([utf8(toHex(a))])).toThrow(TypeError);
  });
});

describe('folding batches', () => {
  test.each(golden.folds)('[FR4] the committed vector of $batches.length batches', (fold) => {
    const batches = fold.batches.map(parseBatch);
    expect(batches.map((batch) => toHex(encodeTotals(batch.totals)))).toEqual(fold.encodedTotals);
    expect(batches.map((batch) => toHex(batchLeafHash(batch)))).toEqual(fold.batchLeafHashes);
    expect(toHex(foldBatchRoots(batches))).toBe(fold.betsRoot);
    const byHand = batches.map((batch, index) => {
      const id = Buffer.alloc(8);
      id.writeBigInt64BE(batch.batch);
      const count = Buffer.alloc(4);
      count.writeInt32BE(batch.count);
      return hash(Buffer.of(2), id, batch.root, count, Buffer.from(fold.encodedTotals[index] ?? '', 'hex'));
    });
    expect(toHex(rootBySplitting(byHand))).toBe(fold.betsRoot);
  });

  test('[FR4] totals are written by ascending name with gross as 8 and count as 4 bytes', () => {
    const totals = { win: { gross: 258n, count: 3 }, place: { gross: 0n, count: 0 } };
    expect(toHex(encodeTotals(totals))).toBe(
      `00000005${Buffer.from('place').toString('hex')}${'00'.repeat(12)}00000003${Buffer.from('win').toString('hex')}000000000000010200000003`,
    );
    expect(toHex(encodeTotals({}))).toBe('');
  });

  test('[FR4] a batch left out, changed, doubled or out of order gives another root or none', () => {
    const batches = (golden.folds.at(-1)?.batches ?? []).map(parseBatch);
    const root = toHex(foldBatchRoots(batches));
    const [first, ...rest] = batches;
    if (first === undefined) throw new Error('no batches');
    expect(toHex(foldBatchRoots(rest))).not.toBe(root);
    for (const changed of [
      { ...first, batch: first.batch - 1n },
      { ...first, root: leafHash(utf8('other')) },
      { ...first, count: first.count + 1 },
      { ...first, totals: { ...first.totals, win: { gross: 1300n, count: 2 } } },
      { ...first, totals: {} },
    ]) {
      expect(toHex(foldBatchRoots([changed, ...rest]))).not.toBe(root);
    }
    expect(() => foldBatchRoots([first, ...batches])).toThrow(RangeError);
    expect(() => foldBatchRoots([...rest, first])).toThrow(RangeError);
  });
});
