import { useSignal } from '@preact/signals';
import { errorText } from '../../../lib/errors.ts';
import { locale, t } from '../i18n/index.ts';
import { entry, join } from '../state/entry.ts';
import { go } from '../state/route.ts';
import { me, updateProfile } from '../state/session.ts';
import type { Role } from '../types.ts';
import { Button, Field, Tag } from '../ui/parts.tsx';
import { Sheet } from '../ui/sheet.tsx';

/** Before a room: what it is, by what name, and whatever stands in the way. */
export function EntrySheet() {
  const now = entry.value;
  const password = useSignal('');
  const name = useSignal(me.value?.nickname ?? '');
  if (now === null) return null;
  const { card, refused, busy } = now;
  const full = refused === 'ROOM_FULL' || (card !== null && card.players >= card.capacity);
  const needsPassword = card !== null && card.hasPassword && (now.key === undefined || refused === 'WRONG_PASSWORD');
  const close = () => {
    entry.value = null;
    go('/', 'replace');
  };
  const enter = async (as: Role) => {
    const wanted = name.value.trim();
    if (wanted !== '' && wanted !== me.value?.nickname) await updateProfile({ nickname: wanted });
    await join(as, needsPassword ? password.value : undefined);
  };
  const ready = card !== null && !busy && (!needsPassword || password.value !== '');
  return (
    <Sheet
      title={card?.name ?? t('entry.title', { code: now.code })}
      onClose={close}
      footer={
        card === null ? (
          <Button onClick={close}>{t('gone.lobby')}</Button>
        ) : (
          <>
            <Button icon="eye" disabled={!ready} onClick={() => void enter('spectator')}>
              {t('entry.watch')}
            </Button>
            <Button
              tone="primary"
              icon="door"
              disabled={!ready || full}
              busy={busy}
              onClick={() => void enter('player')}
            >
              {t('entry.join')}
            </Button>
          </>
        )
      }
    >
      {card === null && !refused && <p role="status">{t('ui.loading')}</p>}
      {card !== null && (
        <p class="row-wrap">
          <Tag tone={card.kind === 'bet' ? 'gold' : 'plain'}>{t(`kind.${card.kind}`)}</Tag>
          <Tag>{t('entry.players', { n: card.players, of: card.capacity })}</Tag>
          <Tag>{card.code}</Tag>
        </p>
      )}
      {card !== null && <p class="hint">{t(`kind.${card.kind}.lead`)}</p>}
      {full && (
        <p role="alert" class="notice">
          {t(now.canSpectate || refused === null ? 'entry.fullWatch' : 'entry.full')}
        </p>
      )}
      {refused && refused !== 'ROOM_FULL' && (
        <p role="alert" class="notice notice-bad">
          {refused === 'NOT_FOUND' ? t('entry.notFound', { code: now.code }) : errorText(refused, locale.value)}
        </p>
      )}
      {card !== null && (
        <form
          onSubmit={(event) => {
            event.preventDefault();
            if (ready) void enter(full ? 'spectator' : 'player');
          }}
        >
          <Field label={t('profile.nickname')}>
            {(id) => (
              <input
                id={id}
                maxLength={16}
                autocomplete="nickname"
                value={name.value}
                onInput={(event) => (name.value = event.currentTarget.value)}
              />
            )}
          </Field>
          {needsPassword && (
            <Field label={t('entry.password')}>
              {(id) => (
                <input
                  id={id}
                  type="password"
                  autocomplete="off"
                  maxLength={64}
                  value={password.value}
                  onInput={(event) => (password.value = event.currentTarget.value)}
                />
              )}
            </Field>
          )}
          <button type="submit" class="sr" tabIndex={-1} aria-hidden="true" />
        </form>
      )}
    </Sheet>
  );
}
