import type { IncomingMessage } from 'node:http';
import { BlockList, isIP, isIPv6 } from 'node:net';

const RANGES: Readonly<Record<string, readonly string[]>> = {
  loopback: ['127.0.0.0/8', '::1/128'],
  linklocal: ['169.254.0.0/16', 'fe80::/10'],
  uniquelocal: ['10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16', 'fc00::/7'],
};

/**
 * Who a request comes from, as `addressKey`: of the connection and what X-Forwarded-For says before it, the first from
 * here that is no trusted proxy.
 */
export function createAddressOf(trustedProxies: readonly string[]): (request: IncomingMessage) => string {
  const trusted = new BlockList();
  for (const range of trustedProxies.flatMap((name) => RANGES[name] ?? [name])) {
    const [address = '', bits] = range.split('/');
    const family = isIPv6(address) ? 'ipv6' : 'ipv4';
    if (bits === undefined) trusted.addAddress(address, family);
    else trusted.addSubnet(address, Number(bits), family);
  }
  const trusts = (address: string) => trusted.check(address, isIPv6(address) ? 'ipv6' : 'ipv4');

  return (request) => {
    const header = request.headers['x-forwarded-for'] ?? '';
    const forwarded = String(header)
      .split(',')
      .map((part) => unmapped(part.trim()))
      .reverse();
    let seen = unmapped(request.socket.remoteAddress ?? '');
    for (const before of forwarded) {
      if (isIP(seen) === 0 || isIP(before) === 0 || !trusts(seen)) break;
      seen = before;
    }
    return addressKey(seen);
  };
}

/** An IPv4 address that a socket of both families shows inside an IPv6 one. */
function unmapped(address: string): string {
  return /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)?.[1] ?? address;
}

/** One subscriber is one address: IPv4 as it is, IPv6 by its first 64 bits. */
function addressKey(address: string): string {
  if (!isIPv6(address)) return address;
  const [head = '', tail] = (address.split('%')[0] ?? '').split('::');
  const left = head === '' ? [] : head.split(':');
  const right = tail === undefined || tail === '' ? [] : tail.split(':');
  const missing = tail === undefined ? 0 : Math.max(0, 8 - left.length - right.length);
  const groups = [...left, ...Array.from({ length: missing }, () => '0'), ...right];
  return `${groups
    .slice(0, 4)
    .map((group) => Number.parseInt(group, 16).toString(16))
    .join(':')}::/64`;
}

/**
 * May a page of this origin connect? No origin: not a browser. With PUBLIC_URL exactly that one; without, the page must
 * come from the host that was asked for.
 */
export function originAllowed(
  origin: string | undefined,
  host: string | undefined,
  publicUrl: string | undefined,
): boolean {
  if (origin === undefined) return true;
  if (publicUrl !== undefined) return origin === publicUrl;
  return URL.canParse(origin) && host !== undefined && new URL(origin).host === host.toLowerCase();
}

/** Where links to share begin: PUBLIC_URL, else the page's own origin unless nobody else can open it, else `network`. */
export function shareBase(publicUrl: string | undefined, origin: string | undefined, network: string): string {
  if (publicUrl !== undefined) return publicUrl;
  if (origin === undefined || !URL.canParse(origin) || isLoopback(new URL(origin).hostname)) return network;
  return origin;
}

function isLoopback(hostname: string): boolean {
  return (
    hostname === 'localhost' || hostname.endsWith('.localhost') || hostname === '[::1]' || hostname.startsWith('127.')
  );
}
