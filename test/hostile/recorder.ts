import type { TestClient } from '../helpers/client.ts';

export type Recorder = {
  /** The first message that contains the text, or null. */
  find(text: string): string | null;
  /** The same among what came before `at` (server time; the test runs on the same machine). */
  findBefore(text: string, at: number): string | null;
  /** Messages that tell this of the race (`picks`, `result`, `order`) and came before `at`. */
  toldBefore(what: string, raceId: string, at: number): readonly string[];
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
    toldBefore: (what, raceId, at) =>
      got.filter((one) => one.at < at && tells(one.text, what, raceId)).map((one) => one.text.slice(0, 300)),
  };
}

/** Whether any part of a Socket.IO packet, at whatever depth, shows `what` of the race: a view by its id, an event by its raceId. */
function tells(packet: string, what: string, raceId: string): boolean {
  if (!packet.includes(raceId) || !packet.includes(`"${what}"`)) return false;
  let found = false;
  JSON.parse(packet.slice(packet.search(/[[{]/u)), (_key, part: unknown) => {
    if (part === null || typeof part !== 'object' || !(what in part)) return part;
    const told = part as Readonly<Record<string, unknown>>;
    const empty = Array.isArray(told[what]) && told[what].length === 0;
    if (!empty && (told['raceId'] ?? told['id']) === raceId) found = true;
    return part;
  });
  return found;
}
