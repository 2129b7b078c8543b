import { useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import { errorText } from '../../../lib/errors.ts';
import { locale, t } from '../i18n/index.ts';
import { ask } from '../net/socket.ts';
import { me } from '../state/session.ts';
import type { Board, BoardMetric, BoardRow, BoardWindow, RoomId } from '../types.ts';
import { oddsOf, signedPoints } from '../ui/format.ts';
import { Button, IconButton, Segments } from '../ui/parts.tsx';
import { Sheet } from '../ui/sheet.tsx';
import { PlayerSheet } from './statistics.tsx';

const METRICS: readonly BoardMetric[] = ['profit', 'hit-rate', 'races', 'best-dividend', 'streak'];
const WINDOWS: readonly BoardWindow[] = ['day', 'week', 'season', 'all'];

/** Leaderboards, everywhere or of one room. What is on its way when something else is chosen is dropped. */
export function BoardsSheet({ roomId, onClose }: { roomId?: RoomId; onClose: () => void }) {
  const metric = useSignal<BoardMetric>('profit');
  const shownWindow = useSignal<BoardWindow>('week');
  const period = useSignal<string | undefined>(undefined);
  const here = useSignal(roomId !== undefined);
  const board = useSignal<Board | null>(null);
  const refused = useSignal<string | null>(null);
  const chosen = useSignal<BoardRow | null>(null);
  const busy = useSignal(false);
  const asked = useSignal(0);

  const load = async (after?: string) => {
    asked.value += 1;
    const mine = asked.value;
    busy.value = true;
    const answer = await ask('board:get', {
      metric: metric.value,
      window: shownWindow.value,
      ...(period.value !== undefined && { period: period.value }),
      ...(here.value && roomId !== undefined && { roomId }),
      ...(after !== undefined && { after }),
    });
    if (mine !== asked.value) return;
    busy.value = false;
    refused.value = answer.ok ? null : errorText(answer.code, locale.value);
    if (!answer.ok) return;
    const before = after === undefined ? [] : (board.value?.rows ?? []);
    board.value = { ...answer.data, rows: [...before, ...answer.data.rows] };
  };
  useEffect(() => {
    board.value = null;
    void load();
  }, [metric.value, shownWindow.value, period.value, here.value]);

  const now = board.value;
  return (
    <Sheet title={t('board.title')} onClose={onClose} wide>
      {roomId !== undefined && (
        <Segments
          label={t('board.scope')}
          value={here.value ? 'here' : 'everywhere'}
          options={[
            { value: 'here', text: t('board.here') },
            { value: 'everywhere', text: t('board.everywhere') },
          ]}
          onChange={(value) => (here.value = value === 'here')}
        />
      )}
      <div class="chips board-metrics" role="group" aria-label={t('board.metric')}>
        {METRICS.map((one) => (
          <button
            key={one}
            type="button"
            class="chip"
            aria-pressed={metric.value === one}
            onClick={() => (metric.value = one)}
          >
            {t(`board.${one}`)}
          </button>
        ))}
      </div>
      <Segments
        label={t('board.window')}
        value={shownWindow.value}
        options={WINDOWS.map((value) => ({ value, text: t(`board.${value}`) }))}
        onChange={(value) => {
          period.value = undefined;
          shownWindow.value = value;
        }}
      />
      {now && shownWindow.value !== 'all' && (
        <p class="board-period">
          <IconButton
            icon="back"
            label={t('board.previous')}
            onClick={() => (period.value = now.previous ?? period.value)}
          />
          <span>{periodText(shownWindow.value, now.period)}</span>
          {now.following === undefined ? (
            <span class="board-gap" />
          ) : (
            <IconButton icon="next" label={t('board.following')} onClick={() => (period.value = now.following)} />
          )}
        </p>
      )}
      {refused.value !== null && <p role="alert">{refused.value}</p>}
      {now === null && refused.value === null && <p role="status">{t('ui.loading')}</p>}
      {now?.rows.length === 0 && <p class="empty">{t('board.empty')}</p>}
      {now && now.rows.length > 0 && (
        <>
          <Lines rows={now.rows} metric={metric.value} onChoose={(row) => (chosen.value = row)} />
          {now.next !== undefined && (
            <Button wide busy={busy.value} onClick={() => void load(now.next)}>
              {t('ui.more')}
            </Button>
          )}
          <Mine board={now} metric={metric.value} onChoose={(row) => (chosen.value = row)} />
        </>
      )}
      <p class="hint">{t(`board.${metric.value}.rule`)}</p>
      {chosen.value && (
        <PlayerSheet
          playerId={chosen.value.playerId}
          name={nameIn(chosen.value)}
          onClose={() => (chosen.value = null)}
        />
      )}
    </Sheet>
  );
}

/** Where I stand, unless the lines above show it already. */
function Mine({ board, metric, onChoose }: { board: Board; metric: BoardMetric; onChoose: (row: BoardRow) => void }) {
  const { mine } = board;
  if (mine === undefined) return <p class="board-mine hint">{t('board.notYet')}</p>;
  if (board.rows.some(({ playerId }) => playerId === me.value?.id)) return null;
  return (
    <section class="board-mine">
      <h3>{t('board.mine', { rank: mine.rank })}</h3>
      <Lines rows={mine.around} metric={metric} onChoose={onChoose} />
    </section>
  );
}

function Lines({
  rows,
  metric,
  onChoose,
}: {
  rows: readonly BoardRow[];
  metric: BoardMetric;
  onChoose: (row: BoardRow) => void;
}) {
  return (
    <ol class="standings">
      {rows.map((row) => (
        <li key={row.playerId}>
          <button
            type="button"
            class={row.playerId === me.value?.id ? 'board-line board-me' : 'board-line'}
            onClick={() => onChoose(row)}
          >
            <b class={row.rank <= 3 ? `board-rank board-rank-${row.rank}` : 'board-rank'}>{row.rank}</b>
            <span class="board-name">
              {nameIn(row)}
              {row.playerId === me.value?.id && <small> {t('members.me')}</small>}
            </span>
            <span class="board-value">
              <strong class="number">{valueIn(metric, row)}</strong>
              <small>
                {metric === 'hit-rate'
                  ? t('board.hitsOf', { hits: row.hits, races: row.races })
                  : metric !== 'races' && t('board.ofRaces', { n: row.races })}
              </small>
            </span>
          </button>
        </li>
      ))}
    </ol>
  );
}

const nameIn = ({ nickname }: BoardRow): string => (nickname === '' ? t('member.someone') : nickname);

function valueIn(metric: BoardMetric, { value }: BoardRow): string {
  switch (metric) {
    case 'profit':
      return signedPoints(BigInt(value));
    case 'hit-rate':
      return `${(Number(value) * 100).toFixed(1)} %`;
    case 'best-dividend':
      return t('board.times', { n: oddsOf(value) });
    case 'races':
      return t('board.ofRaces', { n: value });
    case 'streak':
      return t('board.inARow', { n: value });
  }
}

function periodText(window: BoardWindow, period: string): string {
  const [year = '', part = ''] = period.split('-');
  if (window === 'week') return t('board.weekOf', { year, n: Number(part.slice(1)) });
  if (window === 'season') return t('board.seasonOf', { year, n: part.slice(1) });
  return new Date(`${period}T00:00:00Z`).toLocaleDateString(locale.value, {
    timeZone: 'UTC',
    year: 'numeric',
    month: 'long',
    day: 'numeric',
    weekday: 'short',
  });
}
