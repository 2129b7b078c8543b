import { randomUUID } from 'node:crypto';
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

/** A field of a request: where it is, and whether something must be there. */
export type Field = { readonly request: RequestName; readonly path: readonly string[] };

export type Ids = Readonly<Record<string, string>>;

export type Case = {
  readonly request: string;
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
    { request, path: [...path, key] },
    ...fieldsOf(request, inner, [...path, key]),
  ]);
}
export const FIELDS: readonly Field[] = REQUEST_NAMES.flatMap((name) => fieldsOf(name, SHAPES.get(name) ?? {}));

/** What a well-meaning client would send, optional fields too. */
export function honest(request: RequestName, ids: Ids): Record<string, unknown> {
  return example(SHAPES.get(request) ?? {}, '', ids) as Record<string, unknown>;
}

function example(shape: Json, key: string, ids: Ids): unknown {
  if (key === 'commandId') return randomUUID();
  if (key in ids) return ids[key];
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
      return TEXTS[key] ?? 'text';
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
const TEXTS: Readonly<Record<string, string>> = {
  stake: '100',
  nonce: '00112233445566778899aabbccddeeff',
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

/** Nothing of these is a right value for any field. */
const WRONG: readonly (() => unknown)[] = [
  () => null,
  () => ({}),
  () => ({ toString: 'x', valueOf: null }),
  () => [[[]]],
  () => Number.NaN,
  () => -1e308,
  () => 0.5,
  () => 'x'.repeat(20_000),
  () => Array.from({ length: 3_000 }, () => 7),
  () => deep(400),
  () => JSON.parse('{"__proto__":{"isAdmin":true},"constructor":{"prototype":{}}}') as unknown,
  () => Buffer.from('bytes'),
];
/** Wrong where the type is another one. */
const TYPED: readonly (() => unknown)[] = [
  () => true,
  () => 42,
  () => 'text',
  () => ['a'],
  () => '__proto__',
  () => '',
  () => -1,
  () => '‮\u0000\ud800',
];

const WHOLE: readonly (() => readonly unknown[])[] = [
  () => [],
  () => [null],
  () => [42],
  () => ['payload'],
  () => [[]],
  () => [{}],
  () => [deep(400)],
  () => [{}, {}],
  () => [JSON.parse('{"__proto__":{"commandId":"x"}}')],
  () => [{ constructor: 1, hasOwnProperty: 2 }],
  () => [{ blob: 'x'.repeat(25_000) }],
  () => [Buffer.alloc(64)],
];

function replaced(payload: Record<string, unknown>, path: readonly string[], value: unknown): Record<string, unknown> {
  const [key = '', ...rest] = path;
  if (rest.length === 0) return { ...payload, [key]: value };
  return { ...payload, [key]: replaced((payload[key] ?? {}) as Record<string, unknown>, rest, value) };
}

const pick = <T>(items: readonly T[], random: (below: number) => number): T => items[random(items.length)] as T;

/** Every field with every wrong value once, then at random until there are `count`. */
export function* cases(count: number, random: (below: number) => number, idsOf: () => Ids): Generator<Case> {
  for (const one of allCases(count, random, idsOf)) {
    // A logout that would be obeyed ends the connection, as it should.
    if (one.request === 'session:logout' && REQUESTS['session:logout'].safeParse(one.args[0]).success) continue;
    yield one;
  }
}

function* allCases(count: number, random: (below: number) => number, idsOf: () => Ids): Generator<Case> {
  let made = 0;
  const wrongField = (field: Field, value: unknown): Case => ({
    request: field.request,
    args: [replaced(honest(field.request, idsOf()), field.path, value)],
    ack: true,
    field,
  });
  for (const field of FIELDS) {
    for (const make of WRONG) {
      made++;
      yield wrongField(field, make());
    }
  }
  for (const request of REQUEST_NAMES) {
    for (const make of WHOLE) {
      made++;
      yield { request, args: make(), ack: true };
    }
  }
  for (; made < count; made++) {
    const field = pick(FIELDS, random);
    switch (random(8)) {
      case 0:
        yield { request: field.request, args: pick(WHOLE, random)(), ack: random(4) > 0 };
        break;
      case 1:
        yield {
          request: pick(
            ['', 'constructor', '__proto__', 'room:ban', 'room:destroy', 'error', 'admin:login', 'x'.repeat(500)],
            random,
          ),
          args: [{}],
          ack: random(2) > 0,
        };
        break;
      case 2:
        yield { request: field.request, args: [honest(field.request, idsOf())], ack: true };
        break;
      case 3:
        yield {
          request: field.request,
          args: [{ ...honest(field.request, idsOf()), [pick(['__proto__x', 'isAdmin', 'playerID'], random)]: 1 }],
          ack: true,
        };
        break;
      case 4:
        yield { ...wrongField(field, pick(TYPED, random)()), ack: random(8) > 0 };
        break;
      default:
        yield wrongField(field, random(2) ? pick(WRONG, random)() : pick(TYPED, random)());
    }
  }
}
