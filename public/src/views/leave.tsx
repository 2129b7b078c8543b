import { signal } from '@preact/signals';
import { t } from '../i18n/index.ts';
import { leaveRoom, mine, race, room } from '../state/room.ts';
import { Button } from '../ui/parts.tsx';
import { Sheet } from '../ui/sheet.tsx';

export const askLeave = signal(false);

export function LeaveSheet() {
  if (!askLeave.value || room.value === null) return null;
  const close = () => {
    askLeave.value = false;
  };
  const view = race.value;
  const own = mine.value !== null && mine.value.raceId === view?.id ? mine.value : null;
  const self = room.value.me.playerId;
  const entered =
    (own?.bets.length ?? 0) > 0 || own?.pick?.horse != null || view?.picks?.some((pick) => pick.playerId === self);
  const inRace = entered && (view?.phase === 'open' || view?.phase === 'closed' || view?.phase === 'running');
  return (
    <Sheet
      title={t('leave.title')}
      onClose={close}
      footer={
        <>
          <Button onClick={close}>{t('leave.stay')}</Button>
          <Button
            tone="danger"
            onClick={() => {
              close();
              void leaveRoom();
            }}
          >
            {t('leave.go')}
          </Button>
        </>
      }
    >
      <p>{t(inRace ? (room.value.kind === 'bet' ? 'leave.betsStay' : 'leave.pickStays') : 'leave.text')}</p>
    </Sheet>
  );
}
