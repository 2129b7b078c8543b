import { signal } from '@preact/signals';
import { serverNow } from '../net/clock.ts';

/** Server time for countdowns, four times a second while the page is seen. */
export const now = signal(serverNow());

const TICK_MS = 250;
setInterval(() => {
  if (document.visibilityState === 'visible') now.value = serverNow();
}, TICK_MS);
