import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';

const ROOT = join(import.meta.dirname, '..');
const RULE = /^- \*{0,2}([A-Z]{2}\d+[a-z]?)\*{0,2}[ :.]/gmu;
const TITLE = /\[([A-Z]{2}\d+[a-z]?(?:, ?[A-Z]{2}\d+[a-z]?)*)\]/gu;

function testFiles(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return testFiles(path);
    return /\.(test|contract)\.ts$/u.test(entry.name) || entry.name.includes('contract') ? [path] : [];
  });
}

test('[OP60] every rule of SPEC.md is quoted by a test, and every quoted rule is in SPEC.md', () => {
  const rules = [...readFileSync(join(ROOT, 'SPEC.md'), 'utf8').matchAll(RULE)].map((match) => match[1] as string);
  expect(new Set(rules).size, 'a number stands for one rule').toBe(rules.length);
  const quoted = testFiles(ROOT).flatMap((file) =>
    [...readFileSync(file, 'utf8').matchAll(TITLE)].flatMap((match) => (match[1] as string).split(/, ?/u)),
  );
  expect([...new Set(quoted)].filter((rule) => !rules.includes(rule)).sort(), 'quoted but not in SPEC.md').toEqual([]);
  expect(rules.filter((rule) => !quoted.includes(rule)).sort(), 'in SPEC.md but in no test').toEqual([]);
});
