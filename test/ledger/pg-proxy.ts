import { createConnection, createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import type { PgTarget } from '../../db/postgres/connect.ts';
import { temporaryFolder } from '../helpers/folder.ts';

export type PgProxy = {
  readonly target: PgTarget;
  /** Bytes towards the server are kept, in order, until `heal`. */
  holdRequests(): void;
  /** Bytes towards the client are kept, in order, until `heal`. */
  holdAnswers(): void;
  heal(): void;
  /** Ends every connection towards the client; what was sent on still reaches the server. */
  cutClients(): void;
  close(): Promise<void>;
};

/** Stands between a pool and PostgreSQL's unix socket. */
export async function startPgProxy(target: PgTarget & { host?: string }): Promise<PgProxy> {
  const path = '.s.PGSQL.5432';
  const folder = temporaryFolder('px');
  const upstream = join((target as { host: string }).host, path);
  const links = new Set<{ client: Socket; server: Socket }>();
  let holding: 'nothing' | 'requests' | 'answers' = 'nothing';
  let held: (() => void)[] = [];

  const server = createServer((client) => {
    const link = { client, server: createConnection(upstream) };
    links.add(link);
    const forward = (from: Socket, to: Socket, when: 'requests' | 'answers') => {
      from.on('data', (bytes) => {
        const pass = () => void to.write(bytes);
        if (holding === when) held.push(pass);
        else pass();
      });
      from.on('error', () => {});
    };
    forward(client, link.server, 'requests');
    forward(link.server, client, 'answers');
    link.server.on('close', () => {
      client.destroy();
      links.delete(link);
    });
    client.on('close', () => {
      const end = () => void link.server.end();
      if (holding === 'requests') held.push(end);
      else end();
    });
  });
  await new Promise<void>((resolve) => server.listen(join(folder, path), resolve));

  return {
    target: { ...(target as { port: number; user: string; database: string }), host: folder },
    holdRequests: () => {
      holding = 'requests';
    },
    holdAnswers: () => {
      holding = 'answers';
    },
    heal: () => {
      holding = 'nothing';
      for (const pass of held.splice(0)) pass();
    },
    cutClients: () => {
      for (const { client } of links) client.destroy();
    },
    close: async () => {
      held = [];
      for (const link of links) {
        link.client.destroy();
        link.server.destroy();
      }
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
