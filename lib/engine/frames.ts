import { type BitReader, bitReader, bitWriter, riceLength, unzigzag, zigzag } from './bits.ts';
import type { Keyframes, Simulation } from './types.ts';

/*
 * What of a race goes over the wire. The time line is cut every 4 s, and once more 2 s before the first finish, so that
 * nobody holds the end of a race long before it is seen. A chunk holds its first and its last keyframe (the next one
 * begins with the latter), so each can be drawn by itself.
 *
 * Bits of a chunk: runners, keyframes, gates; finishes (count, then index and ms after the chunk's beginning); least
 * first position in cm and what each is ahead of it; likewise the first steps; then, runner by runner, the change of each
 * further step from the one before, Rice-coded with the parameter that makes this chunk shortest.
 */

export type FrameChunk = {
  /** 0, 1, 2 … in the order of time */
  readonly chunk: number;
  /** race time of the first and the last keyframe in it */
  readonly fromMs: number;
  readonly untilMs: number;
  /** race time at which it is due: 2 s before its first keyframe, so negative for the first */
  readonly sendAtMs: number;
  readonly data: string;
};

/** Keyframes from `fromMs` on: `frames[k]` is the instant `fromMs + 250 k`. Positions are floored to a centimetre. */
export type DecodedChunk = Keyframes & {
  readonly fromMs: number;
  /** who crosses the line after `fromMs` up to the last keyframe, exact to the millisecond, first one first */
  readonly finishes: readonly { readonly number: number; readonly finishMs: number }[];
};

export const STEP_MS = 250;
export const CHUNK_MS = 4_000;
export const SEND_AHEAD_MS = 2_000;
/** A chunk with the first finish in it is cut this long before. */
export const FINISH_CUT_MS = 2_000;
/** Positions on the wire are whole multiples of this many mm. */
export const PRECISION_MM = 10;

/** Race times at which chunks begin, and last the end of the last one. */
function cuts(firstFinishMs: number, endMs: number): number[] {
  const cutMs = Math.floor((firstFinishMs - FINISH_CUT_MS) / STEP_MS) * STEP_MS;
  const times: number[] = [];
  for (let at = 0; at < endMs; at += CHUNK_MS) {
    times.push(at);
    const holdsFinish = firstFinishMs > at && firstFinishMs <= at + CHUNK_MS;
    if (holdsFinish && cutMs > at) times.push(cutMs);
  }
  times.push(endMs);
  return times;
}

/** Changes from step to step of one runner, in zigzag code. */
function changes(positions: readonly number[]): number[] {
  const codes: number[] = [];
  for (let index = 2; index < positions.length; index += 1) {
    const [far, before, here] = [positions[index - 2] ?? 0, positions[index - 1] ?? 0, positions[index] ?? 0];
    codes.push(zigzag(here - before - (before - far)));
  }
  return codes;
}

function bestParameter(codes: readonly number[]): number {
  let best = 0;
  let least = Number.MAX_SAFE_INTEGER;
  for (let k = 0; k < 8; k += 1) {
    let length = 0;
    for (const code of codes) length += riceLength(code, k);
    if (length < least) {
      best = k;
      least = length;
    }
  }
  return best;
}

function pack(sim: Simulation, fromMs: number, untilMs: number): string {
  const { numbers, frames } = sim.keyframes;
  const rows = frames.slice(Math.floor(fromMs / STEP_MS), Math.floor(untilMs / STEP_MS) + 1);
  const columns = numbers.map((_, column) => rows.map((row) => Math.floor((row[column] ?? 0) / PRECISION_MM)));
  const out = bitWriter();
  out.uint(numbers.length);
  out.uint(rows.length);
  for (const number of numbers) out.uint(number);
  const finishes = sim.order.filter(({ finishMs }) => finishMs > fromMs && finishMs <= untilMs);
  out.uint(finishes.length);
  for (const { number, finishMs } of finishes) {
    out.uint(numbers.indexOf(number));
    out.uint(finishMs - fromMs);
  }
  const starts = columns.map((column) => column[0] ?? 0);
  const steps = columns.map((column) => (column[1] ?? 0) - (column[0] ?? 0));
  for (const values of [starts, steps]) {
    const least = Math.min(...values);
    out.uint(least);
    for (const value of values) out.uint(value - least);
  }
  const codes = columns.flatMap(changes);
  const k = bestParameter(codes);
  out.bits(k, 3);
  for (const code of codes) out.rice(code, k);
  return out.base64();
}

/**
 * Cuts a race into the chunks that are sent, in order. The one with the first finisher ends 2 s before that finish
 * (floored to a keyframe) and the rest of its 4 s follows as a chunk of its own, due 2 s before its own beginning.
 */
export function encodeChunks(sim: Simulation): FrameChunk[] {
  const endMs = (sim.keyframes.frames.length - 1) * STEP_MS;
  const times = cuts(sim.order[0]?.finishMs ?? endMs, endMs);
  return times.slice(1).map((untilMs, chunk) => {
    const fromMs = times[chunk] ?? 0;
    return { chunk, fromMs, untilMs, sendAtMs: fromMs - SEND_AHEAD_MS, data: pack(sim, fromMs, untilMs) };
  });
}

function unpackColumn(source: BitReader, start: number, step: number, length: number, k: number): number[] {
  let position = start;
  let pace = step;
  const column = [position * PRECISION_MM];
  for (let index = 1; index < length; index += 1) {
    if (index > 1) pace += unzigzag(source.rice(k));
    position += pace;
    column.push(position * PRECISION_MM);
  }
  return column;
}

/** Decodes one chunk without any other. Throws RangeError for data that is none. */
export function decodeChunk(chunk: { readonly fromMs: number; readonly data: string }): DecodedChunk {
  const source = bitReader(chunk.data);
  const runners = source.uint();
  const length = source.uint();
  if (runners < 1 || runners > 99 || length < 2 || length > 1_000) throw new RangeError('not a chunk');
  const list = (count: number, add: number): number[] => Array.from({ length: count }, () => add + source.uint());
  const numbers = list(runners, 0);
  const late = source.uint();
  if (late > runners) throw new RangeError('not a chunk');
  const finishes: { number: number; finishMs: number }[] = [];
  for (let i = 0; i < late; i += 1) {
    const number = numbers[source.uint()];
    if (number === undefined) throw new RangeError('not a chunk');
    finishes.push({ number, finishMs: chunk.fromMs + source.uint() });
  }
  const starts = list(runners, source.uint());
  const steps = list(runners, source.uint());
  const k = source.bits(3);
  const columns = starts.map((start, column) => unpackColumn(source, start, steps[column] ?? 0, length, k));
  const frames = Array.from({ length }, (_, row) => columns.map((column) => column[row] ?? 0));
  return { stepMs: STEP_MS, numbers, frames, fromMs: chunk.fromMs, finishes };
}

/**
 * Position of every horse at a race time, in mm by its gate, linear between keyframes and floored. Takes chunks in any
 * order; before the first keyframe everybody stands as there, and where a chunk is missing, as at the last one before.
 */
export function positionsAt(
  frames: readonly (Keyframes & { readonly fromMs: number })[],
  raceMs: number,
): Map<number, number> {
  let current: (Keyframes & { readonly fromMs: number }) | undefined;
  for (const chunk of frames) {
    if (current === undefined) current = chunk;
    else if (current.fromMs > raceMs) current = chunk.fromMs < current.fromMs ? chunk : current;
    else if (chunk.fromMs <= raceMs && chunk.fromMs > current.fromMs) current = chunk;
  }
  const positions = new Map<number, number>();
  if (current === undefined) return positions;
  const last = current.frames.length - 1;
  const intoMs = Math.min(Math.max(Math.floor(raceMs) - current.fromMs, 0), last * STEP_MS);
  const index = Math.floor(intoMs / STEP_MS);
  const before = current.frames[index];
  const after = current.frames[Math.min(index + 1, last)];
  current.numbers.forEach((number, column) => {
    const from = before?.[column] ?? 0;
    const to = after?.[column] ?? from;
    positions.set(number, from + Math.floor(((to - from) * (intoMs - index * STEP_MS)) / STEP_MS));
  });
  return positions;
}
