import { t } from '../i18n/index.ts';
import { oddsKeys, oddsShown, selectionText } from '../state/odds.ts';
import { odds } from '../state/room.ts';
import type { Pool, RaceView } from '../types.ts';

type Props = {
  readonly view: RaceView;
  readonly pool: Pool;
  readonly disabled: boolean;
  readonly onChoose: (selection: readonly number[]) => void;
};

/** The most backed selections of a pool with many; a tap takes one onto the slip. */
export function TopOdds({ view, pool, disabled, onChoose }: Props) {
  const live = odds.value?.raceId === view.id ? odds.value : null;
  const keys = oddsKeys(live, pool);
  if (keys.length === 0) return null;
  return (
    <section class="top-odds">
      <h3>{t('pool.mostBacked')}</h3>
      <ol>
        {keys.map((key) => {
          const selection = key.split('-').map(Number);
          return (
            <li key={key}>
              <button type="button" disabled={disabled} onClick={() => onChoose(selection)}>
                <span class="number">{selectionText(pool, selection)}</span>
                <b class="number">{oddsShown(live, pool, key)}</b>
              </button>
            </li>
          );
        })}
      </ol>
    </section>
  );
}
