import type { Client } from 'pg';

/** One query a kind of object; each gives lines, in an order of its own that does not depend on creation. */
const QUERIES: readonly (readonly [heading: string, sql: string])[] = [
  [
    'columns',
    `select format('%s.%s %s%s%s%s', c.relname, a.attname, format_type(a.atttypid, a.atttypmod),
              case when a.attnotnull then ' not null' else '' end,
              case a.attidentity when 'a' then ' identity always' when 'd' then ' identity' else '' end,
              case when d.adbin is null then '' when a.attgenerated <> '' then ' generated ' || pg_get_expr(d.adbin, d.adrelid)
                   else ' default ' || pg_get_expr(d.adbin, d.adrelid) end) as line
       from pg_class c
       join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
       left join pg_attrdef d on d.adrelid = c.oid and d.adnum = a.attnum
      where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p')
      order by c.relname, a.attname`,
  ],
  [
    'types',
    `select format('%s %s', t.typname, coalesce(
              (select '(' || string_agg(e.enumlabel, ', ' order by e.enumsortorder) || ')' from pg_enum e where e.enumtypid = t.oid),
              (select '{' || string_agg(a.attname || ' ' || format_type(a.atttypid, a.atttypmod), ', ' order by a.attnum) || '}'
                 from pg_attribute a where a.attrelid = t.typrelid and a.attnum > 0 and not a.attisdropped),
              'domain of ' || format_type(t.typbasetype, t.typtypmod)
                || coalesce((select ' ' || string_agg(pg_get_constraintdef(k.oid), ' ' order by k.conname) from pg_constraint k where k.contypid = t.oid), ''))) as line
       from pg_type t left join pg_class c on c.oid = t.typrelid
      where t.typnamespace = 'public'::regnamespace and (t.typtype in ('e', 'd') or c.relkind = 'c')
      order by t.typname`,
  ],
  [
    'constraints',
    `select format('%s.%s %s', c.relname, k.conname, pg_get_constraintdef(k.oid)) as line
       from pg_constraint k join pg_class c on c.oid = k.conrelid
      where k.connamespace = 'public'::regnamespace and k.contype <> 'n' and k.conparentid = 0
      order by c.relname, k.conname`,
  ],
  ['indexes', `select indexdef as line from pg_indexes where schemaname = 'public' order by tablename, indexname`],
  [
    'sequences',
    `select format('%s %s', sequencename, data_type) as line from pg_sequences where schemaname = 'public' order by sequencename`,
  ],
  [
    'views',
    `select format('%s %s', c.relname, md5(pg_get_viewdef(c.oid))) as line
       from pg_class c where c.relnamespace = 'public'::regnamespace and c.relkind in ('v', 'm') order by c.relname`,
  ],
  [
    'functions',
    `select format('%s(%s) returns %s %s %s%s', p.proname, pg_get_function_identity_arguments(p.oid), pg_get_function_result(p.oid),
              md5(p.prosrc), case p.provolatile when 'i' then 'immutable' when 's' then 'stable' else 'volatile' end,
              case when p.prosecdef then ' security definer' else '' end || coalesce(' ' || array_to_string(p.proconfig, ' '), '')) as line
       from pg_proc p where p.pronamespace = 'public'::regnamespace and p.prokind in ('f', 'p')
      order by p.proname, 1`,
  ],
  [
    'triggers',
    `select pg_get_triggerdef(t.oid) as line from pg_trigger t join pg_class c on c.oid = t.tgrelid
      where c.relnamespace = 'public'::regnamespace and not t.tgisinternal order by c.relname, t.tgname`,
  ],
];

/** The schema as text, the same for the same schema whatever way led there. Bodies of functions and views as md5. */
export async function dumpSchema(client: Client): Promise<string> {
  const sections: string[] = [];
  for (const [heading, sql] of QUERIES) {
    const { rows } = await client.query<{ line: string }>(sql);
    sections.push([`# ${heading}`, ...rows.map((row) => row.line)].join('\n'));
  }
  return `${sections.join('\n\n')}\n`;
}
