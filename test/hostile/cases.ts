import { randomBytes, randomUUID } from 'node:crypto';
import { z } from 'zod';
import { REQUESTS, type RequestName } from '../../lib/protocol.ts';

type Json = {
  readonly type?: string;
  readonly properties?: Record<string, Json>;
  readonly required?: readonly string[];
  readonly items?: Json;
  readonly anyOf?: readonly Json[];
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
  readonly pattern?: string;
};

/** A field of a request: where it is, and what it may hold. */
export type Field = { readonly request: RequestName; readonly path: readonly string[]; readonly shape: Json };

/** Ids to fill requests with, by the name of their field. */
export type Ids = Readonly<Record<string, string>>;

/** What each request is sent as. `others` is made where the ids are known. */
export const CATEGORIES = ['nothing', 'null', 'types', 'huge', 'deep', 'prototype', 'others', 'no ack'] as const;
export type Category = (typeof CATEGORIES)[number] | 'unknown' | 'honest';

export type Case = {
  readonly request: string;
  readonly category: Category;
  readonly args: readonly unknown[];
  readonly ack: boolean;
  /** The field that was made wrong, where one was. */
  readonly field?: Field;
};

/** Deterministic, so that a failing seed fails again (mulberry32). */
export function randomOf(seed: number): (below: number) => number {
  let state = seed >>> 0;
  return (below) => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) % below;
  };
}

export const REQUEST_NAMES = Object.keys(REQUESTS) as RequestName[];
const SHAPES = new Map(
  REQUEST_NAMES.map((name) => [name, z.toJSONSchema(REQUESTS[name], { io: 'input', unrepresentable: 'any' }) as Json]),
);

function fieldsOf(request: RequestName, shape: Json, path: readonly string[] = []): Field[] {
  return Object.entries(shape.properties ?? {}).flatMap(([key, inner]) => [
    { request, path: [...path, key], shape: inner },
    ...fieldsOf(request, inner, [...path, key]),
  ]);
}
export const FIELDS: readonly Field[] = REQUEST_NAMES.flatMap((name) => fieldsOf(name, SHAPES.get(name) ?? {}));

/** What a well-meaning client would send, optional fields too. */
export function honest(request: RequestName, ids: Ids): Record<string, unknown> {
  return example(SHAPES.get(request) ?? {}, '', ids) as Record<string, unknown>;
}

function example(shape: Json, key: string, ids: Ids): unknown {
  if (key in ids) return ids[key];
  if (key === 'commandId') return randomUUID();
  // A nonce is its sender's own: who else is given it has been told too much.
  if (key === 'nonce') return randomBytes(16).toString('hex');
  if (shape.const !== undefined) return shape.const;
  if (shape.enum) return shape.enum[0];
  if (shape.anyOf) return example(shape.anyOf[0] ?? {}, key, ids);
  switch (shape.type) {
    case 'object':
      return Object.fromEntries(
        Object.entries(shape.properties ?? {}).map(([name, inner]) => [name, example(inner, name, ids)]),
      );
    case 'array':
      return [example(shape.items ?? {}, key, ids)];
    case 'boolean':
      return true;
    case 'integer':
    case 'number':
      return NUMBERS[key] ?? 1;
    default:
      return [TEXTS[key] ?? 'text', ...PATTERNED].find((text) => new RegExp(shape.pattern ?? '').test(text)) ?? 'text';
  }
}
const NUMBERS: Readonly<Record<string, number>> = {
  capacity: 20,
  lifetimeMinutes: 60,
  emptyGraceSeconds: 60,
  openSeconds: 30,
  resultSeconds: 10,
  maxStakePerRace: 5_000,
  horses: 8,
  limit: 10,
};
/** Points, cursors, periods. */
const PATTERNED = ['100', '1.1.1', '2026-Q4'];
const TEXTS: Readonly<Record<string, string>> = {
  period: '2026-11-20',
  stake: '100',
  code: 'ABCDEF',
  search: 'room',
  after: '',
  key: 'k',
  password: 'guess',
};

const deep = (levels: number): unknown => {
  let value: unknown = 1;
  for (let level = 0; level < levels; level++) value = { a: value };
  return value;
};
const withPrototype = (payload: unknown): unknown =>
  JSON.parse(
    JSON.stringify(payload).replace(/^\{("?)/u, (_, quote) => `{"__proto__":{"isAdmin":true}${quote ? ',"' : ''}`),
  ) as unknown;
const PROTOTYPE = '{"__proto__":{"isAdmin":true},"constructor":{"prototype":{}}}';

type Wrong = readonly (() => unknown)[];
type FieldCategory = 'null' | 'types' | 'huge' | 'deep' | 'prototype';

/** In a field. Nothing of these is a right value for any, but for some of `types` and null where that means "none". */
const IN_FIELD: Readonly<Record<FieldCategory, Wrong>> = {
  null: [() => null],
  types: [
    () => ({}),
    () => ({ toString: 'x', valueOf: null }),
    () => [[[]]],
    () => Number.NaN,
    () => -1e308,
    () => 0.5,
    () => Buffer.from('bytes'),
    () => true,
    () => 42,
    () => 'text',
    () => ['a'],
    () => '',
    () => -1,
    () => '\u202e\u0000\ud800',
  ],
  huge: [() => 'x'.repeat(20_000), () => Array.from({ length: 3_000 }, () => 7)],
  deep: [() => deep(400)],
  prototype: [() => JSON.parse(PROTOTYPE) as unknown, () => '__proto__', () => 'constructor'],
};

type Arguments = readonly ((request: RequestName, ids: Ids) => readonly unknown[])[];

/** In place of the whole payload. */
const WHOLE: Readonly<Record<'nothing' | FieldCategory, Arguments>> = {
  nothing: [() => [], () => [{}]],
  null: [() => [null]],
  types: [
    () => [42],
    () => [true],
    () => ['payload'],
    () => [[]],
    () => [{}, {}],
    () => [Buffer.alloc(64)],
    (request, ids) => [[honest(request, ids)]],
  ],
  huge: [
    () => [{ blob: 'x'.repeat(25_000) }],
    (request, ids) => [{ ...honest(request, ids), blob: 'x'.repeat(25_000) }],
  ],
  deep: [() => [deep(1_000)], (request, ids) => [{ ...honest(request, ids), deep: deep(400) }]],
  prototype: [
    () => [JSON.parse('{"__proto__":{"commandId":"x"}}')],
    () => [{ constructor: 1, hasOwnProperty: 2 }],
    (request, ids) => [withPrototype(honest(request, ids))],
  ],
};

const UNKNOWN = ['', 'constructor', '__proto__', 'room:ban', 'room:destroy', 'error', 'admin:login', 'x'.repeat(500)];

/** A copy with the value at the path replaced; undefined takes it away. */
export function replaced(
  payload: Record<string, unknown>,
  path: readonly string[],
  value: unknown,
): Record<string, unknown> {
  const [key = '', ...rest] = path;
  if (rest.length === 0) {
    const { [key]: _, ...others } = payload;
    return value === undefined ? others : { ...others, [key]: value };
  }
  return { ...payload, [key]: replaced((payload[key] ?? {}) as Record<string, unknown>, rest, value) };
}

const entries = <Key extends string, Value>(table: Readonly<Record<Key, readonly Value[]>>) =>
  (Object.entries(table) as [Key, readonly Value[]][]).flatMap(([key, values]) =>
    values.map((value) => [key, value] as const),
  );
const IN_FIELDS = entries(IN_FIELD);
const WHOLES = entries(WHOLE);

/** Every field and every request in every category once (but for `others`), and unknown events. */
export function* matrix(idsOf: () => Ids): Generator<Case> {
  for (const field of FIELDS) {
    const { request, path } = field;
    const ack = true;
    yield { request, category: 'nothing', args: [replaced(honest(request, idsOf()), path, undefined)], ack, field };
    for (const [category, make] of IN_FIELDS) {
      yield { request, category, args: [replaced(honest(request, idsOf()), path, make())], ack, field };
    }
  }
  for (const request of REQUEST_NAMES) {
    for (const [category, make] of WHOLES) yield { request, category, args: make(request, idsOf()), ack: true };
    const silent = { request, category: 'no ack', ack: false } as const;
    for (const args of [[], [null], [42], [{}], [honest(request, idsOf())]]) yield { ...silent, args };
  }
  for (const request of UNKNOWN) {
    for (const args of [[], [{}], ['x', 1]]) {
      for (const ack of [true, false]) yield { request, category: 'unknown', args, ack };
    }
  }
}

/** `count` cases at random, well-meant ones among them. */
export function* chances(count: number, random: (below: number) => number, idsOf: () => Ids): Generator<Case> {
  const pick = <T>(items: readonly T[]): T => items[random(items.length)] as T;
  for (let made = 0; made < count; made++) {
    const field = pick(FIELDS);
    const { request, path } = field;
    const [category, make] = pick(IN_FIELDS);
    const [wholly, whole] = pick(WHOLES);
    switch (random(8)) {
      case 0:
        yield { request, category: wholly, args: whole(request, idsOf()), ack: random(4) > 0 };
        break;
      case 1:
        yield { request: pick(UNKNOWN), category: 'unknown', args: [{}], ack: random(2) > 0 };
        break;
      case 2:
      case 3: {
        // By request, not by field: what has many would be made as often, and passwords are dear.
        const any = pick(REQUEST_NAMES);
        yield { request: any, category: 'honest', args: [honest(any, idsOf())], ack: true };
        break;
      }
      case 4: {
        const key = pick(['__proto__x', 'isAdmin', 'playerID']);
        yield { request, category: 'types', args: [{ ...honest(request, idsOf()), [key]: 1 }], ack: true };
        break;
      }
      default: {
        const args = [replaced(honest(request, idsOf()), path, make())];
        yield { request, category, args, ack: random(8) > 0, field };
      }
    }
  }
}

/** A logout that is obeyed ends its connection, as it should: it takes a client of its own. */
export function isObeyedLogout({ request, args, ack }: Case): boolean {
  return request === 'session:logout' && ack && args.length === 1 && REQUESTS[request].safeParse(args[0]).success;
}
