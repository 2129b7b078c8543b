import { positionsAt } from '../../../lib/engine/index.ts';
import { inLocale, t } from '../i18n/index.ts';
import { serverNow } from '../net/clock.ts';
import { raceTime, ranking } from '../race/ranking.ts';
import { framesOf } from '../state/frames.ts';
import { timeScale } from '../state/session.ts';
import type { RaceView } from '../types.ts';
import { raceSeconds } from '../ui/format.ts';
import { now } from '../ui/ticker.ts';

const SHOWN = 5;

/** The first few of this instant; once over, of the result. */
export function LiveRanking({ view }: { view: RaceView }) {
  const rows = now.value > 0 ? rowsOf(view) : [];
  if (rows.length === 0) return null;
  return (
    <ol class="live-ranking" aria-label={t('stage.ranking')}>
      {rows.slice(0, SHOWN).map(({ number, finishMs, place }) => {
        const runner = view.field.find((other) => other.number === number);
        return (
          <li key={number}>
            <b>{place}</b>
            <i style={{ background: runner?.silks.colours[0] }} />
            <span>
              {number} {runner && inLocale(runner.name)}
            </span>
            {finishMs !== null && <em>{raceSeconds(finishMs)}</em>}
          </li>
        );
      })}
    </ol>
  );
}

function rowsOf(view: RaceView): { number: number; finishMs: number | null; place: number }[] {
  if (view.result) return view.result.order.map(({ number, finishMs, place }) => ({ number, finishMs, place }));
  if (view.startsAt === undefined) return [];
  const chunks = framesOf(view.id);
  const raceMs = raceTime(serverNow(), view.startsAt, timeScale.value);
  if (chunks.length === 0 || raceMs < 500) return [];
  return ranking(positionsAt(chunks, raceMs), chunks, raceMs).map((row, index) => ({ ...row, place: index + 1 }));
}
