import { render } from 'preact';
import { errorText } from '../../lib/errors.ts';
import { locale, setLocale } from './i18n/index.ts';
import { openSocket } from './net/socket.ts';
import { parseRoute, raceInHash } from './state/address.ts';
import { entry, followAddress } from './state/entry.ts';
import { fetchChunks, takeChunk } from './state/frames.ts';
import { onLobbyUpdate } from './state/lobby.ts';
import {
  closeRoom,
  enterRoom,
  onBetSettled,
  onOdds,
  onRoomEvents,
  onRoomLeft,
  race,
  resumeAuth,
  room,
} from './state/room.ts';
import { recordShown, route } from './state/route.ts';
import { forgetToken, me, onNotice, onSessionReady, pointsMoved, sessionAuth, syncTime } from './state/session.ts';
import { toast } from './state/toasts.ts';
import { afterSettlement } from './state/wallet.ts';
import { App } from './views/app.tsx';
import { askLeave } from './views/leave.tsx';
import './style/base.css';
import './style/forms.css';
import './style/room.css';
import './style/panels.css';
import './style/boards.css';
import './style/pools.css';
import './style/wallet.css';

setLocale(locale.value);

openSocket(
  {
    auth: () => ({ ...sessionAuth(), ...resumeAuth() }),
    badToken: () => {
      forgetToken();
      toast(errorText('BAD_TOKEN', locale.value), 'bad');
    },
  },
  {
    'session:ready': (ready) => {
      const before = me.peek()?.id;
      onSessionReady(ready);
      // Another player by a link code or a new token: the room was the other one's.
      if (before !== undefined && before !== ready.player.id && room.peek() !== null) closeRoom(null);
      followAddress(ready.resumed, ready.left);
    },
    'room:snapshot': ({ room: snapshot, seat }) => enterRoom(snapshot, seat),
    'room:events': onRoomEvents,
    'room:left': onRoomLeft,
    'race:odds': onOdds,
    'race:frames': (chunk) => takeChunk(chunk.raceId, chunk),
    'wallet:update': ({ balance, version }) => pointsMoved(balance, version),
    'bet:settled': (message) => {
      onBetSettled(message);
      afterSettlement();
    },
    'lobby:update': onLobbyUpdate,
    'server:notice': onNotice,
  },
);

window.addEventListener('popstate', () => {
  const held = room.value;
  const next = parseRoute(location.pathname, location.hash);
  if (held !== null && (next.page === 'lobby' || next.code !== held.code)) {
    // Back from a room: stay, and ask first.
    history.pushState({ paddock: true }, '', `/r/${held.code}`);
    askLeave.value = true;
    return;
  }
  entry.value = null;
  route.value = next;
  if (held === null && next.page === 'room') followAddress(false, undefined);
});
window.addEventListener('hashchange', () => {
  recordShown.value = raceInHash(location.hash);
});
document.addEventListener('visibilitychange', () => {
  if (document.visibilityState !== 'visible') return;
  void syncTime();
  const now = race.value;
  if (now?.phase === 'running' || now?.phase === 'closed') void fetchChunks(now.id);
});

const root = document.getElementById('app');
if (root) {
  root.replaceChildren();
  render(<App />, root);
}
