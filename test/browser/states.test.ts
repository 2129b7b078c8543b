import { join } from 'node:path';
import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { processesIn } from '../../db/postgres/embedded/process.ts';
import type { Payload, Snapshot } from '../../lib/protocol.ts';
import { connect, type TestClient } from '../helpers/client.ts';
import { startServer, type TestServer } from '../helpers/server.ts';
import { until } from '../helpers/until.ts';
import { accessFaults, DESKTOP, ensurePage, openBrowser, openPage, picture, SMALL, type Watched } from './pages.ts';

const PEOPLE = 70;

type RoomId = Snapshot['id'];

let server: TestServer;
let browser: Browser;
const clients: TestClient[] = [];

beforeAll(async () => {
  ensurePage();
  [server, browser] = await Promise.all([
    startServer({
      env: {
        TIME_SCALE: '10',
        LEDGER_ANSWER_MS: '1000',
        CONNECTIONS_PER_ADDRESS: '1000',
        HOUSE_ROOMS: '1',
        NEW_PLAYERS_PER_ADDRESS_AND_DAY: '1000',
      },
    }),
    openBrowser(),
  ]);
}, 120_000);
afterAll(async () => {
  for (const client of clients) client.close();
  await browser?.close();
  if (server) silence(server, 'SIGCONT');
  await server?.stop();
});

/** PostgreSQL stops in its tracks, or goes on. */
function silence({ dataDir }: TestServer, signal: 'SIGSTOP' | 'SIGCONT'): void {
  const family = processesIn(join(dataDir, 'postgres'));
  for (const pid of signal === 'SIGSTOP' ? family : family.reverse()) process.kill(pid, signal);
}

async function withoutLedger(run: () => Promise<void>): Promise<void> {
  silence(server, 'SIGSTOP');
  try {
    await run();
  } finally {
    silence(server, 'SIGCONT');
  }
}

async function player(nickname: string): Promise<TestClient> {
  const client = await connect(server.url, { nickname });
  clients.push(client);
  return client;
}

/** A room of somebody at a socket, and a page in it. */
async function visit(
  options: BrowserContextOptions,
  settings: Payload<'room:create'>['settings'],
  kind: 'bet' | 'pick' = 'bet',
): Promise<Watched & { readonly host: TestClient; readonly roomId: RoomId }> {
  const host = await player('Mina');
  const { room } = await host.request('room:create', { kind, name: 'Friday track', settings });
  const watched = await openPage(browser, `${server.url}/r/${room.code}`, options);
  await watched.page.click('dialog .sheet-foot .button-primary');
  await watched.page.waitForSelector('.room');
  return { ...watched, host, roomId: room.id };
}

const banner = (page: Page): Promise<string> => page.innerText('.banner', { timeout: 15_000 });
const noBanner = (page: Page): Promise<void> =>
  until('the banner is gone', async () => (await page.locator('.banner').count()) === 0).then(() => {});

async function bet(page: Page, row: number): Promise<void> {
  await page.click(`.runner-row >> nth=${row}`);
  await page.click('.slip .button-primary');
}

describe('the page says how things stand', () => {
  test('[PG23] while the ledger is silent: a banner, a bet that waits, a clear refusal of the next, and on it goes', async () => {
    const { page, faults, host, roomId, close } = await visit({ ...SMALL, locale: 'en-US' }, { openSeconds: 300 });
    await host.request('race:start', { roomId });
    await page.waitForSelector('.runner-row:not(:disabled)');
    await bet(page, 2);
    await page.waitForSelector('.my-bets li:not(.pending)');
    await withoutLedger(async () => {
      await bet(page, 0);
      await page.waitForSelector('.my-bets .pending');
      expect(await banner(page)).toContain('ledger cannot be reached');
      // What was sent before anybody knew waits for its answer; what is asked for now is refused, and stays on the slip.
      await page.click('.runner-row >> nth=1');
      expect(await page.innerText('.slip')).toContain('cannot be taken');
      await page.click('.slip .button-primary');
      await page.waitForSelector('.toast-bad:has-text("The ledger cannot be reached")');
      await until('the refused bet is on the slip again', async () => (await page.locator('.slip-what').count()) === 1);
      expect(await page.locator('.my-bets .pending').count()).toBe(1);
      expect(await accessFaults(page)).toEqual([]);
      await page.click('.toast-bad');
      await page.evaluate(`document.querySelector('.my-bets').scrollIntoView({ block: 'center' })`);
      await picture(page, 'ledger-phone-en');
    });
    await until('the bet is confirmed', async () => (await page.locator('.my-bets li:not(.pending)').count()) === 2);
    await noBanner(page);
    await page.click('.slip .button-primary');
    await until('all bets are in', async () => (await page.locator('.my-bets li:not(.pending)').count()) === 3);
    expect(faults).toEqual([]);
    await close();
  });

  test('[PG24] while a race waits for the ledger: paused, for those who come back too, and it goes on by itself', async () => {
    const { page, faults, host, roomId, close } = await visit({ ...SMALL, locale: 'ko-KR' }, { openSeconds: 45 });
    await host.request('race:start', { roomId });
    await page.waitForSelector('.runner-row:not(:disabled)');
    await withoutLedger(async () => {
      await page.waitForSelector('.banner:has-text("경주가 잠시 멈췄어요")', { timeout: 20_000 });
      expect(await page.innerText('.phase')).toContain('멈춤');
      expect(await page.locator('.runner-row:not(:disabled)').count()).toBe(0);
      expect(await page.locator('.slip').count()).toBe(0);
      await picture(page, 'paused-phone-ko');
      await page.reload();
      await page.waitForSelector('.banner:has-text("경주가 잠시 멈췄어요")');
      expect(await page.innerText('.phase')).toContain('멈춤');
    });
    await page.waitForSelector('.order-row', { timeout: 30_000 });
    await noBanner(page);
    expect(faults).toEqual([]);
    await close();
  });

  test('[PG25] when the room closes soon, and lets the host keep it open', async () => {
    const { page, faults, host, roomId, close } = await visit({ ...SMALL, locale: 'en-US' }, { lifetimeMinutes: 10 });
    expect(await banner(page)).toMatch(/closes in (9|10) minutes/);
    expect(await page.locator('.banner button').count()).toBe(0);
    await host.request('room:handover', { roomId, playerId: await guestOf(host) });
    await page.waitForSelector('.banner button');
    await picture(page, 'closing-phone-en');
    const before = host.room?.snapshot.expiresAt ?? 0;
    await page.click('.banner button');
    const { patch } = await host.event('settings changed', ({ patch }) => patch.expiresAt !== undefined);
    expect(patch.expiresAt).toBeGreaterThan(before);
    await noBanner(page);
    expect(faults).toEqual([]);
    await close();
  });

  test('[PG26] of a room of seventy: the count, and everybody by paging, also who comes and goes meanwhile', async () => {
    const { page, faults, roomId, close } = await visit({ ...DESKTOP, locale: 'en-US' }, { capacity: 100 });
    const crowd = await Promise.all(Array.from({ length: PEOPLE - 2 }, (_, n) => player(`rider ${n + 1}`)));
    for (const client of crowd) await client.request('room:join', { roomId });
    await page.reload();
    await page.waitForSelector('.room');
    await until('the count', async () => (await page.innerText('.pane-members h2')).includes(`${PEOPLE}/100`));
    expect(await page.locator('.members .member').count()).toBe(60);
    const more = page.locator('.pane-members .button:has-text("Show")');
    expect(await more.innerText()).toContain('Show 10 more');
    await more.scrollIntoViewIfNeeded();
    await picture(page, 'crowd-desktop-en');
    await more.click();
    await until('everybody is shown', async () => (await page.locator('.members .member').count()) === PEOPLE);
    expect(await more.count()).toBe(0);
    const names = await page.locator('.member-name').allInnerTexts();
    expect(new Set(names).size).toBe(PEOPLE);
    for (let n = 1; n <= PEOPLE - 2; n += 1) expect(names).toContain(`rider ${n}`);
    // One of those who were paged in leaves: the list knows.
    await crowd.at(-1)?.request('room:leave', { roomId });
    await until('one less', async () => (await page.locator('.members .member').count()) === PEOPLE - 1);
    expect(await page.innerText('.pane-members h2')).toContain(`${PEOPLE - 1}/100`);
    expect(await more.count()).toBe(0);
    expect(faults).toEqual([]);
    await close();
  });

  test('[PG27] without a network: at once, and what was typed arrives when there is one again', async () => {
    const { page, host, close } = await visit({ ...SMALL, locale: 'ko-KR' }, {});
    await page.context().setOffline(true);
    expect(await banner(page)).toContain('인터넷 연결이 없어요');
    await page.click('.tabs button >> nth=1');
    await page.fill('.chat-line input', '터널 안');
    await page.press('.chat-line input', 'Enter');
    await page.waitForSelector('.message-pending');
    await picture(page, 'offline-phone-ko');
    await page.context().setOffline(false);
    await host.event('chat', ({ message }) => message.text === '터널 안');
    await noBanner(page);
    await page.waitForSelector('.message:not(.message-pending) .bubble p:text("터널 안")');
    expect(host.room?.events.filter(({ type }) => type === 'chat')).toHaveLength(1);
    await close();
  });

  test('[PG28] who is removed sees that, whatever lay over the room', async () => {
    const { page, faults, host, roomId, close } = await visit({ ...SMALL, locale: 'en-US' }, { openSeconds: 10 });
    await host.request('race:start', { roomId });
    await page.click('.result .button-quiet', { timeout: 30_000 });
    await page.waitForSelector('dialog .order-row');
    await host.request('room:kick', { roomId, playerId: await guestOf(host), reason: 'dinner' });
    await page.waitForSelector('.middle blockquote');
    expect(await page.locator('dialog').count()).toBe(0);
    await picture(page, 'removed-phone-en');
    expect(faults).toEqual([]);
    await close();
  });
});

describe('the page on a small phone', () => {
  test('[PG29] shows the race, runners and the whole slip at once, and keeps the bar in sight under a banner', async () => {
    const { page, faults, host, roomId, close } = await visit(
      { ...SMALL, locale: 'en-US' },
      { openSeconds: 300, lifetimeMinutes: 10 },
    );
    await host.request('race:start', { roomId });
    await page.waitForSelector('.runner-row:not(:disabled)');
    await noOddsYet(page, 'No bets yet');
    await page.click('.runner-row >> nth=2');
    await page.waitForSelector('.slip-quote:not(:empty)');
    await page.click('.slip .chip >> nth=2');
    // What that stake would pay is asked for anew.
    await page.waitForSelector('.slip-quote:empty', { state: 'attached' });
    await page.waitForSelector('.slip-quote:not(:empty)');
    const seen = (await page.evaluate(`(() => {
      const box = (selector) => document.querySelector(selector).getBoundingClientRect();
      return { slip: box('.slip').height, chip: Math.max(...[...document.querySelectorAll('.slip .chip')].map((key) => key.scrollWidth - key.clientWidth)), free: box('.slip').top - box('.stage').bottom, width: document.documentElement.scrollWidth };
    })()`)) as Record<string, number>;
    expect(seen['slip']).toBeLessThanOrEqual(112);
    expect(seen['chip'], 'text beyond its key').toBeLessThanOrEqual(0);
    // Three runners and more, beside the race, bar, banner and tabs.
    expect(seen['free']).toBeGreaterThanOrEqual(180);
    expect(seen['width']).toBeLessThanOrEqual(360);
    await picture(page, 'slip-phone-en');
    await page.evaluate('window.scrollTo(0, 400)');
    const bar = (await page.evaluate(`(() => {
      const box = (selector) => document.querySelector(selector).getBoundingClientRect();
      return [box('.room-bar').top - box('.banner').bottom, box('.stage').top - box('.room-bar').bottom];
    })()`)) as number[];
    for (const gap of bar) expect(Math.abs(gap)).toBeLessThanOrEqual(1);
    await page.click('.slip .button-primary');
    await page.waitForSelector('.my-bets li:not(.pending)');
    await until('odds', async () => (await page.locator('.odds b').count()) > 0);
    expect(faults).toEqual([]);
    await close();
  });

  test('[PG30] shows the result from its top, with the horses of my bets by name', async () => {
    const { page, host, roomId, close } = await visit({ ...SMALL, locale: 'ko-KR' }, { openSeconds: 100 });
    await host.request('race:start', { roomId });
    await page.waitForSelector('.runner-row:not(:disabled)');
    const name = await page.innerText('.runner-row >> nth=3 >> strong');
    await bet(page, 3);
    await page.waitForSelector('.my-bets li:not(.pending)');
    await host.request('race:start', { roomId });
    await page.waitForSelector('.outcomes li', { timeout: 30_000 });
    expect(await page.innerText('.outcomes li')).toContain(name);
    const hiddenPx = `document.querySelector('.stage').getBoundingClientRect().bottom
      - document.querySelector('.headline').getBoundingClientRect().top`;
    await until('the result is in sight', async () => Number(await page.evaluate(hiddenPx)) <= 0);
    expect(await page.evaluate('document.documentElement.scrollWidth')).toBeLessThanOrEqual(360);
    await picture(page, 'outcome-phone-ko');
    await close();
  });

  for (const locale of ['ko-KR', 'en-US']) {
    test(`[PG31] shows the whole name of a house room (${locale})`, async () => {
      const { page, close } = await openPage(browser, server.url, { ...SMALL, locale });
      await page.click('.room-card:has-text("Dawn Track")');
      await page.waitForSelector('.room');
      const hidden = await page.evaluate(`(() => {
        const title = document.querySelector('.room-title h1');
        return [title.scrollWidth - title.clientWidth, title.scrollHeight - title.clientHeight];
      })()`);
      for (const pixels of hidden as number[]) expect(pixels).toBeLessThanOrEqual(1);
      expect(await page.evaluate('document.querySelector(".room-bar").offsetHeight')).toBeLessThanOrEqual(60);
      if (locale === 'ko-KR') await picture(page, 'house-phone-ko');
      await close();
    });
  }
});

/** It is said once, and no row pretends to odds. */
async function noOddsYet(page: Page, text: string): Promise<void> {
  await page.waitForSelector(`.pane-play :text("${text}")`);
  expect(await page.locator('.odds b').count()).toBe(0);
}

/** The one other member of a host's room. */
async function guestOf(host: TestClient) {
  const { member } = await host.event('member joined', ({ member }) => member.id !== host.id);
  return member.id;
}
