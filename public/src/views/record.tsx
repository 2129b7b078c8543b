import { useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import { errorText } from '../../../lib/errors.ts';
import type { VerifyStep } from '../check/verify.ts';
import { locale, t } from '../i18n/index.ts';
import { ask } from '../net/socket.ts';
import { raceInHash } from '../state/address.ts';
import { recordShown } from '../state/route.ts';
import { shareBase } from '../state/session.ts';
import { toast } from '../state/toasts.ts';
import type { RaceId, RaceRecord } from '../types.ts';
import { Icon } from '../ui/icons.tsx';
import { Button, Tag } from '../ui/parts.tsx';
import { Sheet } from '../ui/sheet.tsx';
import { Order } from './result.tsx';
import { copyText } from './share.tsx';

type Loaded = { readonly record: RaceRecord } | { readonly refused: string } | null;

/** A race as it is kept: result, what was promised before it, and whether both fit together. */
export function RecordSheet({ raceId }: { raceId: string }) {
  const loaded = useSignal<Loaded>(null);
  useEffect(() => {
    void ask('race:get', { raceId: raceId as RaceId }).then((answer) => {
      loaded.value = answer.ok ? { record: answer.data } : { refused: errorText(answer.code, locale.value) };
    });
  }, []);
  const close = () => {
    recordShown.value = null;
    if (raceInHash(location.hash) !== null) history.replaceState(history.state, '', location.pathname);
  };
  const now = loaded.value;
  return (
    <Sheet
      title={now && 'record' in now ? t('record.title', { n: now.record.number }) : t('record.open')}
      onClose={close}
      wide
    >
      {now === null && <p role="status">{t('ui.loading')}</p>}
      {now && 'refused' in now && <p role="alert">{now.refused}</p>}
      {now && 'record' in now && <Record record={now.record} />}
    </Sheet>
  );
}

function Record({ record }: { record: RaceRecord }) {
  const over = record.phase === 'settled' || record.phase === 'void';
  const seed = record.seed ?? record.result?.seed;
  const link = `${shareBase.value}/#race=${record.id}`;
  const copy = async () => {
    const done = await copyText(link);
    toast(t(done ? 'share.copied' : 'share.copyByHand'), done ? 'good' : 'info');
  };
  return (
    <>
      <p class="row-wrap">
        <Tag>{t(`phase.${record.phase}`)}</Tag>
        <Tag>{t(`track.${record.track}`)}</Tag>
        <time>{new Date(record.openedAt).toLocaleString(locale.value)}</time>
      </p>
      {record.voidReason && <p class="notice">{t(`void.${record.voidReason}`)}</p>}
      <Order view={record} />
      {over && <Verify raceId={record.id} />}
      <details class="more">
        <summary>{t('record.details')}</summary>
        <dl class="hashes">
          <Hash name="id" value={record.id} />
          <Hash name="commitment" value={record.commitment} />
          <Hash name="fieldHash" value={record.fieldHash} />
          <Hash name="betsRoot" value={record.betsRoot} />
          <Hash name="seed" value={seed} />
          <Hash name="recordHash" value={record.recordHash} />
        </dl>
        <p class="row-wrap">
          <a href={`/api/races/${record.id}`} target="_blank" rel="noreferrer">
            {t('record.raw')}
          </a>
        </p>
      </details>
      <Button icon="link" wide onClick={() => void copy()}>
        {t('record.copy')}
      </Button>
    </>
  );
}

function Hash({
  name,
  value,
}: {
  name: 'id' | 'commitment' | 'fieldHash' | 'betsRoot' | 'seed' | 'recordHash';
  value: string | undefined;
}) {
  return (
    <>
      <dt>{t(`record.${name}`)}</dt>
      <dd>{value ?? t('record.later')}</dd>
    </>
  );
}

/** Recomputes the race in this browser: the server is asked for the record only. */
function Verify({ raceId }: { raceId: string }) {
  const steps = useSignal<readonly VerifyStep[] | null>(null);
  const busy = useSignal(false);
  const failed = useSignal(false);
  const run = async () => {
    busy.value = true;
    failed.value = false;
    try {
      const { verifyPublicRecord } = await import('../check/verify.ts');
      steps.value = await verifyPublicRecord(raceId);
    } catch {
      failed.value = true;
    }
    busy.value = false;
  };
  const bad = steps.value?.some((step) => !step.ok) ?? false;
  return (
    <section class="verify">
      <p class="hint">{t('verify.hint')}</p>
      {steps.value === null && (
        <Button icon="shield" tone="primary" wide busy={busy.value} onClick={() => void run()}>
          {t('verify.go')}
        </Button>
      )}
      {failed.value && <p role="alert">{t('verify.failed')}</p>}
      {steps.value && (
        <>
          <p role="status" class={bad ? 'verdict verdict-bad' : 'verdict'}>
            <Icon name={bad ? 'warn' : 'shield'} /> {t(bad ? 'verify.bad' : 'verify.good')}
          </p>
          <ul class="steps">
            {steps.value.map((step) => (
              <li key={step.step} class={step.ok ? 'step' : 'step step-bad'}>
                <Icon name={step.ok ? 'check' : 'close'} size={18} />
                <span>
                  {t(`verify.${step.step}`)}
                  {!step.ok && <small>{step.detail}</small>}
                </span>
              </li>
            ))}
          </ul>
        </>
      )}
    </section>
  );
}
