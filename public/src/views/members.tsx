import { useSignal } from '@preact/signals';
import { t } from '../i18n/index.ts';
import { ask, command } from '../net/socket.ts';
import { addMembers, isHost, names, race, room } from '../state/room.ts';
import { toastRefusal } from '../state/toasts.ts';
import type { Ack, MemberView } from '../types.ts';
import { Icon } from '../ui/icons.tsx';
import { Button, Tag } from '../ui/parts.tsx';
import { RoomMenu } from './host.tsx';
import { MemberSheet } from './member-sheet.tsx';

type Props = { readonly onShow: (what: 'share' | 'history' | 'settings' | 'profile' | 'boards') => void };

export function MembersPane({ onShow }: Props) {
  const chosen = useSignal<MemberView | null>(null);
  /** Where the next page of members begins; null: at the front. */
  const cursor = useSignal<MemberView['id'] | null>(null);
  const busy = useSignal(false);
  const now = room.value;
  if (now === null) return null;
  const players = now.members.filter((member) => member.role === 'player');
  const watchers = now.members.filter((member) => member.role === 'spectator');
  const hidden = now.memberCount - now.members.length;
  // The first pages are mostly of those who are shown already: on until there is somebody new.
  const loadMore = async () => {
    const before = room.value?.members.length ?? 0;
    busy.value = true;
    do {
      const after = cursor.value;
      const answer = await ask('room:members', { roomId: now.id, ...(after === null ? {} : { after }) });
      if (!answer.ok) {
        toastRefusal(answer);
        break;
      }
      addMembers(now.id, answer.data.members);
      cursor.value = answer.data.next ?? null;
    } while (cursor.value !== null && room.value?.id === now.id && room.value.members.length === before);
    busy.value = false;
  };
  return (
    <>
      <div class="pane-head">
        <h2>
          {t('members.players')}{' '}
          <span class="count">
            {t('members.of', { n: now.memberCount - now.spectators, of: now.settings.capacity })}
          </span>
        </h2>
      </div>
      <ul class="members">
        {players.map((member) => (
          <Row key={member.id} member={member} onChoose={() => (chosen.value = member)} />
        ))}
      </ul>
      {now.spectators > 0 && (
        <>
          <h3>
            {t('members.spectators')} <span class="count">{now.spectators}</span>
          </h3>
          <ul class="members">
            {watchers.map((member) => (
              <Row key={member.id} member={member} onChoose={() => (chosen.value = member)} />
            ))}
          </ul>
        </>
      )}
      {hidden > 0 && (
        <Button wide busy={busy.value} onClick={() => void loadMore()}>
          {t('members.more', { n: hidden })}
        </Button>
      )}
      <MyRole />
      <RoomMenu onShow={onShow} />
      {chosen.value && <MemberSheet member={chosen.value} onClose={() => (chosen.value = null)} />}
    </>
  );
}

function Row({ member, onChoose }: { member: MemberView; onChoose: () => void }) {
  const now = room.value;
  if (now === null) return null;
  const self = member.id === now.me.playerId;
  const picked = race.value?.phase === 'open' && race.value.picked.includes(member.id);
  const content = (
    <>
      <span class={member.connected ? 'presence presence-on' : 'presence'} />
      <span class="member-name">
        {names.value.get(member.id) ?? member.nickname}
        {self && <small> {t('members.me')}</small>}
        {!member.connected && <small> {t('members.away')}</small>}
      </span>
      {member.id === now.hostId && (
        <span class="crown" role="img" aria-label={t('members.host')}>
          <Icon name="crown" size={18} />
        </span>
      )}
      {picked && <Tag tone="live">{t('members.picked')}</Tag>}
      {now.kind === 'pick' && member.role === 'player' && member.ready === false && <Tag>{t('members.sitsOut')}</Tag>}
    </>
  );
  return (
    <li>
      <button type="button" class="member" onClick={onChoose}>
        {content}
        {isHost.value && !self && <Icon name="more" size={18} />}
      </button>
    </li>
  );
}

/** Playing or watching, and in pick rooms whether I take part in the next round. */
function MyRole() {
  const busy = useSignal(false);
  const now = room.value;
  if (now === null) return null;
  const mine = now.members.find((member) => member.id === now.me.playerId);
  const run = async (send: () => Promise<Ack<unknown>>) => {
    busy.value = true;
    const answer = await send();
    busy.value = false;
    if (!answer.ok) toastRefusal(answer);
  };
  const other = now.me.role === 'player' ? 'spectator' : 'player';
  return (
    <div class="my-role">
      {now.kind === 'pick' && now.me.role === 'player' && (
        <Button
          icon={mine?.ready === false ? 'check' : 'close'}
          wide
          busy={busy.value}
          onClick={() => void run(() => command('room:ready', { roomId: now.id, ready: mine?.ready === false }))}
        >
          {t(mine?.ready === false ? 'role.takePart' : 'role.sitOut')}
        </Button>
      )}
      {(other === 'player' || now.settings.spectators) && (
        <Button
          icon={other === 'player' ? 'user' : 'eye'}
          wide
          busy={busy.value}
          onClick={() => void run(() => command('room:role', { roomId: now.id, as: other }))}
        >
          {t(other === 'player' ? 'role.play' : 'role.watch')}
        </Button>
      )}
    </div>
  );
}
