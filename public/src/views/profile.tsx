import { useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import { locale, t } from '../i18n/index.ts';
import { ask } from '../net/socket.ts';
import { leaveRoom, room } from '../state/room.ts';
import { enterLinkCode, logout, me, updateProfile } from '../state/session.ts';
import { toast, toastRefusal } from '../state/toasts.ts';
import type { Locale, Reply } from '../types.ts';
import { countdown, secondsLeft } from '../ui/format.ts';
import { Button, Field, Segments } from '../ui/parts.tsx';
import { Sheet } from '../ui/sheet.tsx';
import { now } from '../ui/ticker.ts';
import { Statistics } from './statistics.tsx';

const NAME_LENGTH = 16;

export function ProfileSheet({ onClose }: { onClose: () => void }) {
  const name = useSignal(me.value?.nickname ?? '');
  const busy = useSignal(false);
  const profile = useSignal<Reply<'profile:get'> | null>(null);
  useEffect(() => {
    void ask('profile:get', {}).then((answer) => {
      if (answer.ok) profile.value = answer.data;
    });
  }, []);
  const changed = name.value.trim() !== '' && name.value.trim() !== me.value?.nickname;
  const save = async () => {
    busy.value = true;
    if (await updateProfile({ nickname: name.value.trim() })) toast(t('profile.saved'), 'good');
    busy.value = false;
  };
  return (
    <Sheet title={t('profile.title')} onClose={onClose}>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          if (changed) void save();
        }}
      >
        <Field label={t('profile.nickname')} hint={t('profile.nicknameHint')}>
          {(id) => (
            <div class="row">
              <input
                id={id}
                value={name.value}
                maxLength={NAME_LENGTH}
                autocomplete="nickname"
                onInput={(event) => (name.value = event.currentTarget.value)}
              />
              <Button submit tone="primary" disabled={!changed} busy={busy.value}>
                {t('ui.save')}
              </Button>
            </div>
          )}
        </Field>
      </form>
      {me.value && (
        <section class="sub">
          <h3>{t('stats.title')}</h3>
          <Statistics playerId={me.value.id} />
        </section>
      )}
      <h3>{t('profile.language')}</h3>
      <Segments<Locale>
        label={t('profile.language')}
        value={locale.value}
        options={[
          { value: 'ko', text: '한국어' },
          { value: 'en', text: 'English' },
        ]}
        onChange={(next) => void updateProfile({ locale: next })}
      />
      <LinkDevice onUsed={onClose} />
      <Logout onDone={onClose} />
      {profile.value && (
        <p class="hint">
          {t('profile.since', { date: new Date(profile.value.createdAt).toLocaleDateString(locale.value) })}
        </p>
      )}
    </Sheet>
  );
}

function LinkDevice({ onUsed }: { onUsed: () => void }) {
  const shown = useSignal<{ code: string; expiresAt: number } | null>(null);
  const typed = useSignal('');
  const get = async () => {
    const answer = await ask('session:link', {});
    if (answer.ok) shown.value = answer.data;
    else toastRefusal(answer);
  };
  const left = shown.value ? secondsLeft(shown.value.expiresAt, now.value) : 0;
  return (
    <section class="sub">
      <h3>{t('link.title')}</h3>
      <p class="hint">{t('link.hint')}</p>
      {shown.value && left > 0 ? (
        <p class="link-code">
          <output aria-label={t('link.code')}>{shown.value.code}</output>
          <small>{t('link.valid', { time: countdown(left) })}</small>
        </p>
      ) : (
        <Button icon="link" wide onClick={() => void get()}>
          {t('link.get')}
        </Button>
      )}
      <form
        class="row"
        onSubmit={(event) => {
          event.preventDefault();
          if (!/^[0-9]{6}$/.test(typed.value)) return;
          enterLinkCode(typed.value);
          onUsed();
        }}
      >
        <input
          aria-label={t('link.enter')}
          placeholder={t('link.enter')}
          inputMode="numeric"
          autocomplete="one-time-code"
          maxLength={6}
          value={typed.value}
          onInput={(event) => (typed.value = event.currentTarget.value.replace(/\D/g, ''))}
        />
        <Button submit disabled={typed.value.length !== 6}>
          {t('link.use')}
        </Button>
      </form>
    </section>
  );
}

function Logout({ onDone }: { onDone: () => void }) {
  const asked = useSignal<'here' | 'everywhere' | null>(null);
  const go = async () => {
    const everywhere = asked.value === 'everywhere';
    if (room.value) await leaveRoom();
    if (await logout(everywhere)) location.assign('/');
    onDone();
  };
  return (
    <section class="sub">
      <h3>{t('logout.title')}</h3>
      {asked.value === null ? (
        <div class="row">
          <Button onClick={() => (asked.value = 'here')}>{t('logout.here')}</Button>
          <Button onClick={() => (asked.value = 'everywhere')}>{t('logout.everywhere')}</Button>
        </div>
      ) : (
        <>
          <p role="alert">{t('logout.warning')}</p>
          <div class="row">
            <Button onClick={() => (asked.value = null)}>{t('ui.cancel')}</Button>
            <Button tone="danger" onClick={() => void go()}>
              {t('logout.go')}
            </Button>
          </div>
        </>
      )}
    </section>
  );
}
