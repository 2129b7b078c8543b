import { useSignal } from '@preact/signals';
import { t } from '../i18n/index.ts';
import { command } from '../net/socket.ts';
import type { RoomState } from '../state/feed.ts';
import { changedSettings } from '../state/settings.ts';
import { toast, toastRefusal } from '../state/toasts.ts';
import type { Settings } from '../types.ts';
import { Button, Field, Toggle } from '../ui/parts.tsx';
import { Sheet } from '../ui/sheet.tsx';
import { SettingsForm } from './settings-form.tsx';

/** The host's settings. What concerns the race holds from the next one on. */
export function ConfigureSheet({ room, onClose }: { room: RoomState; onClose: () => void }) {
  const name = useSignal(room.name);
  const keepPassword = useSignal(room.hasPassword);
  const password = useSignal('');
  const settings = useSignal<Settings>(room.settings);
  const busy = useSignal(false);
  const save = async () => {
    const changed = changedSettings(room.settings, settings.value);
    const newName = name.value.trim() !== '' && name.value.trim() !== room.name;
    const newPassword =
      password.value !== '' ? password.value : room.hasPassword && !keepPassword.value ? null : undefined;
    if (!changed && !newName && newPassword === undefined) return onClose();
    busy.value = true;
    const answer = await command('room:configure', {
      roomId: room.id,
      version: room.settingsVersion,
      patch: {
        ...(newName ? { name: name.value.trim() } : {}),
        ...(newPassword === undefined ? {} : { password: newPassword }),
        ...(changed ? { settings: changed } : {}),
      },
    });
    busy.value = false;
    if (!answer.ok) return toastRefusal(answer);
    toast(t('configure.saved'), 'good');
    onClose();
  };
  return (
    <Sheet
      title={t('configure.title')}
      onClose={onClose}
      footer={
        <>
          <Button onClick={onClose}>{t('ui.cancel')}</Button>
          <Button tone="primary" busy={busy.value} onClick={() => void save()}>
            {t('ui.save')}
          </Button>
        </>
      }
    >
      <Field label={t('create.name')}>
        {(id) => (
          <input
            id={id}
            maxLength={30}
            value={name.value}
            onInput={(event) => (name.value = event.currentTarget.value)}
          />
        )}
      </Field>
      {room.hasPassword && (
        <Toggle
          label={t('configure.keepPassword')}
          on={keepPassword.value}
          onChange={(on) => (keepPassword.value = on)}
        />
      )}
      <Field label={t(room.hasPassword ? 'configure.newPassword' : 'create.password')}>
        {(id) => (
          <input
            id={id}
            autocomplete="off"
            maxLength={64}
            value={password.value}
            onInput={(event) => (password.value = event.currentTarget.value)}
          />
        )}
      </Field>
      <SettingsForm
        kind={room.kind}
        value={settings.value}
        onChange={(patch) => (settings.value = { ...settings.value, ...patch })}
      />
    </Sheet>
  );
}
