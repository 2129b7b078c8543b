/** Where the page is by its address: the lobby, or a room by its share code. A race's record lies over either (`#race=`). */
export type Route =
  | { readonly page: 'lobby' }
  | { readonly page: 'room'; readonly code: string; readonly key?: string };

export function parseRoute(path: string, hash: string): Route {
  const code = /^\/r\/([A-Za-z0-9]{1,16})\/?$/.exec(path)?.[1];
  if (code === undefined) return { page: 'lobby' };
  const key = /[#&]k=([^&]+)/.exec(hash)?.[1];
  return { page: 'room', code: code.toUpperCase(), ...(key === undefined ? {} : { key: decode(key) }) };
}

export function raceInHash(hash: string): string | null {
  return /[#&]race=([^&]+)/.exec(hash)?.[1] ?? null;
}

/** A fragment that somebody cut in the middle of an escape stays as it is. */
function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
