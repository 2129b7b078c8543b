import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Witness } from '../crash/world.ts';
import { startServer, type TestServer } from '../helpers/server.ts';
import { until } from '../helpers/until.ts';
import { accessFaults, DESKTOP, ensurePage, openBrowser, openPage, PHONE, picture, SMALL } from './pages.ts';

const PEOPLE = 70;
const NAMES = ['바람돌이', '느림보 경마왕', 'Silver Arrow', '오늘은꼭', '커피내기', 'Ann', '초코송이', '말발굽'];

let server: TestServer;
let browser: Browser;
let witness: Witness;
/** Of earlier tests. */
const guests = new Set<string>();

beforeAll(async () => {
  ensurePage();
  [server, browser] = await Promise.all([startServer(), openBrowser()]);
  witness = new Witness(server.dataDir);
  await witness.query(
    `insert into player (id, nickname, locale, starts_at_zero, created_at)
     select 'board-' || n, ($2::text[])[1 + (n - 1) % cardinality($2::text[])] || case when n > 8 then n::text else '' end, 'ko', false, 0 from generate_series(1, $1) as n`,
    [PEOPLE, NAMES],
  );
  await putOnBoards("'board-' || n", `generate_series(1, ${PEOPLE})`);
}, 120_000);
afterAll(async () => {
  await witness?.close();
  await browser?.close();
  await server?.stop();
});

/** Rows of all periods that are now, ever less profit for ever higher n. */
async function putOnBoards(id: string, source: string): Promise<void> {
  await witness.query(
    `insert into board_row (scope, span, period, player_id, races, hits, profit, best_dividend, streak, best_streak)
     select '', s.span, s.period, ${id}, 20 + n % 30, (20 + n % 30) / (2 + n % 3), (40 - n) * 350, 340 + n * 10, n % 3, 3 + n % 3
     from ${source} as n
     cross join (
       select now_ms() as at
     ) as c
     cross join lateral (
       select to_timestamp(c.at / 1000.0) at time zone 'Asia/Seoul' as local
     ) as l
     cross join lateral (
       values ('day', to_char(l.local, 'YYYY-MM-DD')), ('week', to_char(l.local, 'IYYY-"W"IW')), ('season', to_char(l.local, 'YYYY-"Q"Q')), ('all', '')
     ) as s (span, period)`,
  );
}

const fitsAcross = (page: Page) =>
  page.evaluate(
    'document.querySelector("dialog .sheet-content").scrollWidth <= document.querySelector("dialog").clientWidth',
  );

describe('boards on the page', () => {
  test.each([
    ['phone', PHONE, 'ko-KR'],
    ['small', SMALL, 'en-GB'],
    ['desktop', DESKTOP, 'en-GB'],
  ] as const)(
    '[BD19] a %s shows each board and period, who is on it, and where one stands oneself',
    async (name, screen, locale) => {
      const { page, faults, close } = await openPage(browser, server.url, {
        ...screen,
        locale,
        reducedMotion: 'reduce',
      });
      await page.waitForSelector('.lobby');
      const newest = async () =>
        (await witness.query<{ id: string }>('select id from player order by created_at desc limit 1'))[0]?.id ?? '';
      const me = await until('the guest is written', async () => {
        const id = await newest();
        return id.startsWith('board-') || guests.has(id) ? undefined : id;
      });
      guests.add(me);
      await putOnBoards(`'${me}'`, 'generate_series(66, 66)');

      // A board that somebody has looked at is shown as it was for a few seconds.
      await until('the board has the guest', async () => {
        await page.click('.lobby > .button-wide');
        await page.waitForSelector('.board-line');
        if ((await page.locator('.board-mine .board-me').count()) === 1) return true;
        await page.keyboard.press('Escape');
        return false;
      });
      const people = PEOPLE + 1;
      expect(await page.locator('.standings').first().locator('li').count()).toBe(50);
      expect(await page.locator('.board-rank').first().innerText()).toBe('1');
      expect(await fitsAcross(page)).toBe(true);
      expect(await accessFaults(page)).toEqual([]);
      await picture(page, `boards-${name}-${locale.slice(0, 2)}`);
      await page.locator('.board-mine').scrollIntoViewIfNeeded();
      await picture(page, `boards-mine-${name}-${locale.slice(0, 2)}`);

      // The next page has the rest; then one's own place is among the lines.
      await page.click('dialog .sheet-content > .button-wide');
      await until('the rest', async () => (await page.locator('.standings li').count()) >= people);
      expect(await page.locator('.board-mine .board-me').count()).toBe(0);

      for (const metric of [1, 2, 3, 4]) {
        await page.click(`.board-metrics .chip >> nth=${metric}`);
        await page.waitForSelector('.board-line');
        await until('chosen', async () =>
          page.locator(`.board-metrics .chip >> nth=${metric}`).getAttribute('aria-pressed'),
        );
      }
      for (const window of [0, 2, 3]) {
        await page.locator('.sheet .segments button').nth(window).click();
        await page.waitForSelector('.board-line');
      }
      expect(await page.locator('.board-period').count()).toBe(0);
      await page.locator('.sheet .segments button').nth(0).click();
      await page.waitForSelector('.board-period');
      await page.click('.board-period .icon-button >> nth=0');
      await page.waitForSelector('dialog .empty');
      await page.click('.board-period .icon-button >> nth=1');
      await page.waitForSelector('.board-line');

      await page.click('.board-line >> nth=0');
      await page.waitForSelector('.figures');
      // Of others no balance is told, and no curve of it.
      expect(await page.locator('.curve').count()).toBe(0);
      expect(await accessFaults(page)).toEqual([]);
      await picture(page, `player-${name}-${locale.slice(0, 2)}`);
      expect(faults).toEqual([]);
      await close();
      await witness.query('delete from board_row where player_id = $1', [me]);
    },
  );

  test('[BD20] my profile shows my statistics and the way of my points', async () => {
    const { page, faults, close } = await openPage(browser, server.url, {
      ...PHONE,
      locale: 'ko-KR',
      reducedMotion: 'reduce',
    });
    await page.waitForSelector('.lobby');
    const newest = async () =>
      (await witness.query<{ id: string }>('select id from player order by created_at desc limit 1'))[0]?.id ?? '';
    await page.click('.top-actions .pill >> nth=0');
    await page.click('dialog .button-primary');
    const id = await newest();
    await until('the points are there', async () => {
      const rows = await witness.query('select from transfer where player_id = $1', [id]);
      return rows.length >= 2;
    });
    // Entries of some races; the audit is not asked here.
    const session = await witness.session();
    await session.query("set session_replication_role = 'replica'");
    await session.query(
      `insert into transfer (from_account, to_account, amount, kind, at, player_id, race_id, bet_id)
       select case when n % 3 = 0 then a.id else 1 end, case when n % 3 = 0 then 1 else a.id end, 100 + (n * 7919) % 900,
         case when n % 3 = 0 then 'stake' else 'payout' end, now_ms() + n, $1, 'r', 'b' || n
       from generate_series(1, 60) as n cross join account a where a.player_id = $1`,
      [id],
    );
    await session.query(
      `update account a set balance = (select sum(case when t.to_account = a.id then t.amount else -t.amount end) from transfer t where t.player_id = $1)
       where a.player_id = $1`,
      [id],
    );
    await session.end();
    await putOnBoards(`'${id}'`, 'generate_series(12, 12)');
    await page.keyboard.press('Escape');
    await page.click('.top-actions .pill >> nth=1');
    await page.waitForSelector('.curve svg');
    expect(await page.locator('.figures div').count()).toBe(6);
    expect(await fitsAcross(page)).toBe(true);
    expect(await accessFaults(page)).toEqual([]);
    await picture(page, 'profile-phone-ko');
    expect(faults).toEqual([]);
    await close();
  });
});
