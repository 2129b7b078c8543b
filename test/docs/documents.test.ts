import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { CODES } from '../../bin/docs/code-table.ts';
import { readTypes } from '../../bin/docs/type-text.ts';
import { protocolDocument, SOURCES } from '../../bin/docs.ts';
import { CONNECT_ERRORS, ERRORS, errorText, LOCALES } from '../../lib/errors.ts';
import { REQUESTS } from '../../lib/protocol.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const read = (file: string) => readFileSync(`${ROOT}/${file}`, 'utf8');
const requests = Object.keys(REQUESTS);

const sources = (folder: string): string[] =>
  readdirSync(`${ROOT}/${folder}`, { recursive: true, encoding: 'utf8' })
    .filter((file) => /\.(ts|sql)$/.test(file))
    .map((file) => `${folder}/${file}`);

describe('the protocol', () => {
  it('[OP79] docs/protocol.md is what the code says', () => {
    expect(read('docs/protocol.md')).toBe(protocolDocument());
  });

  it('[OP79] every request has its reply, and every reply its request', () => {
    expect(
      readTypes(...SOURCES)
        .members('Replies')
        .map(({ name }) => name),
    ).toEqual(requests);
  });
});

describe('the way of a request', () => {
  const table = read('docs/architecture.md').split('<!-- requests -->')[1]?.split('<!-- /requests -->')[0] ?? '';
  const rows = table
    .split('\n')
    .filter((line) => line.startsWith('| `'))
    .map((line) =>
      line
        .slice(1, -1)
        .split('|')
        .map((cell) => cell.trim()),
    );
  const named = (cell = '') => [...cell.matchAll(/`([^`]+)`/g)].map(([, name]) => name ?? '');

  it('[OP79] docs/architecture.md has one row for each, in order', () => {
    expect(rows.map(([first]) => named(first)[0])).toEqual(requests);
  });

  it('[OP79] every file that a row names is there, and the handler holds the request', () => {
    for (const [request, handler, service, rule, store] of rows) {
      const name = named(request)[0] ?? '';
      expect(read(`socket/on/${named(handler)[0]}.ts`), name).toContain(`'${name}'`);
      const files = [
        ...named(service).map((file) => (file.startsWith('run/') ? `lib/${file}` : `lib/service/${file}`)),
        ...named(rule).map((file) => `lib/core/${file}`),
        ...named(store).map((file) => `db/${file}`),
      ];
      for (const file of files) expect(existsSync(`${ROOT}/${file}.ts`), `${name}: ${file}`).toBe(true);
    }
  });

  it('[OP79] every event that a row names is one', () => {
    const types = readTypes(...SOURCES);
    const known = new Set([
      ...types.members('ServerEvents').map(({ name }) => name),
      ...types.variants('RoomEventBody').map((variant) => /type: '([^']+)'/.exec(variant)?.[1]),
    ]);
    for (const row of rows)
      for (const event of named(row[5])) expect(known.has(event), `${row[0]}: ${event}`).toBe(true);
  });
});

describe('the errors', () => {
  const codes = Object.keys(ERRORS);

  it('[OP80] the table of codes names the catalogue, and requests that there are', () => {
    expect(Object.keys(CODES)).toEqual(codes);
    for (const where of Object.values(CODES))
      if (typeof where !== 'string') expect(requests).toEqual(expect.arrayContaining([...where]));
  });

  it('[OP80] every code has a text in both languages and is told by the same function', () => {
    for (const [code, entry] of [...Object.entries(ERRORS), ...Object.entries(CONNECT_ERRORS)]) {
      for (const locale of LOCALES) {
        expect(entry[locale].trim(), `${code} ${locale}`).not.toBe('');
        expect(errorText(code as keyof typeof ERRORS, locale)).toBe(entry[locale]);
      }
    }
    const texts = codes.map((code) => ERRORS[code as keyof typeof ERRORS].en);
    expect(new Set(texts).size).toBe(texts.length);
  });

  it('[OP80] the sources answer every code that the table says is answered, and no other', () => {
    const text = ['lib/core', 'lib/service', 'lib/run', 'socket', 'db', 'migrations']
      .flatMap(sources)
      .map(read)
      .join('\n');
    for (const [code, where] of Object.entries(CODES)) {
      expect(text.includes(`'${code}'`), code).toBe(where.length > 0);
    }
  });
});
