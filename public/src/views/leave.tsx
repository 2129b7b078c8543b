import { signal } from '@preact/signals';
import { t } from '../i18n/index.ts';
import { leaveRoom, race, room } from '../state/room.ts';
import { Button } from '../ui/parts.tsx';
import { Sheet } from '../ui/sheet.tsx';

export const askLeave = signal(false);

export function LeaveSheet() {
  if (!askLeave.value || room.value === null) return null;
  const close = () => {
    askLeave.value = false;
  };
  const phase = race.value?.phase;
  const inRace = phase === 'open' || phase === 'closed' || phase === 'running';
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
