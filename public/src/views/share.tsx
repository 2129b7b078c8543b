import { t } from '../i18n/index.ts';
import type { RoomState } from '../state/feed.ts';
import { inviteKeyOfRoom } from '../state/room.ts';
import { shareBase } from '../state/session.ts';
import { toast } from '../state/toasts.ts';
import { Button } from '../ui/parts.tsx';
import { Sheet } from '../ui/sheet.tsx';

/** On http:// there is no clipboard API: a selected text field and the old command still copy. */
export async function copyText(text: string): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    const field = document.createElement('textarea');
    field.value = text;
    field.className = 'sr';
    (document.querySelector('dialog[open]') ?? document.body).append(field);
    field.select();
    const done = document.execCommand('copy');
    field.remove();
    return done;
  }
}

export function ShareSheet({ room, onClose }: { room: RoomState; onClose: () => void }) {
  const key = inviteKeyOfRoom();
  const link = `${shareBase.value}/r/${room.code}${key === undefined ? '' : `#k=${encodeURIComponent(key)}`}`;
  const copy = async () => {
    const done = await copyText(link);
    toast(t(done ? 'share.copied' : 'share.copyByHand'), done ? 'good' : 'info');
  };
  const share = () =>
    void navigator.share({ title: room.name, text: t('share.text', { name: room.name }), url: link }).catch(() => {});
  return (
    <Sheet
      title={t('share.title')}
      onClose={onClose}
      footer={
        <>
          {'share' in navigator && (
            <Button icon="share" onClick={share}>
              {t('share.send')}
            </Button>
          )}
          <Button tone="primary" icon="link" onClick={() => void copy()}>
            {t('share.copy')}
          </Button>
        </>
      }
    >
      <p class="share-code">
        <small>{t('share.code')}</small>
        <strong>{room.code}</strong>
      </p>
      <input
        class="share-link"
        readOnly
        value={link}
        aria-label={t('share.link')}
        onFocus={(event) => event.currentTarget.select()}
      />
      <p class="hint">{t(room.hasPassword ? (key ? 'share.withKey' : 'share.needsPassword') : 'share.open')}</p>
    </Sheet>
  );
}
