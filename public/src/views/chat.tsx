import { useComputed, useSignal } from '@preact/signals';
import { useEffect, useLayoutEffect, useRef } from 'preact/hooks';
import { t } from '../i18n/index.ts';
import { nameOf } from '../state/people.ts';
import { chatVisible, loadOlderChat, olderChat, pendingChat, room, unread } from '../state/room.ts';
import type { ChatMessage } from '../types.ts';
import { Button } from '../ui/parts.tsx';
import { ChatInput } from './chat-input.tsx';
import { Message } from './chat-message.tsx';

const NEAR_END_PX = 80;

export function ChatPane() {
  const list = useRef<HTMLDivElement>(null);
  const follow = useRef(true);
  const replyTo = useSignal<ChatMessage | null>(null);
  const all = useComputed(() => [...olderChat.value.messages, ...(room.value?.chat ?? [])]);
  const loading = useSignal(false);
  const last = all.value.at(-1)?.id;
  useLayoutEffect(() => {
    const shown = list.current;
    if (shown && follow.current) shown.scrollTop = shown.scrollHeight;
  }, [last, chatVisible.value, pendingChat.value.length]);
  useEffect(() => {
    if (chatVisible.value) unread.value = 0;
  }, [last]);
  const byId = new Map(all.value.map((message) => [message.id, message]));
  const older = async () => {
    const shown = list.current;
    const fromEnd = shown ? shown.scrollHeight - shown.scrollTop : 0;
    loading.value = true;
    await loadOlderChat();
    loading.value = false;
    requestAnimationFrame(() => {
      if (shown) shown.scrollTop = shown.scrollHeight - fromEnd;
    });
  };
  return (
    <>
      <div class="pane-head chat-head">
        <h2>{t('tab.chat')}</h2>
      </div>
      <div
        class="chat-list"
        ref={list}
        role="log"
        aria-label={t('tab.chat')}
        tabIndex={0}
        onScroll={(event) => {
          const { scrollHeight, scrollTop, clientHeight } = event.currentTarget;
          follow.current = scrollHeight - scrollTop - clientHeight < NEAR_END_PX;
        }}
      >
        {olderChat.value.more && all.value.length > 0 && (
          <Button tone="quiet" busy={loading.value} onClick={() => void older()}>
            {t('chat.older')}
          </Button>
        )}
        {all.value.length === 0 && <p class="empty">{t('chat.empty')}</p>}
        {all.value.map((message, index) => {
          const before = all.value[index - 1];
          const quoted = message.replyTo === undefined ? undefined : byId.get(message.replyTo);
          return (
            <Message
              key={message.id}
              message={message}
              joined={
                before?.playerId === message.playerId &&
                message.at - before.at < 120_000 &&
                message.replyTo === undefined
              }
              quoted={
                quoted
                  ? `${nameOf(quoted.playerId)}: ${quoted.text}`
                  : message.replyTo === undefined
                    ? null
                    : t('chat.quotedGone')
              }
              onReply={() => (replyTo.value = message)}
            />
          );
        })}
        {pendingChat.value.map(({ id, text }) => (
          <article key={`p${id}`} class="message message-own message-pending">
            <div class="bubble">
              <p>{text}</p>
            </div>
            <small>{t('chat.pending')}</small>
          </article>
        ))}
      </div>
      <ChatInput replyTo={replyTo} />
    </>
  );
}
