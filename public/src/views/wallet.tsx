import { useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import { t } from '../i18n/index.ts';
import { balance, claimDaily, dailyClaimableAt, loadWallet } from '../state/session.ts';
import { countdown, points, secondsLeft } from '../ui/format.ts';
import { Button } from '../ui/parts.tsx';
import { Sheet } from '../ui/sheet.tsx';
import { now } from '../ui/ticker.ts';

export function WalletSheet({ onClose }: { onClose: () => void }) {
  const busy = useSignal(false);
  useEffect(() => void loadWallet(), []);
  const at = dailyClaimableAt.value;
  const left = at === null ? null : secondsLeft(at, now.value);
  return (
    <Sheet title={t('wallet.title')} onClose={onClose}>
      <p class="big-number">
        <span class="number">{balance.value === null ? '—' : points(balance.value.points)}</span>{' '}
        <small>{t('wallet.points')}</small>
      </p>
      {balance.value === null && <p class="hint">{t('wallet.unknown')}</p>}
      <Button
        tone="primary"
        wide
        busy={busy.value}
        disabled={left === null || left > 0}
        onClick={() => {
          busy.value = true;
          void claimDaily().finally(() => (busy.value = false));
        }}
      >
        {left !== null && left > 0 ? t('wallet.claimIn', { time: countdown(left) }) : t('wallet.claim')}
      </Button>
      <p class="hint">{t('wallet.rule')}</p>
    </Sheet>
  );
}
