import { useEffect } from 'preact/hooks';
import { inLocale, t } from '../i18n/index.ts';
import { selectionText } from '../state/odds.ts';
import { recordShown } from '../state/route.ts';
import { balance } from '../state/session.ts';
import { loadPastBets, pastBets } from '../state/wallet.ts';
import type { PastBet } from '../types.ts';
import { points, signedPoints, stamp } from '../ui/format.ts';
import { Button, Tag } from '../ui/parts.tsx';

/** Every bet with its horses and what became of it, newest first; each leads to the record of its race. */
export function PastBets() {
  useEffect(() => void loadPastBets(), [balance.value?.version]);
  const pages = pastBets.value;
  if (pages === null) return <p role="status">{t('ui.loading')}</p>;
  if (pages.items.length === 0) return <p class="empty">{t('bets.empty')}</p>;
  return (
    <>
      <ul class="entries">
        {pages.items.map((bet) => (
          <li key={bet.betId}>
            <button type="button" class="entry-line" onClick={() => (recordShown.value = bet.raceId)}>
              <span class="entry-what">
                <b>
                  <Tag>{t(`pool.${bet.pool}`)}</Tag> {horsesOf(bet)}
                </b>
                <small>
                  {t('entry.race', { room: bet.roomName, n: bet.raceNumber })} <time>{stamp(bet.placedAt)}</time>
                </small>
              </span>
              <span class="entry-points">
                <b class="number">{t('bets.stake', { points: points(bet.stake) })}</b>
                <Outcome bet={bet} />
              </span>
            </button>
          </li>
        ))}
      </ul>
      {pages.next !== undefined && (
        <Button wide onClick={() => void loadPastBets(pages.next)}>
          {t('ui.more')}
        </Button>
      )}
    </>
  );
}

function Outcome({ bet }: { bet: PastBet }) {
  if (bet.outcome === undefined) return <small>{t('bets.waiting')}</small>;
  const returned = BigInt(bet.returned ?? '0');
  return (
    <small class={bet.outcome === 'paid' ? 'gain' : ''}>
      {t(`outcome.${bet.outcome}`)} {returned > 0n && <span class="number">{signedPoints(returned)}</span>}
    </small>
  );
}

/** "7 Morning Tea", "3 Dawn → 7 Morning Tea". */
function horsesOf({ pool, horses }: PastBet): string {
  return selectionText(
    pool,
    horses.map(({ number, name }) => `${number} ${inLocale(name)}`),
  );
}
