import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { connect } from '../helpers/client.ts';
import { runCommand } from '../helpers/process.ts';
import { startServer, type TestServer } from '../helpers/server.ts';

let server: TestServer;
beforeAll(async () => {
  server = await startServer({ env: { TIME_SCALE: '20' } });
});
afterAll(() => server?.stop());

/** The command as on a machine that has neither database nor data of the server. */
async function verify(source: string): Promise<{ code: number | string; out: string }> {
  const { exit, output } = runCommand(process.execPath, ['--import', 'tsx', 'cmd/verify.ts', source], {});
  const code = await exit;
  return { code, out: output() };
}

describe('npm run verify', () => {
  it('[RC55] reads the record at an address, once the race is over', async () => {
    const host = await connect(server.url, { nickname: 'host' });
    const settings = { openSeconds: 200, track: 'short' } as const;
    const { room } = await host.request('room:create', { kind: 'bet', settings });
    const { raceId } = await host.request('race:start', { roomId: room.id });
    await host.request('bet:place', { raceId, pool: 'win', selection: [2], stake: '300' });
    const address = `${server.url}/api/races/${raceId}`;
    expect(await verify(address)).toMatchObject({ code: 2, out: expect.stringContaining('not over yet') });
    await host.request('race:start', { roomId: room.id });
    await host.event('race settled', (event) => event.raceId === raceId);
    const whole = await verify(address);
    expect(whole).toMatchObject({ code: 0, out: expect.stringContaining(`race ${raceId} verifies`) });
    for (const step of ['commitment', 'field', 'record-link', 'bets-root', 'order', 'dividends'])
      expect(whole.out).toContain(`ok     ${step}:`);
    expect(await verify(`${server.url}/api/races/no-such-race`)).toMatchObject({ code: 2 });
    expect(await verify(`${server.url}/`)).toMatchObject({ code: 2 });
    host.close();
  });
});
