import { useSignal } from '@preact/signals';
import { t } from '../i18n/index.ts';
import { command } from '../net/socket.ts';
import { isHost, names, room } from '../state/room.ts';
import { toastRefusal } from '../state/toasts.ts';
import type { MemberView } from '../types.ts';
import { Button, Field } from '../ui/parts.tsx';
import { Sheet } from '../ui/sheet.tsx';
import { Statistics } from './statistics.tsx';

/** Who a member is, and what a host can do about them. */
export function MemberSheet({ member, onClose }: { member: MemberView; onClose: () => void }) {
  const reason = useSignal('');
  const kicking = useSignal(false);
  const now = room.value;
  if (now === null) return null;
  const handover = async () => {
    const answer = await command('room:handover', { roomId: now.id, playerId: member.id });
    if (!answer.ok) return toastRefusal(answer);
    onClose();
  };
  const kick = async () => {
    const why = reason.value.trim();
    const answer = await command('room:kick', { roomId: now.id, playerId: member.id, ...(why ? { reason: why } : {}) });
    if (!answer.ok) return toastRefusal(answer);
    onClose();
  };
  return (
    <Sheet title={names.value.get(member.id) ?? member.nickname} onClose={onClose}>
      {kicking.value ? (
        <form
          onSubmit={(event) => {
            event.preventDefault();
            void kick();
          }}
        >
          <Field label={t('kick.reason')} hint={t('kick.hint')}>
            {(id) => (
              <input
                id={id}
                maxLength={100}
                value={reason.value}
                onInput={(event) => (reason.value = event.currentTarget.value)}
              />
            )}
          </Field>
          <div class="row">
            <Button onClick={() => (kicking.value = false)}>{t('ui.cancel')}</Button>
            <Button submit tone="danger">
              {t('kick.go')}
            </Button>
          </div>
        </form>
      ) : (
        <Statistics playerId={member.id} />
      )}
      {!kicking.value && isHost.value && member.id !== now.me.playerId && (
        <div class="stack">
          <Button icon="crown" wide onClick={() => void handover()}>
            {t('handover.go')}
          </Button>
          <Button icon="door" tone="danger" wide onClick={() => (kicking.value = true)}>
            {t('kick.title')}
          </Button>
        </div>
      )}
    </Sheet>
  );
}
