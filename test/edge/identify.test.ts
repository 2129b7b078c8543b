import type { IncomingMessage } from 'node:http';
import { describe, expect, it } from 'vitest';
import { pageAddresses } from '../../lib/run/addresses.ts';
import { createAddressOf, originAllowed, shareBase } from '../../socket/identify.ts';

const request = (remoteAddress: string, forwarded?: string) =>
  ({
    socket: { remoteAddress },
    headers: forwarded === undefined ? {} : { 'x-forwarded-for': forwarded },
  }) as unknown as IncomingMessage;

describe('addresses', () => {
  it('[SE16] without trusted proxies the header means nothing', () => {
    const addressOf = createAddressOf([]);
    expect(addressOf(request('198.51.100.7', '203.0.113.9'))).toBe('198.51.100.7');
    expect(addressOf(request('::ffff:198.51.100.7', '203.0.113.9'))).toBe('198.51.100.7');
  });

  it('[SE16] trusted proxies are walked through to the first that is not', () => {
    const addressOf = createAddressOf(['loopback', '10.0.0.0/8', '192.0.2.5']);
    expect(addressOf(request('127.0.0.1', '203.0.113.9'))).toBe('203.0.113.9');
    expect(addressOf(request('127.0.0.1', '1.1.1.1, 203.0.113.9, 10.2.3.4'))).toBe('203.0.113.9');
    expect(addressOf(request('192.0.2.5', '203.0.113.9, 192.0.2.6'))).toBe('192.0.2.6');
    expect(addressOf(request('::ffff:127.0.0.1', '::ffff:203.0.113.9'))).toBe('203.0.113.9');
    expect(addressOf(request('203.0.113.1', '1.1.1.1'))).toBe('203.0.113.1');
    expect(addressOf(request('127.0.0.1', 'unknown, 10.0.0.1'))).toBe('10.0.0.1');
    expect(addressOf(request('127.0.0.1', ''))).toBe('127.0.0.1');
  });

  it('[SE16] one IPv6 subscriber is one address', () => {
    const addressOf = createAddressOf([]);
    expect(addressOf(request('2001:db8:1:2:3:4:5:6'))).toBe('2001:db8:1:2::/64');
    expect(addressOf(request('2001:db8:1:2::9'))).toBe('2001:db8:1:2::/64');
    expect(addressOf(request('2001:DB8:1:0002:ffff::'))).toBe('2001:db8:1:2::/64');
    expect(addressOf(request('fe80::1%eth0'))).toBe('fe80:0:0:0::/64');
  });
});

describe('origins', () => {
  it('[SE6] equal to PUBLIC_URL, or of the host that was asked for', () => {
    expect(originAllowed(undefined, 'a.example', 'https://a.example')).toBe(true);
    expect(originAllowed('https://a.example', 'internal:3000', 'https://a.example')).toBe(true);
    expect(originAllowed('http://a.example', 'a.example', 'https://a.example')).toBe(false);
    expect(originAllowed('https://a.example.evil.test', 'a.example', 'https://a.example')).toBe(false);
    expect(originAllowed('http://192.168.0.9:3000', '192.168.0.9:3000', undefined)).toBe(true);
    expect(originAllowed('http://192.168.0.9:3001', '192.168.0.9:3000', undefined)).toBe(false);
    expect(originAllowed('http://paddock.test', 'Paddock.test', undefined)).toBe(true);
    expect(originAllowed('null', '192.168.0.9:3000', undefined)).toBe(false);
    expect(originAllowed('http://evil.test', undefined, undefined)).toBe(false);
  });

  it('[OP82] a link to share begins where others can open it', () => {
    const network = 'http://192.168.0.9:3000';
    expect(shareBase('https://a.example', 'http://localhost:3000', network)).toBe('https://a.example');
    expect(shareBase(undefined, 'http://paddock.test', network)).toBe('http://paddock.test');
    for (const local of ['http://localhost:3000', 'http://127.0.0.1:3000', 'http://[::1]:3000', undefined, 'null']) {
      expect(shareBase(undefined, local, network)).toBe(network);
    }
    expect(pageAddresses('127.0.0.1', 3000, undefined)).toEqual({ local: 'http://127.0.0.1:3000', network: undefined });
    expect(pageAddresses('0.0.0.0', 3000, 'https://a.example')).toEqual({
      local: 'http://localhost:3000',
      network: 'https://a.example',
    });
  });
});
