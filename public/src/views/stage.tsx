import { useEffect, useRef } from 'preact/hooks';
import { TRACK_LENGTH_MM } from '../../../lib/engine/index.ts';
import { t } from '../i18n/index.ts';
import { serverNow } from '../net/clock.ts';
import { createPainter, type Scene } from '../race/painter.ts';
import { raceTime } from '../race/ranking.ts';
import { framesOf } from '../state/frames.ts';
import { paused } from '../state/pause.ts';
import { mine, race, room } from '../state/room.ts';
import { timeScale } from '../state/session.ts';
import type { RaceView } from '../types.ts';
import { countdown, secondsLeft } from '../ui/format.ts';
import { Tag } from '../ui/parts.tsx';
import { now } from '../ui/ticker.ts';
import { LiveRanking } from './live-ranking.tsx';

/** Nothing moves before the start and after the end: then a slower picture saves the battery. */
const STILL_MS = 300;
/** The picture starts to run this long before the gates open, so that none is missed. */
const WAKE_MS = 600;

const prefersCalm = window.matchMedia('(prefers-reduced-motion: reduce)');

function ownHorses(view: RaceView): number[] {
  const held = mine.value;
  if (held?.raceId !== view.id) return [];
  const picked = held.pick?.horse;
  return [...held.bets.flatMap((bet) => bet.selection), ...(picked == null ? [] : [picked])];
}

/** Once over, the picture stands at the moment the winner crosses the line. */
function raceMsOf(view: RaceView): number | null {
  const winner = view.phase === 'settled' ? view.result?.order[0] : undefined;
  if (winner) return winner.finishMs;
  return view.startsAt === undefined ? null : raceTime(serverNow(), view.startsAt, timeScale.value);
}

function sceneOf(view: RaceView | null): Scene {
  if (view === null)
    return { looks: [], trackLength: 480, chunks: [], raceMs: null, mine: [], calm: prefersCalm.matches };
  const revealed = view.picks === undefined ? null : new Set(view.picks.map((pick) => pick.horse));
  return {
    looks: view.field
      .filter(({ number }) => !view.scratched.includes(number))
      .map(({ number, silks }) => ({ number, silks, faded: revealed !== null && !revealed.has(number) })),
    trackLength: TRACK_LENGTH_MM[view.track] / 1_000,
    chunks: framesOf(view.id),
    raceMs: raceMsOf(view),
    mine: ownHorses(view),
    calm: prefersCalm.matches,
  };
}

/** The race as a picture, what phase it is in, and who is ahead. */
export function Stage() {
  const canvas = useRef<HTMLCanvasElement>(null);
  useEffect(() => {
    const shown = canvas.current;
    if (shown === null) return;
    const painter = createPainter(shown);
    let frame = 0;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const paint = () => {
      const view = race.peek();
      painter.paint(sceneOf(view));
      const at = serverNow();
      const moving =
        view?.startsAt !== undefined &&
        at > view.startsAt - WAKE_MS &&
        at < (view.endsAt ?? view.startsAt + 120_000) + 500;
      if (moving) frame = requestAnimationFrame(paint);
      else timer = setTimeout(() => (frame = requestAnimationFrame(paint)), STILL_MS);
    };
    paint();
    const resized = new ResizeObserver(() => painter.paint(sceneOf(race.peek())));
    resized.observe(shown);
    return () => {
      cancelAnimationFrame(frame);
      clearTimeout(timer);
      resized.disconnect();
    };
  }, []);
  const view = race.value;
  const running = view?.phase === 'running';
  return (
    <section class="stage" aria-label={t('stage.label')}>
      <canvas ref={canvas} role="img" aria-label={t(`stage.${view?.phase ?? 'idle'}`)} />
      <div class="stage-top">
        <PhaseTag />
        {view && (
          <span class="stage-track">
            {t(`track.${view.track}`)} · {TRACK_LENGTH_MM[view.track] / 1_000} m
          </span>
        )}
      </div>
      <BigCount />
      {view && (running || view.phase === 'settled') && <LiveRanking view={view} />}
    </section>
  );
}

function PhaseTag() {
  const view = race.value;
  const next = room.value?.nextOpensAt;
  if (view === null) {
    const wait = next === undefined ? 0 : secondsLeft(next, now.value);
    return (
      <span class="phase">
        <Tag>{t('phase.idle')}</Tag>
        {wait > 0 && <span class="phase-next">{t('stage.nextIn', { time: countdown(wait) })}</span>}
      </span>
    );
  }
  const over = view.phase === 'settled' || view.phase === 'void';
  const left =
    view.phase === 'open'
      ? secondsLeft(view.closesAt, now.value)
      : over && next !== undefined
        ? secondsLeft(next, now.value)
        : null;
  return (
    <span class="phase" role="timer">
      <Tag tone={paused.value ? 'bad' : view.phase === 'open' || view.phase === 'running' ? 'live' : 'plain'}>
        {t('stage.number', { n: view.number })} · {t(paused.value ? 'phase.paused' : `phase.${view.phase}`)}
      </Tag>
      {view.phase === 'open' && left !== null && !paused.value && (
        <span class={left <= 5 ? 'phase-time phase-time-late' : 'phase-time'}>{countdown(left)}</span>
      )}
      {over && left !== null && left > 0 && (
        <span class="phase-next">{t('stage.nextIn', { time: countdown(left) })}</span>
      )}
    </span>
  );
}

/** The last seconds before the gates open. */
function BigCount() {
  const view = race.value;
  if (view?.phase !== 'closed') return null;
  if (view.startsAt === undefined) return <p class="stage-note">{t('stage.drawing')}</p>;
  const left = secondsLeft(view.startsAt, now.value);
  return left > 0 ? (
    <p class="stage-count" aria-live="off">
      {left}
    </p>
  ) : null;
}
