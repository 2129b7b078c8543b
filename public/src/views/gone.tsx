import { type TextKey, t } from '../i18n/index.ts';
import { lookUp } from '../state/entry.ts';
import { type Gone, gone as goneSignal } from '../state/room.ts';
import { go } from '../state/route.ts';
import { Mark } from '../ui/icons.tsx';
import { Button } from '../ui/parts.tsx';

const TEXT: Readonly<Record<string, TextKey>> = {
  kicked: 'gone.kicked',
  closed: 'gone.closed',
  expired: 'gone.expired',
  'left-elsewhere': 'gone.leftElsewhere',
  timeout: 'gone.timeout',
};
const OVER = new Set(['closed', 'expired', 'gone']);

/** In the place of a room we are no longer in: why, and what can be done. */
export function GoneView({ gone }: { gone: Gone }) {
  const leave = () => {
    goneSignal.value = null;
    go('/', 'replace');
  };
  const { code } = gone;
  return (
    <main class="middle">
      <Mark size={52} />
      <h1>{gone.name ?? t('gone.title')}</h1>
      <p role="alert">{t(TEXT[gone.cause] ?? 'gone.gone')}</p>
      {gone.reason && <blockquote>{gone.reason}</blockquote>}
      <div class="row">
        {code !== undefined && !OVER.has(gone.cause) && (
          <Button
            onClick={() => {
              goneSignal.value = null;
              go(`/r/${code}`, 'replace');
              void lookUp(code);
            }}
          >
            {t('gone.again')}
          </Button>
        )}
        <Button tone="primary" onClick={leave}>
          {t('gone.lobby')}
        </Button>
      </div>
    </main>
  );
}
