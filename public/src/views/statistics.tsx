import { useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import { errorText } from '../../../lib/errors.ts';
import { locale, t } from '../i18n/index.ts';
import { ask } from '../net/socket.ts';
import { me } from '../state/session.ts';
import type { PlayerId, Reply } from '../types.ts';
import { oddsOf, points, signedPoints } from '../ui/format.ts';
import { Sheet } from '../ui/sheet.tsx';

type Profile = Reply<'profile:get'>;

/** Somebody's statistics; the way of the balance where it is one's own. */
export function Statistics({ playerId }: { playerId: PlayerId }) {
  const profile = useSignal<Profile | { readonly refused: string } | null>(null);
  useEffect(() => {
    void ask('profile:get', playerId === me.value?.id ? {} : { playerId }).then((answer) => {
      profile.value = answer.ok ? answer.data : { refused: errorText(answer.code, locale.value) };
    });
  }, [playerId]);
  const now = profile.value;
  if (now === null) return <p role="status">{t('ui.loading')}</p>;
  if ('refused' in now) return <p role="alert">{now.refused}</p>;
  const { races, hits, profit, bestDividend, streak, bestStreak, games, caught } = now.statistics;
  const rate = races === 0 ? '–' : `${Math.round((100 * hits) / races)} %`;
  return (
    <>
      <dl class="figures">
        <Figure name={t('stats.profit')} value={signedPoints(BigInt(profit))} tone={toneOf(profit)} />
        <Figure name={t('stats.races')} value={points(String(races))} />
        <Figure name={t('stats.hits')} value={`${points(String(hits))} · ${rate}`} />
        <Figure
          name={t('stats.best')}
          value={bestDividend === '0' ? '–' : t('board.times', { n: oddsOf(bestDividend) })}
        />
        <Figure name={t('stats.streak')} value={t('stats.streakValue', { n: streak, most: bestStreak })} />
        <Figure name={t('stats.games')} value={t('stats.gamesValue', { n: games, caught })} />
      </dl>
      <p class="hint">{t('stats.rule')}</p>
      {now.curve && now.curve.length > 1 && <Curve curve={now.curve} />}
    </>
  );
}

const toneOf = (profit: string): 'up' | 'down' | undefined =>
  profit === '0' ? undefined : profit.startsWith('-') ? 'down' : 'up';

function Figure({ name, value, tone }: { name: string; value: string; tone?: 'up' | 'down' | undefined }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd class={tone ? `number number-${tone}` : 'number'}>{value}</dd>
    </div>
  );
}

const WIDTH = 320;
const HEIGHT = 96;
const EDGE = 4;

/** The balance over its last entries, one step an entry. Drawn only: what it says is also told in words. */
function Curve({ curve }: { curve: NonNullable<Profile['curve']> }) {
  const values = curve.map(({ balance }) => BigInt(balance));
  const low = values.reduce((least, value) => (value < least ? value : least));
  const high = values.reduce((most, value) => (value > most ? value : most));
  const span = high === low ? 1 : Number(high - low);
  const spots = values.map((value, index) => {
    const x = EDGE + (index / (values.length - 1)) * (WIDTH - 2 * EDGE);
    const y = HEIGHT - EDGE - (Number(value - low) / span) * (HEIGHT - 2 * EDGE);
    return `${x.toFixed(1)},${y.toFixed(1)}`;
  });
  const last = spots.at(-1)?.split(',');
  return (
    <figure class="curve">
      <figcaption>{t('stats.curve')}</figcaption>
      <svg
        viewBox={`0 0 ${WIDTH} ${HEIGHT}`}
        role="img"
        aria-label={t('stats.curveText', {
          now: points(values.at(-1) ?? 0n),
          low: points(low),
          high: points(high),
        })}
      >
        <path class="curve-area" d={`M${spots.join(' L')} L${WIDTH - EDGE},${HEIGHT} L${EDGE},${HEIGHT} Z`} />
        <path class="curve-line" d={`M${spots.join(' L')}`} />
        {last && <circle cx={last[0]} cy={last[1]} r="4" />}
      </svg>
      <p class="curve-ends">
        <span>{t('stats.low', { points: points(low) })}</span>
        <span>{t('stats.high', { points: points(high) })}</span>
      </p>
    </figure>
  );
}

/** Who somebody on a board is. */
export function PlayerSheet({ playerId, name, onClose }: { playerId: PlayerId; name: string; onClose: () => void }) {
  return (
    <Sheet title={name} onClose={onClose}>
      <Statistics playerId={playerId} />
    </Sheet>
  );
}
