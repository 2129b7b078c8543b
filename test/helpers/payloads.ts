import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import { REQUESTS, type RequestName } from '../../lib/protocol.ts';

type Json = { readonly [key: string]: unknown };
type Schema = {
  type?: string;
  const?: unknown;
  enum?: unknown[];
  anyOf?: Schema[];
  oneOf?: Schema[];
  properties?: Record<string, Schema>;
  required?: string[];
  items?: Schema;
  minimum?: number;
  minItems?: number;
  minLength?: number;
  format?: string;
  pattern?: string;
};

export const REQUEST_NAMES = Object.keys(REQUESTS) as RequestName[];

export const schemaOf = (name: RequestName): Schema =>
  z.toJSONSchema(REQUESTS[name], { io: 'input', unrepresentable: 'any' }) as Schema;

/** A payload that the schema takes, with every optional field; what it means is another matter. */
export function validPayload(name: RequestName): Json {
  return sample(schemaOf(name), '') as Json;
}

function sample(schema: Schema, key: string): unknown {
  if (schema.const !== undefined) return schema.const;
  if (schema.enum) return schema.enum[0];
  const options = schema.anyOf ?? schema.oneOf;
  if (options?.[0]) return sample(options[0], key);
  switch (schema.type) {
    case 'object':
      return Object.fromEntries(
        Object.entries(schema.properties ?? {}).map(([name, inner]) => [name, sample(inner, name)]),
      );
    case 'array':
      return Array.from({ length: schema.minItems ?? 0 }, () => sample(schema.items ?? {}, key));
    case 'integer':
    case 'number':
      return schema.minimum ?? 0;
    case 'boolean':
      return true;
    case 'string':
      if (schema.format === 'uuid') return randomUUID();
      if (key === 'nonce') return 'ab'.repeat(8);
      return ['x'.repeat(Math.max(1, schema.minLength ?? 1)), '100', '1.1.1', '2026-11-20'].find((text) =>
        new RegExp(schema.pattern ?? '').test(text),
      );
    default:
      return {};
  }
}

/** The paths of all fields, "settings.capacity" and the like; items of arrays by their first index. */
export function fieldPaths(
  schema: Schema,
  prefix = '',
): { readonly path: string; readonly schema: Schema; readonly required: boolean; readonly nullable: boolean }[] {
  return Object.entries(schema.properties ?? {}).flatMap(([name, inner]) => {
    const path = prefix === '' ? name : `${prefix}.${name}`;
    return [
      {
        path,
        schema: inner,
        required: schema.required?.includes(name) ?? false,
        nullable: inner.anyOf?.some(({ type }) => type === 'null') ?? false,
      },
      ...fieldPaths(inner, path),
    ];
  });
}

/** A copy with the value at a path replaced; undefined takes it away. */
export function withValue(payload: Json, path: string, value: unknown): Json {
  const copy = structuredClone(payload) as Record<string, unknown>;
  const keys = path.split('.');
  const last = keys.pop() ?? '';
  const target = keys.reduce<Record<string, unknown>>((at, key) => at[key] as Record<string, unknown>, copy);
  if (value === undefined) delete target[last];
  else target[last] = value;
  return copy;
}
