import { existsSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { parse } from 'dotenv';
import { z } from 'zod';
import { ConfigError } from './config-error.ts';
import { LIMITS, type LimitKey, type Limits } from './limits.ts';
import { allSettings, limitSchema, SETTINGS } from './settings.ts';

type Parsed = { readonly [Key in keyof typeof SETTINGS]: z.output<(typeof SETTINGS)[Key]['schema']> };

/** All settings, checked and frozen. `dataDir` is absolute; `dataDirChosen` tells whether the operator named it. */
export type Settings = Parsed & { readonly dataDirChosen: boolean; readonly limits: Limits };

type Environment = Readonly<Record<string, string | undefined>>;

const keys = Object.keys(SETTINGS) as (keyof typeof SETTINGS)[];
const limitKeys = Object.keys(LIMITS) as LimitKey[];

const schema = z.object({
  ...Object.fromEntries(keys.map((name) => [SETTINGS[name].env, SETTINGS[name].schema])),
  ...Object.fromEntries(limitKeys.map((name) => [LIMITS[name].env, limitSchema(LIMITS[name])])),
});

/** The process's environment over the `.env` file of the working folder, if there is one. The only reader of both. */
export function readEnvironment(): Environment {
  const file = resolve('.env');
  const fromFile = existsSync(file) ? parse(readFileSync(file)) : {};
  return { ...fromFile, ...process.env };
}

/** Checks every variable and throws one ConfigError with a line for each that is wrong. An empty one counts as unset. */
export function loadSettings(environment: Environment = readEnvironment()): Settings {
  const given = Object.fromEntries(
    allSettings().flatMap(({ env }) => {
      const text = environment[env]?.trim();
      return text ? [[env, text]] : [];
    }),
  );
  const parsed = schema.safeParse(given);
  if (!parsed.success) {
    const wrong = new Set(parsed.error.issues.map((issue) => String(issue.path[0])));
    throw new ConfigError([...wrong].map((env) => complaint(env, given[env])));
  }
  const values = parsed.data as Readonly<Record<string, unknown>>;
  const settings = Object.fromEntries(keys.map((name) => [name, values[SETTINGS[name].env]])) as Parsed;
  refuseInProduction(settings);
  const limits = Object.fromEntries(limitKeys.map((name) => [name, values[LIMITS[name].env]])) as Limits;
  return Object.freeze({
    ...settings,
    dataDir: resolve(settings.dataDir),
    dataDirChosen: given[SETTINGS.dataDir.env] !== undefined,
    limits: Object.freeze(limits),
  });
}

/** What a development machine may leave out or speed up, a production server may not. */
function refuseInProduction(settings: Parsed): void {
  if (settings.environment !== 'production') return;
  const required = ['sessionSecret', 'receiptKey', 'seedWrapKey'] as const;
  const lines = required
    .filter((name) => settings[name] === undefined)
    .map((name) => complaint(SETTINGS[name].env, undefined));
  if (settings.timeScale !== 1) lines.push(complaint(SETTINGS.timeScale.env, String(settings.timeScale)));
  if (lines.length > 0) throw new ConfigError(lines);
}

function complaint(env: string, given: string | undefined): string {
  const setting = allSettings().find((candidate) => candidate.env === env);
  if (!setting) return `${env}: not a setting`;
  const now =
    given === undefined
      ? 'it is not set'
      : setting.secret
        ? 'its value is not shown'
        : `it is ${JSON.stringify(given)}`;
  return `${env}: ${setting.rule}; ${now}. Example: ${setting.example}`;
}
