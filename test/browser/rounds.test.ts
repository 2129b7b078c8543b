import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startServer, type TestServer } from '../helpers/server.ts';
import { until } from '../helpers/until.ts';
import { DESKTOP, ensurePage, openBrowser, openPage, PHONE, shownPoints } from './pages.ts';

/** A round at real speed: ten seconds to choose, five to the start, half a minute of racing. */
const ROUND_MS = 120_000;

let server: TestServer;
let browser: Browser;

beforeAll(async () => {
  ensurePage();
  [server, browser] = await Promise.all([startServer(), openBrowser()]);
}, ROUND_MS);
afterAll(async () => {
  await browser?.close();
  await server?.stop();
});

/** Creates a room with ten seconds to choose, and returns the link that the share sheet gives. */
async function createRoom(host: Page, kind: 'bet' | 'pick', password: string): Promise<string> {
  await host.click(`.kind-${kind}`);
  await host.fill('dialog input >> nth=0', `${kind} round`);
  if (password) await host.fill('dialog input >> nth=1', password);
  await host.click('dialog summary');
  await host.selectOption('dialog select:has(option[value="300"])', '10');
  await host.click('dialog .sheet-foot .button-primary');
  await host.waitForSelector('.room');
  await host.click('.room-bar .icon-button >> nth=-1');
  const link = await host.inputValue('.share-link');
  await host.click('dialog .sheet-head .icon-button');
  return link;
}

async function joinByLink(guest: Page, link: string): Promise<void> {
  await guest.goto(link);
  await guest.click('dialog .sheet-foot .button-primary');
  await guest.waitForSelector('.room');
}

async function bet(page: Page, row: number): Promise<void> {
  const before = await page.locator('.my-bets li:not(.pending)').count();
  await page.click(`.runner-row >> nth=${row}`);
  await page.click('.slip .button-primary');
  await until(
    'the bet is acknowledged',
    async () => (await page.locator('.my-bets li:not(.pending)').count()) > before,
  );
}

const orderOf = (page: Page): Promise<string[]> => page.locator('.order-row .order-name').allInnerTexts();
const picture = (page: Page): Promise<unknown> => page.evaluate('document.querySelector("canvas").toDataURL()');

/** The race is seen to move. */
async function watchStart(page: Page): Promise<void> {
  await page.waitForSelector('.live-ranking', { timeout: 60_000 });
  const first = await picture(page);
  await until('the picture moves', async () => (await picture(page)) !== first);
}

async function playBets(origin: string): Promise<void> {
  const host = await openPage(browser, origin, { ...DESKTOP, locale: 'ko-KR' });
  const guest = await openPage(browser, origin, { ...PHONE, locale: 'ko-KR' });
  const link = await createRoom(host.page, 'bet', '');
  expect(new URL(link).pathname).toMatch(/^\/r\/[A-Z0-9]{6}$/);
  await joinByLink(guest.page, `${origin}${new URL(link).pathname}`);

  await host.page.click('.pane-play .button-primary');
  await host.page.waitForSelector('.runner-row');
  const horses = await host.page.locator('.runner-row').count();
  await bet(guest.page, 0);
  // One bet on each horse: whichever wins, the host is paid.
  for (let row = 0; row < horses; row += 1) await bet(host.page, row);
  expect(await shownPoints(host.page, '.pill .number')).toBe(10_000n - 100n * BigInt(horses));

  await Promise.all([watchStart(host.page), watchStart(guest.page)]);
  const pages = [host.page, guest.page];
  await Promise.all(pages.map((page) => page.waitForSelector('.outcomes li', { timeout: 60_000 })));
  const [hostOrder, guestOrder] = await Promise.all(pages.map(orderOf));
  expect(hostOrder).toHaveLength(horses);
  expect(guestOrder).toEqual(hostOrder);
  let nets = 0n;
  for (const page of pages) {
    const net = await shownPoints(page, '.headline h2');
    await until(
      'the payout is on the balance',
      async () => (await shownPoints(page, '.pill .number')) === 10_000n + net,
    );
    nets += net;
  }
  expect(await host.page.locator('.outcomes .tag-live').count()).toBe(1);
  // What the pool keeps is the takeout: nobody wins more than the others lost.
  expect(nets).toBeLessThanOrEqual(0n);
  expect([...host.faults, ...guest.faults]).toEqual([]);
  await Promise.all([host.close(), guest.close()]);
}

describe.concurrent('two browser pages play a round', () => {
  test(
    '[PG12] of bets: the same race and order on both, and the payout on the balance',
    () => playBets(server.url),
    ROUND_MS,
  );

  test(
    '[PG13] over a plain http:// name, which is no secure context',
    async () => {
      const origin = `http://paddock.test:${server.port}`;
      const look = await openPage(browser, origin, DESKTOP);
      expect(await look.page.evaluate('[isSecureContext, typeof crypto.subtle, typeof crypto.randomUUID]')).toEqual([
        false,
        'undefined',
        'undefined',
      ]);
      await look.close();
      await playBets(origin);
    },
    ROUND_MS,
  );

  test(
    '[PG12] of picks, by an invite link without the password: the same caught on both, through a reload in mid-race',
    async () => {
      const host = await openPage(browser, server.url, { ...DESKTOP, locale: 'en-US' });
      const guest = await openPage(browser, server.url, { ...PHONE, locale: 'ko-KR' });
      const link = await createRoom(host.page, 'pick', 'latte');
      const { pathname, hash } = new URL(link);
      expect(hash).toMatch(/^#k=/);
      await joinByLink(guest.page, `${server.url}${pathname}${hash}`);
      await host.page.click('.pane-play .button-primary');
      await guest.page.waitForSelector('.board-horse:not(:disabled)');
      await guest.page.click('.vote .chip >> nth=0');
      await guest.page.waitForSelector('.vote .chip[aria-pressed="true"]');
      await guest.page.click('.board-horse >> nth=1');
      await guest.page.waitForSelector('.board-horse[aria-pressed="true"]');
      expect(await host.page.locator('.pickers').count()).toBe(0);
      await host.page.click('.board-horse >> nth=2');
      await Promise.all([watchStart(host.page), watchStart(guest.page)]);
      expect(await host.page.locator('.board-unpicked').count()).toBe(
        (await host.page.locator('.board-horse').count()) - 2,
      );
      await guest.page.reload();
      await watchStart(guest.page);
      const pages = [host.page, guest.page];
      await Promise.all(pages.map((page) => page.waitForSelector('.headline', { timeout: 60_000 })));
      const [hostCaught, guestCaught] = await Promise.all(pages.map((page) => page.innerText('.headline h2')));
      expect(hostCaught).not.toBe('');
      expect(guestCaught).toBe(hostCaught);
      expect(await orderOf(host.page)).toHaveLength(await guest.page.locator('.order-row').count());
      expect([...host.faults, ...guest.faults]).toEqual([]);
      await Promise.all([host.close(), guest.close()]);
    },
    ROUND_MS,
  );
});
