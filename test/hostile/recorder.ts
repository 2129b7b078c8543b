import type { TestClient } from '../helpers/client.ts';

export type Recorder = {
  /** The first message that contains the text, or null. */
  find(text: string): string | null;
  /** The same among what came before `at` (server time; the test runs on the same machine). */
  findBefore(text: string, at: number): string | null;
  /** Messages that tell picks of this race and came before `at`. */
  picksBefore(raceId: string, at: number): readonly string[];
};

/** Keeps every message a client gets, as text, with the time it came. */
export function record(client: TestClient): Recorder {
  const got: { readonly text: string; readonly at: number }[] = [];
  client.socket.io.engine.on('packet', ({ data }: { data?: unknown }) => {
    if (typeof data === 'string') got.push({ text: data, at: Date.now() });
  });
  return {
    find: (text) => got.find((one) => one.text.includes(text))?.text.slice(0, 300) ?? null,
    findBefore: (text, at) => got.find((one) => one.at < at && one.text.includes(text))?.text.slice(0, 300) ?? null,
    picksBefore: (raceId, at) =>
      got.filter((one) => one.at < at && tellsPicks(one.text, raceId)).map((one) => one.text.slice(0, 300)),
  };
}

/** Whether any part of a Socket.IO packet, at whatever depth, shows picks of the race. */
function tellsPicks(packet: string, raceId: string): boolean {
  if (!packet.includes(raceId) || !packet.includes('"picks"')) return false;
  let found = false;
  JSON.parse(packet.slice(packet.search(/[[{]/u)), (_key, part: unknown) => {
    if (part === null || typeof part !== 'object' || !('picks' in part)) return part;
    const { picks, raceId: ofEvent, id } = part as { picks: unknown; raceId?: string; id?: string };
    if (Array.isArray(picks) && picks.length > 0 && (ofEvent ?? id) === raceId) found = true;
    return part;
  });
  return found;
}
