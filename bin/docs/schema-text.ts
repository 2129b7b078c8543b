import { z } from 'zod';

type Json = {
  readonly type?: string;
  readonly const?: unknown;
  readonly enum?: readonly unknown[];
  readonly anyOf?: readonly Json[];
  readonly oneOf?: readonly Json[];
  readonly properties?: Readonly<Record<string, Json>>;
  readonly required?: readonly string[];
  readonly items?: Json;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly minItems?: number;
  readonly maxItems?: number;
  readonly format?: string;
  readonly pattern?: string;
};

export type Field = { readonly name: string; readonly type: string; readonly required: boolean };

/** What a client may send, field by field; nested objects as "patch.name". */
export function fieldsOf(schema: z.ZodType): readonly Field[] {
  return flatten(z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' }) as Json, '');
}

function flatten(schema: Json, prefix: string): Field[] {
  return Object.entries(schema.properties ?? {}).flatMap(([key, inner]) => {
    const name = `${prefix}${key}`;
    const field = { name, type: typeText(inner), required: schema.required?.includes(key) ?? false };
    return inner.properties ? [field, ...flatten(inner, `${name}.`)] : [field];
  });
}

function typeText(schema: Json): string {
  if (schema.const !== undefined) return JSON.stringify(schema.const);
  if (schema.enum) return schema.enum.map((value) => JSON.stringify(value)).join(' or ');
  const options = schema.anyOf ?? schema.oneOf;
  if (options) return options.map(typeText).join(' or ');
  switch (schema.type) {
    case 'integer':
      return `integer${range(schema.minimum, schema.maximum)}`;
    case 'number':
      return `number${range(schema.minimum, schema.maximum)}`;
    case 'array':
      return `array of ${typeText(schema.items ?? {})}, ${range(schema.minItems ?? 0, schema.maxItems).trim()} items`;
    case 'string':
      if (schema.format === 'uuid') return 'UUID';
      if (schema.pattern !== undefined) return `text like /${schema.pattern}/`;
      return `text${range(schema.minLength ?? 0, schema.maxLength)}`;
    case undefined:
      return 'anything';
    default:
      return schema.type;
  }
}

function range(from: number | undefined, to: number | undefined): string {
  const shown = (value: number | undefined) =>
    value === undefined || Math.abs(value) >= Number.MAX_SAFE_INTEGER ? '' : String(value);
  return shown(from) === '' && shown(to) === '' ? '' : ` ${shown(from)}…${shown(to)}`;
}
