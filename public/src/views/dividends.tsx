import { t } from '../i18n/index.ts';
import { selectionText } from '../state/odds.ts';
import type { RaceView } from '../types.ts';
import { oddsOf } from '../ui/format.ts';
import { Tag } from '../ui/parts.tsx';
import { horseName } from './my-bets.tsx';

/** What every pool pays, by the names of its winners. */
export function Dividends({ view }: { view: RaceView }) {
  const dividends = view.result?.dividends ?? [];
  if (dividends.length === 0) return null;
  return (
    <section class="dividends">
      <h3>{t('result.dividends')}</h3>
      <ul class="outcomes">
        {dividends.map(({ pool, selection, per100 }) => (
          <li key={`${pool} ${selection.join('-')}`}>
            <Tag>{t(`pool.${pool}`)}</Tag>
            <span class="dividend-names">
              {selectionText(
                pool,
                selection.map((number) => horseName(view, number)),
              )}
            </span>
            <b class="number">{oddsOf(per100)}</b>
          </li>
        ))}
      </ul>
    </section>
  );
}
