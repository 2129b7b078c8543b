export { canonicalJson, concat, digestFromHex, fromHex, toHex, utf8 } from './bytes.ts';
export { drawHorses, drawPlace, type HorseDrawInput } from './draws.ts';
export {
  type BatchRoot,
  batchLeafHash,
  encodeTotals,
  foldBatchRoots,
  leafHash,
  leafPreimage,
  type MerklePath,
  merklePath,
  merkleRoot,
  type PoolSums,
  verifyPath,
} from './merkle.ts';
export {
  batchRootMessage,
  encodeLeaf,
  type Leaf,
  leafHashOf,
  type OwnReceipt,
  playerTag,
  pointsOf,
  raceTagKey,
} from './receipts.ts';
export {
  type PublicRaceRecord,
  parseBatch,
  parseTotals,
  type RecordBatch,
  type RecordStake,
  recordHash,
  recordKey,
} from './record.ts';
export {
  commitment,
  DRAW_LABELS,
  deriveSeed,
  type FixedRules,
  fieldHash,
  type OpeningFacts,
  type RaceKeyInput,
  raceKey,
} from './seeds.ts';
export { type Evidence, type StepName, type VerifyStep, verifyRace } from './verify.ts';
export type { LeafBatch } from './verify-leaves.ts';
