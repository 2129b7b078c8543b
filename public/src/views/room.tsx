import { signal, useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import { t } from '../i18n/index.ts';
import { chatVisible, room, unread } from '../state/room.ts';
import { countdown, secondsLeft } from '../ui/format.ts';
import { Icon, type IconName } from '../ui/icons.tsx';
import { IconButton, Tag } from '../ui/parts.tsx';
import { now } from '../ui/ticker.ts';
import { BoardsSheet } from './boards.tsx';
import { ChatPane } from './chat.tsx';
import { ConfigureSheet } from './configure.tsx';
import { HistorySheet } from './history.tsx';
import { askLeave } from './leave.tsx';
import { MembersPane } from './members.tsx';
import { PlayPane } from './play.tsx';
import { ProfileSheet } from './profile.tsx';
import { ShareSheet } from './share.tsx';
import { Stage } from './stage.tsx';
import { WalletButton } from './top-bar.tsx';

type Tab = 'play' | 'chat' | 'members';
export const tab = signal<Tab>('play');
type Shown = 'share' | 'history' | 'settings' | 'profile' | 'boards' | null;

const WIDE = '(min-width: 900px)';

/** On a phone one pane at a time below the race; on a desktop all of them side by side. */
export function RoomView() {
  const shown = useSignal<Shown>(null);
  const now = room.value;
  useEffect(() => {
    const wide = window.matchMedia(WIDE);
    const look = () => {
      chatVisible.value = wide.matches || tab.value === 'chat';
      if (chatVisible.value) unread.value = 0;
    };
    look();
    const stop = tab.subscribe(look);
    wide.addEventListener('change', look);
    return () => {
      stop();
      wide.removeEventListener('change', look);
      chatVisible.value = false;
    };
  }, []);
  if (now === null) return null;
  const close = () => {
    shown.value = null;
  };
  return (
    <div class="room" data-tab={tab.value}>
      <RoomBar onShow={(what) => (shown.value = what)} />
      <main class="room-main">
        <Stage />
        <section class="pane pane-play" aria-label={t('tab.play')}>
          <PlayPane />
        </section>
      </main>
      <aside class="pane pane-members" aria-label={t('tab.members')}>
        <MembersPane onShow={(what) => (shown.value = what)} />
      </aside>
      <aside class="pane pane-chat" aria-label={t('tab.chat')}>
        <ChatPane />
      </aside>
      <Tabs />
      {shown.value === 'share' && <ShareSheet room={now} onClose={close} />}
      {shown.value === 'profile' && <ProfileSheet onClose={close} />}
      {shown.value === 'history' && <HistorySheet room={now} onClose={close} />}
      {shown.value === 'boards' && <BoardsSheet {...(now.kind === 'bet' && { roomId: now.id })} onClose={close} />}
      {shown.value === 'settings' && <ConfigureSheet room={now} onClose={close} />}
    </div>
  );
}

function RoomBar({ onShow }: { onShow: (what: Shown) => void }) {
  const now = room.value;
  if (now === null) return null;
  return (
    <header class="room-bar">
      <IconButton icon="back" label={t('leave.title')} onClick={() => (askLeave.value = true)} />
      <div class="room-title">
        <h1 class={widthOf(now.name) > LONG_NAME ? 'long' : undefined}>{now.name}</h1>
        <p>
          <Tag tone={now.kind === 'bet' ? 'gold' : 'plain'}>{t(`kind.${now.kind}`)}</Tag>
          <span class="code">{now.code}</span>
          {now.hasPassword && <Icon name="lock" size={14} />}
          <Expiry />
        </p>
      </div>
      {now.kind === 'bet' && <WalletButton />}
      <IconButton icon="share" label={t('share.title')} onClick={() => onShow('share')} />
    </header>
  );
}

/** In letters, of which one of Korean is worth two: what fits in one line of a small phone. */
const LONG_NAME = 16;
const widthOf = (name: string): number => [...name].reduce((sum, letter) => sum + (letter < '\u1100' ? 1 : 2), 0);

const SOON_SECONDS = 10 * 60;

function Expiry() {
  const until = room.value?.expiresAt;
  if (until === undefined) return null;
  const left = secondsLeft(until, now.value);
  return left < SOON_SECONDS ? <span class="expiry">{countdown(left)}</span> : null;
}

function Tabs() {
  const items: readonly { id: Tab; icon: IconName; badge?: number }[] = [
    { id: 'play', icon: 'flag' },
    { id: 'chat', icon: 'chat', badge: unread.value },
    { id: 'members', icon: 'users' },
  ];
  return (
    <nav class="tabs" aria-label={t('tab.label')}>
      {items.map(({ id, icon, badge }) => (
        <button
          key={id}
          type="button"
          aria-current={tab.value === id ? 'page' : undefined}
          onClick={() => (tab.value = id)}
        >
          <span class="tab-icon">
            <Icon name={icon} />
            {badge ? <span class="badge">{badge > 99 ? '99+' : badge}</span> : null}
          </span>
          {t(`tab.${id}`)}
        </button>
      ))}
    </nav>
  );
}
