import { useSignal } from '@preact/signals';
import { t } from '../i18n/index.ts';
import { balance, me } from '../state/session.ts';
import { dailyIn, reliefNow } from '../state/wallet.ts';
import { points } from '../ui/format.ts';
import { Icon, Mark } from '../ui/icons.tsx';
import { now } from '../ui/ticker.ts';
import { ProfileSheet } from './profile.tsx';
import { WalletSheet } from './wallet.tsx';

export function TopBar() {
  return (
    <header class="top-bar">
      <span class="brand">
        <Mark />
        <span>Paddock</span>
      </span>
      <span class="top-actions">
        <WalletButton />
        <ProfileButton />
      </span>
    </header>
  );
}

export function WalletButton() {
  const shown = useSignal(false);
  const claimable = dailyIn(now.value) === 0 || reliefNow(now.value) > 0n;
  const known = balance.value === null ? '—' : points(balance.value.points);
  return (
    <>
      <button
        type="button"
        class="pill"
        aria-label={t('wallet.label', { points: known })}
        onClick={() => (shown.value = true)}
      >
        <Icon name="coin" size={19} />
        <span class="number">{known}</span>
        {claimable && <span class="dot" aria-hidden="true" />}
      </button>
      {shown.value && <WalletSheet onClose={() => (shown.value = false)} />}
    </>
  );
}

export function ProfileButton() {
  const shown = useSignal(false);
  const name = me.value?.nickname ?? '';
  return (
    <>
      <button type="button" class="pill" aria-label={t('profile.label', { name })} onClick={() => (shown.value = true)}>
        <Icon name="user" size={19} />
        <span class="pill-name">{name}</span>
      </button>
      {shown.value && <ProfileSheet onClose={() => (shown.value = false)} />}
    </>
  );
}
