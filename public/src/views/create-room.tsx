import { useSignal } from '@preact/signals';
import { t } from '../i18n/index.ts';
import { createRoom } from '../state/entry.ts';
import { me } from '../state/session.ts';
import { changedSettings, defaultSettings } from '../state/settings.ts';
import type { Kind, Settings } from '../types.ts';
import { Button, Field, Segments } from '../ui/parts.tsx';
import { Sheet } from '../ui/sheet.tsx';
import { SettingsForm } from './settings-form.tsx';

export function CreateRoomSheet({ kind: firstKind, onClose }: { kind: Kind; onClose: () => void }) {
  const kind = useSignal<Kind>(firstKind);
  const name = useSignal('');
  const password = useSignal('');
  const settings = useSignal<Settings>(defaultSettings(firstKind));
  const busy = useSignal(false);
  const create = async () => {
    busy.value = true;
    const changed = changedSettings(defaultSettings(kind.value), settings.value);
    const made = await createRoom({
      kind: kind.value,
      ...(name.value.trim() ? { name: name.value.trim() } : {}),
      ...(password.value ? { password: password.value } : {}),
      ...(changed ? { settings: changed } : {}),
    });
    busy.value = false;
    if (made) onClose();
  };
  return (
    <Sheet
      title={t('create.title')}
      onClose={onClose}
      footer={
        <Button tone="primary" wide busy={busy.value} onClick={() => void create()}>
          {t('create.go')}
        </Button>
      }
    >
      <form
        onSubmit={(event) => {
          event.preventDefault();
          void create();
        }}
      >
        <Segments<Kind>
          label={t('create.kind')}
          value={kind.value}
          options={[
            { value: 'pick', text: t('kind.pick') },
            { value: 'bet', text: t('kind.bet') },
          ]}
          onChange={(next) => {
            kind.value = next;
            settings.value = defaultSettings(next);
          }}
        />
        <p class="hint">{t(`kind.${kind.value}.lead`)}</p>
        <Field label={t('create.name')}>
          {(id) => (
            <input
              id={id}
              maxLength={30}
              placeholder={t('create.namePlaceholder', { name: me.value?.nickname ?? '' })}
              value={name.value}
              onInput={(event) => (name.value = event.currentTarget.value)}
            />
          )}
        </Field>
        <Field label={t('create.password')} hint={t('create.passwordHint')}>
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
        <button type="submit" class="sr" tabIndex={-1} aria-hidden="true" />
      </form>
      <details class="more">
        <summary>{t('create.more')}</summary>
        <SettingsForm
          kind={kind.value}
          value={settings.value}
          onChange={(patch) => (settings.value = { ...settings.value, ...patch })}
        />
      </details>
    </Sheet>
  );
}
