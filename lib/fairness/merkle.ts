/**
 * The Merkle trees over a race's receipts. PostgreSQL computes the same with `sha256(bytea)`; this is the layout it follows
 * (vectors: test/golden/merkle.json). ‖ is plain concatenation, every H is 32 bytes.
 *
 *   leaf hash     H = sha256('\x00' ‖ leaf encoding)          made in Node (receipts.ts); SQL is handed the 32 bytes
 *   node          H = sha256('\x01' ‖ left H ‖ right H)
 *   level         pairs (0,1), (2,3), …; an odd last hash is carried up unchanged; repeat until one is left
 *   empty tree    H = sha256('')
 *   totals        for each pool with a bet, by ascending bytes of its name (COLLATE "C"):
 *                 int4send(octet_length(name)) ‖ name in UTF-8 ‖ int8send(gross points) ‖ int4send(number of bets);  none: ''
 *   batch leaf    H = sha256('\x02' ‖ int8send(batch id) ‖ batch root ‖ int4send(count of leaves) ‖ totals)
 *   betsRoot      tree over the batch leaves by ascending batch id, with the same nodes and the same empty tree
 *
 * Leaves of a batch are in the order of their ordinals. The shape equals RFC 6962's; different first bytes keep a node from passing as a leaf.
 */
import { sha256 } from '@noble/hashes/sha2.js';
import { asDigest, digestFromHex, equalBytes, join, toHex, u32, u63, utf8 } from './bytes.ts';

const LEAF = Uint8Array.of(0);
const NODE = Uint8Array.of(1);
const BATCH = Uint8Array.of(2);

/** What is hashed of a leaf, for whoever has a faster SHA-256 than this one's. */
export function leafPreimage(encoding: Uint8Array): Uint8Array {
  return join(LEAF, encoding);
}

export function leafHash(encoding: Uint8Array): Uint8Array {
  return sha256(leafPreimage(encoding));
}

function nodeHash(left: Uint8Array, right: Uint8Array): Uint8Array {
  return sha256(join(NODE, left, right));
}

/** Root over leaf hashes (32 bytes each), in their order. */
export function merkleRoot(leafHashes: readonly Uint8Array[]): Uint8Array {
  let level = leafHashes.map((leaf) => asDigest(leaf, 'leaf hash'));
  while (level.length > 1) level = levelAbove(level);
  return level[0] ?? sha256(new Uint8Array(0));
}

function levelAbove(level: readonly Uint8Array[]): Uint8Array[] {
  const above: Uint8Array[] = [];
  for (let index = 0; index < level.length; index += 2) {
    const [left, right] = level.slice(index, index + 2);
    if (left !== undefined) above.push(right === undefined ? left : nodeHash(left, right));
  }
  return above;
}

/** Where a leaf stands and the hashes beside its way up, hex, from the bottom. Index and count alone say which side each is on. */
export type MerklePath = { readonly index: number; readonly count: number; readonly siblings: readonly string[] };

/** Throws RangeError where there is no leaf of that index. */
export function merklePath(leafHashes: readonly Uint8Array[], index: number): MerklePath {
  if (!Number.isInteger(index) || index < 0 || index >= leafHashes.length) throw new RangeError(`no leaf ${index}`);
  const siblings: string[] = [];
  let level: readonly Uint8Array[] = leafHashes;
  let at = index;
  while (level.length > 1) {
    const sibling = level[at ^ 1];
    if (sibling !== undefined) siblings.push(toHex(sibling));
    level = levelAbove(level);
    at = Math.floor(at / 2);
  }
  return { index, count: leafHashes.length, siblings };
}

/** Whether `leaf` (a leaf hash) stands at the path's index of a tree of the path's count with this root. Malformed paths: false. */
export function verifyPath(leaf: Uint8Array, path: MerklePath, root: Uint8Array): boolean {
  let { index: at, count: width } = path;
  if (!Number.isSafeInteger(width) || !Number.isInteger(at) || at < 0 || at >= width) return false;
  let hash = leaf;
  let used = 0;
  while (width > 1) {
    const carried = at === width - 1 && width % 2 === 1;
    if (!carried) {
      const sibling = siblingAt(path, used);
      if (sibling === null) return false;
      hash = at % 2 === 0 ? nodeHash(hash, sibling) : nodeHash(sibling, hash);
      used += 1;
    }
    at = Math.floor(at / 2);
    width = Math.ceil(width / 2);
  }
  return used === path.siblings.length && equalBytes(hash, root);
}

function siblingAt(path: MerklePath, index: number): Uint8Array | null {
  try {
    return digestFromHex(path.siblings[index] ?? '');
  } catch {
    return null;
  }
}

/** By pool: gross stakes in points and number of bets, before any refund. */
export type PoolSums = Readonly<Record<string, { readonly gross: bigint; readonly count: number }>>;

export type BatchRoot = {
  /** the batch's id in the database; later batches have higher ones */
  readonly batch: bigint;
  readonly root: Uint8Array;
  /** leaves, of all kinds */
  readonly count: number;
  readonly totals: PoolSums;
};

/** Pool names are ASCII, so the order of UTF-16 code units is that of their bytes. */
export function encodeTotals(totals: PoolSums): Uint8Array {
  const pools = Object.entries(totals).sort(([a], [b]) => (a < b ? -1 : 1));
  return join(
    ...pools.map(([pool, { gross, count }]) => {
      const name = utf8(pool);
      return join(u32(name.length), name, u63(gross), u32(count));
    }),
  );
}

export function batchLeafHash({ batch, root, count, totals }: BatchRoot): Uint8Array {
  return sha256(join(BATCH, u63(batch), asDigest(root, 'batch root'), u32(count), encodeTotals(totals)));
}

/** betsRoot: commits to each batch's root, count and totals. Throws RangeError where ids do not ascend. */
export function foldBatchRoots(batches: readonly BatchRoot[]): Uint8Array {
  batches.forEach(({ batch }, index) => {
    const before = batches[index - 1];
    if (before !== undefined && before.batch >= batch) throw new RangeError('batch ids must ascend');
  });
  return merkleRoot(batches.map(batchLeafHash));
}
