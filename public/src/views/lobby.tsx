import { useComputed, useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import { t } from '../i18n/index.ts';
import { connection } from '../net/socket.ts';
import { enterByCard, lookUp } from '../state/entry.ts';
import { kindShown, lobby, moreRooms, search, unwatchLobby, watchLobby } from '../state/lobby.ts';
import { serverVersion } from '../state/session.ts';
import type { Kind, RoomCard } from '../types.ts';
import { countdown, secondsLeft } from '../ui/format.ts';
import { Icon } from '../ui/icons.tsx';
import { Button, Segments, Tag } from '../ui/parts.tsx';
import { now } from '../ui/ticker.ts';
import { BoardsSheet } from './boards.tsx';
import { CreateRoomSheet } from './create-room.tsx';
import { TopBar } from './top-bar.tsx';

const SEARCH_MS = 250;

export function LobbyView() {
  const creating = useSignal<Kind | null>(null);
  const boards = useSignal(false);
  const up = connection.value === 'up';
  useEffect(() => {
    if (!up) return;
    void watchLobby();
    return unwatchLobby;
  }, [up]);
  return (
    <>
      <TopBar />
      <main class="lobby">
        <section class="hero">
          <h1>{t('lobby.title')}</h1>
          <p>{t('lobby.lead')}</p>
          <div class="kinds">
            <KindCard kind="pick" onClick={() => (creating.value = 'pick')} />
            <KindCard kind="bet" onClick={() => (creating.value = 'bet')} />
          </div>
          <CodeForm />
        </section>
        <RoomList />
        <Button icon="trophy" wide onClick={() => (boards.value = true)}>
          {t('board.title')}
        </Button>
        <footer class="page-foot">
          <span>Paddock {serverVersion.value}</span>
          <span>{Intl.DateTimeFormat().resolvedOptions().timeZone}</span>
        </footer>
      </main>
      {boards.value && <BoardsSheet onClose={() => (boards.value = false)} />}
      {creating.value !== null && <CreateRoomSheet kind={creating.value} onClose={() => (creating.value = null)} />}
    </>
  );
}

function KindCard({ kind, onClick }: { kind: Kind; onClick: () => void }) {
  return (
    <button type="button" class={`kind-card kind-${kind}`} onClick={onClick}>
      <span class="kind-icon">
        <Icon name={kind === 'pick' ? 'dice' : 'coin'} size={26} />
      </span>
      <span class="kind-text">
        <strong>{t(`kind.${kind}.create`)}</strong>
        <small>{t(`kind.${kind}.lead`)}</small>
      </span>
      <Icon name="plus" />
    </button>
  );
}

function CodeForm() {
  const code = useSignal('');
  const clean = useComputed(() => code.value.replace(/[^A-Za-z0-9]/g, '').toUpperCase());
  return (
    <form
      class="code-form"
      onSubmit={(event) => {
        event.preventDefault();
        if (clean.value !== '') void lookUp(clean.value);
      }}
    >
      <label for="code">{t('lobby.code')}</label>
      <div class="row">
        <input
          id="code"
          class="code-input"
          autocomplete="off"
          autocapitalize="characters"
          spellcheck={false}
          maxLength={8}
          placeholder="ABC234"
          value={code.value}
          onInput={(event) => (code.value = event.currentTarget.value)}
        />
        <Button submit disabled={clean.value === ''}>
          {t('lobby.enterCode')}
        </Button>
      </div>
    </form>
  );
}

function RoomList() {
  const list = lobby.value;
  useEffect(() => {
    if (lobby.value === null) return;
    const timer = setTimeout(() => void watchLobby(), SEARCH_MS);
    return () => clearTimeout(timer);
  }, [search.value, kindShown.value]);
  return (
    <section class="rooms" aria-labelledby="rooms-title">
      <div class="rooms-head">
        <h2 id="rooms-title">
          {t('lobby.rooms')} {list && <span class="count">{list.total}</span>}
        </h2>
        <Segments
          label={t('lobby.filter')}
          value={kindShown.value ?? 'all'}
          options={[
            { value: 'all', text: t('lobby.all') },
            { value: 'pick', text: t('kind.pick') },
            { value: 'bet', text: t('kind.bet') },
          ]}
          onChange={(value) => (kindShown.value = value === 'all' ? null : value)}
        />
      </div>
      <div class="search">
        <Icon name="search" size={18} />
        <input
          type="search"
          aria-label={t('lobby.search')}
          placeholder={t('lobby.search')}
          maxLength={30}
          value={search.value}
          onInput={(event) => (search.value = event.currentTarget.value)}
        />
      </div>
      {list === null ? (
        <p class="empty">{t('ui.loading')}</p>
      ) : list.rooms.length === 0 ? (
        <p class="empty">{t(search.value ? 'lobby.nothingFound' : 'lobby.empty')}</p>
      ) : (
        <ul class="room-cards">
          {list.rooms.map((card) => (
            <li key={card.id}>
              <Card card={card} />
            </li>
          ))}
        </ul>
      )}
      {list?.next && (
        <Button wide onClick={() => void moreRooms()}>
          {t('ui.more')}
        </Button>
      )}
    </section>
  );
}

function Card({ card }: { card: RoomCard }) {
  const full = card.players >= card.capacity;
  const left = card.closesAt === undefined ? 0 : secondsLeft(card.closesAt, now.value);
  return (
    <button type="button" class="room-card" onClick={() => void enterByCard(card)}>
      <span class="room-card-top">
        <strong>{card.name}</strong>
        {card.hasPassword && (
          <span class="lock" role="img" aria-label={t('lobby.locked')}>
            <Icon name="lock" size={16} />
          </span>
        )}
      </span>
      <span class="room-card-line">
        <Tag tone={card.kind === 'bet' ? 'gold' : 'plain'}>{t(`kind.${card.kind}`)}</Tag>
        <Tag tone={card.phase === 'open' || card.phase === 'running' ? 'live' : 'plain'}>
          {t(`phase.${card.phase}`)}
          {card.phase === 'open' && left > 0 ? ` ${countdown(left)}` : ''}
        </Tag>
        {card.mode === 'auto' && <Tag>{t('mode.auto')}</Tag>}
        <span class={full ? 'seats seats-full' : 'seats'}>
          <Icon name="users" size={16} />
          <span class="sr">{t('lobby.players')} </span>
          {card.players}/{card.capacity}
        </span>
        {card.spectators > 0 && (
          <span class="seats">
            <Icon name="eye" size={16} />
            <span class="sr">{t('lobby.spectators')} </span>
            {card.spectators}
          </span>
        )}
      </span>
    </button>
  );
}
