import { createServer } from 'node:net';
import { describe, expect, it } from 'vitest';
import { listen } from '../../http/listen.ts';
import { connect } from '../helpers/client.ts';
import { temporaryFolder } from '../helpers/folder.ts';
import { runServer, spawnServer, startServer } from '../helpers/server.ts';
import { until } from '../helpers/until.ts';

const alive = (pid: number): boolean => {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
};

describe('starting', () => {
  it('[OP70] a taken port is told before anything is started', async () => {
    const taken = createServer();
    const port = await listen(taken as never, '127.0.0.1', 0);
    const dataDir = temporaryFolder('taken');
    try {
      const { code, stderr, stdout } = await runServer({ port, dataDir });
      expect(code).toBe(1);
      expect(stderr).toBe(
        `PORT: port ${port} is in use by another program. Stop it, or choose another. Example: PORT=${port + 1}\n`,
      );
      expect(stdout).not.toContain('postgres');
    } finally {
      taken.close();
    }
  });

  it('[OP70] an address of another machine is told', async () => {
    const { code, stderr } = await runServer({ env: { HOST: '192.0.2.77', PORT: '39999' } });
    expect([code, stderr]).toEqual([1, 'HOST: 192.0.2.77 is no address of this machine. Example: HOST=0.0.0.0\n']);
  });

  it('[OP2] every wrong setting stops the start with 1', async () => {
    const { code, stderr, stdout } = await runServer({ env: { TIME_SCALE: 'fast', LOG_LEVEL: 'loud' } });
    expect(code).toBe(1);
    expect(
      stderr
        .split('\n')
        .map((line) => line.split(':')[0])
        .filter(Boolean)
        .sort(),
    ).toEqual(['LOG_LEVEL', 'TIME_SCALE']);
    expect(stdout).toBe('');
  });

  it('[OP82] local and network address are printed', async () => {
    const server = await startServer({ env: { PUBLIC_URL: 'https://races.example' } });
    try {
      const line = server.lines().find(({ msg }) => msg === 'server.listening');
      expect(line).toMatchObject({ port: server.port, local: server.url, network: 'https://races.example' });
    } finally {
      await server.stop();
    }
  });
});

describe('stopping', () => {
  it('[OP71] answers what is in flight, exits with 0, leaves nothing, and clients come back', async () => {
    const server = await startServer();
    const client = await connect(server.url);
    try {
      const { room } = await client.request('room:create', { kind: 'pick' });
      const postgres = Number(server.lines().find(({ msg }) => msg === 'postgres.started')?.pid);
      expect(alive(postgres)).toBe(true);
      const answers = Array.from({ length: 5 }, (_, number) =>
        client.ask('chat:send', { roomId: room.id, text: `last words ${number}` }),
      );
      const stopped = server.stop();
      const codes = (await Promise.all(answers)).map((answer) => (answer.ok ? 'OK' : answer.code));
      expect(codes.every((code) => code === 'OK' || code === 'DRAINING')).toBe(true);
      expect(await stopped).toBe(0);
      expect(alive(postgres)).toBe(false);
      expect(
        client.messages.some(
          ({ name, data }) => name === 'server:notice' && (data as { kind: string }).kind === 'draining',
        ),
      ).toBe(true);
      expect(server.lines().filter(({ level }) => level >= 40)).toEqual([]);
      await server.restart();
      await until('the client is back', () => client.readies === 2);
      expect(client.ready?.resumed).toBe(true);
      const said = codes.filter((code) => code === 'OK').length;
      const { messages } = await client.request('chat:history', { roomId: room.id });
      expect(messages).toHaveLength(said);
    } finally {
      client.close();
      expect(await server.stop()).toBe(0);
    }
  });

  it('[OP72] a second signal at once changes nothing', async () => {
    const server = await startServer();
    const pid = server.pid();
    process.kill(pid, 'SIGINT');
    process.kill(pid, 'SIGINT');
    expect(await server.stop()).toBe(0);
    const told = server.lines().map(({ msg }) => msg);
    expect(told.filter((msg) => msg.startsWith('server.stop'))).toEqual(['server.stopping', 'server.stopped']);
  });

  it('[OP71] a signal during the start waits for it and leaves nothing', async () => {
    const dataDir = temporaryFolder('early');
    const early = spawnServer({ dataDir });
    await until('PostgreSQL runs', () => early.output.stdout.includes('postgres.started'));
    early.child.kill('SIGTERM');
    expect(await early.exited).toBe(0);
    const pid = Number(/"pid":(\d+)/.exec(early.output.stdout)?.[1]);
    expect(alive(pid)).toBe(false);
  });
});
