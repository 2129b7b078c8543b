import { signal } from '@preact/signals';

/** Where the page is by its address: the lobby, or a room by its share code. A race's record lies over either (`#race=`). */
export type Route = { readonly page: 'lobby' } | { readonly page: 'room'; readonly code: string; readonly key?: string };

export function parseRoute(path: string, hash: string): Route {
  const code = /^\/r\/([A-Za-z0-9]{1,16})\/?$/.exec(path)?.[1];
  if (code === undefined) return { page: 'lobby' };
  const key = /[#&]k=([^&]+)/.exec(hash)?.[1];
  return { page: 'room', code: code.toUpperCase(), ...(key === undefined ? {} : { key: decodeURIComponent(key) }) };
}

export function raceInHash(hash: string): string | null {
  return /[#&]race=([^&]+)/.exec(hash)?.[1] ?? null;
}

export const route = signal<Route>(parseRoute(location.pathname, location.hash));
export const recordShown = signal<string | null>(raceInHash(location.hash));

export function go(path: string, how: 'push' | 'replace' = 'push'): void {
  if (path === location.pathname && how === 'push') return;
  history[how === 'push' ? 'pushState' : 'replaceState']({ paddock: true }, '', path);
  route.value = parseRoute(location.pathname, location.hash);
}

/** So that "back" from a room that was opened by its link meets the lobby, and can be asked about, instead of leaving the site. */
export function putLobbyBelow(): void {
  const state: unknown = history.state;
  const ours = typeof state === 'object' && state !== null && 'paddock' in state;
  if (ours || route.value.page !== 'room') return;
  const { pathname, hash } = location;
  history.replaceState({ paddock: true }, '', '/');
  history.pushState({ paddock: true }, '', pathname + hash);
}
