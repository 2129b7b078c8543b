import { type TextKey, t } from '../i18n/index.ts';
import { connection, lostAt } from '../net/socket.ts';
import { room } from '../state/room.ts';
import { drainingSince, ledgerAway, me } from '../state/session.ts';
import { Icon } from '../ui/icons.tsx';
import { now } from '../ui/ticker.ts';

/** A restart that is over within two seconds is nobody's business. */
const QUIET_MS = 2_000;
const SOON_MS = 10 * 60_000;

/** Looked at again with every tick of `at`. */
function message(at: number): TextKey | null {
  const lost = lostAt.value;
  if (connection.value !== 'up' && lost !== null && me.value !== null) {
    return performance.now() - lost >= QUIET_MS ? 'banner.reconnecting' : null;
  }
  const draining = drainingSince.value;
  if (draining !== null && performance.now() - draining >= QUIET_MS) return 'banner.draining';
  if (room.value?.pausedPhase !== undefined) return 'banner.paused';
  if (ledgerAway.value) return 'banner.ledger';
  if (room.value?.degraded.redis) return 'banner.redis';
  if (room.value && room.value.expiresAt - at < SOON_MS) return 'banner.expiring';
  return null;
}

export function Banner() {
  const key = message(now.value);
  const minutes = room.value ? Math.max(1, Math.ceil((room.value.expiresAt - now.value) / 60_000)) : 0;
  return (
    <div class="banner-place" role="status" aria-live="polite">
      {key && (
        <p class={key === 'banner.expiring' ? 'banner banner-soft' : 'banner'}>
          <Icon name="warn" size={18} />
          {t(key, { minutes })}
        </p>
      )}
    </div>
  );
}
