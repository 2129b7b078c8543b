import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';

const ROOT = new URL('../../lib/engine/', import.meta.url);
const FILES = readdirSync(ROOT, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.ts'));

/** Code without comments and without the insides of strings. */
function code(source: string): string {
  return source.replace(/\/\*[\s\S]*?\*\/|\/\/.*$/gm, '').replace(/'(?:[^'\\\n]|\\.)*'/g, "''");
}

/** What could make two JavaScript engines, or two runs, differ; each with a line that it must catch. */
const FORBIDDEN: readonly (readonly [string, RegExp, string])[] = [
  ['Math beyond floor, imul, min, max, abs', /\bMath\s*(?:\[|\.(?!(?:floor|imul|min|max|abs)\b))/, 'Math.pow(2, 3)'],
  ['an alias of Math', /=\s*Math\b(?!\.)|\{[^}]*\}\s*=\s*Math\b/, 'const { sin } = Math;'],
  ['the power operator', /\*\*/, 'a ** 2'],
  ['a fraction', /\b\d[\d_]*\.\d|\b\d[\d_]*e-\d/, '0.5'],
  ['a division that is not floored', /(?<!Math\.floor\([^;]*)[\w)\]] \/ [\w(]/, 'const a = b / c;'],
  ['a clock', /\b(?:Date|performance|Temporal)\b/, 'Date.now()'],
  ['chance', /\brandom\w*\s*\(|\bcrypto\b/i, 'Math.random()'],
  ['the locale', /\bIntl\b|toLocale|localeCompare|normalize\(/, "'a'.localeCompare('b')"],
  ['unordered iteration', /\bfor\s*\([^)]*\bin\b|Object\.(?:keys|values|entries)|JSON\./, 'for (const k in o) {}'],
  ['floating-point parsing or arrays', /parseFloat|Float(?:16|32|64)Array|toFixed|getFloat/, 'parseFloat(x)'],
  ['the surroundings', /\b(?:process|globalThis|window|console|setTimeout|setInterval)\b|node:/, 'process.env'],
  ['a sort without an order of its own', /\.(?:sort|toSorted)\(\s*\)/, 'list.sort()'],
];

describe('the engine source', () => {
  test('[RC17] holds no construct on which two JavaScript engines could differ', () => {
    expect(FILES.length).toBeGreaterThan(8);
    for (const name of FILES) {
      const source = readFileSync(new URL(name, ROOT), 'utf8');
      for (const [what, pattern] of FORBIDDEN)
        expect(code(source).match(pattern)?.[0], `${name}: ${what}`).toBeUndefined();
      for (const [, from] of source.matchAll(/from '([^']+)'/g)) {
        expect(from, name).toMatch(/^\.{1,2}\/|^@noble\/hashes\//);
      }
    }
  });

  test.each(FORBIDDEN)('[RC17] the scan catches %s', (_, pattern, line) => {
    expect(code(line)).toMatch(pattern);
  });
});
