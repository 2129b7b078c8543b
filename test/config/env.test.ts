import { chmodSync, existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { ConfigError } from '../../config/config-error.ts';
import { loadSettings } from '../../config/env.ts';
import { LIMITS } from '../../config/limits.ts';
import { loadSecrets } from '../../config/secrets.ts';
import { allSettings, settingsTable } from '../../config/settings.ts';
import { DEFAULT_RATES } from '../../lib/core/pools.ts';
import { temporaryFolder } from '../helpers/folder.ts';
import { PROJECT, runFile } from '../helpers/process.ts';

const KEY = 'ab'.repeat(32);

function linesOf(environment: Record<string, string>): readonly string[] {
  try {
    loadSettings(environment);
  } catch (error) {
    if (error instanceof ConfigError) return error.lines;
    throw error;
  }
  return [];
}

describe('settings', () => {
  it('[OP1] the documented table is the schema', () => {
    const document = readFileSync(join(PROJECT, 'docs/operations.md'), 'utf8');
    const table = document.split('<!-- settings -->')[1]?.split('<!-- /settings -->')[0]?.trim();
    expect(table).toBe(settingsTable());
  });

  it('[OP1] every default and every example in the table is accepted, and unset means the default', () => {
    const unset = loadSettings({});
    for (const { env, fallback, example } of allSettings()) {
      expect(example.startsWith(`${env}=`), example).toBe(true);
      expect(
        linesOf({
          [env]: example.slice(env.length + 1).replace(/\$\(.*\)/, KEY),
          ...(env === 'NODE_ENV' && { SESSION_SECRET: KEY, RECEIPT_KEY: KEY, SEED_WRAP_KEY: KEY }),
        }),
        example,
      ).toEqual([]);
      if (fallback === '') continue;
      expect({ ...loadSettings({ [env]: fallback }), dataDirChosen: false }, env).toEqual(unset);
    }
    expect(unset).toMatchObject({
      port: 3000,
      host: '0.0.0.0',
      houseRooms: 1,
      timeScale: 1,
      trustedProxies: [],
      dataDirChosen: false,
    });
  });

  it('[OP2] a wrong value is named with variable, rule and example, all of them at once', () => {
    const wrong: Record<string, string[]> = {
      PORT: ['abc', '-1', '65536', '80.5', '1e3', '0x50'],
      HOST: ['a b', 'http://x'],
      NODE_ENV: ['staging'],
      DATABASE_URL: ['mysql://x/y', 'postgres', 'postgres://'],
      SESSION_SECRET: ['short', KEY.slice(2)],
      RECEIPT_KEY: ['zz'.repeat(32)],
      SEED_WRAP_KEY: ['1'],
      PUBLIC_URL: ['races.example.com', 'ftp://x', 'https://x/path', 'https://x?y'],
      TRUSTED_PROXIES: ['proxy', '10.0.0.0/33', '10.0.0.1,', '::1/129', '1.2.3.4/8/8'],
      LOG_LEVEL: ['loud'],
      METRICS_TOKEN: ['short', 'with blanks in its middle'],
      TIME_ZONE: ['Mars/Olympus', 'x'],
      RETURN_RATES: [
        'win',
        'win=',
        'win=0.5',
        'win=101',
        'win=80,win=70',
        'tierce=80',
        'win=80,',
        'win=7.125',
        'win=1e2',
        '80',
      ],
      HOUSE_ROOMS: ['21', 'one'],
      TIME_SCALE: ['0', '51', '2.5'],
    };
    for (const limit of Object.values(LIMITS))
      wrong[limit.env] = [String(limit.max + 1), 'many', ...(limit.min > 0 ? [String(limit.min - 1)] : [])];
    for (const [env, values] of Object.entries(wrong)) {
      for (const value of values) {
        const { rule = '', example = '' } = allSettings().find((setting) => setting.env === env) ?? {};
        expect(linesOf({ [env]: value }), `${env}=${value}`).toEqual([expect.stringMatching(new RegExp(`^${env}: `))]);
        expect(linesOf({ [env]: value })[0]).toContain(rule);
        expect(linesOf({ [env]: value })[0]).toContain(example);
      }
    }
    expect(Object.keys(wrong).concat('DATA_DIR').sort()).toEqual(
      allSettings()
        .map(({ env }) => env)
        .sort(),
    );
    expect(linesOf({ PORT: 'abc', LOG_LEVEL: 'loud', TIME_SCALE: '99' })).toHaveLength(3);
  });

  it('[OP3] the value of a secret is never told', () => {
    const lines = linesOf({
      SESSION_SECRET: 'hunter2',
      RECEIPT_KEY: 'hunter2',
      SEED_WRAP_KEY: 'hunter2',
      DATABASE_URL: 'mysql://hunter2@x/y',
    });
    expect(lines).toHaveLength(4);
    expect(lines.join()).not.toContain('hunter2');
  });

  it('[OP4] production requires the three keys and the scale 1', () => {
    const lines = linesOf({ NODE_ENV: 'production', TIME_SCALE: '2' });
    expect(lines.map((line) => line.split(':')[0])).toEqual([
      'SESSION_SECRET',
      'RECEIPT_KEY',
      'SEED_WRAP_KEY',
      'TIME_SCALE',
    ]);
    expect(linesOf({ NODE_ENV: 'production', SESSION_SECRET: KEY, RECEIPT_KEY: KEY, SEED_WRAP_KEY: KEY })).toEqual([]);
  });

  it('[OP5] settings are frozen, blanks around a value and empty values do not count, keys may be base64', () => {
    const settings = loadSettings({
      PORT: ' 8080 ',
      HOST: '',
      SESSION_SECRET: Buffer.from(KEY, 'hex').toString('base64'),
    });
    expect(settings).toMatchObject({ port: 8080, host: '0.0.0.0' });
    expect(Buffer.from(settings.sessionSecret ?? []).toString('hex')).toBe(KEY);
    for (const part of [settings, settings.limits, settings.trustedProxies]) expect(Object.isFrozen(part)).toBe(true);
  });

  it('[OP2] [OP5] a bad value ends the process with a code and starts nothing; .env is read and the environment wins', async () => {
    const folder = temporaryFolder('settings');
    writeFileSync(join(folder, '.env'), 'LOG_LEVEL=loud\nPORT=1\n');
    const dataDir = join(folder, 'data');
    const bad = runFile(join(PROJECT, 'cmd/migrate.ts'), { DATA_DIR: dataDir, PORT: 'abc' }, { cwd: folder });
    expect(await bad.exit).toBe(1);
    expect(bad.output()).toMatch(/^PORT: .*it is "abc".*PORT=3000$/m);
    expect(bad.output()).toMatch(/^LOG_LEVEL: .*it is "loud"/m);
    expect(bad.output()).not.toContain('    at ');
    expect(existsSync(dataDir)).toBe(false);
  });
});

describe('return rates', () => {
  it('[BT42] are exact fractions of the percent given, over defaults that are those of the rules', () => {
    expect(loadSettings({}).returnRates).toEqual(DEFAULT_RATES);
    const rates = loadSettings({ RETURN_RATES: 'win=82.5, trifecta=70,quinella-place=99.99,place=100' }).returnRates;
    expect(rates).toEqual({
      ...DEFAULT_RATES,
      win: { num: 825, den: 1000 },
      trifecta: { num: 70, den: 100 },
      'quinella-place': { num: 9999, den: 10000 },
      place: { num: 100, den: 100 },
    });
    expect(Object.isFrozen(rates)).toBe(true);
  });
});

describe('keys', () => {
  it('[OP6] are made once with mode 0600 and stay the same', () => {
    const settings = loadSettings({ DATA_DIR: temporaryFolder('keys') });
    const made = loadSecrets(settings);
    expect(new Set(Object.values(made).map((bytes) => Buffer.from(bytes).toString('hex'))).size).toBe(3);
    for (const name of ['session-secret', 'receipt-key', 'seed-wrap-key']) {
      expect(statSync(join(settings.dataDir, 'keys', name)).mode & 0o777).toBe(0o600);
    }
    expect(loadSecrets(settings)).toEqual(made);
    expect(loadSecrets(loadSettings({ DATA_DIR: settings.dataDir, RECEIPT_KEY: KEY }))).toEqual({
      ...made,
      receiptKey: Uint8Array.from(Buffer.from(KEY, 'hex')),
    });
  });

  it('[OP6] a file that others can read, or that holds no key, is refused in words', () => {
    const settings = loadSettings({ DATA_DIR: temporaryFolder('keys') });
    loadSecrets(settings);
    const file = join(settings.dataDir, 'keys', 'seed-wrap-key');
    chmodSync(file, 0o640);
    expect(() => loadSecrets(settings)).toThrow(/SEED_WRAP_KEY: others can read .*chmod 600/);
    chmodSync(file, 0o600);
    writeFileSync(file, 'nonsense');
    expect(() => loadSecrets(settings)).toThrow(/SEED_WRAP_KEY: .*backup/);
    const blocked = temporaryFolder('keys');
    writeFileSync(join(blocked, 'keys'), '');
    expect(() => loadSecrets(loadSettings({ DATA_DIR: blocked }))).toThrow(/SESSION_SECRET: the key cannot be kept/);
  });
});
