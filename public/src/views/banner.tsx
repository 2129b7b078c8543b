import { useSignal } from '@preact/signals';
import { useLayoutEffect, useRef } from 'preact/hooks';
import { type TextKey, t } from '../i18n/index.ts';
import { command, connection, lostAt, offline } from '../net/socket.ts';
import { paused } from '../state/pause.ts';
import { isHost, room } from '../state/room.ts';
import { drainingSince, ledgerAway, me } from '../state/session.ts';
import { toast, toastRefusal } from '../state/toasts.ts';
import { Icon } from '../ui/icons.tsx';
import { now } from '../ui/ticker.ts';

/** A restart that is over within two seconds is nobody's business. */
const QUIET_MS = 2_000;
const SOON_MS = 10 * 60_000;

/** Looked at again with every tick of `at`. */
function message(at: number): TextKey | null {
  const lost = lostAt.value;
  if (offline.value) return 'banner.offline';
  if (connection.value !== 'up' && lost !== null && me.value !== null) {
    return performance.now() - lost >= QUIET_MS ? 'banner.reconnecting' : null;
  }
  const draining = drainingSince.value;
  if (draining !== null && performance.now() - draining >= QUIET_MS) return 'banner.draining';
  if (paused.value) return 'banner.paused';
  if (ledgerAway.value) return 'banner.ledger';
  if (room.value?.degraded.redis) return 'banner.redis';
  if (room.value && room.value.expiresAt - at < SOON_MS) return 'banner.expiring';
  return null;
}

export function Banner() {
  const place = useRef<HTMLDivElement>(null);
  const key = message(now.value);
  const minutes = room.value ? Math.max(1, Math.ceil((room.value.expiresAt - now.value) / 60_000)) : 0;
  // What sticks to the top of a room sticks below the banner, however many lines it has.
  useLayoutEffect(() => {
    const shown = place.current;
    if (shown === null) return;
    const measure = () => document.documentElement.style.setProperty('--banner', `${shown.offsetHeight}px`);
    const resized = new ResizeObserver(measure);
    measure();
    resized.observe(shown);
    return () => resized.disconnect();
  }, []);
  return (
    <div ref={place} class="banner-place" role="status" aria-live="polite">
      {key && (
        <p class={key === 'banner.expiring' ? 'banner banner-soft' : 'banner'}>
          <Icon name="warn" size={18} />
          <span>{t(key, { minutes })}</span>
          {key === 'banner.expiring' && isHost.value && <Extend />}
        </p>
      )}
    </div>
  );
}

/** Setting the lifetime again counts it from now. */
function Extend() {
  const busy = useSignal(false);
  const held = room.value;
  if (held === null) return null;
  // The shortest lifetime would bring the banner back at once.
  const minutes = Math.max(held.settings.lifetimeMinutes, 30);
  const extend = async () => {
    busy.value = true;
    const patch = { settings: { lifetimeMinutes: minutes } };
    const answer = await command('room:configure', { roomId: held.id, version: held.settingsVersion, patch });
    busy.value = false;
    if (!answer.ok) return toastRefusal(answer);
    toast(t('banner.extended', { minutes }), 'good');
  };
  return (
    <button type="button" class="banner-action" disabled={busy.value} onClick={() => void extend()}>
      {t('banner.extend')}
    </button>
  );
}
