import { useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import { locale, t } from '../i18n/index.ts';
import { balance, loadWallet, wallet } from '../state/session.ts';
import { claim, dailyIn, reliefNow, restLeft } from '../state/wallet.ts';
import { countdown, moment, points, secondsLeft } from '../ui/format.ts';
import { Button, Segments } from '../ui/parts.tsx';
import { Sheet } from '../ui/sheet.tsx';
import { now } from '../ui/ticker.ts';
import { OwnLimitsForm } from './own-limits.tsx';
import { PastBets } from './past-bets.tsx';
import { Statement } from './statement.tsx';

type Tab = 'statement' | 'bets' | 'limits';

export function WalletSheet({ onClose }: { onClose: () => void }) {
  const tab = useSignal<Tab>('statement');
  useEffect(() => void loadWallet(), []);
  const until = wallet.value?.limits.coolOffUntil;
  return (
    <Sheet title={t('wallet.title')} onClose={onClose}>
      <p class="big-number">
        <span class="number">{balance.value === null ? '—' : points(balance.value.points)}</span>{' '}
        <small>{t('wallet.points')}</small>
      </p>
      {balance.value === null && <p class="hint">{t('wallet.unknown')}</p>}
      {until !== undefined && restLeft(now.value) > 0 && (
        <p class="resting">{t('limits.restUntil', { at: moment(until, locale.value) })}</p>
      )}
      <Claims />
      <p class="hint">{t('wallet.rule')}</p>
      <Segments<Tab>
        label={t('wallet.show')}
        value={tab.value}
        options={(['statement', 'bets', 'limits'] as const).map((value) => ({ value, text: t(`wallet.${value}`) }))}
        onChange={(next) => (tab.value = next)}
      />
      {tab.value === 'statement' && <Statement />}
      {tab.value === 'bets' && <PastBets />}
      {tab.value === 'limits' && wallet.value && <OwnLimitsForm limits={wallet.value.limits} />}
    </Sheet>
  );
}

/** What may be asked for, and when. */
function Claims() {
  const daily = dailyIn(now.value);
  const relief = wallet.value?.relief;
  const reliefIn = relief === undefined ? null : secondsLeft(relief.claimableAt, now.value);
  const missing = relief === undefined ? 0n : BigInt(relief.granted);
  return (
    <ul class="claims">
      <Claim kind="daily" hint={t('wallet.dailyHint')} ready={daily === 0}>
        {daily === null || daily === 0 ? t('wallet.claim') : t('wallet.in', { time: countdown(daily) })}
      </Claim>
      <Claim
        kind="relief"
        hint={t('wallet.reliefHint', { points: points(relief?.upTo ?? '0') })}
        ready={reliefNow(now.value) > 0n}
      >
        {reliefIn !== null && reliefIn > 0
          ? t('wallet.in', { time: countdown(reliefIn) })
          : missing > 0n
            ? t('wallet.fill', { points: points(missing) })
            : t('wallet.enough')}
      </Claim>
    </ul>
  );
}

type ClaimProps = {
  readonly kind: 'daily' | 'relief';
  readonly hint: string;
  readonly ready: boolean;
  readonly children: string;
};

function Claim({ kind, hint, ready, children }: ClaimProps) {
  const busy = useSignal(false);
  return (
    <li>
      <span>
        <b>{t(`wallet.${kind}`)}</b>
        <small>{hint}</small>
      </span>
      <Button
        tone={ready ? 'primary' : 'plain'}
        busy={busy.value}
        disabled={!ready}
        onClick={() => {
          busy.value = true;
          void claim(kind).finally(() => (busy.value = false));
        }}
      >
        {children}
      </Button>
    </li>
  );
}
