import { errorText } from '../../../lib/errors.ts';
import { locale, t } from '../i18n/index.ts';
import { connection, refusedCode } from '../net/socket.ts';
import { entry } from '../state/entry.ts';
import { gone, room } from '../state/room.ts';
import { recordShown, route } from '../state/route.ts';
import { me } from '../state/session.ts';
import { Button } from '../ui/parts.tsx';
import { Banner } from './banner.tsx';
import { EntrySheet } from './entry-sheet.tsx';
import { GoneView } from './gone.tsx';
import { LeaveSheet } from './leave.tsx';
import { LobbyView } from './lobby.tsx';
import { RecordSheet } from './record.tsx';
import { RoomView } from './room.tsx';
import { Toasts } from './toasts.tsx';

export function App() {
  if (refusedCode.value !== null) return <Refused code={refusedCode.value} />;
  return (
    <>
      <Banner />
      <Page />
      {entry.value !== null && room.value === null && <EntrySheet />}
      {recordShown.value !== null && <RecordSheet raceId={recordShown.value} key={recordShown.value} />}
      <LeaveSheet />
      <Toasts />
    </>
  );
}

function Page() {
  if (room.value !== null) return <RoomView />;
  if (gone.value !== null) return <GoneView gone={gone.value} />;
  if (me.value === null && connection.value !== 'up') return <Connecting />;
  if (route.value.page === 'room' && entry.value === null) return <Connecting />;
  return <LobbyView />;
}

function Connecting() {
  return (
    <main class="middle">
      <span class="spinner" aria-hidden="true" />
      <p role="status">{t('session.connecting')}</p>
    </main>
  );
}

function Refused({ code }: { code: 'BAD_ORIGIN' | 'PROTOCOL_VERSION' }) {
  return (
    <main class="middle">
      <h1>Paddock</h1>
      <p role="alert">{errorText(code, locale.value)}</p>
      <Button tone="primary" onClick={() => location.reload()}>
        {t('ui.reload')}
      </Button>
    </main>
  );
}
