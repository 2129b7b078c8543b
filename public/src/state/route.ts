import { signal } from '@preact/signals';
import { parseRoute, type Route, raceInHash } from './address.ts';

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
