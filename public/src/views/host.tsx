import { useSignal } from '@preact/signals';
import { t } from '../i18n/index.ts';
import { command } from '../net/socket.ts';
import { isHost, room } from '../state/room.ts';
import { toastRefusal } from '../state/toasts.ts';
import { Button } from '../ui/parts.tsx';
import { Sheet } from '../ui/sheet.tsx';
import { askLeave } from './leave.tsx';

type Props = { readonly onShow: (what: 'share' | 'history' | 'settings' | 'profile' | 'boards') => void };

/** The room's menu at the end of the members: history for all, settings and closing for the host. */
export function RoomMenu({ onShow }: Props) {
  const closing = useSignal(false);
  const busy = useSignal(false);
  const now = room.value;
  if (now === null) return null;
  const toggleLock = async () => {
    busy.value = true;
    const patch = { settings: { locked: !now.settings.locked } };
    const answer = await command('room:configure', { roomId: now.id, version: now.settingsVersion, patch });
    busy.value = false;
    if (!answer.ok) toastRefusal(answer);
  };
  const close = async () => {
    closing.value = false;
    const answer = await command('room:close', { roomId: now.id });
    if (!answer.ok) toastRefusal(answer);
  };
  return (
    <div class="room-menu">
      <Button icon="history" wide onClick={() => onShow('history')}>
        {t('history.title')}
      </Button>
      <Button icon="trophy" wide onClick={() => onShow('boards')}>
        {t('board.title')}
      </Button>
      <Button icon="share" wide onClick={() => onShow('share')}>
        {t('share.title')}
      </Button>
      <Button icon="user" wide onClick={() => onShow('profile')}>
        {t('profile.title')}
      </Button>
      {isHost.value && (
        <>
          <h3>{t('host.title')}</h3>
          <Button icon="settings" wide onClick={() => onShow('settings')}>
            {t('configure.title')}
          </Button>
          <Button icon="lock" wide busy={busy.value} onClick={() => void toggleLock()}>
            {t(now.settings.locked ? 'host.unlock' : 'host.lock')}
          </Button>
          <Button icon="close" tone="danger" wide onClick={() => (closing.value = true)}>
            {t('host.close')}
          </Button>
        </>
      )}
      <Button icon="door" wide tone="quiet" onClick={() => (askLeave.value = true)}>
        {t('leave.go')}
      </Button>
      {closing.value && (
        <Sheet
          title={t('host.close')}
          onClose={() => (closing.value = false)}
          footer={
            <>
              <Button onClick={() => (closing.value = false)}>{t('ui.cancel')}</Button>
              <Button tone="danger" onClick={() => void close()}>
                {t('host.close')}
              </Button>
            </>
          }
        >
          <p>{t('host.closeText')}</p>
        </Sheet>
      )}
    </div>
  );
}
