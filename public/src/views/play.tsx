import { useSignal } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';
import { t } from '../i18n/index.ts';
import { command } from '../net/socket.ts';
import { nameOf } from '../state/people.ts';
import { isHost, race, room } from '../state/room.ts';
import { toastRefusal } from '../state/toasts.ts';
import { secondsLeft } from '../ui/format.ts';
import { Button } from '../ui/parts.tsx';
import { now } from '../ui/ticker.ts';
import { BetPane } from './bet-pane.tsx';
import { PickBoard } from './pick-board.tsx';
import { ResultView } from './result.tsx';

/** What can be done in this phase. */
export function PlayPane() {
  const top = useRef<HTMLDivElement>(null);
  const now = room.value;
  const view = race.value;
  const over = view?.phase === 'settled' || view?.phase === 'void';
  const shown = useRef(`${view?.id} ${over}`);
  // Another thing to look at begins at its top, however far down the one before was scrolled.
  useEffect(() => {
    const next = `${view?.id} ${over}`;
    if (shown.current === next) return;
    shown.current = next;
    if (top.current === null || top.current.offsetParent === null) return;
    window.scrollTo({ top: 0 });
    top.current.closest('.room-main')?.scrollTo({ top: 0 });
  }, [view?.id, over]);
  if (now === null) return null;
  if (view === null) return <Idle />;
  return (
    <>
      <div ref={top} />
      {over && <ResultView view={view} />}
      {over && <StartButtons />}
      {!over && (view.kind === 'bet' ? <BetPane view={view} /> : <PickBoard view={view} />)}
      {view.phase === 'open' && <CloseSoon />}
    </>
  );
}

function Idle() {
  const now = room.value;
  if (now === null) return null;
  return (
    <div class="idle">
      <h2>{t('idle.title')}</h2>
      <p>{t(now.kind === 'bet' ? 'idle.bet' : 'idle.pick')}</p>
      <StartButtons />
    </div>
  );
}

function StartButtons() {
  const busy = useSignal(false);
  const held = room.value;
  if (held === null) return null;
  const view = held.race;
  const automatic = held.settings.mode === 'auto';
  const tied =
    view?.kind === 'pick' &&
    ((view.result?.caught?.length ?? 0) > 1 || (view.phase === 'void' && view.participants !== undefined));
  const start = async (rerun: boolean) => {
    busy.value = true;
    const answer = await command('race:start', { roomId: held.id, ...(rerun && view ? { rerunOf: view.id } : {}) });
    busy.value = false;
    if (!answer.ok) toastRefusal(answer);
  };
  if (automatic) return <p class="waiting">{t(tied ? 'idle.autoRerun' : 'idle.auto')}</p>;
  if (!isHost.value) {
    const host = held.hostId === null ? null : nameOf(held.hostId);
    return <p class="waiting">{host === null ? t('idle.noHost') : t('idle.waitHost', { name: host })}</p>;
  }
  const ready = held.members.filter((member) => member.role === 'player' && member.ready !== false).length;
  const few = held.kind === 'pick' && ready < 2;
  return (
    <div class="action-bar">
      {few && <p class="hint">{t('idle.needTwo')}</p>}
      {tied && (
        <Button tone="primary" icon="dice" wide busy={busy.value} onClick={() => void start(true)}>
          {t('idle.rerun', { n: view?.result?.caught?.length ?? view?.participants?.length ?? 2 })}
        </Button>
      )}
      <Button
        tone={tied ? 'plain' : 'primary'}
        icon="play"
        wide
        busy={busy.value}
        disabled={few}
        onClick={() => void start(false)}
      >
        {t(view === null ? 'idle.start' : 'idle.next')}
      </Button>
    </div>
  );
}

/** Only above ten seconds there is something to bring forward. */
const FORWARD_SECONDS = 11;

function CloseSoon() {
  const busy = useSignal(false);
  const held = room.value;
  const view = race.value;
  if (held === null || view === null || !isHost.value || held.settings.mode === 'auto') return null;
  if (secondsLeft(view.closesAt, now.value) < FORWARD_SECONDS) return null;
  const go = async () => {
    busy.value = true;
    const answer = await command('race:start', { roomId: held.id });
    busy.value = false;
    if (!answer.ok) toastRefusal(answer);
  };
  return (
    <div class="close-soon">
      <Button busy={busy.value} icon="flag" wide onClick={() => void go()}>
        {t('idle.closeSoon')}
      </Button>
    </div>
  );
}
