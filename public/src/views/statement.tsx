import { useEffect } from 'preact/hooks';
import { t } from '../i18n/index.ts';
import { selectionText } from '../state/odds.ts';
import { balance } from '../state/session.ts';
import { loadStatement, statement } from '../state/wallet.ts';
import type { StatementEntry } from '../types.ts';
import { points, signedPoints, stamp } from '../ui/format.ts';
import { Button } from '../ui/parts.tsx';

/** Every movement of points with the balance after it, newest first; read anew whenever there is a new one. */
export function Statement() {
  useEffect(() => void loadStatement(), [balance.value?.version]);
  const pages = statement.value;
  if (pages === null) return <p role="status">{t('ui.loading')}</p>;
  if (pages.items.length === 0) return <p class="empty">{t('statement.empty')}</p>;
  return (
    <>
      <ul class="entries">
        {pages.items.map((entry) => (
          <li key={entry.id}>
            <span class="entry-what">
              <b>{whatOf(entry)}</b>
              <small>
                {entry.roomName !== undefined && t('entry.race', { room: entry.roomName, n: entry.raceNumber ?? 0 })}{' '}
                <time>{stamp(entry.at)}</time>
              </small>
            </span>
            <span class="entry-points">
              <b class={entry.amount.startsWith('-') ? 'number' : 'number gain'}>
                {signedPoints(BigInt(entry.amount))}
              </b>
              <small class="number">{t('entry.balance', { points: points(entry.balance) })}</small>
            </span>
          </li>
        ))}
      </ul>
      {pages.next !== undefined && (
        <Button wide onClick={() => void loadStatement(pages.next)}>
          {t('ui.more')}
        </Button>
      )}
    </>
  );
}

/** "Stake · Win 3". */
function whatOf({ kind, pool, selection }: StatementEntry): string {
  const what = t(`entry.${kind}`);
  if (pool === undefined || selection === undefined) return what;
  return `${what} · ${t(`pool.${pool}`)} ${selectionText(pool, selection)}`;
}
