import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startServer, type TestServer } from '../helpers/server.ts';
import { until } from '../helpers/until.ts';
import { accessFaults, DESKTOP, ensurePage, openBrowser, openPage, PAGE_FOLDER, PHONE } from './pages.ts';

let server: TestServer;
let browser: Browser;

beforeAll(async () => {
  ensurePage();
  [server, browser] = await Promise.all([startServer({ env: { TIME_SCALE: '20' } }), openBrowser()]);
}, 120_000);
afterAll(async () => {
  await browser?.close();
  await server?.stop();
});

describe('the page', () => {
  test('[PG14] weighs at most 120 KB, gzipped, and has no script or style in its HTML', () => {
    const html = readFileSync(join(PAGE_FOLDER, 'index.html'), 'utf8');
    const assets = readdirSync(join(PAGE_FOLDER, 'assets')).map((name) => join(PAGE_FOLDER, 'assets', name));
    const bytes = [join(PAGE_FOLDER, 'index.html'), ...assets].reduce(
      (sum, path) => sum + gzipSync(readFileSync(path)).length,
      0,
    );
    console.log(`page: ${bytes} bytes gzipped in ${assets.length + 1} files`);
    expect(bytes).toBeLessThanOrEqual(120 * 1_024);
    for (const script of html.match(/<script[^>]*>/g) ?? []) expect(script).toContain(' src="');
    expect(html).not.toMatch(/<style|\son[a-z]+="|\sstyle="/);
  });

  for (const [device, options] of [
    ['a phone', PHONE],
    ['a desktop', DESKTOP],
  ] as const) {
    test(`[PG15] keeps nobody out: lobby, sheets and room on ${device} have no serious fault of access`, async () => {
      const { page, faults, close } = await openPage(browser, server.url, { ...options, locale: 'ko-KR' });
      await page.waitForSelector('.empty, .room-card');
      expect(await accessFaults(page)).toEqual([]);
      await page.click('.kind-pick');
      await page.click('dialog summary');
      expect(await accessFaults(page)).toEqual([]);
      await page.click('dialog .segments button >> nth=1');
      await page.click('dialog .sheet-foot .button-primary');
      await page.waitForSelector('.room');
      expect(await accessFaults(page)).toEqual([]);
      const tab = async (index: number): Promise<void> => {
        if (device === 'a phone') await page.click(`.tabs button >> nth=${index}`);
      };
      await tab(1);
      await page.fill('.chat-line input', '안녕하세요');
      await page.press('.chat-line input', 'Enter');
      await page.waitForSelector('.message:not(.message-pending)');
      await page.click('.message-tools button >> nth=0');
      await page.click('.emoji button >> nth=0');
      await page.waitForSelector('.reactions button');
      expect(await accessFaults(page)).toEqual([]);
      await tab(2);
      expect(await accessFaults(page)).toEqual([]);
      expect(await page.evaluate('document.documentElement.scrollWidth - innerWidth')).toBeLessThanOrEqual(0);
      expect(faults).toEqual([]);
      await close();
    });
  }

  test('[PG16] asks before it leaves a room by "back", and leaves when told so', async () => {
    const { page, close } = await openPage(browser, server.url, DESKTOP);
    await page.click('.kind-bet');
    await page.click('dialog .sheet-foot .button-primary');
    await page.waitForSelector('.room');
    await page.goBack();
    await page.waitForSelector('dialog');
    expect(new URL(page.url()).pathname).toMatch(/^\/r\//);
    await page.click('dialog .sheet-foot .button >> nth=0');
    expect(await page.locator('.room').count()).toBe(1);
    await page.goBack();
    await page.click('dialog .sheet-foot .button-danger');
    await page.waitForSelector('.lobby');
    expect(new URL(page.url()).pathname).toBe('/');
    await close();
  });

  test('[PG17] keeps room and words over a restart of the server: what was typed meanwhile arrives once', async () => {
    const { page, close } = await openPage(browser, server.url, { ...DESKTOP, locale: 'en-US' });
    await page.click('.kind-pick');
    await page.click('dialog .sheet-foot .button-primary');
    await page.waitForSelector('.room');
    await page.fill('.chat-line input', 'before');
    await page.press('.chat-line input', 'Enter');
    await page.waitForSelector('.message:not(.message-pending)');
    await server.stop();
    await page.fill('.chat-line input', 'meanwhile');
    await page.press('.chat-line input', 'Enter');
    await page.waitForSelector('.banner');
    await server.restart();
    await until('the room is back with both messages', async () => {
      if ((await page.locator('.banner, .message-pending').count()) > 0) return false;
      return (await page.locator('.bubble p').allInnerTexts()).includes('meanwhile');
    });
    expect(await page.locator('.bubble p').allInnerTexts()).toEqual(['before', 'meanwhile']);
    await close();
  });

  test('[PG21] shows the newest message above the field on a phone, however much was said before', async () => {
    const { page, close } = await openPage(browser, server.url, { ...PHONE, locale: 'ko-KR' });
    await page.click('.kind-pick');
    await page.click('dialog .sheet-foot .button-primary');
    await page.click('.tabs button >> nth=1');
    for (const word of ['하나', '둘', '셋']) {
      const text = `${word} ${'아주 긴 말 '.repeat(30)}`;
      await page.fill('.chat-line input', text);
      await page.press('.chat-line input', 'Enter');
      await page.waitForSelector(`.message:not(.message-pending) .bubble p:text("${word}")`);
      const hiddenPx = `document.querySelector('.message:last-child').getBoundingClientRect().bottom
        - document.querySelector('.chat-form').getBoundingClientRect().top`;
      expect(await page.evaluate(hiddenPx), `of "${word}" below the field`).toBeLessThanOrEqual(0);
    }
    await close();
  });

  test('[PG22] goes where a link leads, although its tab holds a seat in another room', async () => {
    const friend = await openPage(browser, server.url, { ...DESKTOP, locale: 'en-US' });
    await friend.page.click('.kind-pick');
    await friend.page.fill('dialog input >> nth=0', 'the other room');
    await friend.page.click('dialog .sheet-foot .button-primary');
    await friend.page.waitForSelector('.room');
    const link = friend.page.url();

    const { page, close } = await openPage(browser, server.url, { ...DESKTOP, locale: 'en-US' });
    await page.click('.kind-bet');
    await page.click('dialog .sheet-foot .button-primary');
    await page.waitForSelector('.room');
    await page.goto(link);
    await page.click('dialog .sheet-foot .button-primary');
    await page.waitForSelector('.room');
    expect(await page.innerText('.room-title h1')).toBe('the other room');
    expect(page.url()).toBe(link);
    await Promise.all([close(), friend.close()]);
  });

  test('[PG18] recomputes a race from its public record, in the browser', async () => {
    const { page, faults, close } = await openPage(browser, server.url, { ...DESKTOP, locale: 'en-US' });
    await page.click('.kind-bet');
    await page.click('dialog .sheet-foot .button-primary');
    await page.click('.pane-play .button-primary');
    await page.click('.result .button-quiet', { timeout: 60_000 });
    await page.click('.verify .button');
    await page.waitForSelector('.step');
    expect(await page.locator('.step-bad').allInnerTexts()).toEqual([]);
    expect(await page.locator('.step').count()).toBeGreaterThanOrEqual(5);
    expect(await page.locator('.verdict-bad').count()).toBe(0);
    expect(faults).toEqual([]);
    await close();
  });
});
