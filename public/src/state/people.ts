import { effect } from '@preact/signals';
import { t } from '../i18n/index.ts';
import { names, olderChat, room } from './room.ts';

/** Names of people seen in this room, also of those who have left: results and chat still speak of them. */
const seen = new Map<string, string>();

effect(() => {
  for (const [id, name] of names.value) seen.set(id, name);
  for (const message of [...olderChat.value.messages, ...(room.value?.chat ?? [])]) {
    if (!seen.has(message.playerId)) seen.set(message.playerId, message.nickname);
  }
});

export function nameOf(playerId: string): string {
  return names.value.get(playerId) ?? seen.get(playerId) ?? t('member.someone');
}
