import { describe, expect, test } from 'vitest';
import { equalBytes } from '../../lib/fairness/bytes.ts';
import { canonicalJson, concat, digestFromHex, fromHex, toHex, utf8 } from '../../lib/fairness/index.ts';

describe('bytes', () => {
  test('[FR1] each part stands behind its length, so parts cannot be shifted into each other', () => {
    expect(toHex(concat(utf8('ab'), utf8('c')))).toBe('0000000261620000000163');
    expect(toHex(concat(utf8('a'), utf8('bc')))).toBe('0000000161000000026263');
    expect(toHex(concat(utf8('abc'), utf8('')))).toBe('0000000361626300000000');
    expect(toHex(concat())).toBe('');
  });

  test('[FR1] hex has one spelling and a digest one length', () => {
    expect(toHex(fromHex('00ff7f'))).toBe('00ff7f');
    for (const bad of ['0', 'FF', '0x00', 'zz', ' 00', '00\n']) expect(() => fromHex(bad), bad).toThrow(TypeError);
    expect(() => digestFromHex('00')).toThrow(TypeError);
    expect(digestFromHex('ab'.repeat(32))).toHaveLength(32);
  });
});

describe('comparing', () => {
  test('[FR1] bytes are equal only at equal length', () => {
    expect(equalBytes(Uint8Array.of(1, 2), Uint8Array.of(1, 2))).toBe(true);
    expect(equalBytes(Uint8Array.of(1), Uint8Array.of(1, 2))).toBe(false);
    expect(equalBytes(Uint8Array.of(1, 2), Uint8Array.of(1))).toBe(false);
    expect(equalBytes(Uint8Array.of(1, 2), Uint8Array.of(1, 3))).toBe(false);
  });
});

describe('canonical JSON', () => {
  test('[FR1] equal values have one spelling, whatever the order of their keys', () => {
    const value = { b: [1, -2, true, null], a: { 새: '말', B: 'x"\n' }, aa: 0 };
    expect(canonicalJson(value)).toBe('{"a":{"B":"x\\"\\n","새":"말"},"aa":0,"b":[1,-2,true,null]}');
    expect(canonicalJson({ aa: 0, a: { B: 'x"\n', 새: '말' }, b: [1, -2, true, null] })).toBe(canonicalJson(value));
    expect(canonicalJson(JSON.parse('{"__proto__":1,"b":2}'))).toBe('{"__proto__":1,"b":2}');
    expect(canonicalJson(-0)).toBe('0');
  });

  test('[FR1] what has no single spelling is refused', () => {
    const sparse: unknown[] = [];
    sparse[1] = 1;
    for (const bad of [
      0.5,
      1e300,
      Number.NaN,
      Infinity,
      2 ** 53,
      10n,
      undefined,
      () => 1,
      new Date(0),
      new Map(),
      sparse,
    ]) {
      expect(() => canonicalJson(bad), String(bad)).toThrow(TypeError);
      expect(() => canonicalJson({ inside: [bad] }), String(bad)).toThrow(TypeError);
    }
    expect(() => canonicalJson({ gone: undefined })).toThrow(TypeError);
  });
});
