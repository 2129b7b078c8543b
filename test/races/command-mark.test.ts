import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { bodyHash } from '../../lib/service/command-mark.ts';

/** The same from first principles: sorted keys at every depth. */
function canonical(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join(',')}]`;
  if (value === null || typeof value !== 'object') return JSON.stringify(value);
  const members = Object.entries(value).filter(([, part]) => part !== undefined);
  return `{${members
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, part]) => `${JSON.stringify(key)}:${canonical(part)}`)
    .join(',')}}`;
}

test('[BT39] two bodies have one hash exactly when they say the same, whatever the order of their keys', () => {
  const key = fc.stringMatching(/^[a-z]{1,8}$/);
  const leaf = fc.oneof(fc.integer(), fc.string(), fc.boolean(), fc.constant(null));
  const part = fc.oneof(leaf, fc.array(leaf), fc.dictionary(key, leaf), fc.array(fc.dictionary(key, leaf)));
  const body = fc.dictionary(key, part);
  fc.assert(
    fc.property(body, (payload) => {
      const expected = createHash('sha256')
        .update(`bet:place\n${canonical(payload)}`)
        .digest('hex');
      expect(bodyHash('bet:place', payload)).toBe(expected);
      expect(bodyHash('bet:place', Object.fromEntries(Object.entries(payload).reverse()))).toBe(expected);
    }),
    { numRuns: 2_000 },
  );
});
