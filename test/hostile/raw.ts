import { WebSocket } from 'ws';
import type { Recorder } from './recorder.ts';

export const CONNECT = '40{"protocol":1,"locale":"en"}';
const CLOSED_WITHIN_MS = 15_000;

/** A request without and with acknowledgement, and with an attachment, as Socket.IO frames them. */
export const asRequest = (request: string, payload: string): (string | Buffer)[][] => [
  [`42["${request}",${payload}]`],
  [`427["${request}",${payload}]`],
  [`451-8["${request}",{"_placeholder":true,"num":0}]`, Buffer.from('bytes')],
];

/** As deep as fits into a message. */
export const DEEPEST = `${'{"a":'.repeat(5_000)}1${'}'.repeat(5_000)}`;

/** What no Socket.IO client would send; each ends its connection. */
export const GARBAGE: readonly (readonly (string | Buffer)[])[] = [
  ['9'],
  ['{}'],
  ['42['],
  ['4999'],
  ['45-["room:create",{"_placeholder":true,"num":0}]'],
  ['451-["x",{"_placeholder":true,"num":9}]', Buffer.from('bytes')],
  ['450-["x"]', Buffer.from('bytes')],
  ['420["disconnect"]'],
  ['420["connect_error",{}]'],
  ['420["newListener",{}]'],
  ['x'.repeat(40_000)],
];

/** A websocket that speaks what it likes; its recorder keeps what it gets. */
export async function openRaw(url: string, recorder: Recorder): Promise<WebSocket> {
  const socket = new WebSocket(`${url.replace('http', 'ws')}/socket.io/?EIO=4&transport=websocket`);
  recorder.watch(socket);
  socket.on('error', () => {});
  await new Promise((resolve, reject) => socket.once('open', resolve).once('error', reject));
  return socket;
}

/** Sends the messages in one go and waits for the server to end the connection. Rejects where it does not. */
export async function sendUntilClosed(
  url: string,
  recorder: Recorder,
  messages: readonly (string | Buffer)[],
): Promise<void> {
  const socket = await openRaw(url, recorder);
  const closed = new Promise((resolve) => socket.once('close', resolve));
  for (const message of messages) socket.send(message);
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise((_, reject) => {
    timer = setTimeout(
      () => reject(new Error(`not closed after ${messages.join(' ').slice(0, 200)}`)),
      CLOSED_WITHIN_MS,
    );
  });
  try {
    await Promise.race([closed, late]);
  } finally {
    clearTimeout(timer);
    socket.terminate();
  }
}
