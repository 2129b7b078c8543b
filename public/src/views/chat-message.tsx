import { useSignal } from '@preact/signals';
import { locale, t } from '../i18n/index.ts';
import { command } from '../net/socket.ts';
import { nameOf } from '../state/people.ts';
import { room } from '../state/room.ts';
import { toastRefusal } from '../state/toasts.ts';
import type { ChatMessage, Payload } from '../types.ts';
import { clockTime } from '../ui/format.ts';
import { Icon } from '../ui/icons.tsx';

type Emoji = Payload<'chat:react'>['emoji'];
export const EMOJI: readonly Emoji[] = ['👍', '❤️', '😂', '😮', '😢', '🎉'];

type Props = {
  readonly message: ChatMessage;
  /** Follows another of the same player: the name stands above that one. */
  readonly joined: boolean;
  readonly quoted: string | null;
  readonly onReply: () => void;
};

export function Message({ message, joined, quoted, onReply }: Props) {
  const open = useSignal(false);
  const held = room.value;
  if (held === null) return null;
  const self = held.me.playerId;
  const own = message.playerId === self;
  const mentioned = message.mentions?.includes(self) ?? false;
  const react = async (emoji: Emoji) => {
    open.value = false;
    const on = !message.reactions?.some((reaction) => reaction.emoji === emoji && reaction.playerIds.includes(self));
    const answer = await command('chat:react', { roomId: held.id, messageId: message.id, emoji, on });
    if (!answer.ok) toastRefusal(answer);
  };
  return (
    <article
      class={`message${own ? ' message-own' : ''}${mentioned ? ' message-mentioned' : ''}${joined ? ' message-joined' : ''}`}
    >
      {!joined && (
        <header>
          <strong>{nameOf(message.playerId)}</strong>
          {!own && message.playerId === held.hostId && <Icon name="crown" size={14} />}
          <time dateTime={new Date(message.at).toISOString()}>{clockTime(message.at, locale.value)}</time>
        </header>
      )}
      <div class="bubble-line">
        <div class="bubble">
          {quoted !== null && <blockquote>{quoted}</blockquote>}
          <p>{message.text}</p>
        </div>
        <span class="message-tools">
          <button
            type="button"
            aria-label={t('chat.react')}
            aria-expanded={open.value}
            onClick={() => (open.value = !open.value)}
          >
            <Icon name="smile" size={18} />
          </button>
          <button type="button" aria-label={t('chat.reply')} onClick={onReply}>
            <Icon name="reply" size={18} />
          </button>
        </span>
      </div>
      {open.value && (
        <div class="emoji" role="group" aria-label={t('chat.react')}>
          {EMOJI.map((emoji) => (
            <button key={emoji} type="button" aria-label={emoji} onClick={() => void react(emoji)}>
              {emoji}
            </button>
          ))}
        </div>
      )}
      {message.reactions && message.reactions.length > 0 && (
        <div class="reactions">
          {message.reactions.map(({ emoji, playerIds }) => (
            <button
              key={emoji}
              type="button"
              aria-pressed={playerIds.includes(self)}
              aria-label={t('chat.reactedBy', { emoji, n: playerIds.length, names: playerIds.map(nameOf).join(', ') })}
              onClick={() => void react(emoji as Emoji)}
            >
              {emoji} {playerIds.length}
            </button>
          ))}
        </div>
      )}
    </article>
  );
}
