import { createServer, type Server } from 'node:http';
import { createServer as createSocket } from 'node:net';
import { ConfigError } from '../config/config-error.ts';

/** Throws ConfigError when the address cannot be listened on now, so that nothing else is started in vain. */
export async function assertFree(host: string, port: number): Promise<void> {
  const probe = createSocket();
  await new Promise<void>((resolve, reject) => {
    probe.once('error', (error) => reject(unusable(host, port, error)));
    probe.listen({ host, port }, resolve);
  });
  await new Promise((resolve) => probe.close(resolve));
}

/** Headers and requests that never end are cut; websockets are not concerned. */
export function createHttpServer(): Server {
  return createServer({ headersTimeout: 10_000, requestTimeout: 15_000, keepAliveTimeout: 5_000 });
}

/** Returns the port, which the system chose when `port` is 0. Throws ConfigError. */
export async function listen(server: Server, host: string, port: number): Promise<number> {
  await new Promise<void>((resolve, reject) => {
    const failed = (error: Error) => reject(unusable(host, port, error));
    server.once('error', failed);
    server.listen({ host, port }, () => {
      server.off('error', failed);
      resolve();
    });
  });
  const address = server.address();
  return typeof address === 'object' && address !== null ? address.port : port;
}

function unusable(host: string, port: number, cause: Error): Error {
  const code = 'code' in cause ? cause.code : '';
  if (code === 'EADDRINUSE') {
    return new ConfigError(
      `PORT: port ${port} is in use by another program. Stop it, or choose another. Example: PORT=${port + 1}`,
      { cause },
    );
  }
  if (code === 'EACCES') {
    return new ConfigError(`PORT: port ${port} may not be used by this account. Example: PORT=3000`, { cause });
  }
  if (code === 'EADDRNOTAVAIL' || code === 'ENOTFOUND' || code === 'EAI_AGAIN') {
    return new ConfigError(`HOST: ${host} is no address of this machine. Example: HOST=0.0.0.0`, { cause });
  }
  return cause;
}
