import { type DecodedChunk, decodeChunk } from '../../../lib/engine/index.ts';
import { ask } from '../net/socket.ts';
import type { FrameChunkView, RaceId } from '../types.ts';

/** Chunks of the race that is being watched, by chunk number; those of an earlier race are let go. */
let raceId: RaceId | null = null;
let chunks = new Map<number, DecodedChunk>();

export function takeChunk(of: RaceId, chunk: FrameChunkView): void {
  if (of !== raceId) {
    raceId = of;
    chunks = new Map();
  }
  try {
    chunks.set(chunk.chunk, decodeChunk(chunk));
  } catch {
    // A chunk that cannot be read is as one that did not come: the next one, or asking again, brings the picture back.
  }
}

export function framesOf(of: RaceId): readonly DecodedChunk[] {
  if (of !== raceId) return [];
  return [...chunks.values()].sort((a, b) => a.fromMs - b.fromMs);
}

/** For a tab that was hidden, a resumed line, a late joiner. */
export async function fetchChunks(of: RaceId): Promise<void> {
  const answer = await ask('race:frames:get', { raceId: of, fromMs: 0 });
  if (!answer.ok) return;
  for (const chunk of answer.data.chunks) takeChunk(of, chunk);
}
