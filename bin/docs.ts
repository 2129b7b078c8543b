import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { LIMITS } from '../config/limits.ts';
import { CONNECT_ERRORS, ERRORS, type ErrorCode } from '../lib/errors.ts';
import { handshakeSchema, PROTOCOL_VERSION, REQUESTS, type RequestName } from '../lib/protocol.ts';
import { CODES } from './docs/code-table.ts';
import { type Field, fieldsOf } from './docs/schema-text.ts';
import { readTypes } from './docs/type-text.ts';

const FILE = fileURLToPath(new URL('../docs/protocol.md', import.meta.url));
/** Where the wire's types are written. */
export const SOURCES = [
  '../lib/protocol.ts',
  '../lib/protocol/boards.ts',
  '../lib/protocol/events.ts',
  '../lib/protocol/replies.ts',
  '../lib/protocol/views.ts',
  '../lib/protocol/wallet.ts',
].map((file) => fileURLToPath(new URL(file, import.meta.url)));

const SHAPES = [
  'Snapshot',
  'MemberView',
  'ChatMessage',
  'Reaction',
  'RoomCard',
  'RaceView',
  'RaceRecord',
  'RaceLine',
  'Receipt',
  'MyBet',
  'PastBet',
  'SettledBet',
  'StatementEntry',
  'Board',
  'BoardRow',
  'Statistics',
  'OwnLimits',
  'FrameChunkView',
  'OddsView',
  'OddsText',
  'RoomEventsPacket',
  'Ack',
  'ConnectRefusal',
];

const cell = (text: string): string => text.replaceAll('|', '\\|').replace(/\s+/g, ' ');
const row = (...cells: readonly string[]): string => `| ${cells.map(cell).join(' | ')} |`;
const table = (head: readonly string[], rows: readonly string[]): string =>
  [row(...head), `|${'---|'.repeat(head.length)}`, ...rows].join('\n');
const code = (text: string): string => `\`\`\`ts\n${text}\n\`\`\``;

function fieldTable(fields: readonly Field[]): string {
  if (fields.length === 0) return 'Payload: `{}`';
  return table(
    ['field', 'what it takes', ''],
    fields.map(({ name, type, required }) => row(`\`${name}\``, type, required ? '' : 'optional')),
  );
}

/** docs/protocol.md, made from the schemas, the types as they are written, the catalogue of errors and the limits. */
export function protocolDocument(): string {
  const types = readTypes(...SOURCES);
  const replies = new Map(types.members('Replies').map((member) => [member.name, member.text]));
  const requests = (Object.keys(REQUESTS) as RequestName[]).flatMap((name) => [
    `### \`${name}\``,
    fieldTable(fieldsOf(REQUESTS[name])),
    'Answered with',
    code(replies.get(name) ?? ''),
  ]);
  const events = types
    .members('ServerEvents')
    .flatMap(({ name, text, comment }) => [`### \`${name}\``, ...(comment === '' ? [] : [comment]), code(text)]);
  const shapes = SHAPES.map((name) => types.declaration(name)).flatMap(({ text, comment }) => [
    ...(comment === '' ? [] : [comment]),
    code(text),
  ]);
  const errors = (Object.keys(ERRORS) as ErrorCode[]).map((name) => {
    const where = CODES[name];
    const { retryable, ko, en } = ERRORS[name];
    return row(
      `\`${name}\``,
      retryable ? 'yes' : '',
      en,
      ko,
      typeof where === 'string' ? where : where.map((request) => `\`${request}\``).join(' ') || 'none so far',
    );
  });
  const refusals = Object.entries(CONNECT_ERRORS).map(([name, { retryable, ko, en }]) =>
    row(`\`${name}\``, retryable ? 'yes' : '', en, ko),
  );
  const limits = Object.values(LIMITS).map(({ env, default: value, unit, reason }) =>
    row(`\`${env}\``, `${value} ${unit}`, reason),
  );

  return [
    `# Wire protocol, version ${PROTOCOL_VERSION}`,
    'Made by `npm run docs` from `lib/protocol.ts`, `lib/errors.ts` and `config/limits.ts`; `npm run check` compares. Do not edit.',
    'Socket.IO 4 over websockets alone. Every request has one payload object and is acknowledged with an `Ack`. Points are decimal texts, times whole milliseconds of server time. A request that changes something carries a `commandId`, a UUID that the client makes and keeps until it is answered: sent again, it has one effect and the same answer.',
    '## Handshake',
    'The `auth` object of the connection. The answer is `session:ready`, then, where `resume` named a room, one `room:events` or one `room:snapshot`.',
    fieldTable(fieldsOf(handshakeSchema)),
    'A refused connection gets `connect_error` with a `ConnectRefusal` in `data`:',
    table(['code', 'again', 'en', 'ko'], refusals),
    '## Requests',
    ...requests,
    '## Server events',
    ...events,
    '## Events of a room',
    'In `room:events`, each with `seq` and `at`; one order for everybody, no gaps within an epoch. A client ignores a `seq` it has, and asks `room:sync` when one is missing.',
    ...types.variants('RoomEventBody').map(code),
    '## Shapes',
    ...shapes,
    '## Errors',
    table(['code', 'again', 'en', 'ko', 'answers'], errors),
    '## Limits',
    table(['setting', 'default', 'reason'], limits),
    '',
  ].join('\n\n');
}

function main(): void {
  const wanted = protocolDocument();
  if (!process.argv.includes('--check')) {
    writeFileSync(FILE, wanted);
    return;
  }
  if (existsSync(FILE) && readFileSync(FILE, 'utf8') === wanted) return;
  console.error('docs/protocol.md is not what the code says: npm run docs');
  process.exitCode = 1;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) main();
