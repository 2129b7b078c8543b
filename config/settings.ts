import { isIP } from 'node:net';
import { z } from 'zod';
import { LIMITS } from './limits.ts';
import { parseReturnRates, RETURN_RATES_FALLBACK, RETURN_RATES_RULE, type ReturnRates } from './return-rates.ts';

/** One setting as operators know it. `schema` takes the text of the variable, or undefined when it is unset. */
type Setting<Schema extends z.ZodType> = {
  readonly env: string;
  /** as the documentation shows it; '' when there is none */
  readonly fallback: string;
  readonly rule: string;
  readonly example: string;
  readonly meaning: string;
  /** its value is never printed */
  readonly secret?: true;
  readonly schema: Schema;
};

const setting = <Schema extends z.ZodType>(definition: Setting<Schema>): Setting<Schema> => definition;

/** Whole numbers as people write them: no signs, points, exponents or blanks. */
const integer = (min: number, max: number, fallback: number) =>
  z.string().regex(/^\d+$/).transform(Number).pipe(z.number().int().min(min).max(max)).default(fallback);

const KEY_BYTES = 32;
const key = z
  .string()
  .transform((text) => (/^[0-9a-f]{64}$/i.test(text) ? Buffer.from(text, 'hex') : Buffer.from(text, 'base64')))
  .refine((bytes) => bytes.length === KEY_BYTES)
  .transform((bytes): Uint8Array => Uint8Array.from(bytes))
  .optional();

const KEY_RULE = '32 random bytes, as 64 hex digits or in base64; required with NODE_ENV=production';
const keyExample = (env: string) => `${env}=$(openssl rand -hex 32)`;

/** Names that express's `trust proxy` knows for ranges of addresses. */
const RANGES = ['loopback', 'linklocal', 'uniquelocal'];

function isProxy(text: string): boolean {
  const [address = '', bits, ...rest] = text.split('/');
  const version = isIP(address);
  if (version === 0 || rest.length > 0) return RANGES.includes(text);
  return bits === undefined || (/^\d+$/.test(bits) && Number(bits) <= (version === 4 ? 32 : 128));
}

function isTimeZone(text: string): boolean {
  try {
    return new Intl.DateTimeFormat('en', { timeZone: text }).format() !== '';
  } catch {
    return false;
  }
}

function isOrigin(text: string): boolean {
  if (!URL.canParse(text)) return false;
  const url = new URL(text);
  return /^https?:$/.test(url.protocol) && (text === url.origin || text === `${url.origin}/`);
}

const LEVELS = ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'] as const;

/** Every setting but the limits, which follow in the same table. */
export const SETTINGS = {
  environment: setting({
    env: 'NODE_ENV',
    fallback: 'development',
    rule: 'production, development or test',
    example: 'NODE_ENV=production',
    meaning: 'production builds nothing, makes no keys and refuses a time scale',
    schema: z.enum(['production', 'development', 'test']).default('development'),
  }),
  port: setting({
    env: 'PORT',
    fallback: '3000',
    rule: 'a whole number from 0 to 65535 (0: any free one)',
    example: 'PORT=3000',
    meaning: 'port of the page and the sockets',
    schema: integer(0, 65_535, 3_000),
  }),
  host: setting({
    env: 'HOST',
    fallback: '0.0.0.0',
    rule: 'an address or a name of this machine',
    example: 'HOST=127.0.0.1',
    meaning: 'address to listen on; 127.0.0.1 keeps it to this machine',
    schema: z
      .string()
      .regex(/^[A-Za-z0-9.:_-]+$/)
      .default('0.0.0.0'),
  }),
  dataDir: setting({
    env: 'DATA_DIR',
    fallback: './data',
    rule: 'a folder; when it is on another disk, a local one',
    example: 'DATA_DIR=/var/lib/paddock/data',
    meaning: 'where the embedded database and the generated keys are kept: back it up whole, while stopped',
    schema: z.string().default('./data'),
  }),
  databaseUrl: setting({
    env: 'DATABASE_URL',
    fallback: '',
    rule: 'a postgres:// URL',
    example: 'DATABASE_URL=postgres://paddock:password@db.example/paddock',
    meaning: 'a PostgreSQL server of your own (tested with version 18); without it an embedded one runs on DATA_DIR',
    secret: true,
    schema: z
      .string()
      .regex(/^postgres(ql)?:\/\/./)
      .refine(isDatabaseUrl)
      .optional(),
  }),
  sessionSecret: setting({
    env: 'SESSION_SECRET',
    fallback: '',
    rule: KEY_RULE,
    example: keyExample('SESSION_SECRET'),
    meaning: "signs players' tokens; a new one logs everybody out. Unset: made in DATA_DIR",
    secret: true,
    schema: key,
  }),
  receiptKey: setting({
    env: 'RECEIPT_KEY',
    fallback: '',
    rule: KEY_RULE,
    example: keyExample('RECEIPT_KEY'),
    meaning: 'hides players behind a new tag in the receipts of each race. Unset: made in DATA_DIR',
    secret: true,
    schema: key,
  }),
  seedWrapKey: setting({
    env: 'SEED_WRAP_KEY',
    fallback: '',
    rule: KEY_RULE,
    example: keyExample('SEED_WRAP_KEY'),
    meaning: 'encrypts the seed keys in the database; without it open races cannot be run. Unset: made in DATA_DIR',
    secret: true,
    schema: key,
  }),
  publicUrl: setting({
    env: 'PUBLIC_URL',
    fallback: '',
    rule: 'http:// or https:// with a host, without a path',
    example: 'PUBLIC_URL=https://races.example.com',
    meaning: 'the address players use: share links, allowed origin, strict transport rules when it is https',
    schema: z
      .string()
      .refine(isOrigin)
      .transform((text) => new URL(text).origin)
      .optional(),
  }),
  trustedProxies: setting({
    env: 'TRUSTED_PROXIES',
    fallback: '',
    rule: `addresses or ranges (CIDR) separated by commas, or ${RANGES.join(', ')}`,
    example: 'TRUSTED_PROXIES=loopback,10.0.0.0/8',
    meaning: 'proxies whose X-Forwarded-For is believed; without them the address of the connection counts',
    schema: z
      .string()
      .transform((text) => text.split(',').map((part) => part.trim()))
      .refine((parts) => parts.every(isProxy))
      .optional()
      .transform((parts): readonly string[] => Object.freeze(parts ?? [])),
  }),
  logLevel: setting({
    env: 'LOG_LEVEL',
    fallback: 'info',
    rule: LEVELS.join(', '),
    example: 'LOG_LEVEL=debug',
    meaning: 'the least severe lines that are written',
    schema: z.enum(LEVELS).default('info'),
  }),
  timeZone: setting({
    env: 'TIME_ZONE',
    fallback: 'Asia/Seoul',
    rule: 'a name of the time zone database',
    example: 'TIME_ZONE=Europe/Berlin',
    meaning: 'whose midnight begins a day: daily points, own limits, periods of the boards, new players of an address',
    schema: z.string().refine(isTimeZone).default('Asia/Seoul'),
  }),
  metricsToken: setting({
    env: 'METRICS_TOKEN',
    fallback: '',
    rule: 'at least 16 characters without blanks',
    example: 'METRICS_TOKEN=$(openssl rand -hex 32)',
    meaning: 'who sends it as a bearer token may read /metrics; without it only this machine may',
    secret: true,
    schema: z
      .string()
      .regex(/^\S{16,}$/)
      .optional(),
  }),
  returnRates: setting({
    env: 'RETURN_RATES',
    fallback: RETURN_RATES_FALLBACK,
    rule: RETURN_RATES_RULE,
    example: 'RETURN_RATES=win=80,exacta=75.5',
    meaning: 'how much of each pool is paid back; pools that are not named keep their default, open races theirs',
    schema: z
      .string()
      .default(RETURN_RATES_FALLBACK)
      .transform((text, context): ReturnRates => {
        const rates = parseReturnRates(text);
        if (rates !== null) return rates;
        context.addIssue({ code: 'custom' });
        return z.NEVER;
      }),
  }),
  houseRooms: setting({
    env: 'HOUSE_ROOMS',
    fallback: '1',
    rule: 'a whole number from 0 to 20',
    example: 'HOUSE_ROOMS=1',
    meaning: 'hostless bet rooms that run while somebody is in them',
    schema: integer(0, 20, 1),
  }),
  timeScale: setting({
    env: 'TIME_SCALE',
    fallback: '1',
    rule: 'a whole number from 1 to 50; only 1 with NODE_ENV=production',
    example: 'TIME_SCALE=10',
    meaning: 'divides the length of races and countdowns, for demonstrations and tests',
    schema: integer(1, 50, 1),
  }),
} as const;

function isDatabaseUrl(text: string): boolean {
  return URL.canParse(text) || URL.canParse(text.replace('@/', '@socket/'));
}

type Row = { env: string; fallback: string; rule: string; example: string; meaning: string; secret?: true };

/** All settings with the limits, in the order of the documentation. */
export function allSettings(): Row[] {
  const limits = Object.values(LIMITS).map((limit) => ({
    env: limit.env,
    fallback: String(limit.default),
    rule: `a whole number from ${limit.min} to ${limit.max}`,
    example: `${limit.env}=${limit.default}`,
    meaning: `limit in ${limit.unit}: ${limit.reason}`,
  }));
  return [...Object.values(SETTINGS), ...limits];
}

/** The table in docs/operations.md. */
export function settingsTable(): string {
  const cell = (text: string) => text.replaceAll('|', '\\|');
  const rows = allSettings().map(
    ({ env, fallback, rule, meaning }) =>
      `| \`${env}\` | ${fallback === '' ? '–' : `\`${fallback}\``} | ${cell(rule)} | ${cell(meaning)} |`,
  );
  return ['| variable | default | rule | meaning |', '|---|---|---|---|', ...rows].join('\n');
}

/** The schema of one limit, by its key. */
export const limitSchema = (limit: { default: number; min: number; max: number }) =>
  integer(limit.min, limit.max, limit.default);
