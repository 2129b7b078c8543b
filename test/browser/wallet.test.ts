import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { connect, type TestClient } from '../helpers/client.ts';
import { startServer, type TestServer } from '../helpers/server.ts';
import { until } from '../helpers/until.ts';
import { accessFaults, ensurePage, openBrowser, openPage, picture, SMALL, shownPoints } from './pages.ts';

let server: TestServer;
let browser: Browser;
const clients: TestClient[] = [];

beforeAll(async () => {
  ensurePage();
  [server, browser] = await Promise.all([
    startServer({
      env: {
        TIME_SCALE: '10',
        START_POINTS: '9000',
        RELIEF_POINTS: '10000',
        BETS_PER_SECOND: '1000',
        REQUESTS_PER_SECOND: '1000',
        REQUEST_BURST: '1000',
        NEW_PLAYERS_PER_ADDRESS_AND_DAY: '1000',
      },
    }),
    openBrowser(),
  ]);
}, 120_000);
afterAll(async () => {
  for (const client of clients) client.close();
  await browser?.close();
  await server?.stop();
});

async function someone(nickname: string, token?: string): Promise<TestClient> {
  const client = await connect(server.url, { nickname, ...(token !== undefined && { token }) });
  clients.push(client);
  return client;
}

/** A small phone in a room with an open race, and another device of the same player. */
async function visit(locale: 'ko-KR' | 'en-US') {
  const host = await someone('Mina');
  const settings = { openSeconds: 300, maxStakePerRace: 5_000 };
  const { room } = await host.request('room:create', { kind: 'bet', name: 'Friday track', settings });
  const watched = await openPage(browser, `${server.url}/r/${room.code}`, { ...SMALL, locale });
  await watched.page.click('dialog .sheet-foot .button-primary');
  await watched.page.waitForSelector('.room');
  const { raceId } = await host.request('race:start', { roomId: room.id });
  await watched.page.waitForSelector('.runner-row:not(:disabled)');
  const token = (await watched.page.evaluate(
    `Object.values(localStorage).find((value) => value.split('.').length === 3)`,
  )) as string;
  const device = await someone('same', token);
  await device.request('room:join', { roomId: room.id });
  return { ...watched, host, device, roomId: room.id, raceId };
}

const openWallet = (page: Page) => page.click('.pill:has(.number)');
const tab = (page: Page, number: number) => page.click(`dialog .sheet-content > .segments button >> nth=${number}`);
const sideways = (page: Page) => page.evaluate('document.querySelector("dialog .sheet-body").scrollWidth');

/** They lie over the sheet for a while. */
const noToasts = (page: Page) => until('no toasts', async () => (await page.locator('.toast').count()) === 0);

async function expectFine(page: Page): Promise<void> {
  expect(await accessFaults(page)).toEqual([]);
  expect(await sideways(page)).toBeLessThanOrEqual(360);
}

async function bet(page: Page, row: number): Promise<void> {
  await page.click(`.runner-row >> nth=${row}`);
  await page.click('.slip .button-primary');
}

describe('the wallet on a small phone', () => {
  test('[PG50] gives what may be asked for, and shows every entry and every bet with its horse and outcome', async () => {
    const { page, faults, host, device, roomId, raceId, close } = await visit('ko-KR');
    const horse = await page.innerText('.runner-row >> nth=2 >> strong');
    await bet(page, 2);
    await page.waitForSelector('.my-bets li:not(.pending)');
    await openWallet(page);
    expect(await page.innerText('.claims')).toContain('1,000점 받기');
    expect(await page.innerText('.claims')).toContain('10,000점보다 적으면');
    await page.click('.claims .button-primary >> nth=1');
    await page.waitForSelector('.toast-good:has-text("1,000점을 받았어요")');
    await until('the time until the next', async () => /[34]:\d\d:\d\d 뒤/.test(await page.innerText('.claims')));
    await page.waitForSelector('.entries li >> nth=2');
    const rows = await page.locator('.entries li').allInnerTexts();
    expect(rows.map((row) => row.replace(/\s+/g, ' '))).toEqual([
      expect.stringMatching(/^채운 점수 .*\+1,000 남은 점수 9,900$/),
      expect.stringMatching(/^베팅 · 단승 3 Friday track · 1경주 .*−100 남은 점수 8,900$/),
      expect.stringMatching(/^처음 받은 점수 .*\+9,000 남은 점수 9,000$/),
    ]);
    await noToasts(page);
    await expectFine(page);
    await picture(page, 'wallet-phone-ko');

    // Bets of another device come in by themselves, and older entries page by page.
    for (let n = 0; n < 33; n += 1)
      await device.request('bet:place', {
        raceId,
        pool: n % 2 ? 'win' : 'place',
        selection: [(n % 8) + 1],
        stake: '100',
      });
    await until(
      'the newest entry',
      async () => (await shownPoints(page, '.entries li .entry-points small')) === 6_600n,
    );
    expect(await page.locator('.entries li').count()).toBe(30);
    await page.click('.sheet-content > .button-wide');
    await until('all entries', async () => (await page.locator('.entries li').count()) === 36);
    expect(await shownPoints(page, '.big-number .number')).toBe(6_600n);
    expect(await page.locator('.sheet-content > .button-wide').count()).toBe(0);

    await tab(page, 1);
    await page.waitForSelector('.entry-line >> nth=29');
    await page.click('.sheet-content > .button-wide');
    await until('all bets', async () => (await page.locator('.entry-line').count()) === 34);
    expect(await page.innerText('.entry-line >> nth=33')).toContain(horse);
    expect(await page.innerText('.entry-line >> nth=33')).toContain('결과 전');
    await host.request('race:start', { roomId });
    await device.message('bet:settled', (message) => message.raceId === raceId);
    await until('outcomes', async () => /적중|실패|환급/.test(await page.innerText('.entry-line >> nth=0')));
    await expectFine(page);
    await picture(page, 'bets-phone-ko');
    await page.click('.entry-line >> nth=0');
    await page.waitForSelector('dialog .order-row');
    expect(faults).toEqual([]);
    await close();
  });

  test('[PG51] own limits: lower at once and seen in the slip, higher from tomorrow and taken back again', async () => {
    const { page, faults, device, raceId, close } = await visit('ko-KR');
    await bet(page, 0);
    await page.waitForSelector('.my-bets li:not(.pending)');
    await openWallet(page);
    await tab(page, 2);
    await page.selectOption('dialog .sub select >> nth=0', '500');
    await page.click('dialog .sub .button-primary');
    await page.waitForSelector('dialog .sub :text("오늘 500점 가운데 100점")');
    await page.selectOption('dialog .sub select >> nth=0', '3000');
    await page.click('dialog .sub .button-primary');
    await page.waitForSelector('dialog .sub :text("3,000점으로 바뀌어요")');
    await page.waitForSelector('.toast-good:has-text("내일부터")');
    await noToasts(page);
    await expectFine(page);
    await picture(page, 'limits-phone-ko');
    await page.selectOption('dialog .sub select >> nth=0', '500');
    await page.click('dialog .sub .button-primary');
    await until('taken back', async () => (await page.locator('dialog .sub :text("바뀌어요")').count()) === 0);
    await page.keyboard.press('Escape');

    await page.click('.runner-row >> nth=1');
    expect(await page.innerText('.slip-left')).toBe('이 경주에 4,900점까지 · 오늘 400점까지');
    await page.click('.slip .chip:has-text("최대")');
    expect(await page.innerText('.slip .button-primary')).toContain('400점');
    await page.waitForSelector('.slip-quote:not(:empty)');
    const seen = (await page.evaluate(`(() => {
      const slip = document.querySelector('.slip').getBoundingClientRect();
      return [slip.height, slip.top - document.querySelector('.stage').getBoundingClientRect().bottom, document.documentElement.scrollWidth];
    })()`)) as number[];
    expect(seen[0]).toBeLessThanOrEqual(112);
    expect(seen[1]).toBeGreaterThanOrEqual(180);
    const wide = await page.evaluate(
      `[...document.querySelectorAll('body *')].filter((one) => one.getBoundingClientRect().right > 360.5).map((one) => one.className)`,
    );
    expect({ width: seen[2], wide }).toEqual({ width: 360, wide: [] });
    expect(await accessFaults(page)).toEqual([]);
    await picture(page, 'slip-limits-phone-ko');
    // What another device stakes is no longer left here.
    await device.request('bet:place', { raceId, pool: 'win', selection: [1], stake: '200' });
    await until('200 left', async () => (await page.innerText('.slip-left')).includes('오늘 200점까지'));
    await page.click('.slip .button-primary');
    await until('the limit is told', async () =>
      (await page.innerText('.pane-play')).includes('오늘 정해 둔 한도만큼 걸었어요'),
    );
    expect(faults).toEqual([]);
    await close();
  });

  test('[PG52] a break: warned of before, then no slip but the time that is left', async () => {
    const { page, faults, close } = await visit('en-US');
    await openWallet(page);
    await tab(page, 2);
    await page.selectOption('dialog .sub select >> nth=1', '6');
    await page.click('dialog .sub:last-child .button');
    expect(await page.innerText('dialog .sub [role=alert]')).toContain('cannot be shortened');
    await expectFine(page);
    await picture(page, 'break-phone-en');
    await page.click('dialog .sub .button-danger');
    await page.waitForSelector('dialog .resting');
    await page.keyboard.press('Escape');
    await page.waitForSelector('.waiting:has-text("You are on a break")');
    expect(await page.locator('.slip').count()).toBe(0);
    expect(await page.innerText('.waiting')).toMatch(/5:59:\d\d|6:00:0\d/);
    await page.reload();
    await page.waitForSelector('.waiting:has-text("You are on a break")');
    expect(await accessFaults(page)).toEqual([]);
    expect(faults).toEqual([]);
    await close();
  });
});
