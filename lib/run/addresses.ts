import { type NetworkInterfaceInfo, networkInterfaces } from 'node:os';

const PRIVATE = /^(10\.|192\.168\.|172\.(1[6-9]|2\d|3[01])\.)/;

/** The first private IPv4 address of this machine: what others in the same network can reach. */
export function networkAddress(
  interfaces: Readonly<Record<string, NetworkInterfaceInfo[] | undefined>> = networkInterfaces(),
): string | undefined {
  const addresses = Object.values(interfaces).flatMap((list) => list ?? []);
  return addresses.find((one) => one.family === 'IPv4' && !one.internal && PRIVATE.test(one.address))?.address;
}

const EVERY_ADDRESS = ['0.0.0.0', '::', ''];

/** What the start prints: the page on this machine, and where others in the network find it, if they can. */
export function pageAddresses(
  host: string,
  port: number,
  publicUrl: string | undefined,
): { readonly local: string; readonly network: string | undefined } {
  const everywhere = EVERY_ADDRESS.includes(host);
  const named = host.includes(':') ? `[${host}]` : host;
  const local = `http://${everywhere ? 'localhost' : named}:${port}`;
  const address = everywhere ? networkAddress() : undefined;
  return { local, network: publicUrl ?? (address && `http://${address}:${port}`) };
}
