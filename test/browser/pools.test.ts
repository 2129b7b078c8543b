import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { RaceId } from '../../lib/core/ids.ts';
import { POOLS, type Pool, SHAPES } from '../../lib/core/pools.ts';
import { integers } from '../core/random.ts';
import { admin } from '../helpers/admin.ts';
import { connect, type TestClient } from '../helpers/client.ts';
import { startServer, type TestServer } from '../helpers/server.ts';
import { until } from '../helpers/until.ts';
import { accessFaults, DESKTOP, ensurePage, openBrowser, openPage, PHONE, picture } from './pages.ts';

const SCALE = '10';

let server: TestServer;
let browser: Browser;
const clients: TestClient[] = [];

beforeAll(async () => {
  ensurePage();
  [server, browser] = await Promise.all([
    startServer({
      env: { TIME_SCALE: SCALE, BETS_PER_SECOND: '1000', REQUESTS_PER_SECOND: '1000', REQUEST_BURST: '1000' },
    }),
    openBrowser(),
  ]);
}, 120_000);
afterAll(async () => {
  for (const client of clients) client.close();
  await browser?.close();
  await server?.stop();
});

async function player(nickname: string): Promise<TestClient> {
  const client = await connect(server.url, { nickname });
  clients.push(client);
  return client;
}

/** Bets of others, so that there is something to see. */
async function crowd(roomId: NonNullable<TestClient['room']>['snapshot']['id'], raceId: RaceId): Promise<void> {
  const { below, shuffle } = integers(7);
  const people = await Promise.all(['Ara', 'Bo', 'Cho', 'Dan'].map(player));
  for (const client of people) {
    await client.request('room:join', { roomId });
    const bets = Array.from({ length: 45 }, (_, index) => {
      const pool: Pool = POOLS[index % POOLS.length] ?? 'win';
      const horses = shuffle([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12].slice(0, 6 + 6 * below(2)));
      const bet = { raceId, pool, selection: horses.slice(0, SHAPES[pool].size), stake: String(100 * (1 + below(2))) };
      return client.request('bet:place', bet);
    });
    await Promise.all(bets);
  }
}

const tab = (page: Page, pool: Pool) => page.click(`.pool-tabs button >> nth=${POOLS.indexOf(pool)}`);

describe('the page of a room with all pools', () => {
  test('[BT45] takes bets on one, two and three horses, shows odds, scratches and what every pool pays', async () => {
    const host = await player('Mina');
    const { room } = await host.request('room:create', {
      kind: 'bet',
      name: 'Seven ways',
      settings: { pools: [...POOLS], horses: 12, openSeconds: 300, maxStakePerRace: 10_000 },
    });
    const { raceId } = await host.request('race:start', { roomId: room.id });
    await crowd(room.id, raceId);
    const address = `${server.url}/r/${room.code}`;
    const phone = await openPage(browser, address, { ...PHONE, locale: 'ko-KR' });
    const desktop = await openPage(browser, address, { ...DESKTOP, locale: 'en-US' });
    for (const { page } of [phone, desktop]) {
      await page.click('dialog .sheet-foot .button-primary');
      await page.waitForSelector('.runner-row:not(:disabled)');
      expect(await page.locator('.pool-tabs button').count()).toBe(7);
    }

    // An ordered pool: the marks say which place is which, and the quote comes with the last horse.
    const { page } = phone;
    await tab(page, 'trifecta');
    // Who comes in is shown the odds of all pools, though nothing is staked just now.
    await page.waitForSelector('.top-odds li', { timeout: 5_000 });
    await tab(page, 'win');
    expect(await page.locator('.odds b.number').count()).toBe(12);
    await tab(page, 'trifecta');
    for (const row of [2, 0]) await page.click(`.runner-row >> nth=${row}`);
    expect(await page.innerText('.slip')).toContain('3 → 1');
    expect(await page.locator('.slip .button-primary').count()).toBe(0);
    await page.click('.runner-row >> nth=1');
    await page.waitForSelector('.slip-quote:not(:empty)');
    expect(await page.innerText('.slip-what')).toContain('3 → 1 → 2');
    expect(await page.locator('.pick-mark[data-chosen="true"]').allInnerTexts()).toEqual(['2등', '3등', '1등']);
    expect(await page.evaluate('document.documentElement.scrollWidth')).toBeLessThanOrEqual(390);
    await page.evaluate('window.scrollTo(0, 0)');
    await picture(page, 'trifecta-phone-ko');
    await page.click('.slip .button-primary');
    await page.waitForSelector('.my-bets li:not(.pending):has-text("3 → 1 → 2")');

    // A pool without an order: tapped in any, written ascending.
    await tab(desktop.page, 'quinella');
    for (const row of [6, 2]) await desktop.page.click(`.runner-row >> nth=${row}`);
    await desktop.page.waitForSelector('.slip-quote:not(:empty)');
    expect(await desktop.page.innerText('.slip-what')).toContain('3 – 7');
    await until('the ten most backed', async () => (await desktop.page.locator('.top-odds li').count()) === 10);
    await picture(desktop.page, 'quinella-desktop-en');
    await desktop.page.click('.slip .button-primary');
    await desktop.page.waitForSelector('.my-bets li:not(.pending):has-text("3 – 7")');
    // One of the most backed is a tap away.
    const first = await desktop.page.innerText('.top-odds li >> nth=0 >> span');
    await desktop.page.click('.top-odds button >> nth=0');
    expect(await desktop.page.innerText('.slip-what')).toContain(first);
    // All horses of one pool, so that there is something to be paid.
    await tab(page, 'place');
    for (let row = 0; row < 12; row += 1) {
      await page.click(`.runner-row >> nth=${row}`);
      await page.click('.slip .button-primary');
      await until('placed', async () => (await page.locator('.my-bets li:not(.pending)').count()) === row + 2);
    }

    // A horse is taken out: its bets are back, it cannot be chosen any more, nor stay chosen.
    await tab(desktop.page, 'exacta');
    const chosen = desktop.page.locator('.runner-row[aria-pressed="true"]');
    while ((await chosen.count()) > 0) await chosen.first().click();
    for (const row of [6, 4]) await desktop.page.click(`.runner-row >> nth=${row}`);
    expect((await admin({ ...server, timeScale: SCALE }, 'race', 'scratch', raceId, '7')).code).toBe(0);
    await desktop.page.waitForSelector('.runner-row >> nth=6 >> text=Scratched');
    expect(await desktop.page.innerText('.slip')).toContain('choose 1 more');
    await desktop.page.waitForSelector('.my-bets li:has-text("returned")');
    await until(
      'one place bet is back',
      async () => (await page.locator('.my-bets li:has-text("환급")').count()) === 1,
    );
    await picture(desktop.page, 'scratched-desktop-en');
    for (const shown of [page, desktop.page]) expect(await accessFaults(shown)).toEqual([]);

    await host.request('race:start', { roomId: room.id });
    for (const shown of [page, desktop.page]) {
      await shown.waitForSelector('.dividends li', { timeout: 60_000 });
      expect(await shown.locator('.dividends li').count()).toBeGreaterThanOrEqual(4);
    }
    const { result } = await host.request('race:get', { raceId });
    expect(await page.locator('.dividends li').count()).toBe(result?.dividends?.length);
    await page.evaluate(`document.querySelector('.dividends').scrollIntoView({ block: 'end' })`);
    await picture(page, 'dividends-phone-ko');
    await desktop.page.evaluate(`document.querySelector('.dividends').scrollIntoView({ block: 'end' })`);
    await picture(desktop.page, 'dividends-desktop-en');
    for (const shown of [page, desktop.page]) expect(await accessFaults(shown)).toEqual([]);
    expect([...phone.faults, ...desktop.faults]).toEqual([]);
    await Promise.all([phone.close(), desktop.close()]);
  }, 180_000);

  test('[BT45] lets the host choose the pools, and says which need more horses', async () => {
    const { page, faults, close } = await openPage(browser, server.url, { ...PHONE, locale: 'en-US' });
    await page.click('.kind-bet');
    await page.click('dialog summary');
    await page.selectOption('dialog select:has(option[value="12"])', '5');
    for (const pool of ['Quinella', 'Exacta', 'Trio', 'Trifecta'])
      await page.click(`dialog .toggle:has(.toggle-text:text-matches("^${pool}(?! place)"))`);
    expect(await page.locator('dialog .toggle:has-text("Needs 6 horses")').count()).toBe(2);
    await page.locator('dialog .toggle:has-text("Trifecta")').scrollIntoViewIfNeeded();
    expect(await accessFaults(page)).toEqual([]);
    await picture(page, 'choose-pools-phone-en');
    await page.click('dialog .sheet-foot .button-primary');
    await page.waitForSelector('.room');
    await page.click('.action-bar .button-primary');
    await page.waitForSelector('.runner-row:not(:disabled)');
    expect(await page.locator('.pool-tabs button').allInnerTexts()).toEqual(['Win', 'Place', 'Quinella', 'Exacta']);
    expect(faults).toEqual([]);
    await close();
  });
});
