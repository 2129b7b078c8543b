import { inLocale, t } from '../i18n/index.ts';
import { pendingBets, stakedIn } from '../state/betting.ts';
import { selectionText } from '../state/odds.ts';
import { mine } from '../state/room.ts';
import type { Pool, RaceView } from '../types.ts';
import { points } from '../ui/format.ts';
import { Tag } from '../ui/parts.tsx';

/** "7 Morning Tea"; of several horses the numbers alone. */
export function shortName(view: RaceView, pool: Pool, selection: readonly number[]): string {
  const [number] = selection;
  if (selection.length !== 1 || number === undefined) return selectionText(pool, selection);
  return horseName(view, number);
}

export function horseName(view: RaceView, number: number): string {
  const runner = view.field.find((other) => other.number === number);
  return runner ? `${number} ${inLocale(runner.name)}` : String(number);
}

/** What this player has staked on the race, with what is not answered yet. */
export function MyBets({ view }: { view: RaceView }) {
  const placed = mine.value?.raceId === view.id ? mine.value.bets : [];
  const pending = pendingBets.value.filter((bet) => bet.raceId === view.id);
  if (placed.length === 0 && pending.length === 0) return null;
  return (
    <section class="my-bets">
      <h3>
        {t('bet.mine')} <span class="count">{points(stakedIn(view.id))}</span>
      </h3>
      <ul>
        {placed.map((bet) => (
          <li key={bet.betId}>
            <Tag>{t(`pool.${bet.pool}`)}</Tag>
            <span>
              {shortName(view, bet.pool, bet.selection)}{' '}
              {bet.outcome === 'refunded' && <small>{t('outcome.refunded')}</small>}
            </span>
            <b class="number">{points(bet.stake)}</b>
          </li>
        ))}
        {pending.map((bet) => (
          <li key={`p${bet.id}`} class="pending">
            <Tag>{t(`pool.${bet.pool}`)}</Tag>
            <span>
              {shortName(view, bet.pool, bet.selection)} <small>{t('bet.pending')}</small>
            </span>
            <b class="number">{points(bet.stake)}</b>
          </li>
        ))}
      </ul>
    </section>
  );
}
