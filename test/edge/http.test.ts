import { mkdirSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { connect as connectTcp } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { loadSettings } from '../../config/env.ts';
import { createHttpApp, type HttpDeps } from '../../http/app.ts';
import { listen } from '../../http/listen.ts';
import type { RaceRecord } from '../../lib/protocol.ts';
import { createMetrics } from '../../lib/run/metrics.ts';
import { createReadiness } from '../../lib/run/readiness.ts';
import { createLimits } from '../../socket/limits.ts';
import { temporaryFolder } from '../helpers/folder.ts';
import { quietLog } from '../helpers/postgres.ts';

const log = { ...quietLog, debug: () => {} };
const servers: Server[] = [];

const INDEX =
  '<!doctype html>\n<html lang="ko">\n  <head>\n    <meta name="description" content="x" />\n    <title>Paddock</title>\n  </head>\n  <body><div id="app"></div></body>\n</html>\n';
const SECRET = 'the secret of the folder above';

let folder = '';
let base = '';
const up = { database: true };
const readiness = createReadiness({
  database: () => up.database,
  'server-time': () => true,
  'instance-lock': () => true,
});

async function serve(more: Partial<HttpDeps> = {}): Promise<string> {
  const { guesses } = createLimits({ ...loadSettings({}).limits, findsPerMinute: 3 });
  const app = createHttpApp({
    pageFolder: join(folder, 'public'),
    publicUrl: undefined,
    metricsToken: undefined,
    metrics: createMetrics().registry,
    health: readiness,
    records: {
      race: async (id) =>
        id === 'over' || id === 'open' ? ({ id, phase: id === 'over' ? 'settled' : 'open' } as RaceRecord) : null,
      keys: async () => ({ seedKeys: [{ id: 'k1', hash: 'ab', createdAt: 1 }], receiptKeys: [] }),
    },
    share: {
      publicUrl: more.publicUrl,
      preview: async (code) => {
        // As a database would: not in the same turn.
        await new Promise(setImmediate);
        if (code === 'BROKEN') throw new Error('PostgreSQL is away');
        if (code === 'ABC234') return { name: '<b>"$&\' 말</b>', kind: 'bet', locale: 'en', closed: false };
        return null;
      },
      addressOf: (request) => String(request.headers['x-test-address'] ?? 'somebody'),
      guesses,
    },
    log,
    ...more,
  });
  const server = createServer(app);
  servers.push(server);
  return `http://127.0.0.1:${await listen(server, '127.0.0.1', 0)}`;
}

/** A request line exactly as written: fetch would tidy the path up. */
function raw(url: string, path: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const { hostname, port } = new URL(url);
    const socket = connectTcp(Number(port), hostname, () =>
      socket.write(`GET ${path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`),
    );
    let text = '';
    socket
      .setEncoding('utf8')
      .on('data', (chunk) => (text += chunk))
      .on('end', () => resolve(text))
      .on('error', reject);
  });
}

beforeAll(async () => {
  folder = temporaryFolder('page');
  mkdirSync(join(folder, 'public/assets'), { recursive: true });
  mkdirSync(join(folder, 'public/.git'));
  writeFileSync(join(folder, 'secret.txt'), SECRET);
  writeFileSync(join(folder, 'public/.env'), SECRET);
  writeFileSync(join(folder, 'public/.git/config'), SECRET);
  writeFileSync(join(folder, 'public/index.html'), INDEX);
  writeFileSync(join(folder, 'public/favicon.svg'), '<svg/>');
  writeFileSync(join(folder, 'public/assets/index-abc123.js'), 'console.log(1);\n'.repeat(500));
  base = await serve();
});
afterAll(() => {
  for (const server of servers) server.close();
});

describe('the page', () => {
  it('[OP76] is never cached itself, its hashed files for ever, and text is compressed', async () => {
    const page = await fetch(`${base}/`);
    expect([page.status, page.headers.get('cache-control'), await page.text()]).toEqual([200, 'no-cache', INDEX]);
    const script = await fetch(`${base}/assets/index-abc123.js`, { headers: { 'accept-encoding': 'gzip' } });
    expect(script.headers.get('cache-control')).toBe('public, max-age=31536000, immutable');
    expect(script.headers.get('content-encoding')).toBe('gzip');
    expect(script.headers.get('content-type')).toMatch(/javascript/);
    expect((await fetch(`${base}/favicon.svg`)).headers.get('cache-control')).toBe('no-cache');
  });

  it('[OP74] nothing outside its folder is served, however the path is written', async () => {
    const paths = [
      '/../secret.txt',
      '/..%2fsecret.txt',
      '/%2e%2e/secret.txt',
      '/%2e%2e%2fsecret.txt',
      '/..%5csecret.txt',
      '/..\\secret.txt',
      '/%252e%252e%252fsecret.txt',
      '/assets/../../secret.txt',
      '/assets/..%2f..%2fsecret.txt',
      '//../secret.txt',
      '/./../secret.txt',
      '/%c0%ae%c0%ae/secret.txt',
      '/..;/secret.txt',
      '/%00/../secret.txt',
      '/secret.txt%00.js',
      '/.env',
      '/%2eenv',
      '/.git/config',
      '/assets/../.env',
      '/r/..%2f..%2fsecret.txt',
      '/package.json',
      '/server.ts',
      '/data/keys/session-secret',
      '/../../../../../../etc/passwd',
      'http://x/../secret.txt',
    ];
    for (const path of paths) {
      const answer = await raw(base, path);
      expect(answer, path).toMatch(/^HTTP\/1\.1 (404|400|403)/);
      expect(answer, path).not.toContain(SECRET);
      expect(answer, path).not.toContain('root:');
    }
  });

  it('[OP74] what is not there is 404: the page for people, JSON for programs', async () => {
    const page = await fetch(`${base}/nothing/here`, { headers: { accept: 'text/html' } });
    expect([page.status, await page.text()]).toEqual([404, INDEX]);
    const json = await fetch(`${base}/nothing/here`);
    expect([json.status, await json.json()]).toEqual([
      404,
      { code: 'NOT_FOUND', message: 'Not found.', retryable: false },
    ]);
    expect((await fetch(`${base}/`, { method: 'POST' })).status).toBe(404);
  });

  it('[OP74] a page that was never built is said to be so', async () => {
    const url = await serve({ pageFolder: join(folder, 'none') });
    const answer = await fetch(`${url}/`);
    expect([answer.status, await answer.text()]).toEqual([503, expect.stringContaining('npm run build')]);
  });
});

describe('security headers', () => {
  it('[OP75] no inline script, and on plain http no rule that would keep the page from loading', async () => {
    const { headers } = await fetch(`${base}/`);
    const policy = headers.get('content-security-policy') ?? '';
    expect(policy).toMatch(/(^|;)script-src 'self'(;|$)/);
    expect(policy).toMatch(/script-src-attr 'none'/);
    expect(policy).toMatch(/connect-src 'self' ws: wss:/);
    expect(policy).not.toMatch(/script-src[^;]*unsafe|upgrade-insecure-requests/);
    expect(headers.get('strict-transport-security')).toBeNull();
    expect(headers.get('cross-origin-opener-policy')).toBeNull();
    expect(headers.get('x-powered-by')).toBeNull();
    expect(headers.get('x-content-type-options')).toBe('nosniff');
  });

  it('[OP75] with an https PUBLIC_URL transport is strict', async () => {
    const url = await serve({ publicUrl: 'https://races.example' });
    const { headers } = await fetch(`${url}/api/keys`);
    expect(headers.get('strict-transport-security')).toMatch(/max-age=\d{7,}/);
    expect(headers.get('content-security-policy')).toMatch(/upgrade-insecure-requests/);
    expect(headers.get('cross-origin-opener-policy')).toBe('same-origin');
  });
});

describe('shared links', () => {
  it('[OP77] show the room, escaped, in its language', async () => {
    const answer = await fetch(`${base}/r/ABC234`);
    const html = await answer.text();
    expect(answer.status).toBe(200);
    expect(html).toContain('<meta property="og:title" content="&lt;b&gt;&quot;$&amp;&#39; 말&lt;/b&gt;">');
    expect(html).toContain('<title>&lt;b&gt;&quot;$&amp;&#39; 말&lt;/b&gt; · Paddock</title>');
    expect(html).toContain('<html lang="en"');
    expect(html).toContain(`<meta property="og:url" content="${base}/r/ABC234">`);
    expect(html.match(/name="description"/g)).toHaveLength(1);
    expect(html).not.toContain('<b>');
  });

  it('[OP77] an unknown code is 404 with the page, and guessing is held up', async () => {
    const headers = { 'x-test-address': 'guesser' };
    const status = [];
    for (const code of ['AAAAAA', 'BBBBBB', '%3Cscript%3E', 'CCCCCC', 'DDDDDD', 'ABC234'])
      status.push((await fetch(`${base}/r/${code}`, { headers })).status);
    expect(status).toEqual([404, 404, 404, 404, 200, 200]);
    const held = await (await fetch(`${base}/r/ABC234`, { headers })).text();
    expect(held).toBe(INDEX);
    expect(await (await fetch(`${base}/r/ABC234`)).text()).toContain('og:title');
  });

  it('[OP77] codes that are guessed at once are no more than codes guessed in turn', async () => {
    const headers = { 'x-test-address': 'hasty' };
    const codes = Array.from({ length: 10 }, (_, go) => `HASTY${go}`);
    const answers = await Promise.all(codes.map((code) => fetch(`${base}/r/${code}`, { headers })));
    expect(answers.filter(({ status }) => status === 404)).toHaveLength(3);
  });

  it('[OP77] with PostgreSQL away the page comes without a preview', async () => {
    const answer = await fetch(`${base}/r/BROKEN`);
    expect([answer.status, await answer.text()]).toEqual([200, INDEX]);
  });
});

describe('records, health and metrics', () => {
  it('[OP81] a race is public, for ever once it is over', async () => {
    const over = await fetch(`${base}/api/races/over`);
    expect([over.status, over.headers.get('cache-control'), await over.json()]).toEqual([
      200,
      'public, max-age=86400',
      { id: 'over', phase: 'settled' },
    ]);
    expect((await fetch(`${base}/api/races/open`)).headers.get('cache-control')).toBe('no-store');
    for (const path of ['races/none', 'races/..%2f..', 'races/', 'nothing', 'races/over/more']) {
      const answer = await fetch(`${base}/api/${path}`, { headers: { accept: 'text/html', 'accept-language': 'ko' } });
      expect([answer.status, await answer.json()], path).toEqual([
        404,
        { code: 'NOT_FOUND', message: '찾을 수 없어요.', retryable: false },
      ]);
    }
    expect(await (await fetch(`${base}/api/keys`)).json()).toEqual({
      seedKeys: [{ id: 'k1', hash: 'ab', createdAt: 1 }],
      receiptKeys: [],
    });
  });

  it('[OP81] a failure inside tells nothing of it', async () => {
    const url = await serve({
      records: {
        race: () => Promise.reject(new Error('select secret from somewhere')),
        keys: () => Promise.reject(new Error('x')),
      },
    });
    const answer = await fetch(`${url}/api/races/some`);
    expect([answer.status, await answer.json()]).toEqual([500, expect.objectContaining({ code: 'INTERNAL' })]);
  });

  it('[OP73] readiness has reasons, health has none', async () => {
    const ready = async () => {
      const answer = await fetch(`${base}/readyz`);
      return [answer.status, await answer.json()];
    };
    expect(await ready()).toEqual([200, { ready: true, reasons: [] }]);
    up.database = false;
    expect(await ready()).toEqual([503, { ready: false, reasons: ['database'] }]);
    readiness.drain();
    expect(await ready()).toEqual([503, { ready: false, reasons: ['draining', 'database'] }]);
    expect((await fetch(`${base}/healthz`)).status).toBe(200);
  });

  it('[OP78] metrics are for this machine, or for whoever has the token', async () => {
    expect((await fetch(`${base}/metrics`)).status).toBe(200);
    expect((await fetch(`${base}/metrics`, { headers: { 'x-forwarded-for': '127.0.0.1' } })).status).toBe(403);
    const url = await serve({ metricsToken: 'a-token-of-16-characters' });
    expect((await fetch(`${url}/metrics`)).status).toBe(403);
    expect((await fetch(`${url}/metrics`, { headers: { authorization: 'Bearer wrong' } })).status).toBe(403);
    const answer = await fetch(`${url}/metrics`, { headers: { authorization: 'Bearer a-token-of-16-characters' } });
    expect(await answer.text()).toContain('paddock_requests_total');
  });
});
