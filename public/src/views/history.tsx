import { useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import { locale, t } from '../i18n/index.ts';
import { ask } from '../net/socket.ts';
import type { RoomState } from '../state/feed.ts';
import { nameOf } from '../state/people.ts';
import { recordShown } from '../state/route.ts';
import { toastRefusal } from '../state/toasts.ts';
import type { Reply } from '../types.ts';
import { clockTime } from '../ui/format.ts';
import { Button, Tag } from '../ui/parts.tsx';
import { Sheet } from '../ui/sheet.tsx';

/** The room's races, newest first; each leads to its record. */
export function HistorySheet({ room, onClose }: { room: RoomState; onClose: () => void }) {
  const list = useSignal<Reply<'race:history'> | null>(null);
  const load = async () => {
    const before = list.value?.next;
    const answer = await ask('race:history', { roomId: room.id, limit: 20, ...(before ? { before } : {}) });
    if (!answer.ok) return toastRefusal(answer);
    list.value = { ...answer.data, races: [...(list.value?.races ?? []), ...answer.data.races] };
  };
  useEffect(() => void load(), []);
  return (
    <Sheet title={t('history.title')} onClose={onClose}>
      {list.value === null && <p role="status">{t('ui.loading')}</p>}
      {list.value?.races.length === 0 && <p class="empty">{t('history.empty')}</p>}
      <ul class="history">
        {list.value?.races.map((line) => (
          <li key={line.id}>
            <button type="button" class="history-line" onClick={() => (recordShown.value = line.id)}>
              <b>{t('stage.number', { n: line.number })}</b>
              <span>
                {line.caught && line.caught.length > 0
                  ? t('history.caught', { names: line.caught.map(nameOf).join(', ') })
                  : line.order
                    ? t('history.order', {
                        order: line.order
                          .slice(0, 3)
                          .map((horse) => horse.number)
                          .join(' – '),
                      })
                    : ''}
              </span>
              <Tag>{t(`phase.${line.phase}`)}</Tag>
              <time>{clockTime(line.at, locale.value)}</time>
            </button>
          </li>
        ))}
      </ul>
      {list.value?.next && (
        <Button wide onClick={() => void load()}>
          {t('ui.more')}
        </Button>
      )}
    </Sheet>
  );
}
