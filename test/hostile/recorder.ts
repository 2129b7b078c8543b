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
      got
        .filter((one) => one.at < at && one.text.includes(raceId) && /"picks":\[\{/u.test(one.text))
        .map((one) => one.text.slice(0, 300)),
  };
}
