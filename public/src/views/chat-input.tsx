import { type Signal, useSignal } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';
import { t } from '../i18n/index.ts';
import { command } from '../net/socket.ts';
import { completeMention, mentionedIn, mentionQuery } from '../state/mentions.ts';
import { nameOf } from '../state/people.ts';
import { names, pendingChat, room } from '../state/room.ts';
import { refusalText, toast } from '../state/toasts.ts';
import type { ChatMessage, PlayerId } from '../types.ts';
import { Icon } from '../ui/icons.tsx';

const LONGEST = 200;
const SUGGESTED = 5;
let lastPending = 0;

export function ChatInput({ replyTo }: { replyTo: Signal<ChatMessage | null> }) {
  const text = useSignal('');
  const input = useRef<HTMLInputElement>(null);
  useEffect(() => {
    if (replyTo.value !== null) input.current?.focus();
  }, [replyTo.value]);
  const held = room.value;
  if (held === null) return null;
  const self = held.me.playerId;
  const query = mentionQuery(text.value);
  const people = [...names.value].filter(([id]) => id !== self).map(([id, name]) => ({ id, name }));
  const suggested =
    query === null
      ? []
      : people.filter(({ name }) => name.toLowerCase().startsWith(query.toLowerCase())).slice(0, SUGGESTED);
  const send = async () => {
    const wanted = text.value.trim();
    if (wanted === '') return;
    const quoted = replyTo.value;
    text.value = '';
    replyTo.value = null;
    lastPending += 1;
    const pending = { id: lastPending, text: wanted };
    pendingChat.value = [...pendingChat.value, pending];
    const mentions = mentionedIn(wanted, people) as PlayerId[];
    const answer = await command('chat:send', {
      roomId: held.id,
      text: wanted,
      ...(quoted ? { replyTo: quoted.id } : {}),
      ...(mentions.length > 0 ? { mentions } : {}),
    });
    pendingChat.value = pendingChat.value.filter((other) => other.id !== pending.id);
    if (answer.ok) return;
    // What was typed is not lost with a refusal.
    if (text.value === '') text.value = wanted;
    toast(refusalText(answer), 'bad');
  };
  return (
    <form
      class="chat-form"
      onSubmit={(event) => {
        event.preventDefault();
        void send();
      }}
    >
      {replyTo.value && (
        <p class="reply-to">
          <Icon name="reply" size={16} />
          <span>
            {nameOf(replyTo.value.playerId)}: {replyTo.value.text}
          </span>
          <button type="button" aria-label={t('chat.noReply')} onClick={() => (replyTo.value = null)}>
            <Icon name="close" size={16} />
          </button>
        </p>
      )}
      {suggested.length > 0 && (
        <div class="mentions" role="group" aria-label={t('chat.mention')}>
          {suggested.map(({ id, name }) => (
            <button
              key={id}
              type="button"
              onClick={() => {
                text.value = completeMention(text.value, name);
                input.current?.focus();
              }}
            >
              @{name}
            </button>
          ))}
        </div>
      )}
      <div class="chat-line">
        <input
          ref={input}
          aria-label={t('chat.write')}
          placeholder={
            held.settings.slowModeSeconds > 0
              ? t('chat.slow', { seconds: held.settings.slowModeSeconds })
              : t('chat.write')
          }
          maxLength={LONGEST}
          enterKeyHint="send"
          autocomplete="off"
          value={text.value}
          onInput={(event) => (text.value = event.currentTarget.value)}
        />
        <button type="submit" class="send" aria-label={t('chat.send')} disabled={text.value.trim() === ''}>
          <Icon name="send" />
        </button>
      </div>
    </form>
  );
}
